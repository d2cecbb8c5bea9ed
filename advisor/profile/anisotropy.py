"""How far apart a model puts sentences that have nothing to do with each other: the mean cosine of their embeddings.

The interval is a bootstrap over the sentences, because pairs that share one are not independent; a sentence drawn twice
makes no pair with itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from sklearn.metrics.pairwise import cosine_similarity

from advisor.core.inspection import Cosine
from advisor.core.model.cost import anatomy
from advisor.core.model.entry import ModelEntry
from advisor.core.model.source import ModelSource
from advisor.profile.build import DTYPES
from advisor.profile.runtimes.torch_eager import Loaded, vectors
from advisor.profile.tokenizing import tokenizer_of

RESAMPLES = 2000
LOWER, UPPER = 2.5, 97.5


def cosine_of(model: Any, entry: ModelEntry, source: ModelSource, dtype: str, texts: Sequence[str]) -> Cosine:
    """The mean cosine of the texts. Raises ValueError in one sentence where they cannot be read."""
    embedded = embeddings(model, entry, source, dtype, texts)
    mean, interval = mean_cosine(embedded)
    pooling = source.pooling or ("last" if anatomy(entry).encoder is None else "mean")
    return Cosine(mean_cosine=mean, ci95=interval, sentences=len(texts), pooling=pooling, width=int(embedded.shape[1]))


def embeddings(
    model: Any, entry: ModelEntry, source: ModelSource, dtype: str, texts: Sequence[str]
) -> NDArray[numpy.float64]:
    """One vector for each text [texts, width]: pooled as the folder says, else as its kind usually is."""
    tokenizer, trunk = tokenizer_of(source), _trunk(model, entry)
    loaded = Loaded(trunk, anatomy(entry), DTYPES[dtype], "cpu", 0, source.pooling)
    made, read = [], set()
    with torch.inference_mode():
        for text in texts:
            ids = tokenizer(text, return_tensors="pt")["input_ids"][:, : entry.positions]
            if not ids.shape[1] or int(ids.max()) >= anatomy(entry).vocab_size:
                raise ValueError("its tokenizer gives ids that the model does not have")
            read.add(tuple(ids[0].tolist()))
            made.append(vectors(loaded, ids)[0].double().numpy())
    if len(read) < len(texts):
        raise ValueError("its tokenizer cannot tell the sentences apart")
    return numpy.stack(made)


def mean_cosine(embedded: NDArray[numpy.float64], seed: int = 0) -> tuple[float, tuple[float, float]]:
    """The mean over all pairs of texts, and its 95 % interval. Raises ValueError where a vector is no number."""
    if not numpy.isfinite(embedded).all():
        raise ValueError("its embeddings hold NaN or infinity")
    cosines = cosine_similarity(embedded)
    numpy.fill_diagonal(cosines, 0.0)
    drawn = numpy.random.default_rng(seed).multinomial(
        len(cosines), numpy.full(len(cosines), 1 / len(cosines)), size=RESAMPLES
    )
    means = [_mean(cosines, counts) for counts in drawn if numpy.count_nonzero(counts) > 1]
    low, high = numpy.percentile(means, [LOWER, UPPER])
    return _mean(cosines, numpy.ones(len(cosines))), (float(low), float(high))


def _mean(cosines: NDArray[numpy.float64], counts: NDArray[numpy.float64]) -> float:
    """The mean over pairs of different texts, each text as often as `counts` says."""
    pairs = counts.sum() ** 2 - (counts**2).sum()
    return float(counts @ cosines @ counts / pairs)


def _trunk(model: Any, entry: ModelEntry) -> Any:
    """What gives states and not scores: an encoder-decoder's encoder, else the model without its head."""
    if entry.architecture == "encoder-decoder":
        return model.get_encoder()
    return model.base_model

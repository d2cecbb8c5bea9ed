"""How far the output of one configuration is from that of float32 on the same weights and the same forced inputs.

Nothing is timed here, and what is too far stands in `core.sizing.closeness`. The one idea: whatever serves the model
is handed the same few texts as the module in float32, and of everything both hand out the worst agreement counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from advisor.core.model.anatomy import Anatomy
from advisor.core.sizing.measurement import Deviation
from advisor.profile.inputs import token_ids

Numbers = NDArray[np.float32]
Outputs = Mapping[str, Numbers]
"""What a model hands out, by name: `states` [texts, tokens, width], `logits` [texts, tokens, vocabulary] or a
classifier's [texts, labels], `next` [texts, vocabulary], the logits of the last position alone."""

TEXTS = 2
TOKENS = 16
TARGET_TOKENS = 4
START_ID = 0
"""What every target begins with."""
OF_THE_PROBE = 7
"""Added to the seed, so that what is compared is not what is timed."""
_LOGITS = ("logits", "next")


class Probe(NamedTuple):
    """Ids to be read [TEXTS, TOKENS], and for an encoder-decoder those already written [TEXTS, TARGET_TOKENS]."""

    ids: torch.Tensor
    target: torch.Tensor | None


def probe(shape: Anatomy, *, context_tokens: int, padding: int | None, seed: int, device: str = "cpu") -> Probe:
    """The texts that are compared: never padding, and no longer than the model reads."""

    def drawn(tokens: int, number: int) -> torch.Tensor:
        return token_ids(
            TEXTS,
            min(tokens, context_tokens),
            vocab_size=shape.vocab_size,
            padding=padding,
            seed=seed + number,
            device=device,
        )

    writes = shape.encoder is not None and shape.decoder is not None
    target = drawn(TARGET_TOKENS, OF_THE_PROBE + 1) if writes else None
    if target is not None:
        target[:, 0] = START_ID
    return Probe(drawn(TOKENS, OF_THE_PROBE), target)


def deviation(found: Outputs, reference: Outputs, *, real: bool) -> Deviation | None:
    """The worst cosine and relative error of what both hand out; None where they share nothing."""
    shared = [name for name in found if name in reference]
    if not shared:
        return None
    pairs = [_comparable(name, found[name], reference[name]) for name in shared]
    agreements = [
        _agreement(found[name], reference[name]) for name in shared if real and name in _LOGITS and found[name].ndim > 1
    ]
    return Deviation(
        cosine=min(_cosine(one, other) for one, other in pairs),
        relative_error=max(_relative_error(one, other) for one, other in pairs),
        next_token_agreement=min(agreements, default=None),
    )


def _comparable(name: str, found: Numbers, reference: Numbers) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both as one long vector, logits without what is added to all of a position alike: it changes no probability."""
    one, other = found.astype(np.float64), reference.astype(np.float64)
    if name in _LOGITS and one.shape[-1] > 1:
        one, other = (values - values.mean(axis=-1, keepdims=True) for values in (one, other))
    return one.ravel(), other.ravel()


def _cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """1.0 for the same direction; 0.0 where one of them is nothing or no number at all."""
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    cosine = float(one @ other) / size if size > 0 else 0.0
    return max(-1.0, min(1.0, cosine)) if np.isfinite(cosine) else 0.0


def _relative_error(found: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    """The length of the difference as a part of the reference's; 1.0 where that cannot be said."""
    error = float(np.linalg.norm(found - reference)) / max(float(np.linalg.norm(reference)), 1e-30)
    return error if np.isfinite(error) else 1.0


def _agreement(found: Numbers, reference: Numbers) -> float:
    """The part of positions where both hold the same token for the most likely one."""
    return float(np.mean(found.argmax(axis=-1) == reference.argmax(axis=-1)))

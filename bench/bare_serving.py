"""A model in a bare loop of one library at that library's own defaults, in a fresh process, printing one JSON object.

    python -m bench.bare_serving torch|openvino|ctranslate2 MODEL BATCHES [LAYERS]

Prints the median seconds of a run for each batch size of the list: a pass over 128 tokens (encoders), one step of an
answer that continues a prompt of 128 tokens (decoders), an answer of 32 tokens to a text of 128 (encoder-decoders).
The files of the other libraries are made as archadvisor makes them; how they run is left to the library.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import DynamicCache, EncoderDecoderCache
from transformers.modeling_outputs import BaseModelOutput

from advisor.core.model.cut import cut
from advisor.profile.converting import built_in, loaded_in
from advisor.profile.orders import Job
from advisor.profile.runtimes import ctranslate2_engine, openvino_graph
from advisor.profile.runtimes.torch_eager import Loaded
from advisor.store.catalog import load_catalog
from advisor.store.paths import shipped
from bench import bare

TOKENS = 128
STEPS = 32
SECONDS, LEAST_RUNS = 2.0, 5
"""Of runs that count; an answer takes seconds."""
Runs = Callable[[int], Callable[[], object]]
"""What one run is at a batch size."""


def loaded(model: str, layers: int | None) -> Loaded:
    entry = cut(load_catalog(shipped("models")).get(model), layers)
    job = Job(model=entry, dtype="float32", device="cpu", threads=1, seed=0, file_backed_bytes=None, parent_pid=1)
    return loaded_in(job, built_in(job, "float32", "cpu").model, torch.float32, "cpu")


def by_torch(given: Loaded) -> Runs:
    model: Any = given.model
    encodes, decodes = given.anatomy.encoder is not None, given.anatomy.decoder is not None

    def one_pass(batch: int) -> Callable[[], object]:
        ids = _ids(given, batch, TOKENS)
        return lambda: model(input_ids=ids)

    def one_step(batch: int) -> Callable[[], object]:
        cache, token = DynamicCache(config=model.config), _ids(given, batch, 1)
        model(input_ids=_ids(given, batch, TOKENS + STEPS // 2), past_key_values=cache, logits_to_keep=1)

        def step() -> None:
            model(input_ids=token, past_key_values=cache)
            cache.crop(-1)

        return step

    def one_answer(batch: int) -> Callable[[], object]:
        ids, start = _ids(given, batch, TOKENS), torch.zeros(batch, 1, dtype=torch.long)

        def answer() -> None:
            states = BaseModelOutput(last_hidden_state=model.get_encoder()(input_ids=ids)[0])
            cache, token = EncoderDecoderCache(DynamicCache(), DynamicCache()), start
            for _ in range(STEPS):
                out = model(decoder_input_ids=token, encoder_outputs=states, past_key_values=cache)
                token = out.logits[:, -1:].argmax(dim=-1)

        return answer

    return one_answer if encodes and decodes else one_pass if encodes else one_step


def by_openvino(given: Loaded) -> Runs:
    openvino = openvino_graph.library()
    with tempfile.TemporaryDirectory() as folder:
        openvino_graph.convert(given, "float32", Path(folder))
        compiled = openvino.compile_model(str(Path(folder) / openvino_graph.GRAPH), "CPU")

        def one_pass(batch: int) -> Callable[[], object]:
            ids = _ids(given, batch, TOKENS).numpy()
            return lambda: compiled([ids])

        return one_pass


def by_ctranslate2(given: Loaded) -> Runs:
    library = ctranslate2_engine.library()
    folder = Path(tempfile.mkdtemp())
    ctranslate2_engine.convert(given, "float32", folder)
    writes = given.anatomy.encoder is None
    engine = (library.Generator if writes else library.Translator)(str(folder / ctranslate2_engine.MODEL), "cpu")

    def one_step(batch: int) -> Callable[[], object]:
        texts = _words(given, batch)

        def answer(tokens: int) -> Callable[[], object]:
            return lambda: engine.generate_batch(
                texts, beam_size=1, max_length=tokens, min_length=tokens, include_prompt_in_result=False
            )

        one, many = timed(answer(1)), timed(answer(1 + STEPS))
        return Known((many - one) / STEPS)

    def one_answer(batch: int) -> Callable[[], object]:
        texts = _words(given, batch)
        return lambda: engine.translate_batch(
            texts, beam_size=1, max_decoding_length=STEPS, min_decoding_length=STEPS, max_input_length=0
        )

    return one_step if writes else one_answer


class Known:
    """A time that was worked out from two others: to run it would tell nothing."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self) -> None: ...


def timed(run: Callable[[], object]) -> float:
    return bare.timed(run, SECONDS, LEAST_RUNS)


def _ids(given: Loaded, batch: int, tokens: int) -> torch.Tensor:
    return torch.randint(3, given.anatomy.vocab_size, (batch, tokens), generator=torch.Generator().manual_seed(0))


def _words(given: Loaded, batch: int) -> list[list[str]]:
    return [[str(number) for number in row] for row in _ids(given, batch, TOKENS).tolist()]


def main(runtime: str, model: str, batches: str, layers: str | None = None) -> None:
    make = {"torch": by_torch, "openvino": by_openvino, "ctranslate2": by_ctranslate2}[runtime]
    seconds = {}
    with torch.inference_mode():
        runs = make(loaded(model, None if layers is None else int(layers)))
        for batch in batches.split(","):
            run = runs(int(batch))
            seconds[batch] = run.seconds if isinstance(run, Known) else timed(run)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])

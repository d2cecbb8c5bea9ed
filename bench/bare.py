"""The same work without archadvisor: a hand-written loop in a fresh process, printing one JSON object.

    python bench/bare.py bert-base float32|bfloat16 BATCH TOKENS
    python bench/bare.py gpt2 float32|bfloat16 BATCH DEPTH

Prints the median seconds of a run and the peak resident bytes of this process.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable

import torch
from transformers import BertConfig, BertModel, DynamicCache, GPT2Config, GPT2LMHeadModel

SECONDS = 3.0
LEAST_RUNS = 15


def bert(dtype: torch.dtype, batch: int, tokens: int) -> Callable[[], object]:
    model = _built(BertModel, BertConfig(), dtype)
    ids = torch.randint(0, model.config.vocab_size, (batch, tokens))
    return lambda: model(input_ids=ids)


def gpt2(dtype: torch.dtype, batch: int, depth: int) -> Callable[[], object]:
    with torch.device("meta"):  # else the head is allocated once more before it is tied to the embedding
        model = GPT2LMHeadModel(GPT2Config()).to(dtype).eval()
    model.to_empty(device="cpu")
    model.tie_weights()
    for weight in model.parameters():
        weight.normal_(std=0.02)
    cache = DynamicCache(config=model.config)
    model(input_ids=torch.randint(0, model.config.vocab_size, (batch, depth)), past_key_values=cache, logits_to_keep=1)
    token = torch.randint(0, model.config.vocab_size, (batch, 1))

    def step() -> None:
        model(input_ids=token, past_key_values=cache)
        cache.crop(-1)

    return step


def _built(kind: type, config: object, dtype: torch.dtype) -> torch.nn.Module:
    torch.set_default_dtype(dtype)
    model = kind(config).eval()
    torch.set_default_dtype(torch.float32)
    return model


def timed(run: Callable[[], object], seconds: float = SECONDS, least_runs: int = LEAST_RUNS) -> float:
    """Median seconds of a run, after a warm-up of a third of that time and one run at least."""
    began = time.perf_counter()
    run()
    while time.perf_counter() - began < seconds / 3:
        run()
    samples: list[float] = []
    began = time.perf_counter()
    while len(samples) < least_runs or time.perf_counter() - began < seconds:
        start = time.perf_counter()
        run()
        samples.append(time.perf_counter() - start)
    return statistics.median(samples)


def main(model: str, dtype: str, batch: str, tokens: str) -> None:
    torch.set_num_interop_threads(1)
    torch.manual_seed(0)
    make = {"bert-base": bert, "gpt2": gpt2}[model]
    with torch.inference_mode():
        run = make(getattr(torch, dtype), int(batch), int(tokens))
        seconds = timed(run)
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "peak_bytes": peak_bytes}))


if __name__ == "__main__":
    main(*sys.argv[1:])

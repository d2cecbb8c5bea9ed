"""What is refused before anything is allocated, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from advisor.core.hardware import GIB, DeviceDetail
from advisor.core.model.memory import peak_memory
from advisor.core.sizing.measurement import CellPlan
from advisor.profile.refusal import refusal, refusal_of_dtype
from tests.core.model.tiny_models import entry

BERT, GPT2, T5 = entry("bert"), entry("gpt2"), entry("t5")
ROBERTA, DEBERTA, BART = entry("roberta"), entry("deberta"), entry("bart")
RANKER = entry("bert", transformers_class="BertForSequenceClassification", num_labels=1)
EMBEDDER = entry("mistral", transformers_class="MistralModel")


def cell(stage: Any, **lengths: Any) -> CellPlan:
    return CellPlan(stage=stage, dtype="float32", batch_size=1, **lengths)


def refused(model: Any, asked: CellPlan, *, limit: int = 16 * GIB, free: int = 16 * GIB) -> tuple[str, str] | None:
    return refusal(model, asked, limit_bytes=limit, available_bytes=free)


@pytest.mark.parametrize(
    ("model", "asked"),
    [
        (BERT, cell("forward", input_tokens=64)),
        (GPT2, cell("prefill", input_tokens=64)),
        (GPT2, cell("decode", context_tokens=63)),
        (GPT2, cell("decode", context_tokens=0)),
        (RANKER, cell("rerank", input_tokens=64)),
        (ROBERTA, cell("forward", input_tokens=64)),
        (EMBEDDER, cell("embed", input_tokens=64)),
        (DEBERTA, cell("forward", input_tokens=4000)),
        (BART, cell("encode", input_tokens=64)),
        (T5, cell("encode", input_tokens=4000)),
        (T5, cell("decode", input_tokens=4000, context_tokens=0)),
        (BERT, cell("load", input_tokens=64)),
        (GPT2, cell("tokenize", input_tokens=64)),
    ],
)
def test_what_the_model_can_do_is_not_refused(model: Any, asked: CellPlan) -> None:
    assert refused(model, asked) is None


@pytest.mark.parametrize(
    ("model", "asked", "words"),
    [
        (BERT, cell("forward", input_tokens=65), "positions for 64 tokens; this cell asks for 65"),
        (GPT2, cell("prefill", input_tokens=65), "positions for 64 tokens"),
        (GPT2, cell("decode", context_tokens=64), "this cell asks for 65"),
        (BERT, cell("prefill", input_tokens=8), "encoder-only and has no stage prefill; it has forward and embed"),
        (GPT2, cell("forward", input_tokens=8), "no stage forward"),
        (BERT, cell("rerank", input_tokens=8), "no stage rerank"),
        (RANKER, cell("embed", input_tokens=8), "no stage embed; it has forward and rerank"),
        (EMBEDDER, cell("prefill", input_tokens=8), "no stage prefill; it has embed"),
        (ROBERTA, cell("forward", input_tokens=65), "positions for 64 tokens; this cell asks for 65"),
        (BART, cell("decode", input_tokens=8, context_tokens=64), "positions for 64 tokens"),
        (RANKER, cell("rerank"), "input_tokens"),
        (T5, cell("prefill", input_tokens=8), "no stage prefill"),
        (GPT2, cell("decode"), "context_tokens"),
        (T5, cell("decode", context_tokens=3), "input_tokens"),
        (BERT, cell("forward"), "input_tokens"),
    ],
)
def test_what_the_model_cannot_do_is_said_in_a_sentence(model: Any, asked: CellPlan, words: str) -> None:
    found = refused(model, asked)
    assert found is not None
    assert found[0] == "unsupported"
    assert words in found[1]


def test_what_does_not_fit_is_refused_with_the_sums() -> None:
    asked = cell("prefill", input_tokens=8)
    need = peak_memory(GPT2, asked)
    assert refused(GPT2, asked, limit=need.total) is None
    found = refused(GPT2, asked, limit=need.total - 1)
    assert found is not None
    assert found[0] == "does-not-fit"
    assert need.sum in found[1]


def test_what_others_leave_no_room_for_is_refused_too() -> None:
    asked = cell("forward", input_tokens=8)
    found = refused(BERT, asked, free=peak_memory(BERT, asked).total - 1)
    assert found is not None
    assert found[0] == "does-not-fit"
    assert "other programs" in found[1]


def test_a_dtype_the_card_does_not_compute_in_is_refused_and_the_others_are_named() -> None:
    old = DeviceDetail(device="cuda:0", name="Old", memory_bytes=1, memory_limit_bytes=1, dtypes=("float32", "float16"))
    refused = refusal_of_dtype(old, "bfloat16")
    assert refused is not None
    assert refused[0] == "unsupported"
    assert "Old" in refused[1]
    assert "float32 and float16" in refused[1]
    assert refusal_of_dtype(old, "float16") is None
    assert refusal_of_dtype(None, "bfloat16") is None


@pytest.mark.parametrize("stage", ["load", "tokenize"])
def test_a_model_that_does_not_fit_is_not_built_for_its_own_stages_either(stage: str) -> None:
    found = refused(BERT, cell(stage, input_tokens=8), limit=2**20)
    assert found is not None
    assert found[0] == "does-not-fit"

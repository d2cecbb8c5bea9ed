"""What one run of each stage computes, against transformers used the ordinary way."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import DynamicCache
from transformers.modeling_outputs import BaseModelOutput

from advisor.core.model.cost import anatomy
from advisor.core.sizing.measurement import CellPlan
from advisor.profile.build import DTYPES, build
from advisor.profile.runtimes.torch_eager import Loaded, WrongState, cross_projections, task
from tests.core.model.tiny_models import entry


def loaded(model_type: str, dtype: str = "float32", **change: Any) -> Loaded:
    tiny = entry(model_type, **change)
    return Loaded(build(tiny, dtype), anatomy(tiny), DTYPES[dtype], "cpu", seed=0)


def plan(stage: Any, *, batch: int = 3, dtype: Any = "float32", **lengths: Any) -> CellPlan:
    return CellPlan(stage=stage, dtype=dtype, batch_size=batch, **lengths)


STAGES = [
    ("bert", plan("forward", input_tokens=9), (3, 9, 24)),
    ("bert", plan("embed", input_tokens=9), (3, 24)),
    ("gpt2", plan("prefill", input_tokens=9), (3, 1, 97)),
    ("llama", plan("prefill", input_tokens=9), (3, 1, 97)),
    ("gpt2", plan("decode", context_tokens=9), (3, 1, 97)),
    ("llama", plan("decode", context_tokens=9), (3, 1, 97)),
    ("gpt2", plan("decode", context_tokens=0), (3, 1, 97)),
    ("t5", plan("encode", input_tokens=9), (3, 9, 24)),
    ("t5", plan("decode", input_tokens=9, context_tokens=4), (3, 1, 97)),
    ("t5", plan("decode", input_tokens=9, context_tokens=0), (3, 1, 97)),
]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(("model_type", "asked", "shape"), STAGES)
def test_each_stage_gives_finite_results_of_its_shape_again_and_again(
    model_type: str, asked: CellPlan, shape: tuple[int, ...], dtype: Any
) -> None:
    work = task(loaded(model_type, dtype), asked.model_copy(update={"dtype": dtype}))
    with torch.inference_mode():
        work.check()
        first = work.run()
        work.reset()
        work.check()
        second = work.run()
        work.reset()
        work.check()
    assert first.shape == shape
    assert first.isfinite().all()
    assert first.dtype == DTYPES[dtype]
    assert torch.equal(first, second)


@pytest.mark.parametrize(
    ("model_type", "asked"),
    [(model_type, asked) for model_type, asked, _ in STAGES if asked.stage == "decode"],
)
def test_a_step_that_is_not_put_back_is_noticed(model_type: str, asked: CellPlan) -> None:
    work = task(loaded(model_type), asked)
    with torch.inference_mode():
        work.run()
        with pytest.raises(WrongState, match=str((asked.context_tokens or 0) + 1)):
            work.check()
        with pytest.raises(WrongState):
            work.run()


@pytest.mark.parametrize(("model_type", "change"), [("gpt2", {}), ("llama", {}), ("llama", {"num_key_value_heads": 2})])
def test_a_filled_cache_looks_like_one_that_was_prefilled(model_type: str, change: dict[str, Any]) -> None:
    have = loaded(model_type, **change)
    with torch.inference_mode():
        read = have.model(input_ids=torch.ones(3, 9, dtype=torch.long), use_cache=True).past_key_values
        seen: list[DynamicCache] = []
        inner = have.model.forward
        have.model.forward = lambda *a, **k: (seen.append(k["past_key_values"]), inner(*a, **k))[1]
        work = task(have, plan("decode", context_tokens=9))
        work.run()
        work.reset()
    assert len(seen[0].layers) == len(read.layers)
    for ours, theirs in zip(seen[0].layers, read.layers, strict=True):
        assert ours.keys.shape == theirs.keys.shape
        assert ours.keys.dtype == theirs.keys.dtype
        assert ours.values.untyped_storage().nbytes() == 10 / 9 * theirs.values.nbytes  # held once, as by a loop
        assert 0.01 < float(ours.keys.float().std()) < 0.03


@pytest.mark.parametrize("model_type", ["gpt2", "llama"])
def test_prefill_gives_the_logits_of_the_last_position(model_type: str) -> None:
    have = loaded(model_type)
    fed: list[torch.Tensor] = []
    inner = have.model.forward
    have.model.forward = lambda *a, **k: (fed.append(k["input_ids"]), inner(*a, **k))[1]
    with torch.inference_mode():
        last = task(have, plan("prefill", input_tokens=9)).run()
        whole = inner(input_ids=fed[0], use_cache=False).logits
    assert torch.allclose(last, whole[:, -1:], atol=1e-5)


def test_embeddings_have_length_one() -> None:
    with torch.inference_mode():
        vectors = task(loaded("bert"), plan("embed", input_tokens=9)).run()
    assert torch.allclose(vectors.norm(dim=-1), torch.ones(3), atol=1e-5)


def test_the_projections_of_encode_are_those_the_first_step_would_pay_for() -> None:
    """After one ordinary step transformers' own cross cache holds what `encode` computed."""
    have = loaded("t5")
    states = torch.randn(3, 9, 24)
    with torch.inference_mode():
        cache = have.model(
            decoder_input_ids=torch.ones(3, 1, dtype=torch.long),
            encoder_outputs=BaseModelOutput(last_hidden_state=states),
            use_cache=True,
        ).past_key_values.cross_attention_cache
        projected = [(keys(states), values(states)) for keys, values in cross_projections(have.model)]
    assert len(projected) == len(cache.layers) == 2
    for (keys, values), layer in zip(projected, cache.layers, strict=True):
        assert torch.allclose(keys.view(3, 9, 4, 10).transpose(1, 2), layer.keys, atol=1e-5)
        assert torch.allclose(values.view(3, 9, 4, 10).transpose(1, 2), layer.values, atol=1e-5)


def test_a_step_with_a_filled_source_projects_nothing_again() -> None:
    have = loaded("t5")
    calls: list[int] = []
    for keys, values in cross_projections(have.model):
        keys.register_forward_hook(lambda *_: calls.append(1))
        values.register_forward_hook(lambda *_: calls.append(1))
    work = task(have, plan("decode", input_tokens=9, context_tokens=4))
    with torch.inference_mode():
        work.run()
    assert calls == []


def test_a_decode_step_reads_one_token_per_sequence() -> None:
    have = loaded("gpt2")
    fed: list[torch.Tensor] = []
    inner = have.model.forward
    have.model.forward = lambda *a, **k: (fed.append(k["input_ids"]), inner(*a, **k))[1]
    with torch.inference_mode():
        task(have, plan("decode", context_tokens=9)).run()
    assert fed[0].shape == (3, 1)


def test_a_stage_nobody_can_run_is_refused() -> None:
    with pytest.raises(ValueError, match="search"):
        task(loaded("bert"), plan("search", input_tokens=9))
    with pytest.raises(ValueError, match="decode"):
        task(loaded("bert"), plan("decode", input_tokens=9, context_tokens=4))

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
from advisor.profile.inputs import token_ids
from advisor.profile.runtimes.torch_eager import Loaded, WrongState, _restorer, cross_projections, task
from tests.core.model.tiny_models import entry


def loaded(model_type: str, dtype: str = "float32", **change: Any) -> Loaded:
    tiny = entry(model_type, **change)
    return Loaded(build(tiny, dtype), anatomy(tiny), DTYPES[dtype], "cpu", seed=0)


def plan(stage: Any, *, batch: int = 3, dtype: Any = "float32", **lengths: Any) -> CellPlan:
    return CellPlan(stage=stage, dtype=dtype, batch_size=batch, **lengths)


SCORES = {"transformers_class": "BertForSequenceClassification", "num_labels": 1}
DISTILBERT_SCORES = {"transformers_class": "DistilBertForSequenceClassification", "num_labels": 1}
DEBERTA_SCORES = {"transformers_class": "DebertaV2ForSequenceClassification", "num_labels": 1}
WINDOW = {"sliding_window": 5}
ROTARY = ("phi3", "cohere", "olmo2", "granite", "smollm3", "gemma", "gpt_neox", "phi", "stablelm", "starcoder2", "gptj")
STAGES: list[tuple[str, dict[str, Any], CellPlan, tuple[int, ...]]] = [
    ("bert", {}, plan("forward", input_tokens=9), (3, 9, 24)),
    ("bert", {}, plan("embed", input_tokens=9), (3, 24)),
    ("bert", SCORES, plan("rerank", input_tokens=9), (3, 1)),
    ("bert", SCORES | {"num_labels": 5}, plan("forward", input_tokens=9), (3, 5)),
    ("roberta", {}, plan("forward", input_tokens=64), (3, 64, 24)),
    ("xlm-roberta", {}, plan("embed", input_tokens=9), (3, 24)),
    ("camembert", {}, plan("embed", input_tokens=9), (3, 24)),
    ("distilbert", {}, plan("forward", input_tokens=64), (3, 64, 24)),
    ("distilbert", {"sinusoidal_pos_embds": True}, plan("embed", input_tokens=9), (3, 24)),
    ("distilbert", DISTILBERT_SCORES, plan("rerank", input_tokens=9), (3, 1)),
    ("mpnet", {}, plan("embed", input_tokens=64), (3, 24)),
    ("electra", {}, plan("forward", input_tokens=9), (3, 9, 24)),
    ("albert", {}, plan("embed", input_tokens=9), (3, 24)),
    ("modernbert", {}, plan("forward", input_tokens=20), (3, 20, 24)),
    ("modernbert", {}, plan("embed", input_tokens=20), (3, 24)),
    ("deberta", {}, plan("forward", input_tokens=9), (3, 9, 24)),
    ("deberta", {}, plan("forward", input_tokens=90), (3, 90, 24)),
    ("deberta-v2", {"share_att_key": True, "position_buckets": 6}, plan("forward", input_tokens=90), (3, 90, 24)),
    ("deberta-v2", DEBERTA_SCORES, plan("rerank", input_tokens=9), (3, 1)),
    ("gpt2", {}, plan("prefill", input_tokens=9), (3, 1, 97)),
    ("llama", {}, plan("prefill", input_tokens=9), (3, 1, 97)),
    ("mistral", WINDOW, plan("prefill", input_tokens=9), (3, 1, 97)),
    ("qwen2", {}, plan("prefill", input_tokens=9), (3, 1, 97)),
    ("qwen3", {}, plan("prefill", input_tokens=9), (3, 1, 97)),
    ("mistral", {"transformers_class": "MistralModel"}, plan("embed", input_tokens=9), (3, 24)),
    ("qwen3", {"transformers_class": "Qwen3Model"}, plan("embed", input_tokens=9), (3, 24)),
    ("gemma3_text", {"transformers_class": "Gemma3TextModel"}, plan("embed", input_tokens=9), (3, 24)),
    ("opt", {"word_embed_proj_dim": 10}, plan("prefill", input_tokens=64), (3, 1, 97)),
    ("opt", {"word_embed_proj_dim": 10}, plan("decode", context_tokens=62), (3, 1, 97)),
    *(
        (model_type, {}, asked, (3, 1, 97))
        for model_type in ROTARY
        for asked in (plan("prefill", input_tokens=9), plan("decode", context_tokens=9))
    ),
    *(
        (model_type, {}, asked, (3, 1, 97))
        for model_type in ("gemma2", "gemma3_text", "olmo3", "cohere2")
        for asked in (
            plan("prefill", input_tokens=9),
            *(plan("decode", context_tokens=tokens) for tokens in (0, 3, 4, 9)),
        )
    ),
    ("gpt2", {}, plan("decode", context_tokens=9), (3, 1, 97)),
    ("llama", {}, plan("decode", context_tokens=9), (3, 1, 97)),
    ("mistral", {}, plan("decode", context_tokens=9), (3, 1, 97)),
    ("mistral", WINDOW, plan("decode", context_tokens=3), (3, 1, 97)),
    ("mistral", WINDOW, plan("decode", context_tokens=4), (3, 1, 97)),
    ("mistral", WINDOW, plan("decode", context_tokens=9), (3, 1, 97)),
    ("mistral", WINDOW, plan("decode", context_tokens=0), (3, 1, 97)),
    ("qwen2", {}, plan("decode", context_tokens=9), (3, 1, 97)),
    ("qwen3", {}, plan("decode", context_tokens=9), (3, 1, 97)),
    ("gpt2", {}, plan("decode", context_tokens=0), (3, 1, 97)),
    ("t5", {}, plan("encode", input_tokens=9), (3, 9, 24)),
    ("t5", {}, plan("decode", input_tokens=9, context_tokens=4), (3, 1, 97)),
    ("t5", {}, plan("decode", input_tokens=9, context_tokens=0), (3, 1, 97)),
    ("mt5", {}, plan("encode", input_tokens=9), (3, 9, 24)),
    ("mt5", {}, plan("decode", input_tokens=9, context_tokens=4), (3, 1, 97)),
    ("bart", {}, plan("encode", input_tokens=9), (3, 9, 24)),
    ("bart", {}, plan("decode", input_tokens=9, context_tokens=4), (3, 1, 97)),
    ("bart", {}, plan("decode", input_tokens=9, context_tokens=0), (3, 1, 97)),
    *(
        (model_type, {}, asked, shape)
        for model_type in ("mbart", "marian", "pegasus", "m2m_100")
        for asked, shape in (
            (plan("encode", input_tokens=9), (3, 9, 24)),
            (plan("decode", input_tokens=9, context_tokens=4), (3, 1, 97)),
        )
    ),
]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(("model_type", "change", "asked", "shape"), STAGES)
def test_each_stage_gives_finite_results_of_its_shape_again_and_again(
    model_type: str, change: dict[str, Any], asked: CellPlan, shape: tuple[int, ...], dtype: Any
) -> None:
    work = task(loaded(model_type, dtype, **change), asked.model_copy(update={"dtype": dtype}))
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
    ("model_type", "change", "asked"),
    [(model_type, change, asked) for model_type, change, asked, _ in STAGES if asked.stage == "decode"],
)
def test_a_step_that_is_not_put_back_is_noticed(model_type: str, change: dict[str, Any], asked: CellPlan) -> None:
    work = task(loaded(model_type, **change), asked)
    with torch.inference_mode():
        work.run()
        with pytest.raises(WrongState, match=str((asked.context_tokens or 0) + 1)):
            work.check()
        with pytest.raises(WrongState):
            work.run()


@pytest.mark.parametrize(
    ("model_type", "change", "kept"),
    [
        ("gpt2", {}, (9, 9)),
        ("llama", {}, (9, 9)),
        ("llama", {"num_key_value_heads": 2}, (9, 9)),
        ("mistral", {}, (9, 9)),
        ("mistral", WINDOW, (4, 4)),
        ("gemma2", {}, (4, 9)),
        ("gemma3_text", {"num_hidden_layers": 3}, (4, 9, 4)),
    ],
)
def test_a_filled_cache_looks_like_one_that_was_prefilled(
    model_type: str, change: dict[str, Any], kept: tuple[int, ...]
) -> None:
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
    for ours, theirs, tokens in zip(seen[0].layers, read.layers, kept, strict=True):
        assert ours.keys.shape == theirs.keys.shape
        assert ours.keys.dtype == theirs.keys.dtype
        assert ours.get_seq_length() == theirs.get_seq_length() == 9
        # held once, as by a loop, and the next token with it
        assert ours.values.untyped_storage().nbytes() == (tokens + 1) / tokens * theirs.values.nbytes
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


@pytest.mark.parametrize(
    ("model_type", "width"),
    [("t5", 10), ("mt5", 10), ("bart", 6), ("mbart", 6), ("marian", 6), ("pegasus", 6), ("m2m_100", 6)],
)
def test_the_projections_of_encode_are_those_the_first_step_would_pay_for(model_type: str, width: int) -> None:
    """After one ordinary step transformers' own cross cache holds what `encode` computed."""
    have = loaded(model_type)
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
        assert torch.allclose(keys.view(3, 9, 4, width).transpose(1, 2), layer.keys, atol=1e-5)
        assert torch.allclose(values.view(3, 9, 4, width).transpose(1, 2), layer.values, atol=1e-5)


@pytest.mark.parametrize("model_type", ["t5", "bart"])
def test_a_step_with_a_filled_source_projects_nothing_again(model_type: str) -> None:
    have = loaded(model_type)
    calls: list[int] = []
    for keys, values in cross_projections(have.model):
        keys.register_forward_hook(lambda *_: calls.append(1))
        values.register_forward_hook(lambda *_: calls.append(1))
    work = task(have, plan("decode", input_tokens=9, context_tokens=4))
    with torch.inference_mode():
        work.run()
    assert calls == []


def test_a_source_that_is_not_projected_to_keys_and_values_is_refused() -> None:
    have = loaded("bart")
    have.model.model.decoder.layers[1].encoder_attn.v_proj = torch.nn.Identity()
    with pytest.raises(ValueError, match="reads its source in a way that is not known"):
        cross_projections(have.model)


def test_a_windows_step_put_back_leaves_the_tokens_there_were() -> None:
    have = loaded("mistral", **WINDOW)
    with torch.inference_mode():
        cache = have.model(input_ids=torch.arange(1, 10).view(1, 9), use_cache=True).past_key_values
        before = [(layer.keys.clone(), layer.values.clone()) for layer in cache.layers]
        restore = _restorer(cache)
        have.model(input_ids=torch.ones(1, 1, dtype=torch.long), past_key_values=cache, use_cache=True)
        moved_on = [layer.keys.clone() for layer in cache.layers]
        restore()
    for layer, (keys, values), moved in zip(cache.layers, before, moved_on, strict=True):
        assert layer.get_seq_length() == 9
        assert torch.equal(layer.keys, keys)
        assert torch.equal(layer.values, values)
        assert not torch.equal(moved, keys)


def test_a_decoder_embeds_with_its_last_token() -> None:
    have = loaded("mistral", transformers_class="MistralModel")
    fed: list[torch.Tensor] = []
    inner = have.model.forward
    have.model.forward = lambda *a, **k: (fed.append(k["input_ids"]), inner(*a, **k))[1]
    with torch.inference_mode():
        vectors = task(have, plan("embed", input_tokens=9)).run()
        last = inner(input_ids=fed[0]).last_hidden_state[:, 8]
    assert torch.allclose(vectors, last / last.norm(dim=-1, keepdim=True), atol=1e-5)


@pytest.mark.parametrize("padding", [None, 0, 1, 50, 96])
def test_the_padding_token_never_occurs(padding: int | None) -> None:
    ids = token_ids(50, 100, vocab_size=97, padding=padding, seed=0, device="cpu")
    assert set(ids.unique().tolist()) == set(range(97)) - {padding or 0}


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
    with pytest.raises(ValueError, match="cannot rank"):
        task(loaded("bert"), plan("rerank", input_tokens=9))
    with pytest.raises(ValueError, match="decode"):
        task(loaded("bert"), plan("decode", input_tokens=9, context_tokens=4))

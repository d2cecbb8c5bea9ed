"""Closed-form operations, traffic and cache against what torch counts and holds on tiny models with eager attention."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from transformers import PreTrainedModel

from advisor.core.model.cost import (
    anatomy,
    kv_cache_bytes,
    stage_bytes_moved,
    stage_flops,
    stage_stack,
    stages_of,
    weight_bytes,
)
from advisor.core.model.entry import ModelEntry
from advisor.core.model.families import FAMILIES
from advisor.core.sizing.measurement import CellPlan

from .tiny_models import ALL_VARIATIONS, TINY, VARIATIONS, built, entry

DECODERS = tuple(name for name, family in FAMILIES.items() if family.architecture == "decoder-only")
SHAPES = [(1, 1, 1), (3, 7, 5), (2, 16, 0)]
WIDTH = 4
"""Bytes of a float32."""


def plan(stage: str, *, batch: int, read: int = 0, depth: int = 0) -> CellPlan:
    shape = {"batch_size": batch, "input_tokens": read or None, "context_tokens": depth if stage == "decode" else None}
    return CellPlan.model_validate({"stage": stage, "dtype": "float32"} | shape)


def ids(batch: int, tokens: int) -> torch.Tensor:
    return torch.full((batch, tokens), 2)  # 0 and 1 are padding somewhere


def a_run(model: ModelEntry, module: PreTrainedModel, cell: CellPlan) -> Callable[[], Any]:
    """The stage as transformers runs it; what must be there before (a cache) is made now and not counted."""
    batch, read, depth = cell.batch_size, cell.input_tokens or 0, cell.context_tokens or 0
    if cell.stage == "prefill":
        return lambda: module(ids(batch, read), use_cache=True, logits_to_keep=1)
    if cell.stage == "encode":
        return lambda: _encode(module, ids(batch, read))
    if cell.stage != "decode":
        return lambda: module(ids(batch, read), **({} if anatomy(model).encoder else {"use_cache": False}))
    with torch.inference_mode():
        if model.architecture == "decoder-only":
            cache = module(ids(batch, depth), use_cache=True).past_key_values if depth else None
            return lambda: module(ids(batch, 1), past_key_values=cache, use_cache=True)
        states = module.get_encoder()(ids(batch, read))
        cache = module(encoder_outputs=states, decoder_input_ids=ids(batch, depth), use_cache=True).past_key_values
    return lambda: module(
        encoder_outputs=states, decoder_input_ids=ids(batch, 1), past_key_values=cache, use_cache=True
    )


def _encode(module: PreTrainedModel, source: torch.Tensor) -> None:
    """The encoder, and the source's keys and values for every cross-attention."""
    states = module.get_encoder()(source)[0]
    for name, part in module.named_modules():
        if name.endswith(("EncDecAttention.k", "EncDecAttention.v", "encoder_attn.k_proj", "encoder_attn.v_proj")):
            part(states)


def all_cells(model: ModelEntry) -> Iterator[CellPlan]:
    for batch, read, depth in SHAPES:
        for stage in stages_of(model):
            if stage == "decode" and model.architecture == "encoder-decoder":
                yield plan(stage, batch=batch, read=read, depth=max(depth, 1))
            elif stage == "decode":
                yield plan(stage, batch=batch, depth=depth)
            else:
                yield plan(stage, batch=batch, read=read)


@pytest.mark.parametrize(("model_type", "change"), ALL_VARIATIONS)
def test_operations_equal_what_torch_counts(model_type: str, change: dict[str, Any]) -> None:
    model = entry(model_type, **change)
    module = built(model)
    for cell in all_cells(model):
        run = a_run(model, module, cell)
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            run()
        assert stage_flops(model, cell) == counter.get_total_flops(), cell


@pytest.mark.parametrize(("model_type", "change"), ALL_VARIATIONS)
def test_weights_moved_are_those_of_the_modules_that_run(model_type: str, change: dict[str, Any]) -> None:
    model = entry(model_type, **change)
    module = built(model)
    for cell in all_cells(model):
        run = a_run(model, module, cell)
        with torch.inference_mode(), _values_read(module) as read:
            run()
        moved = stage_bytes_moved(model, cell) // WIDTH
        assert moved == sum(read.values()) + _distances_read(module, cell) + _cache_and_result(model, cell), cell


@contextmanager
def _values_read(module: nn.Module) -> Iterator[dict[int, int]]:
    """Sizes of the parameters that modules which run hold themselves; of tables, the rows that are looked up.

    A word's row counts each time, because every text has others; a position's once for all texts of a batch.
    """
    read: dict[int, int] = {}

    def note(part: nn.Module, _: object, found: Any) -> None:
        # T5's table of position biases is small, one column per head, and read whole
        if isinstance(part, nn.Embedding) and part.embedding_dim != TINY["t5"]["num_heads"]:
            is_of_words = part.num_embeddings == TINY["t5"]["vocab_size"]
            read[id(part)] = (found if is_of_words else found.flatten(0, -2).unique(dim=0)).numel()
            return
        for parameter in part.parameters(recurse=False):
            read[parameter.data_ptr()] = parameter.numel()

    hooks = [part.register_forward_hook(note) for part in module.modules()]
    yield read
    for hook in hooks:
        hook.remove()


def _distances_read(module: PreTrainedModel, cell: CellPlan) -> int:
    """DeBERTa's table of relative positions, which is no module that runs: all of it, or as far as the text goes."""
    table = getattr(getattr(module.base_model, "encoder", None), "rel_embeddings", None)
    if table is None:
        return 0
    rows = 2 * (cell.input_tokens or 0) if module.config.model_type == "deberta" else table.num_embeddings
    return min(rows, table.num_embeddings) * table.embedding_dim


def _cache_and_result(model: ModelEntry, cell: CellPlan) -> int:
    batch, read, depth = cell.batch_size, cell.input_tokens or 0, cell.context_tokens or 0
    shape = anatomy(model)
    result = batch * (shape.vocab_size if cell.stage in ("prefill", "decode") else read * shape.hidden_size)
    if shape.head == "classifier":
        result = batch * model.config.get("num_labels", 2)
    stack = shape.decoder
    if stack is None or cell.stage == "embed":
        return result
    tokens = 0
    for window in stack.windows:
        held, kept = (most if window is None else min(most, window - 1) for most in (depth, read))
        tokens += {"prefill": kept, "decode": held + 1 + read, "encode": read}[cell.stage]
    return result + 2 * batch * tokens * stack.num_key_value_heads * stack.head_dim


@pytest.mark.parametrize(
    ("model_type", "change"), [(name, change) for name in DECODERS for change in VARIATIONS[name][:2]]
)
def test_cache_bytes_of_a_decoder_equal_the_real_cache(model_type: str, change: dict[str, Any]) -> None:
    model = entry(model_type, **change)
    with torch.inference_mode():
        cache = built(model)(ids(3, 11), use_cache=True).past_key_values
    real = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
    assert kv_cache_bytes(model, dtype="float32", batch_size=3, context_tokens=11) == real


@pytest.mark.parametrize(
    ("model_type", "change"),
    [
        ("t5", {"num_decoder_layers": 3}),
        ("mt5", {}),
        ("bart", {"decoder_layers": 3}),
        ("marian", {"decoder_attention_heads": 2}),
        ("m2m_100", {"decoder_layers": 3}),
    ],
)
def test_cache_bytes_of_an_encoder_decoder_are_those_of_target_and_source(
    model_type: str, change: dict[str, Any]
) -> None:
    model = entry(model_type, **change)
    with torch.inference_mode():
        cache = built(model)(input_ids=ids(3, 11), decoder_input_ids=ids(3, 4), use_cache=True).past_key_values
    layers = (*cache.self_attention_cache.layers, *cache.cross_attention_cache.layers)
    real = sum(layer.keys.nbytes + layer.values.nbytes for layer in layers)
    assert kv_cache_bytes(model, dtype="float32", batch_size=3, context_tokens=4, source_tokens=11) == real


def test_an_encoder_keeps_nothing_and_a_decoder_has_no_source() -> None:
    assert kv_cache_bytes(entry("bert"), dtype="float32", batch_size=8, context_tokens=512) == 0
    with_source = kv_cache_bytes(entry("gpt2"), dtype="float32", batch_size=2, context_tokens=8, source_tokens=9)
    assert with_source == kv_cache_bytes(entry("gpt2"), dtype="float32", batch_size=2, context_tokens=8)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize(("model_type", "change"), ALL_VARIATIONS)
def test_weight_bytes_equal_the_storage_of_the_parameters(model_type: str, change: dict[str, Any], dtype: Any) -> None:
    model = entry(model_type, **change)
    module = built(model).to(getattr(torch, dtype))
    storages = {one.untyped_storage().data_ptr(): one.untyped_storage().nbytes() for one in module.parameters()}
    assert weight_bytes(model, dtype) == sum(storages.values())


@pytest.mark.parametrize(
    ("model_type", "stage"), [("bert", "prefill"), ("bert", "rerank"), ("gpt2", "embed"), ("t5", "prefill")]
)
def test_a_stage_the_model_does_not_have_is_refused_in_words(model_type: str, stage: str) -> None:
    for cost in (stage_flops, stage_bytes_moved):
        with pytest.raises(ValueError, match=f"tiny-{model_type} is .* and has no stage {stage}"):
            cost(entry(model_type), plan(stage, batch=1, read=1))


def test_prefill_computes_the_logits_of_one_position_only() -> None:
    wide = entry("gpt2", vocab_size=1097)
    for tokens in (1, 30):
        cell = plan("prefill", batch=2, read=tokens)
        assert stage_flops(wide, cell) - stage_flops(entry("gpt2"), cell) == 2 * 2 * 1000 * TINY["gpt2"]["n_embd"]


lengths = st.integers(0, 5000)


@given(st.sampled_from(list(TINY)), st.integers(1, 300), lengths, lengths, st.integers(0, 3), st.integers(0, 2))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_more_to_do_never_costs_less(
    model_type: str, batch: int, read: int, depth: int, longer: int, larger: int
) -> None:
    model = entry(model_type)
    for stage in stages_of(model):
        less = plan(stage, batch=batch, read=read + 1, depth=depth)
        more = plan(stage, batch=batch + larger, read=read + 1 + longer, depth=depth + longer)
        # a step whose layers all look back through a window costs no more the deeper its cache is
        windowed = stage == "decode" and None not in stage_stack(anatomy(model), stage).windows
        strictly = bool(larger or (longer and not windowed))
        assert stage_flops(model, more) >= stage_flops(model, less) + strictly
        assert stage_bytes_moved(model, more) >= stage_bytes_moved(model, less) + strictly


@given(st.sampled_from(list(TINY)), st.integers(1, 9), st.integers(1, 300))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_half_the_width_moves_half_the_bytes_and_does_the_same_work(model_type: str, batch: int, read: int) -> None:
    model = entry(model_type)
    for stage in stages_of(model):
        full = plan(stage, batch=batch, read=read, depth=read)
        half = full.model_copy(update={"dtype": "bfloat16"})
        assert stage_bytes_moved(model, full) == 2 * stage_bytes_moved(model, half)
        assert stage_flops(model, full) == stage_flops(model, half)

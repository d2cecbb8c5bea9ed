"""The mask probe on tiny modules of every family, as they are and with their masks changed."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from transformers.models.llama import modeling_llama

from advisor.core.attention import AttentionLayer, Window, architecture_of, named
from advisor.core.model.cost import anatomy
from advisor.core.model.entry import ModelEntry
from advisor.profile.attention import (
    PUSHED,
    SEQUENCE,
    SHORTER,
    WIDEST_WINDOW,
    Caught,
    NotProbed,
    look,
    looks,
    sequence_length,
)
from tests.core.model.tiny_models import ALL_VARIATIONS, built, entry


def seen(model: ModelEntry, module: Any = None, *, tokens: int | None = None) -> list[AttentionLayer]:
    """The layers of a tiny model, with the attention that transformers chooses for it."""
    module = module or built(model, attention=None)
    length = tokens or sequence_length(module.config, model.context_tokens if model.context_is_hard else None)
    return [named(one) for one in looks(module, anatomy(model), tokens=length)]


def patterns(layers: list[AttentionLayer], stack: str, kind: str = "self") -> set[str | None]:
    return {layer.pattern for layer in layers if (layer.stack, layer.kind) == (stack, kind)}


@pytest.mark.parametrize(("model_type", "change"), ALL_VARIATIONS)
def test_every_family_is_seen_to_be_what_it_is(model_type: str, change: dict[str, Any]) -> None:
    model = entry(model_type, **change)
    layers = seen(model)
    shape = anatomy(model)
    assert architecture_of(layers) == model.architecture
    for name, stack in (("encoder", shape.encoder), ("decoder", shape.decoder)):
        found = [layer.layer for layer in layers if (layer.stack, layer.kind) == (name, "self")]
        assert found == list(range(stack.distinct_layers if stack else 0))


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_both_ways_to_compute_attention_show_the_same_mask(attention: str) -> None:
    model = entry("llama")
    assert seen(model, built(model, attention=attention)) == seen(model)


def test_an_encoder_decoder_is_told_apart_by_stack_and_kind() -> None:
    layers = seen(entry("t5"))
    assert patterns(layers, "encoder") == {"bidirectional"}
    assert patterns(layers, "decoder") == {"causal"}
    assert patterns(layers, "decoder", "cross") == {"cross"}
    cross = next(layer for layer in layers if layer.kind == "cross")
    assert (len(cross.outputs), len(cross.inputs)) == (SEQUENCE - SHORTER, SEQUENCE)


def test_a_sliding_window_is_seen_in_each_layer_and_not_through_the_stack() -> None:
    layers = seen(entry("mistral", sliding_window=5, num_hidden_layers=4))
    assert [layer.window for layer in layers] == [Window(back=4, ahead=0)] * 4


@pytest.mark.parametrize("model_type", ["gemma2", "gemma3_text"])
def test_layers_that_look_back_to_the_first_token_are_told_from_those_with_a_window(model_type: str) -> None:
    layers = seen(entry(model_type, num_hidden_layers=5))
    behind = Window(back=4, ahead=0)
    assert [layer.window for layer in layers] == [behind, None, behind, None, behind]


def test_local_and_global_layers_are_told_layer_by_layer() -> None:
    layers = seen(entry("modernbert", num_hidden_layers=5))
    local = Window(back=4, ahead=4)
    assert [layer.window for layer in layers] == [None, local, local, None, local]


def test_a_wide_window_is_looked_at_with_a_text_beyond_it_and_some_of_its_positions() -> None:
    layers = seen(entry("modernbert", local_attention=80, max_position_embeddings=512))
    local = next(layer for layer in layers if layer.window)
    assert local.window == Window(back=40, ahead=40)
    assert len(local.inputs) == PUSHED
    assert local.inputs[0] == 0


def test_a_window_too_wide_to_see_is_not_looked_for() -> None:
    module = built(entry("mistral", sliding_window=WIDEST_WINDOW + 1), attention=None)
    assert sequence_length(module.config, None) == SEQUENCE
    assert sequence_length(module.config, 7) == 7


@pytest.mark.parametrize(
    "model_type", ["llama", "gpt2", "mistral", "qwen2", "qwen3", "phi3", "gpt_neox", "opt", "starcoder2"]
)
def test_a_decoder_whose_mask_was_taken_away_is_seen_to_be_bidirectional(model_type: str) -> None:
    layers = seen(entry(model_type, is_causal=False))
    assert patterns(layers, "decoder") == {"bidirectional"}
    assert architecture_of(layers) == "encoder-only"


def test_the_decoder_of_an_encoder_decoder_without_its_mask_is_no_architecture() -> None:
    layers = seen(entry("bart", is_causal=False))
    assert patterns(layers, "decoder") == {"bidirectional"}
    assert architecture_of(layers) is None


def test_a_mask_taken_away_in_one_layer_alone_is_found_there() -> None:
    model = entry("llama")
    module = built(model, attention="sdpa")
    module.model.layers[1].self_attn.is_causal = False
    assert [layer.pattern for layer in seen(model, module)] == ["causal", "bidirectional"]


def test_a_prefix_that_all_see_is_found_with_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    causal = modeling_llama.create_causal_mask

    def with_prefix(**given: Any) -> Any:
        return causal(**given, or_mask_function=lambda batch, head, query, key: key < 5)

    monkeypatch.setattr(modeling_llama, "create_causal_mask", with_prefix)
    layers = seen(entry("llama"))
    assert [(layer.pattern, layer.prefix_tokens) for layer in layers] == [("prefix", 5)] * 2
    assert architecture_of(layers) == "decoder-only"


def test_one_token_too_many_in_a_mask_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    causal = modeling_llama.create_causal_mask

    def leaking(**given: Any) -> Any:
        return causal(**given, or_mask_function=lambda batch, head, query, key: key == query + 1)

    monkeypatch.setattr(modeling_llama, "create_causal_mask", leaking)
    assert {(layer.pattern, layer.window) for layer in seen(entry("llama"))} == {
        ("bidirectional", Window(back=None, ahead=1))
    }


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_weights_of_any_dtype_are_asked_in_float64(dtype: torch.dtype) -> None:
    model = entry("qwen2")
    module = built(model, attention=None).to(dtype)
    assert patterns(seen(model, module), "decoder") == {"causal"}
    assert module.dtype == dtype


def test_a_weak_look_at_the_far_end_is_still_seen() -> None:
    """Scores that drown in float32: nearly all attention goes to one token, and the rest must be seen all the same."""
    model = entry("gpt2")
    module = built(model, attention=None)
    for block in module.transformer.h:
        block.attn.c_attn.weight.mul_(25.0)
    assert patterns(seen(model, module), "decoder") == {"causal"}


def test_layers_that_are_not_all_found_are_said_to_be_missing() -> None:
    model = entry("bert")
    module = built(model, attention=None)
    module.encoder.layer = module.encoder.layer[:1]
    with pytest.raises(NotProbed, match="1 of its 2 attention layers"):
        seen(model, module)


def test_a_layer_that_computes_nan_is_said_to() -> None:
    class BrokenAttention(nn.Module):
        def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
            return hidden_states / 0 * 0

    given = {"hidden_states": torch.ones(1, 4, 3, dtype=torch.float64)}
    with pytest.raises(NotProbed, match="NaN"):
        look("layers.0", Caught(BrokenAttention(), given), anatomy(entry("llama")))
    with pytest.raises(NotProbed, match="hidden_states"):
        look("layers.0", Caught(BrokenAttention(), {"x": given}), anatomy(entry("llama")))

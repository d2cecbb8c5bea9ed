"""Closed-form counts against the modules that transformers builds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.core.model.families import FAMILIES, anatomy_of, config_mistakes
from advisor.core.model.parameters import parameter_count, parameter_parts

from .tiny_models import ALL_VARIATIONS, TINY, built, entry, random_config

REAL_SIZES: list[tuple[str, dict[str, Any]]] = [
    # BERT-large
    ("bert", {"vocab_size": 30522, "hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16}
     | {"intermediate_size": 4096, "max_position_embeddings": 512}),
    # GPT-2 XL
    ("gpt2", {"vocab_size": 50257, "n_positions": 1024, "n_embd": 1600, "n_layer": 48, "n_head": 25}),
    # LLaMA-2 13B, Llama 3 8B (shared key-value heads), Llama 3.2 1B (tied)
    ("llama", {"vocab_size": 32000, "hidden_size": 5120, "num_hidden_layers": 40, "num_attention_heads": 40}
     | {"intermediate_size": 13824}),
    ("llama", {"vocab_size": 128256, "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32}
     | {"intermediate_size": 14336, "num_key_value_heads": 8}),
    ("llama", {"vocab_size": 128256, "hidden_size": 2048, "num_hidden_layers": 16, "num_attention_heads": 32}
     | {"intermediate_size": 8192, "num_key_value_heads": 8, "head_dim": 64, "tie_word_embeddings": True}),
    # T5-3B, whose attention is wider than its states; Flan-T5 base, gated
    ("t5", {"vocab_size": 32128, "d_model": 1024, "d_kv": 128, "d_ff": 16384, "num_layers": 24, "num_heads": 32}),
    ("t5", {"vocab_size": 32128, "d_model": 768, "d_kv": 64, "d_ff": 2048, "num_layers": 12, "num_heads": 12}
     | {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}),
]  # fmt: skip


def counted(model_type: str, config: dict[str, Any]) -> int:
    module = built(entry(model_type, **config), device="meta")
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(("model_type", "config"), REAL_SIZES)
def test_counts_of_published_sizes_equal_the_built_module(model_type: str, config: dict[str, Any]) -> None:
    assert parameter_count(anatomy_of(model_type, TINY[model_type] | config)) == counted(model_type, config)


@pytest.mark.parametrize(("model_type", "change"), ALL_VARIATIONS)
def test_counts_of_every_variation_equal_the_built_module(model_type: str, change: dict[str, Any]) -> None:
    assert parameter_count(anatomy_of(model_type, TINY[model_type] | change)) == counted(model_type, change)


@pytest.mark.parametrize("model_type", FAMILIES)
def test_counts_of_random_configs_equal_the_built_module(model_type: str) -> None:
    @settings(max_examples=25, deadline=None, derandomize=True)
    @given(random_config(model_type))
    def holds(config: dict[str, Any]) -> None:
        assert config_mistakes(model_type, config) == []
        # the default pad token of a class may lie outside a random vocabulary, which the count does not depend on
        module = built(entry(model_type).model_copy(update={"config": config | {"pad_token_id": None}}), device="meta")
        assert parameter_count(anatomy_of(model_type, config)) == sum(one.numel() for one in module.parameters())

    holds()


@pytest.mark.parametrize(("model_type", "change"), ALL_VARIATIONS)
def test_every_part_is_named_once_and_the_parts_make_the_whole(model_type: str, change: dict[str, Any]) -> None:
    shape = anatomy_of(model_type, TINY[model_type] | change)
    parts = parameter_parts(shape)
    assert len({part.name for part in parts}) == len(parts)
    assert all(part.parameters > 0 for part in parts)
    assert sum(part.parameters for part in parts) == parameter_count(shape)


def test_the_parts_are_those_of_the_module() -> None:
    module = built(entry("t5", feed_forward_proj="gated-gelu"), device="meta")
    by_name = {name: parameter.numel() for name, parameter in module.named_parameters()}
    shape = anatomy_of("t5", TINY["t5"] | {"feed_forward_proj": "gated-gelu"})
    parts = {part.name: part.parameters for part in parameter_parts(shape)}

    def sums(*words: str) -> int:
        return sum(size for name, size in by_name.items() if all(word in name for word in words))

    biases = "relative_attention_bias"
    assert parts["word embedding"] == sums("shared")
    assert parts["decoder cross-attention"] == sums("decoder", "EncDecAttention")
    assert parts["encoder self-attention"] == sums("encoder", "SelfAttention") - sums("encoder", biases)
    assert parts["decoder MLP"] == sums("decoder", "DenseReluDense")
    assert parts["decoder relative positions"] == sums("decoder", biases)
    assert parts["decoder norms"] == sums("decoder", "layer_norm") - sums("decoder", "final_layer_norm")


@given(st.sampled_from(list(FAMILIES)), st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_larger_size_never_means_fewer_parameters(model_type: str, data: st.DataObject) -> None:
    # heads only divide the width among themselves, so they are no size of the whole
    sizes = [key.name for key in FAMILIES[model_type].keys if key.required and "head" not in key.name]
    key = data.draw(st.sampled_from(sizes))
    more = TINY[model_type] | {key: TINY[model_type][key] * data.draw(st.integers(2, 9))}
    before = parameter_count(anatomy_of(model_type, TINY[model_type]))
    assert parameter_count(anatomy_of(model_type, more)) >= before

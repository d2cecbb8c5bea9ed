"""Tiny models of every family, as entries and as the modules transformers builds from them."""

from __future__ import annotations

from typing import Any

import torch
import transformers
from hypothesis import strategies as st

from advisor.core.model.entry import ModelEntry
from advisor.core.model.families import FAMILIES

TINY: dict[str, dict[str, Any]] = {
    "bert": {
        "vocab_size": 97,
        "hidden_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 40,
        "max_position_embeddings": 64,
        "type_vocab_size": 2,
    },
    "gpt2": {
        "vocab_size": 97,
        "n_positions": 64,
        "n_embd": 24,
        "n_layer": 2,
        "n_head": 4,
        "bos_token_id": 0,
        "eos_token_id": 0,
    },
    "llama": {
        "vocab_size": 97,
        "hidden_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 40,
        "max_position_embeddings": 64,
    },
    "t5": {
        "vocab_size": 97,
        "d_model": 24,
        "d_kv": 10,
        "d_ff": 40,
        "num_layers": 2,
        "num_heads": 4,
    },
}

VARIATIONS: dict[str, list[dict[str, Any]]] = {
    "bert": [{}, {"type_vocab_size": 1, "num_attention_heads": 1}],
    "gpt2": [{}, {"tie_word_embeddings": False}, {"n_inner": 30}],
    "llama": [
        {},
        {"num_key_value_heads": 2},
        {"num_key_value_heads": 1, "tie_word_embeddings": True},
        {"head_dim": 10, "attention_bias": True, "mlp_bias": True, "num_key_value_heads": 2},
    ],
    "t5": [
        {},
        {"feed_forward_proj": "gated-gelu", "num_decoder_layers": 3},
        {"feed_forward_proj": "gated-silu", "relative_attention_num_buckets": 8},
        {"tie_word_embeddings": False},
    ],
}

ALL_VARIATIONS = [(model_type, change) for model_type, changes in VARIATIONS.items() for change in changes]


def entry(model_type: str, **change: Any) -> ModelEntry:
    """A tiny entry; its stated parameters are not those of the module, which nothing here may lean on."""
    family = FAMILIES[model_type]
    return ModelEntry(
        id=f"tiny-{model_type}",
        title="tiny",
        architecture=family.architecture,
        roles=("model",),
        tasks=("text-classification",),
        languages="one",
        model_type=model_type,
        transformers_class=family.transformers_class,
        config=TINY[model_type] | change,
        context_tokens=64,
        context_is_hard=family.positions_key is not None,
        context_covers="input",
        parameters=1,
        license="none",
        hub_id="none/none",
        source="none",
    )


def built(model: ModelEntry, *, device: str = "cpu", attention: str = "eager") -> transformers.PreTrainedModel:
    """The module transformers builds from an entry."""
    cls = getattr(transformers, model.transformers_class)
    config = cls.config_class(**model.config)
    config._attn_implementation = attention
    torch.manual_seed(0)
    with torch.device(device):
        module: transformers.PreTrainedModel = cls(config)
    return module.eval()


def random_config(model_type: str) -> st.SearchStrategy[dict[str, Any]]:
    """Any small config of a family, optional keys now and then left out."""
    size, heads, layers = st.integers(1, 50), st.integers(1, 6), st.integers(1, 4)
    if model_type == "t5":
        needed = {"vocab_size": size, "d_model": size, "d_kv": size, "d_ff": size, "num_layers": layers}
        optional = {
            "num_decoder_layers": layers,
            "relative_attention_num_buckets": st.integers(4, 40),
            "feed_forward_proj": st.sampled_from(["relu", "gelu", "gated-gelu", "gated-silu"]),
            "tie_word_embeddings": st.booleans(),
        }
        return st.fixed_dictionaries({**needed, "num_heads": heads}, optional=optional)
    if model_type == "bert":
        needed = {"vocab_size": size, "intermediate_size": size, "num_hidden_layers": layers}
        needed |= {"max_position_embeddings": size, "type_vocab_size": st.integers(1, 3)}
        return _with_heads(needed, {}, "hidden_size", "num_attention_heads")
    if model_type == "gpt2":
        needed = {"vocab_size": size, "n_positions": size, "n_layer": layers}
        optional = {"n_inner": st.none() | size, "tie_word_embeddings": st.booleans()}
        return _with_heads(needed, optional, "n_embd", "n_head")
    needed = {"vocab_size": size, "intermediate_size": size, "num_hidden_layers": layers}
    needed |= {"max_position_embeddings": size}
    optional = {name: st.booleans() for name in ("tie_word_embeddings", "attention_bias", "mlp_bias")}
    optional |= {"head_dim": st.none() | st.integers(1, 20).map(lambda half: 2 * half)}
    shared = _with_heads(needed, optional, "hidden_size", "num_attention_heads").map(_with_even_heads)
    return shared.flatmap(_with_key_value_heads)


def _with_heads(needed: Any, optional: Any, width: str, heads: str) -> st.SearchStrategy[dict[str, Any]]:
    pairs = st.tuples(st.integers(1, 6), st.integers(1, 10)).map(
        lambda pair: {heads: pair[0], width: pair[0] * pair[1]}
    )
    return st.tuples(st.fixed_dictionaries(needed, optional=optional), pairs).map(lambda both: both[0] | both[1])


def _with_even_heads(config: dict[str, Any]) -> dict[str, Any]:
    return config | {"hidden_size": 2 * config["hidden_size"]}  # rotary positions turn values in pairs


def _with_key_value_heads(config: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    heads = config["num_attention_heads"]
    divisors = [None, *(number for number in range(1, heads + 1) if heads % number == 0)]
    return st.sampled_from(divisors).map(lambda number: config | {"num_key_value_heads": number})

"""Llama and its kin (Mistral, Qwen): decoders with rotary positions, a gated MLP, and heads that share keys and values.

They differ in which projections have a bias, in norms over queries and keys, and in whether attention looks back
without end. The class without an LM head is what embedding models of this kin are.
"""

from __future__ import annotations

from collections.abc import Mapping

from advisor.core.model.anatomy import Anatomy, Head, Stack
from advisor.core.model.families.family import (
    ACTIVATIONS,
    TOKENS,
    UNFUSED_ACTIVATION,
    Config,
    Family,
    Key,
    numbers,
    sizes,
)

_SHARED_HEADS = ("num_key_value_heads", "num_attention_heads")
_WHOLE_HEADS = ("num_attention_heads", "hidden_size")
_KEYS = (
    *sizes("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"),
    *sizes("max_position_embeddings"),
    Key("tie_word_embeddings", "flag", default=False),
    Key("hidden_act", "word", words=ACTIVATIONS),
    Key("rope_parameters", "rope"),
    *numbers("rms_norm_eps", "initializer_range", "attention_dropout"),
    *TOKENS,
)


def _shape(config: Config, decoder: Stack) -> Anatomy:
    head: Head = "tied" if config["tie_word_embeddings"] else "own"
    return Anatomy(
        vocab_size=config["vocab_size"], hidden_size=decoder.hidden_size, encoder=None, decoder=decoder, head=head
    )


def _stack(config: Config, *, head_dim: int | None, biases: str, mlp_bias: bool = False) -> Stack:
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    return Stack(
        num_layers=config["num_hidden_layers"],
        hidden_size=hidden,
        num_attention_heads=heads,
        num_key_value_heads=config["num_key_value_heads"] or heads,
        head_dim=head_dim or hidden // heads,
        intermediate_size=config["intermediate_size"],
        mlp_matrices=3,
        norm_values=1,
        attention_biases=biases,
        mlp_bias=mlp_bias,
        final_norm=True,
        unfused_activation=config["hidden_act"] == UNFUSED_ACTIVATION,
    )


def _llama(config: Config) -> Anatomy:
    biases = "qkvo" if config["attention_bias"] else ""
    return _shape(config, _stack(config, head_dim=config["head_dim"], biases=biases, mlp_bias=config["mlp_bias"]))


def _mistral(config: Config) -> Anatomy:
    stack = _stack(config, head_dim=config["head_dim"], biases="")
    return _shape(config, stack._replace(window=config["sliding_window"]))


def _qwen2(config: Config) -> Anatomy:
    return _shape(config, _stack(config, head_dim=None, biases="qkv"))


def _qwen3(config: Config) -> Anatomy:
    stack = _stack(config, head_dim=config["head_dim"], biases="qkvo" if config["attention_bias"] else "")
    return _shape(config, stack._replace(normed_heads=True))


def _classes(name: str) -> Mapping[str, Head | None]:
    return {f"{name}ForCausalLM": None, f"{name}Model": "none"}


FAMILIES: Mapping[str, Family] = {
    "llama": Family(
        "llama",
        "decoder-only",
        _classes("Llama"),
        (
            *_KEYS,
            Key("num_key_value_heads", "size"),
            Key("head_dim", "size"),
            Key("attention_bias", "flag", default=False),
            Key("mlp_bias", "flag", default=False),
        ),
        _llama,
        positions_key="max_position_embeddings",
        divides=(_WHOLE_HEADS, _SHARED_HEADS),
        rotary=True,
    ),
    "mistral": Family(
        "mistral",
        "decoder-only",
        _classes("Mistral"),
        (
            *_KEYS,
            *sizes("num_key_value_heads"),
            Key("head_dim", "size"),
            # null looks back without end; a window keeps one token less than it is wide, so 1 would keep none
            Key("sliding_window", "size", required=True, least=2, nullable=True),
        ),
        _mistral,
        positions_key="max_position_embeddings",
        divides=(_WHOLE_HEADS, _SHARED_HEADS),
        rotary=True,
    ),
    "qwen2": Family(
        "qwen2",
        "decoder-only",
        _classes("Qwen2"),
        (*_KEYS, *sizes("num_key_value_heads")),
        _qwen2,
        positions_key="max_position_embeddings",
        divides=(_WHOLE_HEADS, _SHARED_HEADS),
        rotary=True,
    ),
    "qwen3": Family(
        "qwen3",
        "decoder-only",
        _classes("Qwen3"),
        (*_KEYS, *sizes("num_key_value_heads", "head_dim"), Key("attention_bias", "flag", default=False)),
        _qwen3,
        positions_key="max_position_embeddings",
        divides=(_SHARED_HEADS,),
        rotary=True,
    ),
}

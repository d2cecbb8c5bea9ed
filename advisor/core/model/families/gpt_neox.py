"""GPT-NeoX (Pythia) and its kin: decoders with rotary positions in a part of each head, and LayerNorm with a shift.

In most of them attention and MLP read the same states side by side, under a norm each or under one for both. That
changes what waits for what, and of what is counted only the norms.
"""

from __future__ import annotations

from collections.abc import Mapping

from advisor.core.model.anatomy import Anatomy, Stack
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
from advisor.core.model.families.llama import SIZES, rotary_decoder, with_head

FAST = "gelu_fast"
"""The activation of GPT-NeoX 20B, which transformers writes out in tensor operations too."""


def _keys(*, tied: bool = False, activation: str) -> tuple[Key, ...]:
    return (
        *SIZES,
        Key("tie_word_embeddings", "flag", default=tied),
        Key("hidden_act", "word", default=activation, words=(*ACTIVATIONS, FAST)),
        Key("rope_parameters", "rope"),
        *numbers("initializer_range", "attention_dropout"),
        *TOKENS,
    )


def _stack(config: Config, *, biases: str, mlp_bias: bool) -> Stack:
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    return Stack(
        num_layers=config["num_hidden_layers"],
        hidden_size=hidden,
        num_attention_heads=heads,
        num_key_value_heads=config.get("num_key_value_heads") or heads,
        head_dim=hidden // heads,
        intermediate_size=config["intermediate_size"],
        mlp_matrices=2,
        norm_values=2,
        attention_biases=biases,
        mlp_bias=mlp_bias,
        final_norm=True,
        unfused_activation=config["hidden_act"] in (UNFUSED_ACTIVATION, FAST),
    )


def _gpt_neox(config: Config) -> Anatomy:
    return with_head(config, _stack(config, biases="qkvo" if config["attention_bias"] else "", mlp_bias=True))


def _phi(config: Config) -> Anatomy:
    stack = _stack(config, biases="qkvo", mlp_bias=True)
    # scale and shift, for queries and for keys, the same for all heads
    normed = 4 * stack.head_dim if config["qk_layernorm"] else 0
    return with_head(config, stack._replace(norms=1, query_key_norm=normed))._replace(lm_head_bias=True)


def _stablelm(config: Config) -> Anatomy:
    stack = _stack(config, biases="qkv" if config["use_qkv_bias"] else "", mlp_bias=False)
    normed = stack.query_size + stack.key_value_size if config["qk_layernorm"] else 0  # a scale for every head
    norms = 1 if config["use_parallel_residual"] else 2
    return with_head(config, stack._replace(mlp_matrices=3, norms=norms, query_key_norm=normed))


def _starcoder2(config: Config) -> Anatomy:
    stack = _stack(config, biases="qkvo" if config["use_bias"] else "", mlp_bias=config["use_bias"])
    return with_head(config, stack._replace(window=config["sliding_window"]))


_SETTLED = {
    "activation_function": "gelu",
    "attention_softmax_in_fp32": True,
    "scale_attention_softmax_in_fp32": True,
    "mlp_type": "default",
    "norm_type": "layer_norm",
}
"""What StarCoder2's config says besides, which no class reads."""
_FAMILIES = (
    rotary_decoder(
        "gpt_neox",
        "GPTNeoX",
        (
            *_keys(activation="gelu"),
            Key("attention_bias", "flag", default=True),
            Key("use_parallel_residual", "flag", default=True),
            *numbers("layer_norm_eps", "hidden_dropout", "classifier_dropout"),
        ),
        _gpt_neox,
    ),
    rotary_decoder(
        "phi",
        "Phi",
        (
            *_keys(activation="gelu_new"),
            Key("num_key_value_heads", "size"),
            Key("qk_layernorm", "flag", default=False),
            *numbers("layer_norm_eps", "embd_pdrop", "resid_pdrop"),
        ),
        _phi,
    ),
    rotary_decoder(
        "stablelm",
        "StableLm",
        (
            *_keys(activation="silu"),
            *sizes("num_key_value_heads"),
            Key("use_qkv_bias", "flag", default=False),
            Key("qk_layernorm", "flag", default=False),
            Key("use_parallel_residual", "flag", default=False),
            *numbers("layer_norm_eps", "hidden_dropout"),
        ),
        _stablelm,
    ),
    rotary_decoder(
        "starcoder2",
        "Starcoder2",
        (
            *_keys(tied=True, activation="gelu_pytorch_tanh"),
            *sizes("num_key_value_heads"),
            Key("use_bias", "flag", default=True),
            Key("sliding_window", "size", least=2),
            *numbers("norm_epsilon", "residual_dropout", "embedding_dropout"),
        ),
        _starcoder2,
        settled=_SETTLED,
    ),
)
FAMILIES: Mapping[str, Family] = {family.model_type: family for family in _FAMILIES}

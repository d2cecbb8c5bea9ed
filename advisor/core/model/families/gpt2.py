"""GPT-2, and GPT-3, which has its shape: decoders with learned positions and one width for everything. And GPT-J.

GPT-J calls its sizes by the same names. Its positions are turned into a part of each head, its attention and its MLP
read the same states under one norm, and its LM head has a bias.
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


def _stack(config: Config, *, attention_biases: str) -> Stack:
    hidden, heads = config["n_embd"], config["n_head"]
    return Stack(
        num_layers=config["n_layer"],
        hidden_size=hidden,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        head_dim=hidden // heads,
        intermediate_size=config["n_inner"] or 4 * hidden,
        mlp_matrices=2,
        norm_values=2,
        attention_biases=attention_biases,
        mlp_bias=True,
        final_norm=True,
        unfused_activation=config["activation_function"] == UNFUSED_ACTIVATION,
    )


def _shape(config: Config, decoder: Stack) -> Anatomy:
    return Anatomy(
        vocab_size=config["vocab_size"],
        hidden_size=decoder.hidden_size,
        encoder=None,
        decoder=decoder,
        head="tied" if config["tie_word_embeddings"] else "own",
    )


def _gpt2(config: Config) -> Anatomy:
    return _shape(config, _stack(config, attention_biases="qkvo"))._replace(position_rows=config["n_positions"])


def _gptj(config: Config) -> Anatomy:
    stack = _stack(config, attention_biases="")
    return _shape(config, stack._replace(norms=1, fused_attention=False))._replace(lm_head_bias=True)


def _keys(*, tied: bool) -> tuple[Key, ...]:
    return (
        *sizes("vocab_size", "n_positions", "n_embd", "n_layer", "n_head"),
        Key("n_inner", "size"),
        Key("tie_word_embeddings", "flag", default=tied),
        Key("activation_function", "word", default="gelu_new", words=ACTIVATIONS),
        *numbers("layer_norm_epsilon", "initializer_range", "attn_pdrop", "embd_pdrop", "resid_pdrop"),
        *TOKENS,
    )


FAMILIES: Mapping[str, Family] = {
    "gpt2": Family(
        "gpt2",
        "decoder-only",
        {"GPT2LMHeadModel": None},
        _keys(tied=True),
        _gpt2,
        positions_key="n_positions",
        divides=(("n_head", "n_embd"),),
    ),
    "gptj": Family(
        "gptj",
        "decoder-only",
        {"GPTJForCausalLM": None, "GPTJModel": "none"},
        (*_keys(tied=False), Key("rotary_dim", "size", default=64, least=2)),
        _gptj,
        positions_key="n_positions",
        divides=(("n_head", "n_embd"),),
        settled={"rotary": True},
    ),
}

"""GPT-2, and GPT-3, which has its shape: decoders with learned positions and one width for everything."""

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


def _gpt2(config: Config) -> Anatomy:
    hidden, heads = config["n_embd"], config["n_head"]
    decoder = Stack(
        num_layers=config["n_layer"],
        hidden_size=hidden,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        head_dim=hidden // heads,
        intermediate_size=config["n_inner"] or 4 * hidden,
        mlp_matrices=2,
        norm_values=2,
        attention_biases="qkvo",
        mlp_bias=True,
        final_norm=True,
        unfused_activation=config["activation_function"] == UNFUSED_ACTIVATION,
    )
    return Anatomy(
        vocab_size=config["vocab_size"],
        hidden_size=hidden,
        encoder=None,
        decoder=decoder,
        head="tied" if config["tie_word_embeddings"] else "own",
        position_rows=config["n_positions"],
    )


FAMILIES: Mapping[str, Family] = {
    "gpt2": Family(
        "gpt2",
        "decoder-only",
        {"GPT2LMHeadModel": None},
        (
            *sizes("vocab_size", "n_positions", "n_embd", "n_layer", "n_head"),
            Key("n_inner", "size"),
            Key("tie_word_embeddings", "flag", default=True),
            Key("activation_function", "word", default="gelu_new", words=ACTIVATIONS),
            *numbers("layer_norm_epsilon", "initializer_range", "attn_pdrop", "embd_pdrop", "resid_pdrop"),
            *TOKENS,
        ),
        _gpt2,
        positions_key="n_positions",
        divides=(("n_head", "n_embd"),),
    ),
}

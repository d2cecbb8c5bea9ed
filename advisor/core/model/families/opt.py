"""OPT: a decoder with GPT-2's layers and learned positions, whose words may be narrower than its states."""

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

OFFSET = 2
"""Rows that the table of positions has more than there are positions."""


def _opt(config: Config) -> Anatomy:
    hidden, heads, biased = config["hidden_size"], config["num_attention_heads"], config["enable_bias"]
    decoder = Stack(
        num_layers=config["num_hidden_layers"],
        hidden_size=hidden,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        head_dim=hidden // heads,
        intermediate_size=config["ffn_dim"],
        mlp_matrices=2,
        norm_values=2 if config["layer_norm_elementwise_affine"] else 0,
        attention_biases="qkvo" if biased else "",
        mlp_bias=biased,
        # where the norms come after each part, the last of them is the end
        final_norm=config["do_layer_norm_before"] and not config["_remove_final_layer_norm"],
        unfused_activation=config["activation_function"] == UNFUSED_ACTIVATION,
    )
    return Anatomy(
        vocab_size=config["vocab_size"],
        hidden_size=hidden,
        encoder=None,
        decoder=decoder,
        head="tied" if config["tie_word_embeddings"] else "own",
        position_rows=config["max_position_embeddings"] + OFFSET,
        word_size=config["word_embed_proj_dim"],
    )


FAMILIES: Mapping[str, Family] = {
    "opt": Family(
        "opt",
        "decoder-only",
        {"OPTForCausalLM": None},
        (
            *sizes("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "ffn_dim"),
            *sizes("max_position_embeddings"),
            Key("word_embed_proj_dim", "size"),
            Key("do_layer_norm_before", "flag", default=True),
            Key("_remove_final_layer_norm", "flag", default=False),
            Key("enable_bias", "flag", default=True),
            Key("layer_norm_elementwise_affine", "flag", default=True),
            Key("tie_word_embeddings", "flag", default=True),
            Key("activation_function", "word", default="relu", words=ACTIVATIONS),
            *numbers("dropout", "attention_dropout", "layerdrop", "init_std"),
            Key("pad_token_id", "token", default=1, nullable=True),
            *TOKENS[1:],
        ),
        _opt,
        positions_key="max_position_embeddings",
        divides=(("num_attention_heads", "hidden_size"),),
    ),
}

"""BART: an encoder-decoder with learned positions, two stacks of BERT's kind over one word table."""

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
    padding,
    sizes,
)

OFFSET = 2
"""Rows that each table of positions has more than there are positions."""


def _bart(config: Config) -> Anatomy:
    def stack(name: str, *, cross_attention: bool) -> Stack:
        hidden, heads = config["d_model"], config[f"{name}_attention_heads"]
        return Stack(
            num_layers=config[f"{name}_layers"],
            hidden_size=hidden,
            num_attention_heads=heads,
            num_key_value_heads=heads,
            head_dim=hidden // heads,
            intermediate_size=config[f"{name}_ffn_dim"],
            mlp_matrices=2,
            norm_values=2,
            attention_biases="qkvo",
            mlp_bias=True,
            final_norm=False,
            cross_attention=cross_attention,
            unfused_activation=config["activation_function"] == UNFUSED_ACTIVATION,
        )

    return Anatomy(
        vocab_size=config["vocab_size"],
        hidden_size=config["d_model"],
        encoder=stack("encoder", cross_attention=False),
        decoder=stack("decoder", cross_attention=True),
        head="tied",
        position_rows=config["max_position_embeddings"] + OFFSET,
        embedding_norm_values=2,
    )


FAMILIES: Mapping[str, Family] = {
    "bart": Family(
        "bart",
        "encoder-decoder",
        {"BartForConditionalGeneration": None},
        (
            *sizes("vocab_size", "d_model", "max_position_embeddings"),
            *sizes("encoder_layers", "encoder_attention_heads", "encoder_ffn_dim"),
            *sizes("decoder_layers", "decoder_attention_heads", "decoder_ffn_dim"),
            Key("activation_function", "word", words=ACTIVATIONS),
            Key("scale_embedding", "flag", default=False),
            *numbers("dropout", "attention_dropout", "activation_dropout", "init_std"),
            padding(1),
            *TOKENS[1:],
            Key("decoder_start_token_id", "token"),
        ),
        _bart,
        positions_key="max_position_embeddings",
        divides=(("encoder_attention_heads", "d_model"), ("decoder_attention_heads", "d_model")),
    ),
}

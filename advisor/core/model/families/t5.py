"""T5 and mT5: encoder-decoders with relative positions, which have no end, and heads of any width."""

from __future__ import annotations

from collections.abc import Mapping

from advisor.core.model.anatomy import Anatomy, Stack
from advisor.core.model.families.family import Config, Family, Key, numbers, sizes

_PROJECTIONS = ("relu", "gelu", "gated-gelu", "gated-silu")
_KEYS = (
    *sizes("vocab_size", "d_model", "d_kv", "d_ff", "num_layers", "num_heads"),
    Key("num_decoder_layers", "size"),
    Key("relative_attention_num_buckets", "size", default=32, least=4),  # half for each direction
    Key("relative_attention_max_distance", "size", default=128),
    *numbers("layer_norm_epsilon", "initializer_factor", "dropout_rate"),
    Key("pad_token_id", "token"),
    Key("eos_token_id", "token"),
)


def _t5(config: Config) -> Anatomy:
    def stack(num_layers: int, *, cross_attention: bool) -> Stack:
        return Stack(
            num_layers=num_layers,
            hidden_size=config["d_model"],
            num_attention_heads=config["num_heads"],
            num_key_value_heads=config["num_heads"],
            head_dim=config["d_kv"],
            intermediate_size=config["d_ff"],
            mlp_matrices=3 if config["feed_forward_proj"].startswith("gated-") else 2,
            norm_values=1,
            attention_biases="",
            mlp_bias=False,
            final_norm=True,
            cross_attention=cross_attention,
            relative_buckets=config["relative_attention_num_buckets"],
            # transformers reads `gated-gelu` as the activation it writes out
            unfused_activation=config["feed_forward_proj"] == "gated-gelu",
        )

    return Anatomy(
        vocab_size=config["vocab_size"],
        hidden_size=config["d_model"],
        encoder=stack(config["num_layers"], cross_attention=False),
        decoder=stack(config["num_decoder_layers"] or config["num_layers"], cross_attention=True),
        # transformers 5 ties the head whatever the config says; T5's `tie_word_embeddings` only scales its input
        head="tied",
    )


FAMILIES: Mapping[str, Family] = {
    "t5": Family(
        "t5",
        "encoder-decoder",
        {"T5ForConditionalGeneration": None},
        (
            *_KEYS,
            Key("feed_forward_proj", "word", default="relu", words=_PROJECTIONS),
            Key("tie_word_embeddings", "flag", default=True),
        ),
        _t5,
        positions_key=None,
    ),
    "mt5": Family(
        "mt5",
        "encoder-decoder",
        {"MT5ForConditionalGeneration": None},
        (*_KEYS, Key("feed_forward_proj", "word", default="gated-gelu", words=_PROJECTIONS)),
        _t5,
        positions_key=None,
    ),
}

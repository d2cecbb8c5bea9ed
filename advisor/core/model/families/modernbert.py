"""ModernBERT: an encoder with rotary positions, a gated MLP, and layers that mostly look at their neighbours only.

The norm over the looked-up words takes the place of the first layer's own, so it is counted there. Local layers mask
what they do not look at: torch computes the whole square all the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from advisor.core.model.anatomy import Anatomy, Stack
from advisor.core.model.families.family import (
    ACTIVATIONS,
    LABELS,
    TOKENS,
    UNFUSED_ACTIVATION,
    Config,
    Family,
    Key,
    numbers,
    padding,
    sizes,
)


def _modernbert(config: Config) -> Anatomy:
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    norm_values = 2 if config["norm_bias"] else 1
    encoder = Stack(
        num_layers=config["num_hidden_layers"],
        hidden_size=hidden,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        head_dim=hidden // heads,
        intermediate_size=config["intermediate_size"],
        mlp_matrices=3,
        norm_values=norm_values,
        attention_biases="qkvo" if config["attention_bias"] else "",
        mlp_bias=config["mlp_bias"],
        final_norm=True,
        unfused_activation=config["hidden_activation"] == UNFUSED_ACTIVATION,
        local_layers=True,  # the mask is made even where no layer is local
    )
    return Anatomy(
        vocab_size=config["vocab_size"],
        hidden_size=hidden,
        encoder=encoder,
        decoder=None,
        head="none",
        labels=config["num_labels"],
        head_bias=config["classifier_bias"],
        head_norm_values=norm_values,
    )


FAMILIES: Mapping[str, Family] = {
    "modernbert": Family(
        "modernbert",
        "encoder-only",
        {"ModernBertModel": None, "ModernBertForSequenceClassification": "classifier"},
        (
            *sizes("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"),
            *sizes("max_position_embeddings"),
            Key("global_attn_every_n_layers", "size", default=3),
            Key("local_attention", "size", default=128),
            Key("hidden_activation", "word", default="gelu", words=ACTIVATIONS),
            Key("norm_bias", "flag", default=False),
            Key("attention_bias", "flag", default=False),
            Key("mlp_bias", "flag", default=False),
            LABELS,
            Key("classifier_bias", "flag", default=False),
            Key("classifier_activation", "word", default="gelu", words=ACTIVATIONS),
            Key("classifier_pooling", "word", default="cls", words=("cls", "mean")),
            *numbers("norm_eps", "initializer_range", "attention_dropout", "embedding_dropout", "mlp_dropout"),
            *numbers("classifier_dropout"),
            padding(50283),
            *TOKENS[1:],
            Key("cls_token_id", "token"),
            Key("sep_token_id", "token"),
        ),
        _modernbert,
        positions_key="max_position_embeddings",
        divides=(("num_attention_heads", "hidden_size"),),
        rotary=True,
    ),
}

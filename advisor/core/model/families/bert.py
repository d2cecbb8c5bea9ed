"""BERT, RoBERTa and its kin: encoders with learned positions, normalised after each part.

RoBERTa is BERT's shape with another way of numbering positions: they start after the padding token's id, so 512 of the
514 rows can be used. Others that have BERT's layers and differ before or after them are in modules of their own.
"""

from __future__ import annotations

from collections.abc import Mapping

from advisor.core.model.anatomy import Anatomy, Head, Stack
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

SIZES = sizes("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
NUMBERS = numbers("layer_norm_eps", "initializer_range", "hidden_dropout_prob", "attention_probs_dropout_prob")
WHOLE_HEADS = ("num_attention_heads", "hidden_size")
_KEYS = (
    *SIZES,
    *sizes("max_position_embeddings", "type_vocab_size"),
    Key("hidden_act", "word", words=ACTIVATIONS),
    *NUMBERS,
    LABELS,
)
_ROBERTA_KEYS = (*_KEYS, padding(1), *TOKENS[1:])


def shape(config: Config) -> Anatomy:
    """BERT itself, with its pooler; segments may be left out."""
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    encoder = Stack(
        num_layers=config["num_hidden_layers"],
        hidden_size=hidden,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        head_dim=hidden // heads,
        intermediate_size=config["intermediate_size"],
        mlp_matrices=2,
        norm_values=2,
        attention_biases="qkvo",
        mlp_bias=True,
        final_norm=False,
        unfused_activation=config["hidden_act"] == UNFUSED_ACTIVATION,
    )
    return Anatomy(
        vocab_size=config["vocab_size"],
        hidden_size=hidden,
        encoder=encoder,
        decoder=None,
        head="pooler",
        position_rows=config["max_position_embeddings"],
        type_rows=config.get("type_vocab_size", 0),
        embedding_norm_values=2,
        labels=config["num_labels"],
    )


def _family(model_type: str, name: str, *, roberta: bool) -> Family:
    classes: Mapping[str, Head | None] = {f"{name}Model": None, f"{name}ForSequenceClassification": "classifier"}
    return Family(
        model_type,
        "encoder-only",
        classes,
        _ROBERTA_KEYS if roberta else (*_KEYS, *TOKENS),
        shape,
        positions_key="max_position_embeddings",
        divides=(WHOLE_HEADS,),
        positions_after_padding=roberta,
    )


FAMILIES: Mapping[str, Family] = {
    "bert": _family("bert", "Bert", roberta=False),
    "roberta": _family("roberta", "Roberta", roberta=True),
    "xlm-roberta": _family("xlm-roberta", "XLMRoberta", roberta=True),
    "camembert": _family("camembert", "Camembert", roberta=True),
}

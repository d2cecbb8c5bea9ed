"""DistilBERT: BERT's layers by other names, without segments and without a pooler."""

from __future__ import annotations

from collections.abc import Mapping

from advisor.core.model.anatomy import Anatomy
from advisor.core.model.families.bert import shape
from advisor.core.model.families.family import ACTIVATIONS, LABELS, TOKENS, Config, Family, Key, numbers, sizes

_BERTS_NAMES = {
    "dim": "hidden_size",
    "n_layers": "num_hidden_layers",
    "n_heads": "num_attention_heads",
    "hidden_dim": "intermediate_size",
    "activation": "hidden_act",
}


def _distilbert(config: Config) -> Anatomy:
    return shape({_BERTS_NAMES.get(name, name): value for name, value in config.items()})._replace(head="none")


FAMILIES: Mapping[str, Family] = {
    "distilbert": Family(
        "distilbert",
        "encoder-only",
        {"DistilBertModel": None, "DistilBertForSequenceClassification": "classifier"},
        (
            *sizes("vocab_size", "dim", "n_layers", "n_heads", "hidden_dim", "max_position_embeddings"),
            Key("activation", "word", default="gelu", words=ACTIVATIONS),
            # waves or learned, the positions are a table among the weights
            Key("sinusoidal_pos_embds", "flag", default=False),
            *numbers("dropout", "attention_dropout", "qa_dropout", "seq_classif_dropout", "initializer_range"),
            *TOKENS,
            LABELS,
        ),
        _distilbert,
        positions_key="max_position_embeddings",
        divides=(("n_heads", "dim"),),
    ),
}

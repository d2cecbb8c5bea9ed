"""ELECTRA and ALBERT: BERT's layers over tables that may be narrower, from which a projection makes the states.

ALBERT has one layer, which is run again and again. ELECTRA is its discriminator, which has no pooler.
"""

from __future__ import annotations

from collections.abc import Mapping

from advisor.core.model.anatomy import Anatomy
from advisor.core.model.families.bert import NUMBERS, SIZES, WHOLE_HEADS, shape
from advisor.core.model.families.family import ACTIVATIONS, LABELS, TOKENS, Config, Family, Key, sizes

_KEYS = (
    *SIZES,
    *sizes("embedding_size", "max_position_embeddings", "type_vocab_size"),
    *NUMBERS,
    *TOKENS,
    LABELS,
)


def _electra(config: Config) -> Anatomy:
    narrow = config["embedding_size"] != config["hidden_size"]
    return shape(config)._replace(head="none", embedding_size=config["embedding_size"] if narrow else None)


def _albert(config: Config) -> Anatomy:
    found = shape(config)
    encoder = found.encoder and found.encoder._replace(shared_layers=True)
    return found._replace(encoder=encoder, embedding_size=config["embedding_size"])  # projected also where equal


FAMILIES: Mapping[str, Family] = {
    "electra": Family(
        "electra",
        "encoder-only",
        {"ElectraModel": None, "ElectraForSequenceClassification": "classifier"},
        (*_KEYS, Key("hidden_act", "word", default="gelu", words=ACTIVATIONS)),
        _electra,
        positions_key="max_position_embeddings",
        divides=(WHOLE_HEADS,),
    ),
    "albert": Family(
        "albert",
        "encoder-only",
        {"AlbertModel": None, "AlbertForSequenceClassification": "classifier"},
        (*_KEYS, Key("hidden_act", "word", default="gelu_new", words=ACTIVATIONS)),
        _albert,
        positions_key="max_position_embeddings",
        divides=(WHOLE_HEADS,),
    ),
}

"""MPNet: BERT's layers with T5's position biases added to their scores, and RoBERTa's positions, without segments.

Its attention is written out: transformers has none for it that leaves out the scores.
"""

from __future__ import annotations

from collections.abc import Mapping

from advisor.core.model.anatomy import Anatomy
from advisor.core.model.families.bert import NUMBERS, SIZES, WHOLE_HEADS, shape
from advisor.core.model.families.family import ACTIVATIONS, LABELS, TOKENS, Config, Family, Key

_PADDING = 1
"""The id of the padding token that its tables are built around, whatever the config says."""
_BUCKETS = 32
"""Buckets that distances are sorted into, whatever the config says: a table may have more rows and not fewer."""


def _mpnet(config: Config) -> Anatomy:
    found = shape(config)
    buckets = config["relative_attention_num_buckets"]
    encoder = found.encoder and found.encoder._replace(relative_buckets=buckets, fused_attention=False)
    return found._replace(encoder=encoder)


FAMILIES: Mapping[str, Family] = {
    "mpnet": Family(
        "mpnet",
        "encoder-only",
        {"MPNetModel": None, "MPNetForSequenceClassification": "classifier"},
        (
            Key("vocab_size", "size", required=True, least=_PADDING + 1),
            *SIZES[1:],
            Key("max_position_embeddings", "size", required=True),
            Key("relative_attention_num_buckets", "size", default=_BUCKETS, least=_BUCKETS),
            Key("hidden_act", "word", default="gelu", words=ACTIVATIONS),
            *NUMBERS,
            *TOKENS,
            LABELS,
        ),
        _mpnet,
        positions_key="max_position_embeddings",
        divides=(WHOLE_HEADS,),
        rows_lost=_PADDING + 1,
    ),
}

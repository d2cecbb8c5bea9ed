"""A model with fewer layers than it has: the same tables, the same head, the same layers, only not as many of them.

The one idea: all layers of a stack are alike, so a model that is too large to run is its tables and its head and so
many times one layer. What times of cut models say of the whole one stands in `core.sizing.layers`.
"""

from __future__ import annotations

from typing import Any

from advisor.core.model.cost import anatomy
from advisor.core.model.entry import ModelEntry
from advisor.core.model.families import FAMILIES
from advisor.core.model.parameters import parameter_count
from advisor.core.model.source import ModelSource

_LAYER_KEYS = (
    *("num_hidden_layers", "n_layer", "n_layers"),
    *("num_layers", "num_decoder_layers"),
    *("encoder_layers", "decoder_layers"),
)
"""The config keys that count layers, whatever the family calls them. A family has one, or one for each stack."""
_PERIOD_KEY = "global_attn_every_n_layers"
"""Layers of an encoder that differ come round again after so many: only whole rounds are alike."""


def depth(entry: ModelEntry) -> int:
    """How many layers each stack has. Raises ValueError where two stacks differ, which cannot be cut alike."""
    depths = {stack.num_layers for stack in anatomy(entry).stacks}
    if len(depths) != 1:
        words = " and ".join(str(layers) for layers in sorted(depths))
        raise ValueError(f"{entry.id} has stacks of {words} layers, which cannot be cut alike")
    return depths.pop()


def period(entry: ModelEntry) -> int:
    """Layers from one to the next that is like it: 1 where all are alike."""
    decoder = anatomy(entry).decoder
    if decoder is not None and decoder.full_layers:
        return decoder.full_every
    keys = {key.name: key.default for key in FAMILIES[entry.model_type].keys}
    found: int = entry.config.get(_PERIOD_KEY, keys.get(_PERIOD_KEY)) or 1
    return found


def cut(entry: ModelEntry, layers: int | None) -> ModelEntry:
    """The model with so many layers in each stack; as it is for None."""
    if layers is None:
        return entry
    known = {key.name for key in FAMILIES[entry.model_type].keys}
    config: dict[str, Any] = entry.config | {key: layers for key in _LAYER_KEYS if key in known}
    fewer = entry.model_copy(update={"config": config})
    return fewer.model_copy(update={"parameters": parameter_count(anatomy(fewer))})


def cut_source(source: ModelSource | None, entry: ModelEntry) -> ModelSource | None:
    """The files of a model that was cut to `entry`: its tokenizer still, its weights no longer, for they are more."""
    if source is None:
        return None
    return source.model_copy(update={"config": entry.config, "weights": (), "stored_parameters": None})

"""A model that is in no catalogue: whose files they are, what they hold, and which of it the child may read.

Values only; `store.model_folder` makes them from a folder. The one idea: everything that a stranger's folder may decide
is read and checked in the parent, and what the child gets is this value: a config without code in it, names of weight
files, and whether there is a tokenizer.
"""

from __future__ import annotations

from typing import Any, Literal

from advisor.core.values import Value

Weights = Literal["random", "real"]
"""Whether every weight of a measured model came from its files."""
Pooling = Literal["mean", "cls", "last"]
"""How token vectors become one: their mean, the first token's, the last token's."""


class ModelSource(Value):
    """The files of one model. `folder` is an absolute path and stays on this machine; `name` is what people are shown.

    `config` is what the model class is built from. `weights` are names of safetensors files in the folder, none where
    it has none; `weights_sha256` is over their bytes, `stored_parameters` counts the numbers in them;
    `tokenizer_sha256` is over the tokenizer's files, None where there are none. `hub_id` and `revision` say where the
    files came from, where they came from a hub.
    """

    folder: str
    name: str
    config: dict[str, Any]
    weights: tuple[str, ...] = ()
    weights_sha256: str | None = None
    stored_parameters: int | None = None
    tokenizer_sha256: str | None = None
    pooling: Pooling | None = None
    hub_id: str | None = None
    revision: str | None = None
    notes: tuple[str, ...] = ()

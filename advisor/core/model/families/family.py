"""What a family is: a transformers model type with its classes, its config keys, and its translation into `Anatomy`.

Config keys are those of the transformers config class, and no others: a key that would change the module without
changing the count is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from advisor.core.architecture import Architecture
from advisor.core.model.anatomy import Anatomy, Head

Config = Mapping[str, Any]
Mistake = tuple[tuple[str | int, ...], str, str | None]
"""Where in the entry, what is wrong, what to do."""

MAX_SIZE = 10_000_000
"""No single size of a published model comes near this: beyond it a figure is a slip of the pen."""

ACTIVATIONS = ("gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "silu", "swish")
UNFUSED_ACTIVATION = "gelu_new"
"""The one of them that transformers writes out in tensor operations."""


class Key(NamedTuple):
    """One config key. `default` is transformers' own, used where the key is left out; a required key has none.

    `words` are those a word may be, `least` is the smallest a size may be, `nullable` says that null has a meaning.
    """

    name: str
    kind: Literal["size", "flag", "word", "words", "number", "token", "rope"]
    required: bool = False
    default: Any = None
    words: tuple[str, ...] = ()
    least: int = 1
    nullable: bool = False

    @property
    def may_be_null(self) -> bool:
        """Whether null is as good as leaving the key out: transformers works such a value out, or goes without."""
        left_out = self.kind in ("size", "words", "token", "rope") and not self.required and self.default is None
        return left_out or self.nullable


class Family(NamedTuple):
    """One transformers model type: the classes that can be built, its config keys, and its shape.

    `classes` says for each class what stands on top; None is what the config describes. `positions_key` names the
    config key that says where the learned or rotary positions end; None where positions have no end.
    `positions_after_padding` says that the first token's position comes after the id of the padding token, so that many
    rows are lost; `rows_lost` are lost whatever that id is. `positions_flag` names a key that, where false, leaves the
    learned positions out. `divides` lists pairs of keys of which the first must divide the second. `rotary` positions
    turn the values of a head in pairs. `settled` holds keys of older configs with what they said of every such model,
    which transformers reads no longer.
    """

    model_type: str
    architecture: Architecture
    classes: Mapping[str, Head | None]
    keys: tuple[Key, ...]
    anatomy: Callable[[Config], Anatomy]
    positions_key: str | None
    divides: tuple[tuple[str, str], ...] = ()
    rotary: bool = False
    positions_after_padding: bool = False
    positions_flag: str | None = None
    rows_lost: int = 0
    settled: Mapping[str, Any] = {}

    @property
    def transformers_class(self) -> str:
        """The class that is built where none is named."""
        return next(iter(self.classes))


def complete(family: Family, config: Config) -> dict[str, Any]:
    """The config with transformers' own defaults where a key is left out."""
    return {key.name: config.get(key.name, key.default) for key in family.keys}


def usable_positions(family: Family, config: Config) -> int | None:
    """How many tokens find a position; None where positions have no end."""
    if family.positions_key is None:
        return None
    known = complete(family, config)
    if family.positions_flag and not known[family.positions_flag]:
        return None
    rows: int = known[family.positions_key]
    return rows - known["pad_token_id"] - 1 if family.positions_after_padding else rows - family.rows_lost


def sizes(*names: str) -> tuple[Key, ...]:
    """Keys that hold a size and must be stated."""
    return tuple(Key(name, "size", required=True) for name in names)


def numbers(*names: str) -> tuple[Key, ...]:
    """Keys that hold a fraction and change nothing that is counted."""
    return tuple(Key(name, "number") for name in names)


def padding(default: int) -> Key:
    """The padding token of a class that builds its tables around it: its default counts where the key is left out."""
    return Key("pad_token_id", "token", default=default)


TOKENS = tuple(Key(name, "token") for name in ("pad_token_id", "bos_token_id", "eos_token_id"))
LABELS = Key("num_labels", "size", default=2)
"""How many scores a classifier gives; of no account to the other classes."""

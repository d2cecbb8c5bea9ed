"""The two kinds of pydantic value in this project: a frozen value, and a document of the contract.

Unknown keys are refused and infinities and NaN never enter: an unknown figure is `None`.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """A frozen value that refuses unknown keys, NaN and infinity."""

    # Validators are built at first use: a decision must not pay for the shapes that only a measurement has.
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=(), defer_build=True
    )


class Document(Value):
    """One JSON document of the contract; `kind` says which."""

    schema_version: Literal[1] = 1


def kinds_in(annotation: Any) -> Iterator[Any]:
    """The types that an annotation allows one by one, without what is said of them beside."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from kinds_in(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from kinds_in(part)
    else:
        yield annotation

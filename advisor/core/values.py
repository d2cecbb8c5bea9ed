"""The two kinds of pydantic value in this project: a frozen value, and a document of the contract.

Unknown keys are refused and infinities and NaN never enter: an unknown figure is `None`.
"""

from __future__ import annotations

from typing import Literal

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

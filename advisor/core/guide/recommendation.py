"""The shape of a recommendation: what is advised, why, what else could be, and what would change it.

Values of the contract only; how they come about stands in `decide` and `flip`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from advisor.core.architecture import Architecture, Role, Strength
from advisor.core.values import Document, Value
from advisor.core.workload import Workload

Answer = str | float | int | bool | None
Level = Literal["error", "warning", "note"]


class Source(Value):
    """A fact of the guide: its number and the section it stands in (`ours` where it is not the document's)."""

    id: str
    section: str


class Because(Value):
    """One sentence of reason and the facts behind it."""

    says: str
    source: tuple[Source, ...]


class Reason(Value):
    """A rule that fired, with the answers that made it fire."""

    rule: str
    says: str
    source: tuple[Source, ...]
    matched: dict[str, Answer]
    unless: str | None = None


class Remark(Value):
    """A warning or a note: a rule over the design that matched."""

    rule: str
    says: str
    source: tuple[Source, ...]
    level: Level


class Miss(Value):
    """One answer that kept a rule from firing: what was said and what the rule needs, in words (`< 10`)."""

    rule: str
    answer: str
    got: Answer
    needed: str


class Change(Value):
    """One answer of the smallest change that leads to an alternative."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    answer: str
    from_: Answer = Field(alias="from")
    to: Answer


class Component(Value):
    """One part of the advised design. `model` is a catalogue id, or None with the reason among `because`.

    `architecture` is None for an index, which is no transformer.
    """

    role: Role
    architecture: Architecture | None
    model: str | None
    because: tuple[Because, ...]


class Alternative(Value):
    """Another architecture: what speaks against it here and the smallest change of answers that leads to it.

    `possible` is False where only another task would lead there; `flip` is then empty.
    """

    architecture: Architecture
    possible: bool
    why_not: tuple[Miss, ...]
    flip: tuple[Change, ...]
    warnings: tuple[Remark, ...]
    notes: tuple[Remark, ...] = ()


class Recommendation(Document):
    """Which architecture the answers need and why (contract: `recommendation`).

    `advised` is False where a comparison put this architecture in the advised one's place: then nothing speaks for it,
    and `strength` is the weakest there is.
    """

    kind: Literal["recommendation"] = "recommendation"
    workload: Workload
    defaulted: tuple[str, ...]
    architecture: Architecture
    strength: Strength
    components: tuple[Component, ...]
    reasons: tuple[Reason, ...]
    alternatives: tuple[Alternative, ...]
    warnings: tuple[Remark, ...]
    notes: tuple[Remark, ...]
    rules_version: str
    rules_sha256: str
    advised: bool = True

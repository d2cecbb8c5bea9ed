"""What an explanation is: one thing the project knows by an id, in words, with its grounds, examples and neighbours."""

from __future__ import annotations

from typing import Literal

from advisor.core.architecture import Strength
from advisor.core.values import Document, Value

Subject = Literal[
    "decision",
    "component",
    "remark",
    "model choice",
    "finding",
    "check",
    "flag",
    "fact",
    "claim",
    "question",
    "architecture",
    "task",
    "answer",
    "threshold",
]


class Cited(Value):
    """A fact something stands on. `says` is None where this rules folder does not hold the fact."""

    id: str
    section: str
    says: str | None


class Named(Value):
    """Something that can be explained: its id and what it is called."""

    id: str
    title: str


class Explanation(Document):
    """One thing explained.

    `says` is what it is or does, `because` why, `unless` when it does not hold, `remedy` what to do about it. `when` is
    a rule's; `then` is what follows from it, or what can be advised. `fires` and `silent` are examples in words,
    `commands` lines to try.
    """

    kind: Literal["explanation"] = "explanation"
    id: str
    subject: Subject
    title: str
    says: str | None = None
    when: str | None = None
    then: str | None = None
    strength: Strength | None = None
    because: str | None = None
    unless: str | None = None
    remedy: str | None = None
    source: tuple[Cited, ...] = ()
    fires: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    related: tuple[Named, ...] = ()


class SubjectGroup(Value):
    """Everything of one subject that can be explained."""

    subject: Subject
    entries: tuple[Named, ...]


class ExplanationsDocument(Document):
    """Everything that can be explained, by subject."""

    kind: Literal["explanations"] = "explanations"
    rules_version: str
    groups: tuple[SubjectGroup, ...]

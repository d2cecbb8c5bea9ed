"""What a rendering is made of: headings, paragraphs, bullets, tables and commands, without any markup.

`outline` says what stands in a report, `text` and `markdown` how it looks; both walk these blocks, so they cannot
differ in what they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Tone = Literal["plain", "good", "bad", "tight"]


@dataclass(frozen=True, slots=True)
class Heading:
    """A title; level 1 is the verdict, 2 a section."""

    text: str
    level: int = 2
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One or more sentences."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Bullets:
    """Points, each with points of its own below it."""

    items: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of short cells; `right` names the columns that hold figures."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Command:
    """A command line to copy."""

    text: str


Block = Heading | Paragraph | Bullets | Table | Command


def bullets(items: Sequence[str | tuple[str, Sequence[str]]]) -> Bullets:
    """Bullets from sentences, or from pairs of a sentence and what stands below it."""
    return Bullets(tuple((item, ()) if isinstance(item, str) else (item[0], tuple(item[1])) for item in items))

"""A place in a file's syntax tree where a check has something to say, and the find that it becomes."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import NamedTuple


class Place(NamedTuple):
    """The node to point at, the check, the words for what is there, and what to do where the check's own is not it."""

    node: ast.expr | ast.stmt | ast.keyword
    check: str
    words: str
    fix: str | None = None


class Find(NamedTuple):
    """One find in a file: which check, where (1-based, in characters), how many columns, and what is there."""

    check: str
    line: int
    column: int
    width: int
    message: str
    fix: str | None = None


def find_at(place: Place, lines: Sequence[str]) -> Find:
    """A find at a node: its place in characters, where Python counts bytes; a long one is marked to the line's end."""
    node = place.node
    written = lines[node.lineno - 1].encode("utf-8", "replace")
    end = node.end_col_offset if node.end_lineno == node.lineno else None
    start = len(written[: node.col_offset].decode("utf-8", "replace"))
    stop = len(written[:end].decode("utf-8", "replace"))
    return Find(place.check, node.lineno, start + 1, max(1, stop - start), place.words, place.fix)

"""A line of a file with carets under a place in it."""

from __future__ import annotations

from advisor.core.characters import ACTING

COLUMNS = 120


def caret(source_line: str, line: int, column: int, width: int) -> list[str]:
    """The line and the carets; a very long line is cut around the place."""
    start = max(0, column - 61)
    # One column each, whatever it is: the caret must stand under the place.
    shown = ACTING.sub("\N{REPLACEMENT CHARACTER}", source_line[start : start + COLUMNS].replace("\t", " "))
    carets = "^" * max(1, min(width, COLUMNS - (column - 1 - start)))
    return [f"{line:5d} | {shown}", f"      | {' ' * (column - 1 - start)}{carets}"]

"""A line of a file with carets under a place in it."""

from __future__ import annotations

from advisor.core.characters import ACTING

COLUMNS = 120


def caret(source_line: str, line: int, column: int, width: int) -> list[str]:
    """The line and the carets; a very long line is cut around the place."""
    start = max(0, column - 61)
    # One sign each, whatever it is: the caret must stand under the place.
    shown = ACTING.sub("\N{REPLACEMENT CHARACTER}", source_line[start : start + COLUMNS].replace("\t", " "))
    before, marked = shown[: column - 1 - start], shown[column - 1 - start :][: max(1, width)]
    return [f"{line:5d} | {shown}", f"      | {' ' * _cells(before)}{'^' * max(1, _cells(marked))}"]


def _cells(text: str) -> int:
    """How many columns a terminal gives a text: two to a wide sign of East Asia, none to an accent of its own."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # few lines ask for it

    return cell_len(text)

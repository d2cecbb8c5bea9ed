"""Tables that give up columns, never digits.

A column has a heading, a side to stand on and a rank. Where the width does not hold them all, the columns of the
highest rank go first; what is left is printed whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len
from textual.content import Content

from advisor.tui.printable import printable
from advisor.tui.prose import MUTED, Lines

GAP = 2


@dataclass(frozen=True, slots=True)
class Column:
    """One column. Rank 0 is never dropped."""

    heading: str
    rank: int = 0
    side: Literal["left", "right"] = "right"


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> Lines:
    """The heading and the rows, as many columns as fit in `width`; a row wider than that even so is wrapped whole."""
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [
        max([cell_len(column.heading), *(cell_len(row[number]) for row in cells)])
        for number, column in enumerate(columns)
    ]
    kept = _kept(columns, widths, width)
    lines = [_line([columns[number].heading for number in kept], kept, columns, widths).stylize(MUTED)]
    lines += [_line([row[number] for number in kept], kept, columns, widths) for row in cells]
    return [part for line in lines for part in line.wrap(max(width, 1))]


def _kept(columns: Sequence[Column], widths: Sequence[int], width: int) -> list[int]:
    """The indices of the columns that fit, the least important given up first."""
    kept = list(range(len(columns)))
    while sum(widths[number] for number in kept) + GAP * (len(kept) - 1) > width:
        least = max(kept, key=lambda number: (columns[number].rank, number))
        if columns[least].rank == 0:
            break
        kept.remove(least)
    return kept


def _line(cells: Sequence[str], kept: Sequence[int], columns: Sequence[Column], widths: Sequence[int]) -> Content:
    padded = []
    for cell, number in zip(cells, kept, strict=True):
        blank = " " * (widths[number] - cell_len(cell))
        padded.append(cell + blank if columns[number].side == "left" else blank + cell)
    return Content((" " * GAP).join(padded).rstrip())

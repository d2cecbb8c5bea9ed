"""Blocks as plain text for a terminal: wrapped, aligned, numbers never cut.

Colour is added only where the caller says so; the words alone carry the meaning.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from advisor.core.characters import visible
from advisor.report.blocks import Block, Bullets, Command, Heading, Paragraph, Table, Tone

_COLOURS: dict[Tone, str] = {"good": "\x1b[32m", "bad": "\x1b[31m", "tight": "\x1b[33m", "plain": ""}
_BOLD, _RESET = "\x1b[1m", "\x1b[0m"


def render(blocks: Iterable[Block], *, width: int = 100, colour: bool = False) -> str:
    """The blocks as text of at most `width` columns (tables and commands may be wider rather than cut)."""
    parts = [_block(block, max(40, width), colour) for block in blocks]
    return "\n\n".join(part for part in parts if part) + "\n"


def _block(block: Block, width: int, colour: bool) -> str:
    """One block. What stands in it may come from anywhere: only our own colours steer the terminal."""
    match block:
        case Heading(text, _, tone):
            return _painted(_wrapped(text, width), tone, colour, bold=True)
        case Paragraph(text, tone):
            return _painted(_wrapped(text, width), tone, colour)
        case Bullets(items):
            return "\n".join(_bullet(item, below, width) for item, below in items)
        case Table():
            return _table(block)
        case Command(text):
            return f"  {visible(text)}"


def _painted(text: str, tone: Tone, colour: bool, *, bold: bool = False) -> str:
    start = (_BOLD if bold else "") + _COLOURS[tone]
    return f"{start}{text}{_RESET}" if colour and start else text


def _wrapped(text: str, width: int, first: str = "", rest: str = "") -> str:
    text = visible(text)
    lines = textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(lines)


def _bullet(item: str, below: tuple[str, ...], width: int) -> str:
    lines = [_wrapped(item, width, "  • ", "    ")]
    lines += [_wrapped(line, width, "      – ", "        ") for line in below]
    return "\n".join(lines)


def _table(table: Table) -> str:
    rows = [tuple(visible(" ".join(cell.split())) for cell in row) for row in (table.columns, *table.rows)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.columns))]

    def line(row: tuple[str, ...]) -> str:
        cells = (
            cell.rjust(width) if column in table.right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return ("  " + "  ".join(cells)).rstrip()

    return "\n".join(line(row) for row in rows)

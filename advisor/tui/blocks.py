"""The report's blocks as lines of a given width: the same words as every other face, laid out for a screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual.content import Content

from advisor.report.blocks import Block, Bullets, Command, Heading, Paragraph, Table, Tone
from advisor.tui.columns import Column, table
from advisor.tui.prose import Lines, paragraph, text

TONES: Mapping[Tone, str] = {"plain": "", "good": "$text-success", "bad": "$text-error", "tight": "$text-warning"}

_RANKS: Mapping[str, int] = {
    "memory": 1,
    "model": 2,
    "flags": 3,
    "depth": 4,
    "origin": 6,
    "served by": 7,
    "± 95 %": 8,
    "n": 9,
    "roofline": 10,
    "mfu": 11,
    "mbu": 12,
}
"""Which columns a narrow screen gives up, the highest first; a column not named here stays."""


def lines(blocks: Iterable[Block], width: int) -> Lines:
    """All blocks, a blank line before each heading and after each block."""
    found: Lines = []
    for block in blocks:
        if found:
            found.append(Content(""))
        found += _lines(block, width)
    return found


def _lines(block: Block, width: int) -> Lines:
    match block:
        case Heading(words, level, tone):
            weight = "bold" if level < 3 else "bold underline"
            return paragraph(width, (words, f"{weight} {TONES[tone] or '$text-primary'}"))
        case Paragraph(words, tone):
            return paragraph(width, (words, TONES[tone]))
        case Bullets(items):
            return [line for item, below in items for line in _bullet(item, below, width)]
        case Table():
            return narrowed(block, width)
        case Command(words):
            return command(words, width)


def narrowed(block: Table, width: int) -> Lines:
    """A table with as many columns as the width holds, empty columns left out first."""
    filled = [
        number
        for number in range(len(block.columns))
        if any(row[number].strip(" –") for row in block.rows) or block.columns[number] not in _RANKS
    ]
    columns = [
        Column(
            block.columns[number], _RANKS.get(block.columns[number], 0), "right" if number in block.right else "left"
        )
        for number in filled
    ]
    return table(columns, [[row[number] for number in filled] for row in block.rows], width)


def command(words: str, width: int) -> Lines:
    """A command line with nothing beside it, so that a terminal's own selection takes it and nothing else."""
    return text((words, "bold")).wrap(max(width, 8))


def _bullet(item: str, below: Iterable[str], width: int) -> Lines:
    found = paragraph(width, item, bullet=("• ", "$text-muted"))
    for words in below:
        found += paragraph(width, (words, "$text-muted"), bullet=("  – ", "$text-muted"))
    return found

"""Blocks as Markdown; what came from data is escaped, so that no answer or model name becomes markup."""

from __future__ import annotations

import re
from collections.abc import Iterable

from advisor.core.characters import visible
from advisor.report.blocks import Block, Bullets, Command, Heading, Paragraph, Table

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~$]|&(?=[#A-Za-z])|^[-+](?=[\s-]|$))")
_NUMBERED = re.compile(r"^(\d+)([.)])(?=\s|$)")
"""What marks something up, anywhere or where a line begins: emphasis, links, HTML, formulas, lists, rules."""


def render(blocks: Iterable[Block]) -> str:
    """The blocks as one Markdown document (GitHub's dialect, for the tables)."""
    return "\n\n".join(_block(block) for block in blocks) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading(text, level, _):
            return f"{'#' * level} {_escaped(text)}"
        case Paragraph(text, _):
            return _escaped(text)
        case Bullets(items):
            return "\n".join(_bullet(item, below) for item, below in items)
        case Table():
            return _table(block)
        case Command(text):
            fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
            return f"{fence}sh\n{visible(text)}\n{fence}"


def _escaped(text: str) -> str:
    return _NUMBERED.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", visible(" ".join(text.split()))))


def _bullet(item: str, below: tuple[str, ...]) -> str:
    return "\n".join([f"- {_escaped(item)}", *(f"  - {_escaped(line)}" for line in below)])


def _table(table: Table) -> str:
    rule = ["---:" if column in table.right else "---" for column in range(len(table.columns))]
    rows = [table.columns, tuple(rule), *table.rows]
    return "\n".join(
        "| " + " | ".join(cell if row is rows[1] else _escaped(cell) for cell in row) + " |" for row in rows
    )

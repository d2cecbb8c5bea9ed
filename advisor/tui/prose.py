"""Words as lines of a given width: headings, paragraphs with hanging indents, rows of names and figures.

The one idea: a section is a function of the width it gets, so that nothing is ever cut or scrolled sideways. Everything
that comes in as text is literal; styles are laid on by us alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from textual.content import Content

from advisor.tui.printable import printable

Part = str | tuple[str, str] | Content
Lines = list[Content]

MUTED = "$text-muted"
VERDICT_STYLES = {"meets": "$text-success bold", "misses": "$text-error bold", "undecided": "$text-warning bold"}
LEVEL_STYLES = {"error": "$text-error", "warning": "$text-warning", "note": MUTED}
LEVEL_SIGNS = {"error": "✗", "warning": "!", "note": "·"}


def text(*parts: Part) -> Content:
    """Content from pieces of data, each literal and printable."""
    return Content.assemble(*(_safe(part) for part in parts))


def _safe(part: Part) -> Content | tuple[str, str]:
    if isinstance(part, Content):
        return part
    return (printable(part), "") if isinstance(part, str) else (printable(part[0]), part[1])


def heading(words: str) -> Lines:
    """A blank line and a heading."""
    return [Content(""), Content.styled(words, "bold $text-primary")]


def paragraph(width: int, *parts: Part, bullet: Part = "", indent: int | None = None) -> Lines:
    """A wrapped paragraph; lines after the first stand under the words, not under the bullet."""
    lead = text(bullet)
    room = lead.cell_length if indent is None else indent
    lines = text(*parts).wrap(max(width - room, 8))
    blank = Content(" " * room)
    return [
        (lead.pad_right(room - lead.cell_length) if number == 0 else blank) + line for number, line in enumerate(lines)
    ]


def pairs(width: int, rows: Sequence[tuple[str, Part]]) -> Lines:
    """Names and what belongs to them, in two columns where there is room, else one under the other."""
    longest = max((cell_len(name) for name, _ in rows), default=0)
    lines: Lines = []
    for name, value in rows:
        if longest + 2 > width // 2:
            lines += paragraph(width, (name, MUTED))
            lines += paragraph(width, value, bullet="  ")
        else:
            lines += paragraph(width, value, bullet=(name.ljust(longest + 2), MUTED))
    return lines


def stacked(lines: Iterable[Content]) -> Content:
    """Lines as one content."""
    return Content("\n").join(lines)

"""Words as lines: wrapped, indented, literal."""

from __future__ import annotations

import pytest

from advisor.report.blocks import Bullets, Command, Heading, Paragraph, Table
from advisor.tui import blocks
from advisor.tui.printable import printable
from advisor.tui.prose import pairs, paragraph, stacked

HOSTILE = (
    "[red]x[/red] [link=http://e.example]y[/link] [@click=app.quit]z \x1b]52;c;aGk=\x07 \u202eabc\u2066 $(rm) `q` [bold"
)


def test_lines_after_the_first_stand_under_the_words() -> None:
    lines = [line.plain for line in paragraph(20, "one two three four five six seven", bullet="• ")]
    assert lines[0].startswith("• one")
    assert all(line.startswith("  ") for line in lines[1:])
    assert all(len(line) <= 20 for line in lines)


@pytest.mark.parametrize("width", [10, 24, 80])
def test_markup_and_control_characters_stay_words_in_every_block(width: int) -> None:
    everything = [
        Heading(HOSTILE),
        Paragraph(HOSTILE),
        Bullets(((HOSTILE, (HOSTILE,)),)),
        Table(("a",), ((HOSTILE,),)),
        Command(HOSTILE),
    ]
    for block in everything:
        content = stacked(blocks.lines([block], width))
        squeezed = "".join(content.plain.split())
        assert "[red]x[/red]" in squeezed
        assert "[@click=app.quit]" in squeezed
        assert not {"\x1b", "\x07", "\u202e", "\u2066"} & set(content.plain)
        assert all("@" not in str(span.style) and "link" not in str(span.style) for span in content.spans)


def test_names_stand_beside_what_belongs_to_them_or_above_it() -> None:
    assert [line.plain for line in pairs(40, [("q", "Quit"), ("esc", "Back")])] == ["q    Quit", "esc  Back"]
    assert [line.plain for line in pairs(10, [("a long name", "Quit")])] == ["a long", "name", "  Quit"]


def test_what_acts_is_written_out_and_what_reads_is_left() -> None:
    assert printable("a\tb\nc") == "a b c"
    assert printable("naïve 日本 ≤ 8 – ✓") == "naïve 日本 ≤ 8 – ✓"
    assert printable("\u200fx\x9b31m\ufeff") == "<U+200F>x<U+009B>31m<U+FEFF>"

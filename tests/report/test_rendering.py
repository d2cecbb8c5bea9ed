"""Blocks as text and as Markdown: the same words, no number cut, no markup from data."""

from __future__ import annotations

from advisor.report import markdown, text
from advisor.report.blocks import Block, Command, Heading, Paragraph, Table, bullets

BLOCKS: list[Block] = [
    Heading("✓ meets: 3 replicas", 1, "good"),
    Paragraph("A sentence that is long enough to be wrapped when there are only forty columns to stand in."),
    bullets(["one", ("two", ["below two"])]),
    Table(("model", "p95"), (("bert-base", "13.3 ms"), ("minilm-l6", "1,230 ms")), frozenset({1})),
    Command("advisor advise --set 'task=chat'"),
]


def test_text_is_wrapped_but_a_table_is_never_cut() -> None:
    lines = text.render(BLOCKS, width=40).splitlines()
    assert all(len(line) <= 40 for line in lines)
    assert "  minilm-l6  1,230 ms" in lines
    assert "  bert-base   13.3 ms" in lines


def test_a_table_wider_than_the_screen_keeps_its_figures() -> None:
    wide = Table(("a" * 60, "b"), (("x", "0.912"),), frozenset({1}))
    assert "0.912" in text.render([wide], width=40)


def test_colour_adds_nothing_to_the_words() -> None:
    import re

    coloured = text.render(BLOCKS, colour=True)
    assert "\x1b[32m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == text.render(BLOCKS)


def test_markdown_says_what_the_text_says() -> None:
    made = markdown.render(BLOCKS)
    assert made.startswith("# ✓ meets: 3 replicas\n")
    assert "| minilm-l6 | 1,230 ms |" in made
    assert "- two\n  - below two" in made
    assert "```sh\nadvisor advise --set 'task=chat'\n```" in made


def test_words_from_data_never_become_markup() -> None:
    hostile = "<script>alert(1)</script> [a](javascript:x) **b** `c` | d\n# e"
    made = markdown.render([Paragraph(hostile), Table(("x",), ((hostile,),)), Command("echo ```")])
    assert "<script>" not in made
    assert "[a](" not in made
    assert "````sh\necho ```\n````" in made
    assert not any(line.startswith("# e") for line in made.splitlines())

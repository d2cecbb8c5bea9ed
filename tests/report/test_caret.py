"""The caret stands under what is meant, whatever stands before it."""

from __future__ import annotations

import pytest

from advisor.report.caret import caret


@pytest.mark.parametrize(
    ("line", "meant", "before"),
    [
        ("\tload(path)", "load", 1),
        ("- {name: 検索, task: chat}", "task", 15),
        ('x = "e\u0301te\u0301"; load(path)', "load", 11),
        ("x" * 200 + "load(path)" + "y" * 200, "load", 60),
    ],
    ids=["a tab", "wide signs", "accents of their own", "a long line"],
)
def test_the_caret_stands_under_the_place(line: str, meant: str, before: int) -> None:
    shown, under = caret(line, 1, line.index(meant) + 1, len(meant))
    assert meant in shown
    assert under == "      | " + " " * before + "^^^^"


def test_a_wide_sign_is_underlined_whole_and_the_end_of_a_line_once() -> None:
    assert caret("name: 検索", 1, 7, 2)[1].endswith("| " + " " * 6 + "^^^^")
    assert caret("name:", 1, 6, 1)[1].endswith("| " + " " * 5 + "^")

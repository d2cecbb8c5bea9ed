"""Why a file cannot be read, in words that somebody can act on."""

from __future__ import annotations

import ast
import sys

import pytest

from advisor.core.review import code_parse
from advisor.core.review.code_parse import Unparsable, parsed


def refusal(text: str) -> Unparsable:
    with pytest.raises(Unparsable) as refused:
        parsed(text)
    return refused.value


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("x = 1\ny = (\n", 2, "line 2: '(' was never closed"),
        ("x = 1\nprint 'two'\n", 2, "line 2: Missing parentheses in call to 'print'"),
        ("try:\n    x\nexcept ValueError, error as e:\n    y\n", 3, "line 3: "),
        ("x = 1\n\0\n", 2, "line 2: a null byte"),
        ("x = 1\n!pip install torch\n", 2, "line 2: a command of a notebook"),
        ("%matplotlib inline\nx = 1\n", 1, "line 1: a command of a notebook"),
        ("def f():\nreturn 1\n", 2, "line 2: expected an indented block"),
    ],
)
def test_the_line_and_what_is_wrong_there_are_named(text: str, line: int, words: str) -> None:
    refused = refusal(text)
    assert (refused.line, words in str(refused)) == (line, True), str(refused)
    assert str(refused).startswith("it does not parse as Python; line ")


@pytest.mark.parametrize("text", ["f(" * 5000 + ")" * 5000, "-" * 100_000 + "1", "[" * 9000])
def test_what_is_nested_beyond_reading_says_so(text: str) -> None:
    assert str(refusal(text)) in (
        "it is nested too deeply",
        "it does not parse as Python; line 1: too many nested parentheses",
    )


@pytest.mark.parametrize("error", [MemoryError(), RecursionError(), ValueError(), SyntaxError()])
def test_an_error_without_words_of_its_own_leaves_no_empty_ones(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> ast.Module:
        raise error

    monkeypatch.setattr(code_parse.ast, "parse", fail)
    assert not str(refusal("x = 1")).rstrip().endswith((";", ":"))


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("type Vector = list[float]\n", (3, 12)),
        ("def first[T](rows: list[T]) -> T: ...\n", (3, 12)),
        ("class Box[T]: ...\n", (3, 12)),
        ("x = {'a': 1}\nprint(f'{x['a']}')\n", (3, 12)),
        ("class Box[T = int]: ...\n", (3, 13)),
        ("try:\n    x\nexcept ValueError, TypeError:\n    y\n", (3, 14)),
        ("x = t'{name}'\n", (3, 14)),
    ],
)
def test_syntax_of_a_later_python_is_told_as_such(text: str, since: tuple[int, int]) -> None:
    if sys.version_info >= since:
        parsed(text)
        return
    said = str(refusal(text))
    here = ".".join(str(one) for one in sys.version_info[:2])
    assert said.startswith(f"it needs Python {since[0]}.{since[1]} or later")
    assert f"this review runs on Python {here}" in said


def test_what_to_do_fits_what_is_in_the_way() -> None:
    assert "nbconvert" in refusal("%matplotlib inline\n").fix
    assert "leave it out" in refusal("x = (\n").fix
    if sys.version_info < (3, 12):
        assert "with the Python that the code is written for" in refusal("type Vector = list[float]\n").fix

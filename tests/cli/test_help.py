"""`--help` of every command: what it is for, examples that the parser takes, exit codes."""

from __future__ import annotations

import re
import shlex

import pytest

from advisor.cli.arguments import parser
from advisor.cli.manual import PAGES, codes
from advisor.cli.tree import commands
from advisor.core.sizing.grid import BATCH_SIZES, INPUT_TOKENS
from tests.cli.conftest import Run

COMMANDS = ["advisor", *(command.words for command in commands(parser()))]
EXAMPLES = [line for page in PAGES.values() for line, _ in page.examples]


def test_every_command_has_its_page_and_every_page_its_command() -> None:
    assert set(PAGES) == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_examples_and_exit_codes(run: Run, command: str) -> None:
    done = run(*command.split()[1:], "--help")
    page = PAGES[command]
    assert (done.code, done.err) == (0, "")
    assert page.examples
    assert all(f"\n  {line}\n      {does}\n" in done.out for line, does in page.examples)
    listed = done.out[done.out.index("\nexit codes:") :]
    assert [int(code) for code in re.findall(r"^  (\d+) ", listed, re.MULTILINE)] == list(codes(page))
    assert {0, 2, 5, 130} <= set(codes(page))


@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_is_taken_by_the_parser(line: str) -> None:
    called = re.findall(r"(?:^|\| |<\(|\$\()(advisor\b[^|>)]*)", line)
    assert called, line
    for words in called:
        parser().parse_args(shlex.split(words)[1:])


def test_help_says_what_is_measured_where_nobody_says(run: Run) -> None:
    shown = " ".join(run("profile", "--help").out.split())
    for usual in (BATCH_SIZES, INPUT_TOKENS):
        assert f"or {','.join(map(str, usual))})" in shown


def test_help_says_the_same_when_it_is_asked_for_twice() -> None:
    top = parser()
    assert top.format_help() == top.format_help()

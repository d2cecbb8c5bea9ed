"""The real thing in a real terminal: keys in, escape sequences out, exit codes."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from advisor.core.report import Report
from advisor.report.figures import VERDICT_WORDS
from advisor.store.history import past_document

DOWN, TAB, ENTER, ESCAPE, CTRL_C, CLEAR = "\x1b[B", "\t", "\r", "\x1b", "\x03", "\x15"
LIVENESS_SECONDS = 60
MEASURING_SECONDS = 400
FOREIGN = re.compile(r"\x1b\[[0-9;]*[34]8;[25];[0-9;]*m|\x1b\[[0-9;]*(?:3[0-7]|4[0-7]|9[0-7]|10[0-7])m")
"""Escape sequences that set a colour."""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[object]:
    """Starts `advisor` in a terminal of its own."""
    started: list[pexpect.spawn] = []

    def start(*arguments: str, program: str | None = None, **environment: str) -> pexpect.spawn:
        env = os.environ | {"TERM": "xterm-256color", "XDG_CACHE_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
        env.pop("NO_COLOR", None)
        what = ["-m", "advisor"] if program is None else ["-c", program]
        child = pexpect.spawn(
            sys.executable,
            [*what, *arguments],
            env=env | environment,
            dimensions=(24, 80),
            encoding="utf-8",
            timeout=LIVENESS_SECONDS,
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.close(force=True)


def ended(child: pexpect.spawn) -> int | None:
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


@pytest.mark.parametrize(("key", "code"), [("q", 0), (CTRL_C, 130)])
def test_it_opens_bare_and_leaves_with_its_code(terminal, key: str, code: int) -> None:
    child = terminal()
    child.expect("What is to be done")
    child.send(key)
    assert ended(child) == code


def test_ctrl_c_during_start_up_and_a_hangup_leave_no_terminal_in_ruins(terminal) -> None:
    child = terminal()
    child.expect("What is to be done")
    child.send(CTRL_C)
    child.expect(re.escape("\x1b[?1049l"))
    assert ended(child) == 130


def test_a_polite_kill_gives_the_terminal_back(terminal) -> None:
    child = terminal("tui", "--set", "task=chat")
    child.expect("decoder-only")
    child.kill(signal.SIGTERM)
    child.expect(re.escape("\x1b[?1049l"))
    assert ended(child) == 130


def test_ctrl_c_while_measuring_keeps_what_was_measured_and_says_where(terminal, tmp_path: Path) -> None:
    program = (
        "import sys, advisor.run.child as child\n"
        "from advisor.cli import main\n"
        "from tests.fake_child import fake_command\n"
        "child.COMMAND = tuple(fake_command(cell_seconds=0.3))\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    child = terminal("tui", "--set", "task=text-classification", program=program)
    child.expect("ready to measure")
    child.send("m")
    child.expect("[3-9] cells measured")
    child.send(CTRL_C)
    child.expect("interrupted; what was measured so far is saved: advisor history show 1")
    assert ended(child) == 130
    report = past_document(1, tmp_path / "archadvisor" / "results.sqlite3")
    assert isinstance(report, Report)
    assert sum(cell.median_s is not None for cell in report.profiles[0].cells) >= 3


def test_no_color_sends_no_colour(terminal) -> None:
    child = terminal("tui", "--set", "task=chat", NO_COLOR="1")
    child.expect("decoder-only")
    painted = child.before + child.after
    child.send(CTRL_C)
    assert ended(child) == 130
    assert not FOREIGN.findall(painted + child.before)


def test_it_draws_where_the_keys_are_although_stderr_goes_to_a_file(terminal, tmp_path: Path) -> None:
    program = (
        "import os, sys; os.dup2(os.open(sys.argv.pop(1), os.O_WRONLY | os.O_CREAT), 2)\n"
        "from advisor.cli import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    child = terminal(str(tmp_path / "words"), "tui", "--set", "task=chat", program=program)
    child.expect("decoder-only")
    child.send(CTRL_C)
    assert ended(child) == 130
    assert (tmp_path / "words").read_text("utf-8") == ""


def test_a_terminal_that_cannot_place_words_is_told_of_the_lines_instead(terminal) -> None:
    child = terminal(TERM="dumb")
    child.expect("advisor ask")
    assert "\x1b[?1049h" not in child.before
    assert ended(child) == 2


def test_wrong_answers_are_told_before_anything_is_drawn(terminal) -> None:
    child = terminal("tui", "--set", "task=potato")
    child.expect("unknown task")
    assert "\x1b[?1049h" not in child.before
    assert ended(child) == 2


@pytest.mark.real
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="the extra `profile` is not installed: no torch")
def test_answer_measure_a_real_model_read_the_verdict_and_quit(terminal, tmp_path: Path) -> None:
    saved = tmp_path / "report.json"
    child = terminal()
    child.expect("feature-extraction")
    for _ in range(6):
        child.send(DOWN)
    child.send(ENTER)
    child.expect("encoder-only")
    child.send("5" + TAB + "2000")
    child.expect("2000")
    child.expect("ready to measure", timeout=MEASURING_SECONDS)
    child.send(ESCAPE)
    child.expect("Help")
    child.send("m")
    child.expect("Measuring minilm-l6", timeout=MEASURING_SECONDS)
    child.expect("cells? measured", timeout=MEASURING_SECONDS)
    child.expect("(✓ meets|✗ misses|[?] undecided)", timeout=MEASURING_SECONDS)
    shown = child.match[1]
    child.send("s")
    child.expect("Save the report")
    child.send(CLEAR + str(saved) + ENTER)
    child.expect("Saved")
    child.send("q")
    assert ended(child) == 0
    report = Report.model_validate_json(saved.read_text())
    assert report.plan is not None
    assert VERDICT_WORDS[report.plan.verdict] == shown
    (profile,) = report.profiles
    assert profile.model.id == "minilm-l6"
    assert profile.model.parameters == 22_713_216
    assert any(cell.median_s is not None and cell.samples >= 6 for cell in profile.cells)

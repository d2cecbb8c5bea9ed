"""What holds for every command: usage, exit codes, and that no traceback reaches a person."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from advisor import __version__
from tests.cli.conftest import Run

ADVISOR = [sys.executable, "-m", "advisor"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["recomend"], 'did you mean "recommend"?'),
        (["recommend", "--sett", "task=chat"], "unrecognized arguments"),
        (["recommend", "nowhere.yaml"], "no such file"),
        (["recommend"], 'the answer "task" is missing'),
        (["recommend", "--set", "task=best potato model"], "text-classification"),
        (["recommend", "--set", "task=chat", "--rules", "nowhere"], "no such folder"),
        (["profile", "bert-bse"], 'did you mean "bert-base"?'),
        (["profile", "./somewhere"], "there is no such folder"),
        (["profile", "bert-base", "--batch", "0"], "whole number from 1"),
        (["profile", "bert-base", "--batch", "1,x"], '"x" is not a whole number'),
        (["profile", "bert-base", "--batch", ",".join("1" * 1 for _ in range(40))], "more than 32"),
        (["profile", "bert-base", "--batch", "9" * 30], "whole number from 1"),
        (["profile", "bert-base", "--dtype", "int4"], 'unknown dtype "int4"'),
        (["profile", "bert-base", "--effort", "heroic"], "invalid choice"),
        (["advise", "--set", "task=chat", "--model", "bert-base"], "encoder-only"),
        (["schema", "reprot"], 'did you mean "report"?'),
        (["models", "show", "gpt-2"], 'did you mean "gpt2"?'),
        (["rules", "diff", "a"], "required"),
        (["rules", "diff", "nowhere", "nowhere"], "there is no such folder"),
        (["--json"], "--json"),
    ],
)
def test_bad_usage_ends_with_2_and_a_hint(run: Run, arguments: list[str], words: str) -> None:
    done = run(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert words in done.err
    assert "Traceback" not in done.err


def test_bad_usage_with_json_is_a_document(run: Run) -> None:
    done = run("recommend", "--nope", "--json")
    assert done.code == 2
    problem = done.error["problems"][0]
    assert "--nope" in problem["message"]
    assert problem["fix"] == "see: advisor recommend --help"


def test_the_version_is_the_packages(run: Run) -> None:
    done = run("--version")
    assert (done.code, done.out.strip()) == (0, f"archadvisor {__version__}")


def test_without_a_terminal_and_a_command_help_is_printed_and_the_code_is_2() -> None:
    done = subprocess.run(ADVISOR, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 2
    assert "recommend" in done.stderr


def test_the_questionnaire_needs_a_terminal() -> None:
    done = subprocess.run([*ADVISOR, "tui"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr


def test_a_defect_of_ours_ends_with_5_and_keeps_the_details(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("advisor.cli.recommend.read_answers", broken)
    done = run("recommend", "--set", "task=chat", "--json")
    assert (done.code, done.out) == (5, "")
    assert "ZeroDivisionError" in done.error["problems"][0]["message"]
    kept = done.error["problems"][0]["fix"].rsplit(" ", 1)[1]
    assert "a defect" in Path(kept).read_text()


def test_a_reader_that_goes_away_is_no_error() -> None:
    script = f"{sys.executable} -m advisor rules list --json | head -c 10; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert done.stdout == '{\n  "schema'[:10]
    assert done.stderr == ""
    assert done.returncode == 0


def test_a_full_stdout_is_said_not_thrown() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([*ADVISOR, "rules", "list"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminal_that_knows_only_ascii_still_gets_words() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run([*ADVISOR, "rules", "check"], capture_output=True, env=environment)
    assert done.returncode == 0
    assert b"proved" in done.stdout


@pytest.mark.parametrize("hostile", ["\x1b[31mred", "a\u202eb", "[bold]x[/]", "\udcff", "x" * 5_000])
def test_hostile_words_reach_no_terminal_as_control(run: Run, hostile: str) -> None:
    for arguments in (["recommend", "--set", f"task={hostile}"], ["profile", hostile], [hostile]):
        done = run(*arguments)
        assert done.code == 2
        assert "\x1b" not in done.err
        assert "\u202e" not in done.err


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_closed_stdout_is_said_not_thrown(more: list[str]) -> None:
    words = " ".join([*ADVISOR, "recommend", "--set", "task=chat", *more])
    done = subprocess.run(["bash", "-c", f"exec {words} >&-"], stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert "stdout is closed" in done.stderr

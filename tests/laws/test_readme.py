"""The README says what the project does: its commands run, and what it shows is what they print."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from advisor.core.report import Report
from advisor.report import text
from advisor.report.outline import report_blocks

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    line.split("#")[0].strip()
    for kind, block in BLOCKS
    if kind == "sh"
    for line in block.splitlines()
    if line.startswith("advisor")
]


def run(command: str) -> subprocess.CompletedProcess[str]:
    words = [str(Path(sys.executable).parent / "advisor"), *shlex.split(command)[1:]]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True)


def test_the_readme_is_about_a_hundred_lines() -> None:
    assert 70 <= len(README.splitlines()) <= 125


def test_there_are_commands_to_run() -> None:
    assert len(COMMANDS) >= 4


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_runs(command: str) -> None:
    done = run(command)
    allowed = {"advise": (0, 1, 4), "check": (0, 1)}.get(command.split()[1], (0,))
    assert done.returncode in allowed, done.stderr
    assert done.stdout


def test_the_recommendation_shown_is_the_one_printed() -> None:
    shown = next(block for kind, block in BLOCKS if kind == "text")
    printed = run("advisor recommend examples/ticket-routing.yaml").stdout
    for part in shown.split("…\n"):
        assert part.strip("\n") in printed


def test_the_report_shown_is_the_one_that_stands_among_the_examples() -> None:
    report = Report.model_validate_json((ROOT / "examples" / "report.json").read_text(encoding="utf-8"))
    printed = text.render(report_blocks(report))
    shown = [block for kind, block in BLOCKS if kind == "text"][1]
    for part in shown.split("…\n"):
        assert part.strip("\n") in printed


def test_the_review_shown_is_the_one_printed() -> None:
    shown = [block for kind, block in BLOCKS if kind == "text"][2]
    printed = run(next(command for command in COMMANDS if " check " in command)).stdout
    for part in shown.split("…\n"):
        assert part.strip("\n") in printed


def test_every_make_target_named_exists() -> None:
    targets = set(re.findall(r"make ([a-z]+)", README))
    rules = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert targets <= rules | {"advise"}


def test_every_file_and_folder_named_exists() -> None:
    for name in re.findall(r"`((?:rules|models|tests|examples|advisor|docs)/[\w./-]*)`", README):
        assert (ROOT / name).exists(), name
    for name in re.findall(r"\]\(((?!http)[^)]+)\)", README):
        assert (ROOT / name).exists(), name


def test_no_line_still_waits_to_be_written() -> None:
    assert not re.search(r"^(- )?[A-Z]{4,}$", README, re.MULTILINE)

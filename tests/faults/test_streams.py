"""Streams that are closed, full or gone, and names that no system takes: an exit code of the contract, and words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.measuring import ROOT, environment

ADVISOR = f"{sys.executable} -m advisor"
LONG = "n" * 5000


def shell(tmp_path: Path, line: str) -> subprocess.CompletedProcess[str]:
    """A line of the shell, with caches of its own."""
    own = environment(XDG_CACHE_HOME=str(tmp_path / "cache"), XDG_DATA_HOME=str(tmp_path / "data"))
    words = ["bash", "-c", line.replace("advisor", ADVISOR, 1)]
    return subprocess.run(words, capture_output=True, text=True, env=own, cwd=ROOT, timeout=300)


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("advisor <&-", 2, "usage"),
        ("advisor tui <&-", 2, "needs a terminal"),
        ("advisor recommend - <&-", 2, "stdin is closed"),
        ("advisor recommend - --json <&-", 2, "stdin is closed"),
        ("advisor recommend --set task=chat <&-", 0, ""),
        ("advisor recommend --set task=chat 2>&-", 0, ""),
        ("advisor recommend --set task=potato 2>&-", 2, ""),
        ("advisor recommend --set task=potato --json 2>&-", 2, ""),
        ("advisor recommend --set task=potato 2>/dev/full", 2, ""),
        ("advisor profile potato --json 2>/dev/full", 2, ""),
        ("advisor recommend --set task=chat >/dev/full", 2, "No space left"),
        ("advisor schema report >/dev/full", 2, "No space left"),
        ("advisor models list --json >/dev/full", 2, "No space left"),
        ("advisor recommend --set task=chat <&- >&- 2>&-", 2, ""),
    ],
)
def test_a_stream_that_is_closed_or_full_is_said_not_thrown(tmp_path: Path, line: str, code: int, said: str) -> None:
    done = shell(tmp_path, line)
    assert (done.returncode, done.stderr.count("Traceback"), done.stderr.count("internal error:")) == (code, 0, 0)
    assert said in done.stderr
    assert bool(done.stdout) == (code == 0)


@pytest.mark.parametrize(
    "line",
    [
        f"advisor recommend {LONG}",
        f"advisor recommend --set task=chat --rules {LONG}",
        f"advisor models list --models {LONG}",
        f"advisor rules diff rules {LONG}",
        f"advisor recommend --set task=chat --output {LONG}.json",
        f"advisor recommend --set task=chat --output {LONG}/x.json",
        "advisor recommend --set task=chat --output pyproject.toml/x.json",
        "advisor recommend pyproject.toml/x.yaml",
        r"advisor recommend $'\xff\xfe.yaml'",
        r"advisor recommend --set task=chat --rules $'\x1b[31m'",
    ],
)
def test_a_name_that_cannot_be_is_a_mistake_of_the_caller(tmp_path: Path, line: str) -> None:
    words, document = shell(tmp_path, line), shell(tmp_path, f"{line} --json")
    assert (words.returncode, document.returncode) == (2, 2)
    assert (words.stdout, document.stdout) == ("", "")
    assert "internal error:" not in words.stderr
    assert "\x1b" not in words.stderr + document.stderr
    assert json.loads(document.stderr)["problems"]


def test_a_name_as_long_as_the_system_takes_is_written(tmp_path: Path) -> None:
    longest = os.pathconf(tmp_path, "PC_NAME_MAX")
    path = tmp_path / ("r" * (longest - len(".json")) + ".json")
    done = shell(tmp_path, f"advisor recommend --set task=chat --output {path}")
    assert done.returncode == 0, done.stderr
    assert json.loads(path.read_text())["kind"] == "recommendation"


def test_a_disk_that_fills_while_a_report_is_saved_leaves_no_half_file(tmp_path: Path) -> None:
    line = f"ulimit -f 1; {ADVISOR} recommend --set task=chat --output {tmp_path}/r.json --quiet >/dev/null"
    own = environment(XDG_CACHE_HOME=str(tmp_path / "cache"))
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=own, cwd=ROOT)
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "cache") == []

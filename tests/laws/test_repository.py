"""What the repository promises about itself."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from advisor import __version__

ROOT = Path(__file__).resolve().parents[2]


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, cwd=ROOT)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: which files belong to the project is unknown")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_every_dependency_is_pinned_to_what_was_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        asked += [one for one in extra if not one.startswith("archadvisor")]
    pinned = re.findall(r"^([A-Za-z0-9_.-]+)==", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    known = {re.sub(r"[-_.]+", "-", name).lower() for name in pinned}
    names = {re.sub(r"[-_.]+", "-", re.split(r"[<>=\[ ]", one)[0]).lower() for one in asked}
    assert names <= known


def test_the_lowest_version_allowed_is_the_lowest_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    for extra in project["project"]["optional-dependencies"].values():
        asked += [one for one in extra if not one.startswith("archadvisor")]
    pins = re.findall(r"^([A-Za-z0-9_.-]+)==(.+)$", (ROOT / "constraints-lowest.txt").read_text(), re.MULTILINE)
    tested = {normal(name): version for name, version in pins}
    for one in asked:
        name, lowest = re.split(r"\[.*\]", one)[0].split(",")[0].split(">=")
        version = tested[normal(name)]
        assert version == lowest or version.startswith(f"{lowest}."), one


def normal(name: str) -> str:
    """A package's name as an index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_no_room_is_called_by_what_it_is_not() -> None:
    vague = {"utils", "util", "base", "common", "helpers", "manager", "misc"}
    found = [path for path in (ROOT / "advisor").rglob("*") if path.stem in vague]
    assert found == []


def test_no_module_grows_past_four_hundred_lines() -> None:
    long = {path: len(path.read_text().splitlines()) for path in (ROOT / "advisor").rglob("*.py")}
    assert {path: lines for path, lines in long.items() if lines > 400} == {}


def test_every_module_says_what_it_is() -> None:
    for path in (ROOT / "advisor").rglob("*.py"):
        text = path.read_text()
        assert not text.strip() or text.startswith('"""'), path


def test_the_changelog_knows_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert "## [Unreleased]" in text or f"## [{__version__}]" in text


def test_nothing_names_a_place_outside_the_project() -> None:
    foreign = re.compile("/(?:work|root|home/[a-z]+)/(?=[a-zA-Z.])")
    for path in tracked():
        if path.suffix in {".svg", ".png", ".raw"}:
            continue
        assert not foreign.search(path.read_text(encoding="utf-8")), path

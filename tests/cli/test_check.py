"""`advisor check` as a command: what it prints, and how it ends."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from pathlib import Path

import jsonschema
import pytest

from advisor.cli.check import _teller as teller
from tests.check.declaring import LABELS, RETRIEVAL, WAIVER, component, written
from tests.cli.conftest import Run

RIGHT = component("tickets", LABELS, "encoder-only")
WRONG = component("search", RETRIEVAL, "decoder-only")
UNKNOWN = component("search", RETRIEVAL, "encoder-only", model="models/away")


def test_the_verdict_comes_first_the_finding_with_its_line_and_the_counts_last(run: Run, tmp_path: Path) -> None:
    done = run("check", str(written(tmp_path, WRONG, RIGHT)))
    lines = done.out.splitlines()
    assert lines[0].startswith("✗ 1 finding in 2 components")
    assert lines[2].startswith(f"{tmp_path / 'architecture.yaml'}:9:19: error: EMB-101 search: A plain decoder's")
    assert lines[3:5] == ["    9 |     architecture: decoder-only", "      |                   ^^^^^^^^^^^^"]
    assert "G40 (Common Mistakes" in done.out
    assert lines[-1] == "1 passed, 1 failed, 0 waived, 0 inconclusive, 0 not checked"
    assert (done.code, done.err) == (1, "")


def test_the_document_meets_its_schema(run: Run, tmp_path: Path) -> None:
    done = run("check", str(written(tmp_path, WRONG, waivers=[WAIVER])), "--json", "--today", "2026-11-22")
    jsonschema.validate(done.document, run("schema", "check").document)
    assert done.document["summary"] == {"pass": 0, "fail": 0, "waived": 1, "inconclusive": 0, "not-checked": 0}
    assert done.document["results"][0]["waiver"]["owner"] == "search-team"


@pytest.mark.parametrize(
    ("components", "options", "code"),
    [
        ([RIGHT], [], 0),
        ([WRONG], [], 1),
        ([WRONG], ["--exit-zero"], 0),
        ([UNKNOWN], [], 0),
        ([UNKNOWN], ["--strict"], 4),
        ([UNKNOWN], ["--strict", "--exit-zero"], 0),
        ([], [], 3),
        ([], ["--exit-zero"], 3),  # it lowers 1 and 4 alone
        ([RIGHT | {"name": 3}], ["--exit-zero"], 2),
        ([RIGHT], ["--today", "tomorrow"], 2),
    ],
)
def test_the_exit_code_is_the_contracts_in_words_and_in_json(
    run: Run, tmp_path: Path, components: list[dict[str, object]], options: list[str], code: int
) -> None:
    file = str(written(tmp_path, *components))
    assert run("check", file, *options).code == code
    done = run("check", file, *options, "--json")
    assert done.code == code
    if code != 2:
        assert done.document["exit_code"] == code


@pytest.mark.parametrize(("level", "code"), [("error", 0), ("warning", 1), ("note", 1)])
def test_the_fail_level_decides_which_findings_end_in_one(run: Run, tmp_path: Path, level: str, code: int) -> None:
    warned = component("tickets", LABELS | {"requests_per_second": 1}, "decoder-only")
    assert run("check", str(written(tmp_path, warned)), "--fail-level", level).code == code


def test_a_strict_run_says_first_what_it_ends_for(run: Run, tmp_path: Path) -> None:
    done = run("check", str(written(tmp_path, UNKNOWN)), "--strict")
    assert done.out.startswith("! 1 check could not be made in 1 component")


def test_a_run_that_checked_nothing_says_so_first(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("check")
    assert done.out.startswith("! Nothing was checked: no architecture file here.")
    assert "or write a first file: advisor check --init" in done.out
    assert done.code == 3


def test_a_folder_that_was_named_and_holds_no_file_is_told(run: Run, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    written(tmp_path / "one", component("tickets", LABELS, "encoder-only", model="bert-base"))
    said = ("check", str(tmp_path / "one"), str(tmp_path / "two"))
    done = run(*said)
    first = done.out.splitlines()[0]
    assert (first[0], first.endswith(f"; no architecture file in {tmp_path / 'two'}."), done.code) == ("!", True, 0)
    assert run(*said, "--strict").code == 4
    assert "\n::warning title=archadvisor::No findings in 1 component" in run(*said, "--report", "github").out


def test_all_mistakes_of_all_files_are_told_at_once(run: Run, tmp_path: Path) -> None:
    files = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        files.append(str(written(tmp_path / name, component(name, {"task": "translate"}, "encoder-only"))))
    done = run("check", *files, "--json")
    assert (done.code, done.out) == (2, "")
    assert [one["file"] for one in done.error["problems"]] == files


def test_hostile_words_reach_no_terminal_as_they_are(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "architecture.yaml"
    written(tmp_path, component("one", LABELS, "encoder-only", model="bidi\\u202e"))
    file.write_text(file.read_text().replace("\\\\u202e", "\\u202e"), encoding="utf-8")
    for options in ([], ["--json"]):
        done = run("check", str(file), *options)
        assert "\u202e" not in done.out + done.err


@pytest.mark.skipif(sys.platform == "darwin", reason="no file there has a name that is not UTF-8")
def test_a_name_that_is_no_text_is_told_as_what_it_is(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"a\xff")
    folder.mkdir()
    written(folder, component("tickets", LABELS, "encoder-only", code=["*.py"]))
    (folder / os.fsdecode(b"b\xfe.py")).write_text("import torch\nweights = torch.load(path)\n")
    (folder / os.fsdecode(b"c\xfe.py")).write_text("(")
    done = run("check", str(folder), "--json")
    found = {one["outcome"]: one["location"]["file"] for one in done.document["results"] if "CODE" in one["check"]}
    assert (done.code, done.document["files"]) == (1, [f"{tmp_path}/a<U+DCFF>/architecture.yaml"])
    assert found["fail"] == f"{tmp_path}/a<U+DCFF>/b<U+DCFE>.py"
    assert found["not-checked"] == f"{tmp_path}/a<U+DCFF>/c<U+DCFE>.py"
    assert "torch.load(path)\n" in run("check", str(folder)).out  # its line is shown with it


def test_what_takes_long_is_told_with_one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Told] = []

    class Told:
        def __init__(self, options: Namespace) -> None:
            self.words: list[str] = []
            made.append(self)

        def say(self, words: str) -> None:
            self.words.append(words)

    monkeypatch.setattr("advisor.cli.progress.Progress", Told)
    tell = teller(Namespace())
    tell("one model is inspected")
    tell("another one is")
    assert [one.words for one in made] == [["one model is inspected", "another one is"]]

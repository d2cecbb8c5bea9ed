"""`advisor explain [ID]`: in words, as a document, from a rules folder of one's own; and what is refused."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path

import pytest

from tests.cli.conftest import Run

ROOT = Path(__file__).resolve().parents[2]


def test_words_and_document_say_the_same(run: Run) -> None:
    words, document = run("explain", "EMB-101"), run("explain", "EMB-101", "--json").document
    assert (words.code, words.err, document["kind"]) == (0, "", "explanation")
    shown = " ".join(words.out.split())
    for said in (document["title"], document["when"], document["because"], document["source"][0]["says"]):
        assert said in shown


def test_without_an_id_everything_is_listed_by_subject(run: Run) -> None:
    words, document = run("explain"), run("explain", "--json").document
    assert document["kind"] == "explanations"
    for group in document["groups"]:
        assert group["entries"]
        assert all(f"{entry['id']}: " in words.out for entry in group["entries"])


def test_nothing_is_fetched(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was asked for")

    monkeypatch.setattr(socket, "socket", refuse)
    assert run("explain", "Q4").code == 0


def test_a_rules_folder_of_ones_own_is_what_is_explained(run: Run, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(ROOT / "rules", rules)
    thresholds = rules / "thresholds.yaml"
    thresholds.write_text(thresholds.read_text(encoding="utf-8").replace("value: 10\n", "value: 25\n", 1))
    assert "requests_per_second >= 25" in run("explain", "CLS-001", "--rules", str(rules), "--json").document["when"]
    assert run("explain", "high_volume", "--rules", str(rules)).out.startswith("high_volume: 25\n")


def test_an_unknown_id_is_the_callers_mistake_with_a_hint(run: Run) -> None:
    done = run("explain", "CLS-01")
    assert (done.code, done.out) == (2, "")
    assert "did you mean" in done.err
    assert run("explain", "CLS-01", "--json").error["problems"][0]["fix"] is not None


@pytest.mark.parametrize(
    ("id_", "way"), [("BERT-base", "advisor models show bert-base"), ("doc-010", "advisor doctor")]
)
def test_an_id_that_another_command_prints_leads_to_it(run: Run, id_: str, way: str) -> None:
    assert way in run("explain", id_).err


@pytest.mark.parametrize("hostile", ["\x1b[31mred", "a\u202eb", "[bold]x[/]", "x" * 5_000, ""])
def test_a_hostile_id_reaches_no_terminal_as_control(run: Run, hostile: str) -> None:
    done = run("explain", hostile)
    assert done.code == 2
    assert "\x1b" not in done.err
    assert "\u202e" not in done.err


def test_an_explanation_is_written_as_markdown_too(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "rule.md"
    assert run("explain", "CLS-001", "--output", str(path)).code == 0
    assert path.read_text(encoding="utf-8").startswith("# CLS-001: ")
    path = tmp_path / "rule.json"
    assert run("explain", "CLS-001", "--output", str(path)).code == 0
    assert json.loads(path.read_text(encoding="utf-8"))["id"] == "CLS-001"

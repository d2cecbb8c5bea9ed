"""`advisor recommend`: the contract's shape, in JSON and in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.core.task import TASKS
from tests.cli.conftest import Run

TICKETS = str(Path(__file__).resolve().parents[2] / "examples" / "ticket-routing.yaml")


def test_a_recommendation_has_every_key_of_the_contract(run: Run) -> None:
    done = run("recommend", TICKETS, "--json")
    assert (done.code, done.err) == (0, "")
    document = done.document
    assert document["schema_version"] == 1
    assert document["kind"] == "recommendation"
    assert (document["architecture"], document["strength"]) == ("encoder-only", "strong")
    assert [part["role"] for part in document["components"]] == ["model"]
    assert document["components"][0]["model"] == "bert-base"
    assert document["workload"]["requests_per_second"] == 200
    assert "languages" in document["defaulted"]
    assert document["reasons"][0]["matched"]["requests_per_second"] == 200
    assert {one["architecture"] for one in document["alternatives"]} == {
        "decoder-only",
        "encoder-decoder",
        "retrieval-augmented-generation",
    }


def test_the_smallest_change_that_leads_to_a_decoder_is_named(run: Run) -> None:
    alternatives = run("recommend", TICKETS, "--json").document["alternatives"]
    decoder = next(one for one in alternatives if one["architecture"] == "decoder-only")
    assert decoder["possible"] is True
    assert {change["answer"] for change in decoder["flip"]} >= {"requests_per_second"}
    assert decoder["flip"][0] == {"answer": "requests_per_second", "from": 200, "to": "< 10"}
    assert any(source["id"] == "G43" for warning in decoder["warnings"] for source in warning["source"])


@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_answered_in_words_and_in_json_alike(run: Run, task: str) -> None:
    words, document = run("recommend", "--set", f"task={task}"), run("recommend", "--set", f"task={task}", "--json")
    assert (words.code, document.code) == (0, 0)
    assert words.out.startswith(f"{document.document['architecture']} ({document.document['strength']})")
    for reason in document.document["reasons"]:
        assert reason["rule"] in words.out


def test_answers_come_from_stdin_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        class buffer:
            @staticmethod
            def read(_: int) -> bytes:
                return b'{"task": "chat"}'

        @staticmethod
        def isatty() -> bool:
            return False

    monkeypatch.setattr("sys.stdin", Stdin)
    assert run("recommend", "-", "--json").document["architecture"] == "decoder-only"


@pytest.mark.parametrize("ending", ["json", "md"])
def test_output_writes_the_same_answer_to_a_file(run: Run, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"advice.{ending}"
    done = run("recommend", TICKETS, "--json", "--output", str(path))
    if ending == "json":
        assert path.read_text() == done.out
    else:
        assert path.read_text().startswith("# encoder-only (strong)")


def test_an_unsupported_ending_is_refused_with_the_list(run: Run, tmp_path: Path) -> None:
    done = run("recommend", TICKETS, "--output", str(tmp_path / "advice.html"))
    assert done.code == 2
    assert ".json or .md" in done.err


def test_mistakes_become_one_json_document_on_stderr(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text("task: translate\nlatency_budget_ms: -5\n")
    done = run("recommend", str(path), "--json")
    assert (done.code, done.out) == (2, "")
    assert done.error["kind"] == "error"
    assert done.error["exit_code"] == 2
    assert [(one["line"], one["column"]) for one in done.error["problems"]] == [(1, 7), (2, 20)]


def test_mistakes_in_words_show_the_line_with_a_caret(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text("task: translate\n")
    done = run("recommend", str(path))
    assert f'{path}:1:7: error: unknown task "translate"' in done.err
    assert "    1 | task: translate\n      |       ^^^^^^^^^" in done.err


def test_a_part_without_a_model_says_why(run: Run) -> None:
    answers = ("task=text-classification", "input_tokens=4000", "languages=many")
    done = run("recommend", *(word for answer in answers for word in ("--set", answer)), "--json")
    part = done.document["components"][0]
    assert part["model"] is None
    assert any("512" in because["says"] for because in part["because"])

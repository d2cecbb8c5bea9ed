"""The examples are whole and valid, one of every kind, and those that measure nothing are up to date."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from advisor.core.documents import DOCUMENTS, WRITTEN
from advisor.store.answers import read_answers
from advisor.store.yaml import read

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
DOCUMENT_KINDS = [kind for kind in DOCUMENTS if kind not in WRITTEN]


def advisor(*arguments: str) -> str:
    command = [str(Path(sys.executable).parent / "advisor"), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout


@pytest.mark.parametrize("kind", DOCUMENT_KINDS)
def test_there_is_a_valid_example_of_every_kind(kind: str) -> None:
    text = (EXAMPLES / f"{kind}.json").read_text(encoding="utf-8")
    document = json.loads(text)
    assert (document["schema_version"], document["kind"]) == (1, kind)
    DOCUMENTS[kind].model_validate_json(text)
    schema = json.loads(advisor("schema", kind))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(document)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_answers_file_is_valid_and_meets_its_schema(path: Path) -> None:
    answers = read_answers(str(path))
    schema = json.loads(advisor("schema", "workload"))
    Draft202012Validator(schema).validate(json.loads(answers.model_dump_json(exclude_unset=True)))


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("recommendation", ["recommend", "examples/ticket-routing.yaml"]),
        ("models", ["models", "list"]),
        ("model", ["models", "show", "t5-base"]),
        ("explanation", ["explain", "CLS-001"]),
        ("explanations", ["explain"]),
        ("rules", ["rules", "list"]),
        ("rules-proof", ["rules", "check"]),
        ("check", ["check", "tests/fixtures/repositories/rag-service/wrong", "--today", "2026-11-22"]),
    ],
)
def test_an_example_that_measures_nothing_is_what_the_command_prints(kind: str, command: list[str]) -> None:
    assert (EXAMPLES / f"{kind}.json").read_text(encoding="utf-8") == advisor(*command, "--json")


def test_the_example_of_past_runs_is_made_from_the_examples_of_a_profile_and_a_report() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "examples.py"))["history"]()
    assert (EXAMPLES / "history.json").read_text(encoding="utf-8") == made


def test_the_example_of_an_architecture_file_meets_the_schema_beside_it_and_passes() -> None:
    folder = EXAMPLES / "review"
    schema = (folder / ".advisor" / "architecture.schema.json").read_text(encoding="utf-8")
    assert schema == advisor("schema", "architecture")
    Draft202012Validator(json.loads(schema)).validate(read(folder / "architecture.yaml").value)
    document = json.loads(advisor("check", "examples/review", "--today", "2026-11-22", "--json"))
    assert document["exit_code"] == 0
    assert document["summary"]["waived"] == 1


def test_no_example_holds_a_number_that_json_does_not_know() -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    for path in EXAMPLES.glob("*.json"):
        json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)

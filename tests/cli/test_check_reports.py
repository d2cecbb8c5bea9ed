"""A review's reports by option, and a first architecture file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from advisor.cli.reports import beside_commands
from advisor.cli.schema import schema_words
from advisor.core.workload import Answers
from advisor.report import architecture_yaml
from advisor.store.yaml import read
from tests.cli.conftest import Run

WRONG = Path(__file__).resolve().parents[1] / "fixtures" / "repositories" / "rag-service" / "wrong"


def test_one_run_writes_every_format(run: Run, tmp_path: Path) -> None:
    files = {"json": "a.json", "sarif": "a.sarif", "junit": "a.xml", "gitlab": "b.json", "md": "a.md"}
    reports = [word for form, file in files.items() for word in ("--report", f"{form}={tmp_path / file}")]
    done = run("check", str(WRONG), *reports, "--report", "github")
    assert done.code == 1
    assert done.out.startswith("✗ 5 findings")
    assert done.out.count("\n::error file=") == 4
    assert done.out.count("\n::warning file=") == 1
    document = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    found = {one["check"] for one in document["results"] if one["outcome"] == "fail"}
    for form, file in files.items():
        text = (tmp_path / file).read_text(encoding="utf-8")
        assert all(check in text for check in found), form


def test_what_is_waived_goes_into_sarif_only_where_that_is_asked_for(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.sarif"
    wrong = str(WRONG.parents[1] / "classifier-service" / "wrong")
    for more, waived in (((), False), (("--show-waived",), True)):
        run("check", wrong, "--today", "2026-11-22", "--report", f"sarif={file}", *more)
        assert ('"justification"' in file.read_text(encoding="utf-8")) == waived


@pytest.mark.parametrize(("file", "start"), [("a.json", "{"), ("a.md", "## ✗ Architecture review: 5 findings")])
def test_output_says_by_its_ending_which_form_it_takes(run: Run, tmp_path: Path, file: str, start: str) -> None:
    assert run("check", str(WRONG), "--output", str(tmp_path / file)).code == 1
    assert (tmp_path / file).read_text(encoding="utf-8").startswith(start)


def test_the_exit_code_is_the_same_whatever_the_format(run: Run, tmp_path: Path) -> None:
    codes = {run("check", str(WRONG), *how).code for how in ([], ["--json"], ["--report", f"md={tmp_path / 'a.md'}"])}
    assert codes == {1}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (["--report", "sarf=x.sarif"], 'did you mean "sarif"?'),
        (["--report", "sarif"], "sarif needs a file"),
        (["--report", "junit="], "junit needs a file"),
        (["--report", "junit=x.json"], "end it in .xml"),
        (["--report", "md=no/such/folder/x.md"], "there is no folder"),
        (["--report", "github=x.txt"], "github writes to stdout"),
        (["--report", "github", "--json"], "both write to stdout"),
        (["--report", "json=x.json", "--report", "gitlab=./x.json"], "two reports would be written"),
        (["--output", "x.json", "--report", "json=x.json"], "two reports would be written"),
        (["--show-waived"], "no effect without --report sarif=FILE"),
        (["--set", "task=chat"], "no effect without --init"),
        (["--answers", "x.yaml", "--name", "x"], "no effect without --init"),
    ],
)
def test_a_mistake_in_the_options_is_told_before_anything_is_reviewed(run: Run, said: list[str], words: str) -> None:
    done = run("check", str(WRONG), *said)
    assert done.code == 2
    assert done.out == ""
    assert words in done.err


def test_no_line_of_the_text_is_taken_for_a_command_of_a_runner() -> None:
    assert (
        beside_commands("a\n\n::set-env::b\n  ::x\n##[group]\na::b\nf:1: error ##[stop-commands]t\n")
        == "a\n\n· ::set-env::b\n·   ::x\n## [group]\na::b\nf:1: error ## [stop-commands]t\n"
    )


def test_a_first_file_is_written_reviewed_and_passes(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("check", "--init", "--set", "task=text-classification", "--set", "requests_per_second=200")
    assert done.code == 0
    assert "wrote architecture.yaml" in done.err
    text = (tmp_path / "architecture.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=.advisor/architecture.schema.json\n")
    assert "latency_budget_ms" not in text
    assert "model: bert-base   # a stand-in: put your own here" in text
    schema = json.loads((tmp_path / ".advisor" / "architecture.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(read(tmp_path / "architecture.yaml").value)


def test_nothing_is_ever_overwritten(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".advisor").mkdir()
    (tmp_path / ".advisor" / "architecture.schema.json").write_text("mine", encoding="utf-8")
    assert run("check", "--init", "--set", "task=chat").code == 0
    assert (tmp_path / ".advisor" / "architecture.schema.json").read_text(encoding="utf-8") == "mine"
    before = (tmp_path / "architecture.yaml").read_text(encoding="utf-8")
    again = run("check", "--init", "--set", "task=translation")
    assert again.code == 2
    assert "there is an architecture file already" in again.err
    assert (tmp_path / "architecture.yaml").read_text(encoding="utf-8") == before
    (tmp_path / "answers.yaml").write_text("task: chat\n", encoding="utf-8")
    assert "--answers answers.yaml" in run("check", "--init", "answers.yaml").err
    assert (tmp_path / "answers.yaml").read_text(encoding="utf-8") == "task: chat\n"
    os.symlink("nowhere", tmp_path / "link.yaml")
    assert run("check", "--init", "link.yaml", "--set", "task=chat").code == 2


@pytest.mark.parametrize("where", ["a.txt", "no/such/folder", "a\0b.yaml", "no/such/folder/a.yaml"])
def test_a_place_that_cannot_hold_the_file_is_told(run: Run, where: str, tmp_path: Path) -> None:
    done = run("check", "--init", f"{tmp_path}/{where}", "--set", "task=chat")
    assert done.code == 2
    assert "→" in done.err


@pytest.mark.parametrize("name", ["", " ", "x" * 121])
def test_a_name_that_no_file_may_hold_is_refused_before_one_is_written(run: Run, name: str, tmp_path: Path) -> None:
    done = run("check", "--init", str(tmp_path), "--name", name, "--set", "task=chat")
    assert (done.code, "--name: error: a component's name has from 1 to 120" in done.err) == (2, True)
    assert not (tmp_path / "architecture.yaml").exists()


@pytest.mark.parametrize("task", ["retrieval", "retrieval-augmented-generation", "translation", "fill-mask", "chat"])
def test_every_kind_of_design_can_be_begun_with(run: Run, task: str, tmp_path: Path) -> None:
    file = tmp_path / "architecture.yaml"
    name = 'yes: "quoted"\n# no'
    assert run("check", "--init", str(tmp_path), "--name", name, "--set", f"task={task}").code == 0
    said = read(file).value["components"][0]
    assert said["workload"] == {"task": task}
    assert said["name"].startswith("yes")
    Draft202012Validator(json.loads(schema_words("architecture"))).validate(read(file).value)


def test_answers_come_back_as_they_were_said(tmp_path: Path) -> None:
    said = {"task": "chat", "requests_per_second": 0.5, "latency_budget_ms": None, "long_structured_input": True}
    answers = Answers.model_validate(said)
    lines = [f"{key}: {architecture_yaml._value(getattr(answers, key))}" for key in said]
    (tmp_path / "a.yaml").write_text("\n".join(lines), encoding="utf-8")
    assert read(tmp_path / "a.yaml").value == said

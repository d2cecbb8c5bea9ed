"""Answers: one run shows every mistake, with its place and the nearest right word."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.core.errors import AdvisorError, Problem
from advisor.core.task import TASKS
from advisor.core.workload import Answers
from advisor.store.answers import read_answers


def answers(tmp_path: Path, text: str, *settings: str) -> Answers:
    path = tmp_path / "answers.yaml"
    path.write_text(text)
    return read_answers(str(path), settings)


def refused(tmp_path: Path, text: str, *settings: str) -> list[Problem]:
    with pytest.raises(AdvisorError) as caught:
        answers(tmp_path, text, *settings)
    assert caught.value.exit_code == 2
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("line", "column", "words"),
    [
        ("task: translate", 7, 'did you mean "translation"?'),
        ("task: 3", 7, "unknown task 3"),
        ('requests_per_second: "200"', 22, 'must be a number, got "200"'),
        ("requests_per_second: 0", 22, "must be greater than 0, got 0"),
        ("requests_per_second: 1e10", 22, "must be at most 1e+09"),
        ("requests_per_second: true", 22, "must be a number, got true"),
        ("latency_budget_ms: -1", 20, "must be greater than 0"),
        ("input_tokens: 0", 15, "must be at least 1"),
        ("input_tokens: 1.5", 15, "must be a whole number, got 1.5"),
        ("input_tokens: 10000001", 15, "must be at most 10000000"),
        ("latency_percentile: 96", 21, "allowed: 50, 90, 95, 99"),
        ("latency_percentile: '95'", 21, 'latency_percentile must be a number, and "95" is text'),
        ("contrastive_decoder: yes", 22, 'must be true or false, got "yes"'),
        ("corpus_documents: null", 19, "must be a whole number, got null"),
        ("hosting: [self]", 10, "unknown hosting"),
        ("request_per_second: 3", 1, 'did you mean "requests_per_second"?'),
        ("labelled_examples: 1e13", 20, "must be at most"),
    ],
)
def test_a_wrong_answer_is_named_with_its_place(tmp_path: Path, line: str, column: int, words: str) -> None:
    text = line if line.startswith("task") else f"task: chat\n{line}"
    found = refused(tmp_path, text)
    expected_line = 1 if line.startswith("task") else 2
    assert any((one.line, one.column) == (expected_line, column) and words in one.message for one in found), found


def test_an_unknown_task_is_refused_with_the_list_of_tasks(tmp_path: Path) -> None:
    message = refused(tmp_path, "task: best potato model")[0].message
    assert all(task in message for task in TASKS)


def test_mistakes_in_and_between_answers_show_in_one_run(tmp_path: Path) -> None:
    text = "task: chat\nrequests_per_second: 1\nrequests_per_day: 2\npriority: speed\noutput_tokens: 0\nfoo: 1\n"
    found = {one.line for one in refused(tmp_path, text)}
    assert found == {3, 4, 5, 6}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("task: chat\noutput_tokens: 0", "writes text"),
        ("task: retrieval\ncorpus_documents: 0", "searches documents"),
        ("task: chat\ninput_tokens_max: 5", "below input_tokens 128 (the default)"),
        ("task: chat\noutput_tokens: 9\noutput_tokens_max: 5", "below output_tokens 9"),
        ("task: chat\npeak_factor: 2", "needs requests_per_day"),
        ("task: chat\nrequests_per_day: 1e30", "more than 1e9"),
    ],
)
def test_answers_that_contradict_each_other_are_refused(tmp_path: Path, text: str, words: str) -> None:
    assert words in refused(tmp_path, text)[0].message


def test_a_setting_wins_over_the_file(tmp_path: Path) -> None:
    found = answers(tmp_path, "task: chat\nrequests_per_second: 5\n", "task=translation", "priority=cost")
    assert (found.task, found.priority, found.requests_per_second) == ("translation", "cost", 5)


def test_a_rate_per_day_set_on_the_command_line_replaces_the_rate_of_the_file(tmp_path: Path) -> None:
    found = answers(tmp_path, "task: chat\nrequests_per_second: 5\n", "requests_per_day=86400")
    assert found.requests_per_day == 86400
    assert "requests_per_second" not in found.model_fields_set


def test_settings_alone_are_enough_when_they_name_the_task() -> None:
    assert read_answers(None, ["task=chat", "input_tokens=400e1"]).input_tokens == 4000


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("speed=1", 'unknown answer "speed"'),
        ("input_tokens", "has no value"),
        ("input_tokens=", "has no value"),
        ("input_tokens=1_000", "must be a whole number"),
        ("priority=[", "not valid YAML"),
        ("priority=&a cost", "anchor"),
    ],
)
def test_a_wrong_setting_is_named(setting: str, words: str) -> None:
    with pytest.raises(AdvisorError) as caught:
        read_answers(None, ["task=chat", setting])
    assert words in caught.value.problems[0].message
    assert (caught.value.problems[0].file or "").startswith("--set")


@pytest.mark.parametrize(
    ("setting", "hint"),
    [
        ("requests_per_second=1_000", "write 1000"),
        ("requests_per_second=1,000,000.5", "write 1000000.5"),
        ("requests_per_second=1,5", "write 1.5"),
        ("requests_per_second=1,50,5", "write digits, no unit"),
        ("input_tokens=1,000", "write 1000"),
        ("input_tokens=1,5", "write digits, no unit"),
    ],
)
def test_a_number_written_otherwise_is_told_as_it_was_meant(setting: str, hint: str) -> None:
    with pytest.raises(AdvisorError) as caught:
        read_answers(None, ["task=chat", setting])
    assert caught.value.problems[0].fix == hint


def test_a_missing_task_lists_the_tasks(tmp_path: Path) -> None:
    found = refused(tmp_path, "requests_per_second: -4\n")
    assert [one.message.split(" ")[0] for one in found] == ["the", "requests_per_second"]
    assert "summarization" in (found[0].fix or "")


def test_answers_that_are_a_list_are_refused(tmp_path: Path) -> None:
    assert "keys and values" in refused(tmp_path, "- task: chat\n")[0].message


def test_what_yaml_refuses_does_not_hide_what_answers_refuse(tmp_path: Path) -> None:
    text = (
        "task: chat\nrequests_per_second: .NaN\nlatency_budget_ms: -5\nfoo: 1\nlanguages: &a two\ninput_tokens: 012\n"
    )
    found = refused(tmp_path, text, "priority=x")
    assert {one.line for one in found} == {None, 2, 3, 4, 5, 6}


def test_a_task_that_was_refused_is_not_called_missing(tmp_path: Path) -> None:
    assert [one.message for one in refused(tmp_path, "task: !!str chat\n")] == ["tag !!str is not allowed"]
    assert not any("missing" in one.message for one in refused(tmp_path, "task: .nan\n"))


def test_a_setting_without_a_key_says_how_to_write_one() -> None:
    with pytest.raises(AdvisorError) as caught:
        read_answers(None, ["chat"])
    assert any(one.fix == "write --set KEY=VALUE" for one in caught.value.problems)

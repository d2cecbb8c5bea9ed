"""The questions: one per answer, and asked only while they matter."""

from __future__ import annotations

import pytest

from advisor.core.questions import QUESTIONS, default_words, question, still_asked
from advisor.core.workload import ANSWER_ORDER, PERCENTILES, PRIORITIES, Answers


def asked(answers: Answers, *mattering: str) -> set[str]:
    return {one.answer for one in still_asked(answers, lambda answer: answer in mattering)}


def test_every_answer_has_one_question() -> None:
    assert sorted(one.answer for one in QUESTIONS) == sorted(ANSWER_ORDER)


def test_choices_are_those_the_check_allows() -> None:
    assert question("priority").choices == PRIORITIES
    assert question("latency_percentile").choices == PERCENTILES
    assert question("input_tokens").choices == ()
    assert question("one_model_many_tasks").kind == "flag"
    assert question("latency_budget_ms").kind == "number"


def test_an_answer_the_rules_need_is_asked_and_one_they_do_not_is_not() -> None:
    answers = Answers(task="text-classification")
    assert "priority" in asked(answers, "priority")
    assert "priority" not in asked(answers)


def test_what_was_said_stays_so_that_it_can_be_taken_back() -> None:
    assert "priority" in asked(Answers(task="fill-mask", priority="cost"))


def test_the_percentile_is_asked_once_there_is_a_budget() -> None:
    assert "latency_percentile" not in asked(Answers(task="chat"))
    assert "latency_percentile" in asked(Answers(task="chat", latency_budget_ms=100.0))
    assert "latency_percentile" in asked(Answers(task="chat", first_token_budget_ms=100.0))


def test_only_what_writes_is_asked_for_output_and_first_token() -> None:
    writing = {"output_tokens", "output_tokens_max", "first_token_budget_ms"}
    assert writing <= asked(Answers(task="chat"))
    assert not writing & asked(Answers(task="fill-mask"))


def test_the_rate_is_asked_in_one_way_at_a_time() -> None:
    nothing_said = asked(Answers(task="chat"), "requests_per_second", "requests_per_day", "peak_factor")
    assert {"requests_per_second", "requests_per_day"} <= nothing_said
    assert "peak_factor" not in nothing_said
    per_second = asked(Answers(task="chat", requests_per_second=5.0), "requests_per_day", "peak_factor")
    assert not {"requests_per_day", "peak_factor"} & per_second
    per_day = asked(Answers(task="chat", requests_per_day=1000.0), "requests_per_second")
    assert "requests_per_second" not in per_day
    assert {"requests_per_day", "peak_factor"} <= per_day


def test_behind_an_api_nothing_is_asked_that_only_a_measurement_needs() -> None:
    here = asked(Answers(task="chat", hosting="self"))
    behind_api = asked(Answers(task="chat", hosting="api"))
    assert {"memory_limit_gib", "latency_budget_ms", "input_tokens"} <= here - behind_api
    assert "hosting" in behind_api


@pytest.mark.parametrize(
    ("answer", "answers", "words"),
    [
        ("input_tokens", Answers(task="summarization"), "1024"),
        ("input_tokens", Answers(task="summarization", input_tokens=7), "1024"),
        ("input_tokens", Answers(task="chat", corpus_documents=5), "2048"),
        ("structured_source_target", Answers(task="translation"), "yes"),
        ("latency_budget_ms", Answers(task="chat"), "no budget"),
        ("requests_per_second", Answers(task="chat", requests_per_day=86400.0), "not used"),
        ("peak_factor", Answers(task="chat", requests_per_day=86400.0), "3"),
    ],
)
def test_the_default_shown_is_the_one_that_would_be_taken(answer: str, answers: Answers, words: str) -> None:
    assert default_words(question(answer), answers) == words


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("requests_per_second", "a number, above 0 and at most 1,000,000,000"),
        ("input_tokens_max", "a whole number, at least 1 and at most 10,000,000"),
        ("replica_cost_per_hour", "a number, at least 0"),
        ("latency_percentile", "50, 90, 95 or 99"),
        ("one_model_many_tasks", "yes or no"),
    ],
)
def test_what_may_be_answered_is_said_as_the_check_has_it(answer: str, words: str) -> None:
    assert question(answer).allowed == words


def test_the_schema_of_answers_states_their_ranges() -> None:
    keys = Answers.model_json_schema()["properties"]
    assert (keys["input_tokens"]["minimum"], keys["input_tokens"]["maximum"]) == (1, 10_000_000)
    assert keys["requests_per_second"]["exclusiveMinimum"] == 0

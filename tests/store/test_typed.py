"""What was typed is read like a file, and every mistake gets its sentence."""

from __future__ import annotations

import pytest

from advisor.core.workload import Answers
from advisor.store.typed import checked, texts_of


def test_nothing_typed_is_no_answer_and_no_mistake() -> None:
    found = checked({"task": "", "requests_per_second": "  "})
    assert found.answers is None
    assert found.problems == {}


@pytest.mark.parametrize(
    ("typed", "meant"), [("1e6", 1e6), ("0.5", 0.5), (" 200 ", 200.0), (".5", 0.5), ("2E3", 2000.0)]
)
def test_numbers_are_written_as_in_a_file(typed: str, meant: float) -> None:
    found = checked({"task": "chat", "requests_per_second": typed})
    assert found.problems == {}
    assert found.answers == Answers(task="chat", requests_per_second=meant)


@pytest.mark.parametrize(
    "typed",
    ["1_000", "1,000", "0128", ".inf", "nan", "12 GB", "-3", "0", "1e10", "x", "yes", "[1", "a: b", "&a 3", "--- 3",
     "# 3", "\x1b[31m", "9" * 320, "1e999", "\u202e5", "null"],
)  # fmt: skip
def test_what_a_rate_cannot_be_is_refused_by_name_and_the_rest_still_holds(typed: str) -> None:
    found = checked({"task": "chat", "requests_per_second": typed, "input_tokens": "64"})
    assert found.answers == Answers(task="chat", input_tokens=64)
    assert list(found.problems) == ["requests_per_second"]
    assert "file" not in found.problems["requests_per_second"]


def test_every_mistake_is_told_at_once() -> None:
    found = checked({"task": "chat", "requests_per_second": "x", "input_tokens": "1.5", "output_tokens": "0"})
    assert set(found.problems) == {"requests_per_second", "input_tokens", "output_tokens"}


def test_answers_that_contradict_each_other_are_told_where_the_second_stands() -> None:
    found = checked({"task": "chat", "input_tokens": "400", "input_tokens_max": "300"})
    assert found.answers == Answers(task="chat", input_tokens=400)
    assert "below input_tokens 400" in found.problems["input_tokens_max"]


def test_answers_from_a_file_come_back_as_they_were() -> None:
    answers = Answers(
        task="translation", requests_per_second=0.25, latency_budget_ms=1e6, structured_source_target=False,
        latency_percentile=99, memory_limit_gib=None, priority="cost", corpus_documents=10**12,
    )  # fmt: skip
    found = checked(texts_of(answers))
    assert found.problems == {}
    assert found.answers == answers
    assert found.answers.model_fields_set == answers.model_fields_set

"""Defaults: which they are, and that they are listed."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from advisor.core.workload import ANSWER_ORDER, Answers, fill_defaults


@pytest.mark.parametrize(
    ("task", "input_tokens", "output_tokens", "structured", "documents"),
    [
        ("text-classification", 128, 0, False, 0),
        ("question-answering", 384, 0, False, 0),
        ("translation", 128, 128, True, 0),
        ("table-to-text", 128, 128, True, 0),
        ("summarization", 1024, 128, False, 0),
        ("abstractive-question-answering", 1024, 64, False, 0),
        ("code-generation", 128, 64, False, 0),
        ("chat", 128, 256, False, 0),
        ("text-generation", 128, 256, False, 0),
        ("reasoning", 128, 256, False, 0),
        ("retrieval", 128, 0, False, 100_000),
        ("retrieval-augmented-generation", 2048, 256, False, 100_000),
    ],
)
def test_defaults_follow_the_task(
    task: str, input_tokens: int, output_tokens: int, structured: bool, documents: int
) -> None:
    workload, _ = fill_defaults(Answers.model_validate({"task": task}))
    assert workload.input_tokens == input_tokens
    assert workload.output_tokens == output_tokens
    assert workload.structured_source_target is structured
    assert workload.corpus_documents == documents


def test_every_answer_nobody_gave_is_listed_in_order() -> None:
    _, defaulted = fill_defaults(Answers.model_validate({"task": "chat", "priority": "cost", "requests_per_second": 1}))
    expected = [key for key in ANSWER_ORDER if key not in {"task", "priority", "requests_per_second"}]
    assert defaulted == [key for key in expected if key not in {"requests_per_day", "peak_factor"}]


def test_a_rate_per_day_becomes_the_rate_at_peak() -> None:
    workload, defaulted = fill_defaults(Answers.model_validate({"task": "chat", "requests_per_day": 288_000}))
    assert workload.requests_per_second == pytest.approx(10)
    assert workload.peak_factor == 3
    assert "peak_factor" in defaulted
    assert "requests_per_second" not in defaulted


def test_a_rate_per_day_of_next_to_nothing_is_still_a_rate() -> None:
    said = {"task": "chat", "requests_per_day": 1e-300, "peak_factor": 1e-300}
    workload, _ = fill_defaults(Answers.model_validate(said))
    assert workload.requests_per_second > 0


@pytest.mark.parametrize("value", [5e-324, 1e-301, 1e301])
@pytest.mark.parametrize("answer", ["latency_budget_ms", "memory_limit_gib"])
def test_a_number_that_nothing_can_be_computed_from_is_refused(answer: str, value: float) -> None:
    with pytest.raises(ValidationError, match="where figures can be computed"):
        Answers.model_validate({"task": "chat", answer: value})


def test_a_price_may_be_next_to_nothing_and_not_beyond_all_figures() -> None:
    assert Answers.model_validate({"task": "chat", "replica_cost_per_hour": 5e-324}).replica_cost_per_hour == 5e-324
    with pytest.raises(ValidationError, match="up to which figures can be computed"):
        Answers.model_validate({"task": "chat", "replica_cost_per_hour": 1e301})


def test_a_corpus_makes_the_prompt_of_a_chat_long_enough_for_passages() -> None:
    workload, _ = fill_defaults(Answers.model_validate({"task": "chat", "corpus_documents": 10}))
    assert workload.input_tokens == 2048


def test_an_explicit_answer_stands_against_a_default_of_the_task() -> None:
    given = {"task": "translation", "structured_source_target": False, "input_tokens": 128}
    workload, defaulted = fill_defaults(Answers.model_validate(given))
    assert workload.structured_source_target is False
    assert "input_tokens" not in defaulted

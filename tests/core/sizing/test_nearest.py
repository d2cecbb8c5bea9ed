"""The nearest plan that passes: the smallest move of one answer, sufficient, and no larger than it must be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.core.sizing.measurement import Cell
from advisor.core.sizing.plan import Nearest, Plan
from tests.core.sizing.known_model import (
    ANSWERS,
    CHAT,
    GIB,
    ONE_DECODER,
    ONE_ENCODER,
    RAG,
    TICKETS,
    answers,
    chat,
    decoder,
    encoder,
    planned,
    tickets,
    translation,
)

pytestmark = pytest.mark.usefixtures("short_queues")


def nearest(plan: Plan) -> Nearest:
    assert plan.verdict == "misses"
    assert plan.nearest is not None
    return plan.nearest


@settings(deadline=None, max_examples=6)
@given(budget=st.floats(1.0, 13.9))
def test_the_nearest_change_passes_and_stands_in_the_plan_as_the_first_thing_to_change(budget: float) -> None:
    missed = tickets(latency_budget_ms=budget)
    change = nearest(missed)
    changed = tickets(**{"latency_budget_ms": budget, change.answer: change.to})
    assert changed.verdict == "meets"
    assert change.from_ == (budget if change.answer == "latency_budget_ms" else 128)
    assert missed.first_thing_to_change == f"Change one answer: {change.says}."


def test_a_budget_a_little_too_tight_moves_just_as_far_as_a_lone_request_needs() -> None:
    change = nearest(tickets(latency_budget_ms=13.5))
    assert (change.answer, change.to) == ("latency_budget_ms", 14.0)
    assert tickets(latency_budget_ms=13.9).verdict == "misses"


def test_what_twice_that_budget_takes_is_said_beside_it() -> None:
    change = nearest(tickets(latency_budget_ms=13.5))
    assert "at 28.0 it takes" in change.says


def test_a_shorter_measured_input_is_named_where_that_is_the_smaller_change() -> None:
    def steep(shape: Any) -> float:
        return 0.010 if shape.input_tokens <= 64 else 0.100

    change = nearest(planned({**TICKETS, "latency_budget_ms": 12}, ONE_ENCODER, {"model": steep}))
    assert (change.answer, change.from_, change.to) == ("input_tokens", 128, 64)


def test_output_tokens_are_cut_no_further_than_they_must_be() -> None:
    """A prompt that is quick and steps that are not: one step less is a smaller change than so much more time."""
    missed = planned(
        {**CHAT, "latency_budget_ms": 10, "first_token_budget_ms": 1000, "output_tokens": 3},
        ONE_DECODER,
        {"model": lambda shape: 0.001 if shape.stage == "prefill" else 0.008},
    )
    change = nearest(missed)
    assert (change.answer, change.to) == ("output_tokens", 2)


def test_judging_less_of_the_tail_is_named_where_only_the_tail_is_late() -> None:
    noise = tuple([1.0] * 97 + [30.0] * 3)
    missed = planned({**TICKETS, "latency_percentile": 99}, ONE_ENCODER, {"model": encoder}, noise=noise)
    change = nearest(missed)
    assert (change.answer, change.from_, change.to) == ("latency_percentile", 99, 95)


def test_memory_that_is_too_small_is_raised_to_the_smallest_peak() -> None:
    missed = planned(TICKETS, ONE_ENCODER, {"model": encoder}, memory_limit_bytes=GIB // 4)
    change = nearest(missed)
    assert (change.answer, change.from_, change.to) == ("memory_limit_gib", 0.25, 1.0)


def test_more_memory_than_the_machine_has_is_no_change_of_answers() -> None:
    def huge(each: Cell) -> Cell:
        return each.model_copy(update={"peak_memory_bytes": 17 * GIB})

    missed = planned(TICKETS, ONE_ENCODER, {"model": encoder}, alter=huge)
    assert (missed.verdict, missed.nearest) == ("misses", None)
    assert missed.first_thing_to_change is not None
    assert "more memory: known-encoder takes 17.0 GiB" in missed.first_thing_to_change


def test_no_single_change_is_invented_where_two_would_be_needed() -> None:
    missed = planned(
        {**TICKETS, "latency_budget_ms": 1, "input_tokens": 1}, ONE_ENCODER, {"model": encoder}, memory_limit_bytes=1
    )
    assert missed.verdict == "misses"
    assert missed.nearest is None
    assert missed.first_thing_to_change is not None
    assert "smaller model" in missed.first_thing_to_change


def test_both_budgets_missed_are_not_mended_by_loosening_one() -> None:
    missed = planned({**CHAT, "latency_budget_ms": 5, "first_token_budget_ms": 5}, ONE_DECODER, {"model": decoder})
    assert missed.verdict == "misses"
    change = nearest(missed)
    assert (change.answer, [also.answer for also in change.also]) == ("latency_budget_ms", ["first_token_budget_ms"])
    said = {change.answer: change.to} | {also.answer: also.to for also in change.also}
    assert planned({**CHAT, **said}, ONE_DECODER, {"model": decoder}).verdict == "meets"


def test_for_rag_the_change_is_one_with_which_the_measured_parts_pass() -> None:
    missed = answers(latency_budget_ms=500)
    change = nearest(missed)
    changed = planned(
        {**ANSWERS, "latency_budget_ms": 500, change.answer: change.to},
        RAG,
        {"retriever": encoder, "generator": decoder},
    )
    assert changed.verdict == "undecided"
    assert changed.replicas is not None


def test_a_plan_that_passes_needs_no_nearest_one() -> None:
    assert tickets().nearest is None
    assert answers().nearest is None


@pytest.mark.parametrize("make", [chat, translation])
def test_the_nearest_change_of_a_generated_answer_passes(make: Any) -> None:
    change = nearest(make(latency_budget_ms=300))
    assert make(**{"latency_budget_ms": 300, change.answer: change.to}).verdict == "meets"


def in_two_ways(shape: Any) -> float:
    """Of two tokens, one dtype has the first after 1 ms and both after 21 ms, the other after 10 ms and after 11 ms."""
    first, step = (0.001, 0.020) if shape.dtype == "float32" else (0.010, 0.001)
    return first if shape.stage == "prefill" else step


@pytest.mark.parametrize(
    ("latency_ms", "first_token_ms", "moved"),
    [
        (15, 5, {"latency_budget_ms": 21}),
        (11.5, 8, {"first_token_budget_ms": 10}),
        (0.5, 0.5, {"latency_budget_ms": 21, "first_token_budget_ms": 1}),
    ],
)
def test_budgets_move_to_what_one_way_to_serve_needs_not_to_the_best_of_each(
    latency_ms: float, first_token_ms: float, moved: dict[str, float]
) -> None:
    asked = {**CHAT, "output_tokens": 2, "latency_budget_ms": latency_ms, "first_token_budget_ms": first_token_ms}

    def made(**changed: Any) -> Plan:
        return planned(asked | changed, ONE_DECODER, {"model": in_two_ways}, dtypes=("float32", "bfloat16"))

    change = nearest(made())
    said = {change.answer: change.to} | {also.answer: also.to for also in change.also}
    assert said == pytest.approx(moved, rel=0.01)
    assert made(**said).verdict == "meets"

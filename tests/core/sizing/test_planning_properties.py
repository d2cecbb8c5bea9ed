"""What may never happen to a plan, whatever the answers. Tried on short queues: it holds for queues of any length."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.core.sizing.plan import Plan
from tests.core.sizing.known_model import (
    ONE_ENCODER,
    TICKETS,
    answers,
    chat,
    encoder,
    mid,
    planned,
    search,
    slower,
    tickets,
    translation,
)

pytestmark = pytest.mark.usefixtures("short_queues")


@settings(deadline=None, max_examples=12)
@given(rate=st.floats(0.01, 1e6), more=st.floats(1.0, 50.0), price=st.floats(0.0, 10.0))
def test_more_load_never_needs_fewer_replicas(rate: float, more: float, price: float) -> None:
    few, many = (tickets(requests_per_second=each, replica_cost_per_hour=price) for each in (rate, rate * more))
    assert few.replicas is not None
    assert many.replicas is not None
    pairs = zip(few.replicas.model_dump().values(), many.replicas.model_dump().values(), strict=True)
    assert all(fewer <= greater for fewer, greater in pairs)


@settings(deadline=None, max_examples=8)
@given(rate=st.floats(0.01, 1e4), more=st.floats(1.0, 50.0))
def test_more_questions_never_need_fewer_machines_for_rag(rate: float, more: float) -> None:
    assert mid(answers(requests_per_second=rate)) <= mid(answers(requests_per_second=rate * more))


@settings(deadline=None, max_examples=10)
@given(budget=st.floats(10.0, 500.0), looser=st.floats(1.0, 4.0))
def test_a_looser_budget_never_needs_more_replicas(budget: float, looser: float) -> None:
    tight = planned({**TICKETS, "latency_budget_ms": budget}, ONE_ENCODER, {"model": encoder}, width=0.05)
    loose = planned({**TICKETS, "latency_budget_ms": budget * looser}, ONE_ENCODER, {"model": encoder}, width=0.05)
    order = ["misses", "undecided", "meets"]
    assert order.index(loose.verdict) >= order.index(tight.verdict)
    if tight.replicas is not None:
        assert loose.replicas is not None
        pairs = zip(loose.replicas.model_dump().values(), tight.replicas.model_dump().values(), strict=True)
        assert all(fewer <= greater for fewer, greater in pairs)


@settings(deadline=None, max_examples=5)
@given(budget=st.floats(1500.0, 20_000.0), looser=st.floats(1.0, 4.0))
def test_a_looser_budget_never_needs_more_replicas_of_a_decoder(budget: float, looser: float) -> None:
    tight, loose = chat(latency_budget_ms=budget), chat(latency_budget_ms=budget * looser)
    if tight.replicas is not None:
        assert mid(loose) <= mid(tight)


@settings(deadline=None, max_examples=8)
@given(shorter=st.integers(8, 256), longer=st.integers(0, 256))
def test_a_longer_input_never_gets_cheaper(shorter: int, longer: int) -> None:
    short, long = tickets(input_tokens=shorter), tickets(input_tokens=shorter + longer)
    assert short.replicas is not None
    if long.replicas is not None:
        assert mid(short) <= mid(long)


@settings(deadline=None, max_examples=5)
@given(shorter=st.integers(2, 100), longer=st.integers(0, 100))
def test_a_longer_answer_never_gets_cheaper(shorter: int, longer: int) -> None:
    short, long = chat(output_tokens=shorter), chat(output_tokens=shorter + longer)
    if long.replicas is not None:
        assert mid(short) <= mid(long)


@settings(deadline=None, max_examples=8)
@given(factor=st.floats(1.0, 4.0))
def test_a_slower_model_never_gets_cheaper(factor: float) -> None:
    large = planned(TICKETS, ONE_ENCODER, {"model": slower(encoder, factor)})
    if large.replicas is not None:
        assert mid(tickets()) <= mid(large)


def figures(value: object) -> Iterator[float]:
    if isinstance(value, dict):
        for each in value.values():
            yield from figures(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from figures(each)
    elif isinstance(value, float):
        yield value


ABSURD: list[dict[str, Any]] = [
    {"requests_per_second": 1e9},
    {"requests_per_second": 1e-6},
    {"requests_per_second": 1e-300},
    {"latency_budget_ms": 1e-3},
    {"latency_budget_ms": 1e-300},
    {"latency_budget_ms": 1e300},
    {"requests_per_second": 1e9, "latency_budget_ms": 1e300, "replica_cost_per_hour": 1e300},
    {"requests_per_second": 1e-300, "replica_cost_per_hour": 1e300},
    {"first_token_budget_ms": 1e-3},
    {"first_token_budget_ms": 1e-3, "latency_budget_ms": 1e-3},
    {"input_tokens": 1},
    {"input_tokens": 10_000_000},
    {"input_tokens": 1, "input_tokens_max": 10_000_000},
    {"latency_percentile": 50, "latency_budget_ms": None},
    {"replica_cost_per_hour": 0},
]


@pytest.mark.parametrize("changed", ABSURD)
@pytest.mark.parametrize("make", [tickets, chat, translation, search, answers])
def test_absurd_answers_give_a_finite_plan(make: Any, changed: dict[str, Any]) -> None:
    plan = make(**changed)
    assert plan.verdict in ("meets", "misses", "undecided")
    assert all(math.isfinite(each) for each in figures(plan.model_dump()))
    assert plan.first_thing_to_change
    Plan.model_validate_json(plan.model_dump_json())


@pytest.mark.parametrize("output_tokens", [1, 2, 10_000_000])
@pytest.mark.parametrize("make", [chat, translation, answers])
def test_absurd_answer_lengths_give_a_finite_plan(make: Any, output_tokens: int) -> None:
    plan = make(output_tokens=output_tokens)
    assert all(math.isfinite(each) for each in figures(plan.model_dump()))
    if output_tokens > 2:
        assert plan.verdict == ("misses" if make is translation else "undecided"), "only T5 has no last position"


def test_an_absurd_rate_needs_an_exact_absurd_number_of_replicas() -> None:
    plan = tickets(requests_per_second=1e9)
    assert plan.capacity_per_replica_rps is not None
    assert (mid(plan) - 1) * plan.capacity_per_replica_rps.mid < 1e9 <= mid(plan) * plan.capacity_per_replica_rps.mid

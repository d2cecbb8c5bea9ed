"""The first thing to change is always one concrete sentence."""

from __future__ import annotations

import pytest

from tests.core.sizing.known_model import ONE_ENCODER, TICKETS, chat, encoder, planned, search, tickets

pytestmark = pytest.mark.usefixtures("short_queues")


def test_a_plan_of_one_replica_says_that_nothing_has_to_change() -> None:
    plan = tickets(requests_per_second=1)
    assert plan.first_thing_to_change is not None
    assert plan.first_thing_to_change.startswith("Nothing has to change: 1 replica will do")


def test_the_change_that_saves_most_replicas_is_named_with_its_count() -> None:
    plan = tickets(requests_per_second=5000)
    shorter = tickets(requests_per_second=5000, input_tokens=64)
    assert plan.replicas is not None
    assert shorter.replicas is not None
    words = f"would need {shorter.replicas.mid} replicas instead of {plan.replicas.mid:,}."
    assert plan.first_thing_to_change == f"An input of 64 tokens {words}"


def test_shorter_answers_are_the_lever_of_a_decoder() -> None:
    plan = chat(requests_per_second=200)
    assert plan.first_thing_to_change is not None
    assert plan.first_thing_to_change.startswith("Answers of 32 tokens would need")


def test_where_no_easing_helps_a_smaller_model_is_named() -> None:
    answers = {**TICKETS, "latency_budget_ms": None, "input_tokens": 1}
    plan = planned(answers, ONE_ENCODER, {"model": lambda shape: 0.1 * shape.batch_size})
    assert plan.first_thing_to_change is not None
    assert plan.first_thing_to_change.startswith("A smaller or faster model")


def test_a_part_without_a_figure_is_named_with_what_the_others_leave_of_the_budget() -> None:
    plan = search()
    assert plan.first_thing_to_change is not None
    assert plan.judged_latency_ms is not None
    assert f"take {plan.judged_latency_ms:.3g} ms of the 80.0 ms at p95" in plan.first_thing_to_change


def test_an_undecided_measurement_asks_for_more_samples() -> None:
    plan = planned({**TICKETS, "latency_budget_ms": 14.2}, ONE_ENCODER, {"model": encoder}, width=0.1)
    assert plan.first_thing_to_change is not None
    assert plan.first_thing_to_change.startswith("Measure again")

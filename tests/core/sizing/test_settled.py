"""A pass so fast that the verdict is certain, against what queues of seeded arrivals do."""

from __future__ import annotations

import random

import pytest

from advisor.core.sizing.settled import MOST_UTILISATION, settled_below_s


def within(pass_s: float, rate: float, budget_s: float, *, seed: int = 3, requests: int = 40_000) -> float:
    """The share of requests that one server, one at a time, answers within the budget."""
    source, now, free, met = random.Random(seed), 0.0, 0.0, 0
    for _ in range(requests):
        now += source.expovariate(rate)
        free = max(free, now) + pass_s
        met += free - now <= budget_s
    return met / requests


@pytest.mark.parametrize("percentile", [50, 90, 95, 99])
@pytest.mark.parametrize(("rate", "budget_s"), [(1.0, 1.0), (0.1, 0.05), (20.0, 0.1), (5.0, 2.0)])
def test_below_it_one_request_at_a_time_meets_the_budget(rate: float, budget_s: float, percentile: int) -> None:
    settled = settled_below_s(rate, budget_s, percentile)
    assert 0 < settled < budget_s
    assert settled * rate <= MOST_UTILISATION
    assert within(settled, rate, budget_s) >= percentile / 100


def test_it_is_a_bound_and_not_far_off_where_queues_matter() -> None:
    settled = settled_below_s(20.0, 0.1, 99)
    assert within(settled * 1.5, 20.0, 0.1) < 0.99


def test_more_load_a_tighter_budget_or_a_higher_percentile_settle_less() -> None:
    settled = settled_below_s(5.0, 0.2, 95)
    assert settled_below_s(8.0, 0.2, 95) < settled
    assert settled_below_s(5.0, 0.1, 95) < settled
    assert settled_below_s(5.0, 0.2, 99) < settled


@pytest.mark.parametrize("rate", [1e-300, 1e-9, 1e9])
@pytest.mark.parametrize("budget_s", [5e-324, 1e-300, 1e-9, 1e9])
def test_answers_that_no_service_has_break_nothing(rate: float, budget_s: float) -> None:
    assert 0 <= settled_below_s(rate, budget_s, 99) <= budget_s

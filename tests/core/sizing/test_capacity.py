"""The search for the rate a replica carries: known answers, and what may never happen."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.core.sizing.capacity import (
    UTILISATION_LIMIT,
    Demand,
    alone,
    capacity,
    carries,
    drawn_times,
    percentile,
    replicas_for,
    simulate,
)
from advisor.core.sizing.serving import Batcher

KNOWN = Batcher(tuple(0.040 + 0.010 * batch for batch in range(1, 17)))
"""T(b) = 40 + 10 b ms, batch up to 16: 80 per second at most."""

service_times = st.lists(st.floats(1e-4, 0.2), min_size=1, max_size=12).map(
    lambda gaps: tuple(np.cumsum(gaps).tolist())
)
budgets = st.floats(1e-3, 5.0)
percentiles = st.sampled_from([50, 90, 95, 99])


def carried(service_s: tuple[float, ...], demand: Demand, seed: int = 0) -> float:
    return capacity([Batcher(service_s, requests=2000)], demand, seed=seed)[0]


@pytest.mark.parametrize(("budget_ms", "per_second"), [(100, 9), (150, 33), (200, 48), (300, 64), (500, 75)])
def test_a_batching_server_sustains_far_less_than_its_peak_within_a_budget(budget_ms: int, per_second: int) -> None:
    """Known figures for this server, themselves simulated and rounded: within 1 per second."""
    found, _ = capacity([KNOWN], Demand(95, budget_ms / 1000))
    assert found == pytest.approx(per_second, abs=1.0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_another_seed_changes_the_capacity_by_little(seed: int) -> None:
    first, _ = capacity([KNOWN], Demand(95, 0.2), seed=0)
    assert capacity([KNOWN], Demand(95, 0.2), seed=seed)[0] == pytest.approx(first, rel=0.03)


def test_the_rate_found_passes_and_a_little_more_does_not() -> None:
    demand = Demand(95, 0.2)
    found, _ = capacity([KNOWN], demand)
    assert carries(KNOWN, found, demand)
    assert not carries(KNOWN, found * 1.05, demand)


def test_without_a_budget_a_replica_is_planned_below_saturation() -> None:
    assert capacity([KNOWN], Demand(95))[0] == pytest.approx(UTILISATION_LIMIT * 80)


def test_however_loose_the_budget_no_replica_is_planned_at_its_saturation() -> None:
    found, _ = capacity([KNOWN], Demand(50, 1e6))
    assert 0.98 * 80 < found < 80


def test_a_budget_below_a_lone_pass_leaves_no_rate_at_all() -> None:
    assert capacity([KNOWN], Demand(50, 0.0499))[0] == 0.0


def test_a_lone_pass_just_in_budget_leaves_a_small_rate() -> None:
    assert 0 < capacity([KNOWN], Demand(95, 0.0501))[0] < 2


@settings(deadline=None, max_examples=60)
@given(times=service_times, tight=budgets, looser=st.floats(1.0, 3.0), per_cent=percentiles, seed=st.integers(0, 5))
def test_a_looser_budget_never_lowers_the_capacity(
    times: tuple[float, ...], tight: float, looser: float, per_cent: int, seed: int
) -> None:
    assert carried(times, Demand(per_cent, tight * looser), seed) >= carried(times, Demand(per_cent, tight), seed)


@settings(deadline=None, max_examples=60)
@given(times=service_times, budget=budgets, seed=st.integers(0, 5))
def test_judging_more_of_the_tail_never_raises_the_capacity(times: tuple[float, ...], budget: float, seed: int) -> None:
    rates = [carried(times, Demand(per_cent, budget), seed) for per_cent in (50, 90, 95, 99)]
    assert rates == sorted(rates, reverse=True)


@settings(deadline=None, max_examples=60)
@given(times=service_times, slower=st.lists(st.floats(1.01, 2.0), min_size=12, max_size=12), budget=budgets)
def test_a_model_slower_at_every_batch_never_carries_more(
    times: tuple[float, ...], slower: list[float], budget: float
) -> None:
    stretched = np.maximum.accumulate([seconds * factor for seconds, factor in zip(times, slower, strict=False)])
    assert carried(tuple(stretched.tolist()), Demand(95, budget)) <= carried(times, Demand(95, budget))


@settings(deadline=None, max_examples=40)
@given(times=service_times, other=service_times, budget=budgets)
def test_one_more_configuration_to_choose_from_never_lowers_the_capacity(
    times: tuple[float, ...], other: tuple[float, ...], budget: float
) -> None:
    one, two = Batcher(times, requests=2000), Batcher(other, requests=2000)
    both, winner = capacity([one, two], Demand(95, budget))
    each = [capacity([server], Demand(95, budget))[0] for server in (one, two)]
    assert both >= max(each)
    assert both == 0.0 or each[winner] > 0


@given(
    rate=st.floats(1e-6, 1e9),
    more=st.floats(1.0, 1e3),
    carries_rps=st.floats(1e-12, 1e9),
)
def test_more_load_never_needs_fewer_replicas_and_the_count_is_exact(
    rate: float, more: float, carries_rps: float
) -> None:
    count = replicas_for(rate, carries_rps)
    assert replicas_for(rate * more, carries_rps) >= count
    assert Fraction(rate) <= count * Fraction(carries_rps)
    assert count == 1 or Fraction(rate) > (count - 1) * Fraction(carries_rps)


def test_an_absurd_rate_needs_an_exact_number_of_replicas() -> None:
    assert replicas_for(1e9, 2.0**-40) == 10**9 * 2**40


@given(
    times=st.lists(st.floats(0, 1e6), min_size=1, max_size=200),
    per_cent=percentiles,
)
def test_a_percentile_is_the_least_time_that_enough_requests_stayed_within(times: list[float], per_cent: int) -> None:
    found = percentile(np.asarray(times), per_cent)
    within = sum(each <= found for each in times)
    below = sum(each < found for each in times)
    assert 100 * within >= per_cent * len(times) > 100 * below


def test_time_spent_in_an_earlier_part_counts_from_the_first_arrival() -> None:
    ahead = np.full(KNOWN.requests, 0.5)
    joint, single = simulate(KNOWN, 20.0, ahead_s=ahead), simulate(KNOWN, 20.0)
    assert percentile(joint.latency_s, 95) == pytest.approx(percentile(single.latency_s, 95) + 0.5)


def test_requests_that_change_places_on_the_way_are_judged_from_their_own_arrival() -> None:
    """A wait of a second for every other request: half cannot be fast, whoever reaches the next part first."""
    ahead = np.tile([0.0, 1.0], KNOWN.requests // 2)
    outcome = simulate(KNOWN, 20.0, ahead_s=ahead)
    assert float(np.mean(outcome.latency_s >= 1.05 - 1e-9)) == pytest.approx(0.5, abs=0.01)
    assert outcome.latency_s.min() >= 0.05 - 1e-9


def test_a_rate_at_which_requests_never_meet_is_served_as_if_alone() -> None:
    assert (simulate(KNOWN, 1e-6).latency_s == alone(KNOWN).latency_s).all()


def test_times_handed_to_the_next_part_are_drawn_from_those_of_the_first() -> None:
    outcome = simulate(KNOWN, 30.0)
    drawn = drawn_times(outcome, 5000)
    assert set(drawn.tolist()) <= set(outcome.latency_s.tolist())
    assert np.mean(drawn) == pytest.approx(np.mean(outcome.latency_s), rel=0.03)

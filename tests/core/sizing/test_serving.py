"""The greedy batcher against textbook queues, and the draws that make two runs comparable."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.core.sizing.arrivals import taking_turns
from advisor.core.sizing.capacity import simulate
from advisor.core.sizing.serving import Batcher, Passes, resampled, unit_arrivals


def mean_wait_s(server: Batcher, rate: float, seed: int) -> float:
    outcome = simulate(server, rate, seed=seed)
    return float(np.mean(outcome.latency_s)) - server.service_s[0]


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_one_request_at_a_time_waits_as_long_as_in_the_textbook_queue_with_constant_service(load: float) -> None:
    """M/D/1: mean wait = load · T / (2 · (1 - load))."""
    service_s = 0.05
    server = Batcher((service_s,), requests=100_000)
    waits = [mean_wait_s(server, load / service_s, seed) for seed in range(3)]
    assert np.mean(waits) == pytest.approx(load * service_s / (2 * (1 - load)), rel=0.06)


@pytest.mark.parametrize("load", [0.3, 0.6])
def test_exponential_noise_waits_as_long_as_in_the_textbook_queue_with_exponential_service(load: float) -> None:
    """M/M/1: mean wait = load · T / (1 - load); resampled residuals carry the whole spread of service."""
    residuals = tuple(-math.log(1 - (index + 0.5) / 4000) for index in range(4000))
    server = Batcher((0.05,), residuals, requests=100_000)
    waits = [mean_wait_s(server, load / 0.05, seed) for seed in range(3)]
    assert np.mean(waits) == pytest.approx(load * 0.05 / (1 - load), rel=0.08)


@pytest.mark.parametrize(("replicas", "load"), [(2, 0.6), (4, 0.8), (8, 0.7)])
def test_replicas_of_one_queue_wait_as_long_as_the_textbook_says(replicas: int, load: float) -> None:
    """M/M/c: mean wait = C(c, a) · T / (c - a), where Erlang's C is the probability of waiting at all."""
    offered, service_s = replicas * load, 0.05
    residuals = tuple(-math.log(1 - (index + 0.5) / 4000) for index in range(4000))
    server = Batcher((service_s,), residuals)
    everybody_busy = offered**replicas / math.factorial(replicas) / (1 - load)
    idle_states = sum(offered**busy / math.factorial(busy) for busy in range(replicas))
    wait_s = everybody_busy / (idle_states + everybody_busy) * service_s / (replicas - offered)
    waits = [
        float(np.mean(simulate(server, offered / service_s, seed=seed, replicas=replicas, requests=100_000).latency_s))
        - service_s
        for seed in range(3)
    ]
    assert np.mean(waits) == pytest.approx(wait_s, rel=0.05)


@pytest.mark.parametrize("replicas", [2, 8])
def test_taking_turns_waits_less_than_a_split_at_random_and_more_than_one_queue(replicas: int) -> None:
    server, rate = Batcher((0.05,), requests=50_000), 0.7 / 0.05
    random, turns = simulate(server, rate), simulate(server, rate, traffic=taking_turns(replicas))
    shared = simulate(server, rate * replicas, replicas=replicas)
    means = [float(np.mean(outcome.latency_s)) for outcome in (shared, turns, random)]
    assert means == sorted(means)


def test_texts_of_several_lengths_take_a_pass_of_the_longest() -> None:
    passes = Passes(((1.0, 1.5), (2.0, 3.0), (4.0, 6.0)), (0.5, 0.3, 0.2))
    seconds = passes.seconds([0, 0, 1, 2, 0, 1])
    assert [seconds(0, 1), seconds(0, 2), seconds(1, 3), seconds(2, 4), seconds(4, 6)] == [1.0, 1.5, 3.0, 6.0, 3.0]
    assert passes.mean_alone_s == pytest.approx(0.5 + 0.6 + 0.8)
    both_short, none_long = 0.5**2, 0.8**2
    assert passes.mean_full_s == pytest.approx(
        1.5 * both_short + 3.0 * (none_long - both_short) + 6.0 * (1 - none_long), rel=0.03
    )


def test_longer_texts_among_the_typical_ones_lower_what_a_replica_can_do() -> None:
    typical = Batcher((1.0, 1.5))
    spread = replace(typical, passes=Passes(((1.0, 1.5), (4.0, 6.0)), (0.9, 0.1)))
    assert spread.saturation_rps < typical.saturation_rps
    lone = spread.alone(2000, seed=0).done_s
    assert set(lone.tolist()) == {1.0, 4.0}
    assert np.mean(lone == 4.0) == pytest.approx(0.1, abs=0.03)


def test_a_batch_takes_all_that_waits_and_no_more_than_it_may() -> None:
    server = Batcher((1.0, 1.5, 1.75))
    served = server.serve(np.asarray([0.0, 0.1, 0.2, 0.3, 0.4, 9.0]), seed=0)
    assert served.done_s.tolist() == [1.0, 2.75, 2.75, 2.75, 3.75, 10.0]


def test_a_request_that_arrives_while_a_pass_runs_waits_for_the_next_one() -> None:
    served = Batcher((1.0, 1.0)).serve(np.asarray([0.0, 0.999, 1.0]), seed=0)
    assert served.done_s.tolist() == [1.0, 2.0, 2.0]


def test_saturation_counts_passes_at_the_largest_batch_with_their_noise() -> None:
    assert Batcher((0.1, 0.15), (1.0, 1.5)).saturation_rps == pytest.approx(2 / (0.15 * 1.25))


GAPS = st.lists(st.floats(0, 0.3), min_size=1, max_size=30)
TIMES = st.lists(st.floats(0.01, 0.2), min_size=1, max_size=4)


@given(gaps=GAPS, times=TIMES, replicas=st.integers(1, 3), seed=st.integers(0, 5))
def test_an_idle_replica_that_is_no_slower_changes_no_bit(
    gaps: list[float], times: list[float], replicas: int, seed: int
) -> None:
    server, arrivals = Batcher(tuple(times), (0.9, 1.0, 1.2)), np.cumsum(gaps)
    same = replace(server, after_pause=1.0)
    assert (same.serve(arrivals, seed, replicas).done_s == server.serve(arrivals, seed, replicas).done_s).all()
    assert (same.alone(100, seed).done_s == server.alone(100, seed).done_s).all()
    assert same.lone_s == server.lone_s == times[0]


@pytest.mark.parametrize("passes", [None, Passes(((0.05, 0.08), (0.1, 0.16)), (0.7, 0.3))])
@pytest.mark.parametrize("replicas", [1, 3])
def test_requests_that_never_meet_all_find_the_replica_idle(passes: Passes | None, replicas: int) -> None:
    server = Batcher((0.05, 0.08), (0.9, 1.0, 1.2), passes=passes)
    slower, arrivals = replace(server, after_pause=1.1), np.arange(50.0)
    before = server.serve(arrivals, 3, replicas).done_s - arrivals
    assert slower.serve(arrivals, 3, replicas).done_s - arrivals == pytest.approx(1.1 * before)
    assert slower.alone(50, 3).done_s == pytest.approx(1.1 * server.alone(50, 3).done_s)
    assert slower.lone_s == pytest.approx(1.1 * 0.05)


def test_at_saturation_only_the_first_pass_finds_the_replica_idle() -> None:
    server = Batcher((1.0, 1.5))
    slower = replace(server, after_pause=1.2)
    assert slower.saturation_rps == server.saturation_rps
    after = slower.serve(np.zeros(9), 0).done_s - server.serve(np.zeros(9), 0).done_s
    assert after == pytest.approx([0.2 * 1.5] * 9)


def test_who_comes_while_a_pass_runs_or_as_it_ends_does_not_find_the_replica_idle() -> None:
    served = Batcher((1.0,), after_pause=1.5).serve(np.asarray([0.0, 0.5, 2.5, 9.0]), seed=0)
    assert served.done_s.tolist() == [1.5, 2.5, 3.5, 10.5]


@given(
    gaps=GAPS,
    run_s=st.floats(0.01, 0.2),
    slower=st.floats(1.0, 2.0),
    replicas=st.integers(1, 3),
    seed=st.integers(0, 5),
)
def test_one_at_a_time_nobody_is_answered_sooner_by_a_replica_that_is_slower_when_idle(
    gaps: list[float], run_s: float, slower: float, replicas: int, seed: int
) -> None:
    """A batch may be: the pass that took longer lets more requests into the next one."""
    server, arrivals = Batcher((run_s,), (0.9, 1.0, 1.2)), np.cumsum(gaps)
    after = replace(server, after_pause=slower).serve(arrivals, seed, replicas).done_s
    assert (after >= server.serve(arrivals, seed, replicas).done_s).all()


@given(slower=st.floats(1.0, 2.0), more=st.floats(1.0, 1.5), times=TIMES)
def test_the_slower_an_idle_replica_the_longer_a_lone_request_takes(
    slower: float, more: float, times: list[float]
) -> None:
    one, other = (Batcher(tuple(times), (0.9, 1.0, 1.2), after_pause=ratio) for ratio in (slower, slower * more))
    assert (other.alone(100, 0).done_s >= one.alone(100, 0).done_s).all()
    assert other.lone_s >= one.lone_s


@given(rate=st.floats(1e-6, 1e9), seed=st.integers(0, 50))
def test_arrivals_of_two_rates_are_the_same_draws_on_another_scale(rate: float, seed: int) -> None:
    assert np.allclose(unit_arrivals(100, seed) / rate * rate, unit_arrivals(100, seed))
    assert (np.diff(unit_arrivals(100, seed)) >= 0).all()


@given(
    residuals=st.lists(st.floats(0.5, 3.0), min_size=1, max_size=20),
    draws=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=20),
    slower=st.floats(1.0, 2.0),
)
def test_noise_comes_from_what_was_measured_and_slower_runs_draw_slower_noise(
    residuals: list[float], draws: list[float], slower: float
) -> None:
    picked = resampled(residuals, np.asarray(draws))
    assert set(picked.tolist()) <= set(residuals)
    assert (resampled([each * slower for each in residuals], np.asarray(draws)) >= picked).all()


def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    server = Batcher((0.05, 0.08), (0.9, 1.0, 1.2))
    once, again, other = (simulate(server, 15.0, seed=seed).latency_s for seed in (7, 7, 8))
    assert (once == again).all()
    assert not (once == other).all()

"""The greedy batcher against textbook queues, and the draws that make two runs comparable."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.core.sizing.capacity import simulate
from advisor.core.sizing.serving import Batcher, resampled, unit_arrivals


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


def test_a_batch_takes_all_that_waits_and_no_more_than_it_may() -> None:
    server = Batcher((1.0, 1.5, 1.75))
    served = server.serve(np.asarray([0.0, 0.1, 0.2, 0.3, 0.4, 9.0]), seed=0)
    assert served.done_s.tolist() == [1.0, 2.75, 2.75, 2.75, 3.75, 10.0]


def test_a_request_that_arrives_while_a_pass_runs_waits_for_the_next_one() -> None:
    served = Batcher((1.0, 1.0)).serve(np.asarray([0.0, 0.999, 1.0]), seed=0)
    assert served.done_s.tolist() == [1.0, 2.0, 2.0]


def test_saturation_counts_passes_at_the_largest_batch_with_their_noise() -> None:
    assert Batcher((0.1, 0.15), (1.0, 1.5)).saturation_rps == pytest.approx(2 / (0.15 * 1.25))


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

"""Traffic at random, in bursts and in turns: the same mean rate, told apart by what it should differ in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.core.sizing.arrivals import AT_RANDOM, IN_BURSTS, Traffic, taking_turns


def gaps_vary(traffic: Traffic) -> float:
    gaps = np.diff(traffic.arrivals_s(50_000, 10.0, 0))
    return float(np.var(gaps) / np.mean(gaps) ** 2)


@pytest.mark.parametrize("traffic", [AT_RANDOM, IN_BURSTS, taking_turns(5)])
@given(rate=st.floats(1e-3, 1e6), seed=st.integers(0, 9))
def test_every_traffic_keeps_its_mean_rate_and_its_order(traffic: Traffic, rate: float, seed: int) -> None:
    arrivals = traffic.arrivals_s(5000, rate, seed)
    assert (np.diff(arrivals) >= 0).all()
    assert 5000 / arrivals[-1] == pytest.approx(rate, rel=0.1)


def test_gaps_vary_as_the_traffic_says() -> None:
    assert gaps_vary(AT_RANDOM) == pytest.approx(1.0, rel=0.05)
    assert gaps_vary(taking_turns(4)) == pytest.approx(0.25, rel=0.05)


def test_a_burst_has_twice_the_rate_for_ten_seconds_of_every_hundred() -> None:
    moments = IN_BURSTS.arrivals_s(60_000, 10.0, 0) % 100
    in_burst = float(np.mean(moments >= 90))
    assert in_burst == pytest.approx(0.2, abs=0.01)
    assert float(np.mean(moments < 10)) == pytest.approx(0.8 / 9, abs=0.01)


def test_a_short_simulation_sees_shorter_bursts_and_not_fewer() -> None:
    arrivals = IN_BURSTS.arrivals_s(20_000, 1000.0, 0)
    period_s = 20.0 / 20
    assert float(np.mean(arrivals % period_s >= 0.9 * period_s)) == pytest.approx(0.2, abs=0.02)


def test_the_same_seed_gives_the_same_traffic_and_another_seed_another() -> None:
    once, again, other = (IN_BURSTS.arrivals_s(100, 5.0, seed) for seed in (3, 3, 4))
    assert (once == again).all()
    assert not (once == other).any()

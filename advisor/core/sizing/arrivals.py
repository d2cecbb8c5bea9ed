"""When requests come: at random, in bursts, or more evenly because replicas take turns.

A plan assumes `AT_RANDOM`; the others answer what-if questions beside it. The one idea: every kind of traffic is the
same unit draws on another clock, so two runs differ by the traffic alone. Bursts are of the whole service: a replica
that gets its share at random sees them as high and as long as everybody does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from advisor.core.sizing.serving import POISSON, FloatArray, unit_arrivals

_PERIODS = 20
"""A simulation sees at least so many bursts; where it is too short for that, they are as much shorter."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """How requests reach one replica.

    `variation` is that of the gaps (1: at random, less: more even). The rate is `burst_factor` times its mean for
    `burst_s` of every `period_s`, and as much lower in between that the mean stays.
    """

    variation: float = POISSON
    burst_factor: float = 1.0
    burst_s: float = 10.0
    period_s: float = 100.0

    def arrivals_s(self, requests: int, rate: float, seed: int) -> FloatArray:
        """Sorted arrival times of so many requests at this mean rate."""
        unit = unit_arrivals(requests, seed, self.variation)
        if self.burst_factor == 1.0:
            return unit / rate
        shrunk = min(1.0, requests / rate / (_PERIODS * self.period_s))
        return self._in_bursts(unit, rate, self.burst_s * shrunk, self.period_s * shrunk)

    def _in_bursts(self, unit: FloatArray, rate: float, burst_s: float, period_s: float) -> FloatArray:
        """Each expected request takes as long as it does at the rate of its moment; a period ends with its burst."""
        calm_s = period_s - burst_s
        calm_rate = rate * (period_s - self.burst_factor * burst_s) / calm_s
        periods, rest = np.divmod(unit, rate * period_s)
        calm = calm_rate * calm_s
        within = np.where(rest <= calm, rest / calm_rate, calm_s + (rest - calm) / (self.burst_factor * rate))
        arrivals: FloatArray = periods * period_s + within
        return arrivals


AT_RANDOM = Traffic()
IN_BURSTS = Traffic(burst_factor=2.0)
"""Twice the rate for ten seconds of every hundred (ours)."""


def taking_turns(replicas: int) -> Traffic:
    """What one of so many replicas gets where each takes every nth request."""
    return Traffic(variation=POISSON / replicas)

"""The rate one replica can carry: a simulation, bisected.

Dividing the rate by the throughput plans a replica that is never idle, and a replica that is never idle has no
bounded wait. So the answer comes from running the queue. The search looks at rates of one fixed grid in one fixed
order, whatever the budget and the model: of two runs where everything that passes in the one passes in the other, the
second never ends at a lower rate, so a looser budget or a faster model cannot need more replicas by an accident of
the draws.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np

from advisor.core.sizing.arrivals import AT_RANDOM, Traffic
from advisor.core.sizing.serving import FloatArray, Server, uniform_draws

UTILISATION_LIMIT = 0.8
"""Share of its saturation at which a replica is planned where no budget limits it, and above which a plan warns
(ours).
"""

_STEPS_PER_DOUBLING = 128
_LOWEST, _HIGHEST = -40 * _STEPS_PER_DOUBLING, 40 * _STEPS_PER_DOUBLING
_IDLE = 1e-3
"""Rate times service time below which requests no longer meet each other: one in a thousand would."""
_WARM_UP = 20
"""One request in this many, from the first on, is left out of the percentiles: the queue starts empty."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What must hold: `percentile` per cent of the requests within each budget that is given."""

    percentile: int
    latency_budget_s: float | None = None
    first_token_budget_s: float | None = None

    @property
    def has_budget(self) -> bool:
        return self.latency_budget_s is not None or self.first_token_budget_s is not None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What requests got, in seconds from their scheduled arrival; the first token where there is one.

    `output_steps` counts the tokens after the first one, averaged over the answers.
    """

    latency_s: FloatArray
    first_token_s: FloatArray | None
    output_steps: float

    def per_output_token_s(self) -> float | None:
        """Mean seconds between tokens after the first; None where there is at most one."""
        if self.first_token_s is None or self.output_steps == 0:
            return None
        return float(np.mean(self.latency_s - self.first_token_s)) / self.output_steps

    def meets(self, demand: Demand) -> bool:
        budgets = ((demand.latency_budget_s, self.latency_s), (demand.first_token_budget_s, self.first_token_s))
        return all(
            budget is None or times is None or percentile(times, demand.percentile) <= budget
            for budget, times in budgets
        )


def percentile(times: FloatArray, per_cent: int) -> float:
    """The smallest time within which at least `per_cent` per cent of the requests were served."""
    rank = max(1, -(-len(times) * per_cent // 100))
    return float(np.partition(times, rank - 1)[rank - 1])


def simulate(
    server: Server,
    rate: float,
    *,
    seed: int = 0,
    ahead_s: FloatArray | None = None,
    traffic: Traffic = AT_RANDOM,
    replicas: int = 1,
    requests: int | None = None,
) -> Outcome:
    """What requests get at `rate` per second, of one replica or of several that take from one queue.

    `ahead_s` are the times an earlier part took, one per request: they reach this server late and out of order, and
    latency still counts from the first arrival. Below a rate at which requests no longer meet each is served alone.
    """
    count = requests or server.requests
    if rate * server.lone_s < _IDLE * replicas:
        return alone(server, seed=seed, ahead_s=ahead_s)
    scheduled = traffic.arrivals_s(count, rate, seed)
    late = np.zeros(count) if ahead_s is None else ahead_s
    reached = scheduled + late
    order = np.argsort(reached, kind="stable")
    served = server.serve(reached[order], seed, replicas)
    kept = slice(count // _WARM_UP, None)
    back = scheduled[order]
    first = None if served.first_token_s is None else (served.first_token_s - back)[kept]
    return Outcome((served.done_s - back)[kept], first, server.mean_output_steps)


def alone(server: Server, *, seed: int = 0, ahead_s: FloatArray | None = None) -> Outcome:
    """What requests get that never meet another one."""
    served = server.alone(server.requests, seed)
    late = 0.0 if ahead_s is None else ahead_s
    first = None if served.first_token_s is None else served.first_token_s + late
    return Outcome(served.done_s + late, first, server.mean_output_steps)


def drawn_times(outcome: Outcome, requests: int, *, seed: int = 0) -> FloatArray:
    """Latencies of a part, one per request of the part behind it.

    Drawn at random, because requests that meet at one replica of the second part come from any replica of the first.
    """
    picks = (uniform_draws(requests, seed, 5) * len(outcome.latency_s)).astype(np.int64)
    times: FloatArray = outcome.latency_s[picks]
    return times


def carries(
    server: Server,
    rate: float,
    demand: Demand,
    *,
    seed: int = 0,
    ahead_s: FloatArray | None = None,
    traffic: Traffic = AT_RANDOM,
) -> bool:
    """Whether a replica stays below saturation and within the budgets at this rate."""
    if rate >= server.saturation_rps:
        return False
    return simulate(server, rate, seed=seed, ahead_s=ahead_s, traffic=traffic).meets(demand)


def capacity(
    servers: Sequence[Server],
    demand: Demand,
    *,
    seed: int = 0,
    ahead_s: FloatArray | None = None,
    traffic: Traffic = AT_RANDOM,
) -> tuple[float, int]:
    """The largest rate that one of these servers carries, and which of them; (0.0, index of the first) if none does
    any.

    Without a budget it is `UTILISATION_LIMIT` of the largest saturation: the queue is then stable, and that is all that
    was asked.
    """
    if not demand.has_budget:
        best = max(range(len(servers)), key=lambda index: servers[index].saturation_rps)
        return UTILISATION_LIMIT * servers[best].saturation_rps, best
    order = sorted(range(len(servers)), key=lambda index: -servers[index].saturation_rps)

    def first_that_carries(rate: float) -> int | None:
        for index in tuple(order):
            if carries(servers[index], rate, demand, seed=seed, ahead_s=ahead_s, traffic=traffic):
                order.remove(index)
                order.insert(0, index)  # the one that passed is the likeliest to pass again
                return index
        return None

    return _largest_rate(first_that_carries)


def _largest_rate(first_that_carries: Callable[[float], int | None]) -> tuple[float, int]:
    """Bisects the fixed grid of rates, always from the same two ends."""
    low, high = _LOWEST - 1, _HIGHEST
    rate, winner = 0.0, 0
    while high - low > 1:
        middle = (low + high) // 2
        found = first_that_carries(2.0 ** (middle / _STEPS_PER_DOUBLING))
        if found is None:
            high = middle
        else:
            low, winner = middle, found
            rate = 2.0 ** (middle / _STEPS_PER_DOUBLING)
    return rate, winner


def replicas_for(rate: float, capacity_rps: float) -> int:
    """Replicas that share the rate so that none gets more than its capacity.

    Requests are split at random, which leaves each replica a Poisson stream of rate / n; taking turns makes the streams
    more even and is only better. Exact for any size, because a count of machines has no rounding.
    """
    return max(1, ceil(Fraction(rate) / Fraction(capacity_rps)))

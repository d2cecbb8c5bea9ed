"""What the same service would need if requests came or were shared differently than the plan assumes.

A plan assumes arrivals at random that are split at random among replicas, which is what a plain balancer does. Here
stand the others, each as replicas and as latencies with the planned number of them. The one idea: nothing is taken for
granted. One queue serves single requests better than a split at random does, and batches sometimes worse: the replica
that is free first takes all that waits, its big batch takes long, and the others go on with small ones.
"""

from __future__ import annotations

from collections.abc import Callable
from math import floor

from advisor.core.sizing.arrivals import IN_BURSTS, taking_turns
from advisor.core.sizing.capacity import Demand, Outcome, capacity, percentile, replicas_for, simulate
from advisor.core.sizing.plan import Percentiles, WhatIf
from advisor.core.sizing.serving import Server

_MOST_OF_ONE_QUEUE = 64
"""Replicas beyond which one queue is not simulated."""
_QUEUE_REQUESTS = 60_000
"""Requests of such a simulation at most; each replica should see a few hundred of them."""
_MOST_TRIED = 2
"""Times the planned replicas within which a number is looked for."""

Try = Callable[[int], Outcome]
"""What requests get from so many replicas."""


def what_if(server: Server, demand: Demand, rate: float, planned: int, seed: int) -> tuple[WhatIf, ...]:
    """Bursts, turns and one queue for a service of one part, planned with so many replicas of `server`."""

    def in_bursts(count: int) -> Outcome:
        return simulate(server, rate / count, seed=seed, traffic=IN_BURSTS)

    def in_turns(count: int) -> Outcome:
        return simulate(server, rate / count, seed=seed, traffic=taking_turns(count))

    def from_one_queue(count: int) -> Outcome:
        requests = max(server.requests, min(_QUEUE_REQUESTS, server.requests * count // 8))
        return simulate(server, rate, seed=seed, replicas=count, requests=requests)

    found = [
        WhatIf(
            name="BURSTS",
            says="requests come at twice the rate for ten seconds of every hundred",
            replicas=_for_bursts(server, demand, rate, planned, seed),
            latency_ms=_percentiles(in_bursts(planned)),
        )
    ]
    if planned > 1:
        says = "replicas take turns in place of a split at random"
        found.append(_shared("TAKING_TURNS", says, in_turns, server, demand, rate, planned))
    if 1 < planned <= _MOST_OF_ONE_QUEUE:
        says = "replicas take from one queue in place of a split at random"
        found.append(_shared("ONE_QUEUE", says, from_one_queue, server, demand, rate, planned))
    return tuple(found)


def _for_bursts(server: Server, demand: Demand, rate: float, planned: int, seed: int) -> int | None:
    """Replicas that meet the budgets in bursts too, never fewer than planned; None where no number does."""
    if not demand.has_budget:
        return max(planned, replicas_for(rate * IN_BURSTS.burst_factor, server.saturation_rps))
    carried, _ = capacity([server], demand, seed=seed, traffic=IN_BURSTS)
    return max(planned, replicas_for(rate, carried)) if carried > 0 else None


def _shared(name: str, says: str, attempt: Try, server: Server, demand: Demand, rate: float, planned: int) -> WhatIf:
    return WhatIf(
        name=name,
        says=says,
        replicas=_least(attempt, server, demand, rate, planned),
        latency_ms=_percentiles(attempt(planned)),
    )


def _least(attempt: Try, server: Server, demand: Demand, rate: float, planned: int) -> int | None:
    """The fewest replicas below saturation that meet the budgets, of at most twice the planned; None where none do."""
    if not demand.has_budget:
        return planned
    low, high = min(planned, floor(rate / server.saturation_rps) + 1) - 1, _MOST_TRIED * planned + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if attempt(middle).meets(demand) else (middle, high)
    return high if high <= _MOST_TRIED * planned else None


def _percentiles(outcome: Outcome) -> Percentiles:
    p50, p95, p99 = (percentile(outcome.latency_s, per_cent) * 1000 for per_cent in (50, 95, 99))
    return Percentiles(p50=p50, p95=p95, p99=p99)

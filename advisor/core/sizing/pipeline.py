"""How many replicas of each part a rate needs, and what requests get from them.

One part is the plain case. Where several parts work in turn their queues are simulated together: a request's time in
the first part delays its arrival at the second, and percentiles are taken of whole requests, never added. Parts have
replicas of their own. The one idea: each bound of the measurement is sized with the configuration that serves best at
that bound, among those that can meet the budget even at the slow one, so nothing that makes every configuration
better (a looser budget, a shorter text, a lighter load) ever costs a replica.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from advisor.core.sizing.candidates import Candidate, Part
from advisor.core.sizing.capacity import (
    UTILISATION_LIMIT,
    Demand,
    Outcome,
    alone,
    capacity,
    drawn_times,
    percentile,
    replicas_for,
    simulate,
)
from advisor.core.sizing.latency import BOUNDS, Bound
from advisor.core.sizing.serving import FloatArray

FRONT_LOADS = (0.5, 0.1)
"""Shares of its saturation that a part may carry while another one waits for it (ours); the cheaper total is taken.

Replicas in front are bought to keep waiting short there, which is worth it as long as they are few beside the last
part's.
"""

SHOWN_PERCENTILES = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class SizedPart:
    """A part with the configuration to serve it in, its capacity per replica and its replicas at each bound.

    `outcome` is what requests get from this part alone at the planned rate. Capacity 0.0 and replicas None: none will
    do.
    """

    part: Part
    candidate: Candidate
    capacity_rps: Mapping[Bound, float]
    replicas: Mapping[Bound, int | None]
    outcome: Outcome
    utilisation: float | None


@dataclass(frozen=True, slots=True)
class Sizing:
    """The measured parts at one rate. `outcome` is of whole requests, at the planned rate if there is one, else alone.

    `times_s` and `first_token_s` are its percentiles by per cent, never worse than at the highest rate that passed:
    fewer requests cannot wait longer, so where draws say so the smaller figure stands.
    """

    parts: tuple[SizedPart, ...]
    passes: Mapping[Bound, bool]
    fits_memory: bool
    times_s: Mapping[int, float]
    first_token_s: Mapping[int, float] | None
    per_output_token_s: float | None

    @property
    def replicas(self) -> dict[Bound, int] | None:
        """Replicas of all parts together, or None where some bound has no number of them."""
        counts = {bound: [sized.replicas[bound] for sized in self.parts] for bound in BOUNDS}
        if not self.fits_memory or any(count is None for row in counts.values() for count in row):
            return None
        totals = sorted(sum(count or 0 for count in row) for row in counts.values())
        return dict(zip(BOUNDS, totals, strict=True))


@dataclass(frozen=True, slots=True)
class _Option:
    """One load of the parts in front at one bound: who serves, at what rate each, and what the last part can carry."""

    fronts: tuple[tuple[Candidate, float], ...]
    ahead_s: FloatArray | None
    last: Candidate
    last_rps: float

    def replicas(self, rate: float) -> list[int]:
        return [replicas_for(rate, carried) for carried in self.rates]

    @property
    def rates(self) -> list[float]:
        return [*(carried for _, carried in self.fronts), self.last_rps]


def size(parts: Sequence[Part], demand: Demand, rate: float, memory_limit_bytes: int, seed: int) -> Sizing:
    """Sizes measured parts (each has a candidate), in the order in which a request passes them."""
    pools, fronts = _pools(parts, memory_limit_bytes)
    robust = [one for one in pools[-1] if _feasible(fronts, one, demand, "high", seed)] or list(pools[-1])
    best = {bound: _best(fronts, robust, demand, rate, bound, seed) for bound in BOUNDS}
    chosen = best["mid"] or _alone_option(fronts, robust, demand, seed)
    passes = {bound: best[bound] is not None for bound in BOUNDS}
    fits = all(_fits(candidate, memory_limit_bytes) for candidate in [*fronts, chosen.last])
    counts = {bound: option.replicas(rate) if option else None for bound, option in best.items()}
    planned = fits and all(passes.values())
    at_rates = [rate / count for count in counts["mid"] or ()] if planned else None
    sized = tuple(_sized_part(part, index, chosen, best, counts, at_rates, seed) for index, part in enumerate(parts))
    outcomes = _whole_requests(chosen, at_rates, seed)
    first = [outcome.first_token_s for outcome in outcomes if outcome.first_token_s is not None]
    shown = {*SHOWN_PERCENTILES, demand.percentile}
    per_token = [outcome.per_output_token_s() for outcome in outcomes]
    return Sizing(
        parts=sized,
        passes=passes,
        fits_memory=fits,
        times_s={per_cent: _least([one.latency_s for one in outcomes], per_cent) for per_cent in shown},
        first_token_s={per_cent: _least(first, per_cent) for per_cent in shown} if first else None,
        per_output_token_s=min((each for each in per_token if each is not None), default=None),
    )


def feasible(parts: Sequence[Part], demand: Demand, memory_limit_bytes: int, bound: Bound, seed: int) -> bool:
    """Whether some number of replicas meets the budgets: a request that meets no other one does, in memory that there
    is.
    """
    pools, fronts = _pools(parts, memory_limit_bytes)
    if not all(_fits(pool[0], memory_limit_bytes) for pool in pools):
        return False
    return any(_feasible(fronts, candidate, demand, bound, seed) for candidate in pools[-1])


def replicas_at_median(
    parts: Sequence[Part], demand: Demand, rate: float, memory_limit_bytes: int, seed: int
) -> int | None:
    """Replicas of all parts together at the median alone: what `size` says, without its interval."""
    pools, fronts = _pools(parts, memory_limit_bytes)
    option = _best(fronts, pools[-1], demand, rate, "mid", seed)
    return sum(option.replicas(rate)) if option else None


def lone_times(
    parts: Sequence[Part], demand: Demand, memory_limit_bytes: int, seed: int, bound: Bound = "high"
) -> list[tuple[float, float | None]]:
    """For each way to serve, seconds within which `demand.percentile` per cent of lone requests are answered, and get
    their first token. At the slow bound of the measurement no budget below it can be met with certainty in that way.
    """
    pools, fronts = _pools(parts, memory_limit_bytes)
    whole = [_lone_outcome(fronts, candidate, bound, seed) for candidate in pools[-1]]

    def at(times: FloatArray | None) -> float | None:
        return None if times is None else percentile(times, demand.percentile)

    return [(percentile(one.latency_s, demand.percentile), at(one.first_token_s)) for one in whole]


def quickest(parts: Sequence[Part], demand: Demand, memory_limit_bytes: int, seed: int, bound: Bound = "high") -> float:
    """Seconds within which `demand.percentile` per cent of lone requests are answered in the quickest way to serve."""
    return min(latency_s for latency_s, _ in lone_times(parts, demand, memory_limit_bytes, seed, bound))


def _fits(candidate: Candidate, memory_limit_bytes: int) -> bool:
    return candidate.peak_memory_bytes is None or candidate.peak_memory_bytes <= memory_limit_bytes


def _pool(part: Part, memory_limit_bytes: int) -> list[Candidate]:
    """The candidates that fit into memory, or the smallest where none does."""
    fitting = [candidate for candidate in part.candidates if _fits(candidate, memory_limit_bytes)]
    return fitting or [min(part.candidates, key=lambda candidate: candidate.peak_memory_bytes or 0)]


def _pools(parts: Sequence[Part], memory_limit_bytes: int) -> tuple[list[list[Candidate]], list[Candidate]]:
    """The candidates of each part, and of the parts in front the one with the most throughput, which is what they are
    for.
    """
    pools = [_pool(part, memory_limit_bytes) for part in parts]
    return pools, [max(pool, key=lambda candidate: candidate.servers["mid"].saturation_rps) for pool in pools[:-1]]


def _ahead(
    fronts: Sequence[Candidate], load: float, bound: Bound, requests: int, seed: int
) -> tuple[tuple[tuple[Candidate, float], ...], FloatArray | None]:
    """The parts in front at a share of their saturation: what each replica carries, and the time requests spend
    there.
    """
    if not fronts:
        return (), None
    loaded = tuple((front, load * front.servers[bound].saturation_rps) for front in fronts)
    times: list[FloatArray] = []
    for index, (front, carried) in enumerate(loaded):
        outcome = simulate(front.servers[bound], carried, seed=seed)
        times.append(drawn_times(outcome, requests, seed=seed + index))
    total: FloatArray = np.sum(times, axis=0)
    return loaded, total


def _feasible(fronts: Sequence[Candidate], last: Candidate, demand: Demand, bound: Bound, seed: int) -> bool:
    return not demand.has_budget or _lone_outcome(fronts, last, bound, seed).meets(demand)


def _lone_outcome(fronts: Sequence[Candidate], last: Candidate, bound: Bound, seed: int) -> Outcome:
    server = last.servers[bound]
    _, ahead_s = _ahead(fronts, min(FRONT_LOADS), bound, server.requests, seed)
    return alone(server, seed=seed, ahead_s=ahead_s)


def _best(
    fronts: Sequence[Candidate], lasts: Sequence[Candidate], demand: Demand, rate: float, bound: Bound, seed: int
) -> _Option | None:
    """The option that needs the fewest replicas of all parts together, or None where none meets the budgets."""
    servers = [candidate.servers[bound] for candidate in lasts]
    loads = FRONT_LOADS if fronts and demand.has_budget else (UTILISATION_LIMIT,)
    options: list[_Option] = []
    for load in loads:
        loaded, ahead_s = _ahead(fronts, load, bound, servers[0].requests, seed)
        carried, winner = capacity(servers, demand, seed=seed, ahead_s=ahead_s)
        if carried > 0:
            options.append(_Option(loaded, ahead_s, lasts[winner], carried))
    return min(options, key=lambda option: sum(option.replicas(rate)), default=None)


def _alone_option(fronts: Sequence[Candidate], lasts: Sequence[Candidate], demand: Demand, seed: int) -> _Option:
    """Where nothing meets the budgets: the configuration whose lone requests come nearest to them."""

    def overshoot(candidate: Candidate) -> float:
        outcome = _lone_outcome(fronts, candidate, "mid", seed)
        ratios = [
            percentile(times, demand.percentile) / budget
            for times, budget in (
                (outcome.latency_s, demand.latency_budget_s),
                (outcome.first_token_s, demand.first_token_budget_s),
            )
            if times is not None and budget is not None
        ]
        return max(ratios, default=0.0)

    last = min(lasts, key=overshoot)
    loaded, ahead_s = _ahead(fronts, min(FRONT_LOADS), "mid", last.servers["mid"].requests, seed)
    return _Option(loaded, ahead_s, last, 0.0)


def _sized_part(
    part: Part,
    index: int,
    chosen: _Option,
    best: Mapping[Bound, _Option | None],
    counts: Mapping[Bound, list[int] | None],
    at_rates: list[float] | None,
    seed: int,
) -> SizedPart:
    candidate = [*(front for front, _ in chosen.fronts), chosen.last][index]
    server = candidate.servers["mid"]
    capacities: dict[Bound, float] = {}
    replicas: dict[Bound, int | None] = {}
    for bound in BOUNDS:
        option, count = best[bound], counts[bound]
        capacities[bound] = option.rates[index] if option else 0.0
        replicas[bound] = count[index] if count else None
    outcome = simulate(server, at_rates[index], seed=seed) if at_rates else alone(server, seed=seed)
    utilisation = at_rates[index] / server.saturation_rps if at_rates else None
    return SizedPart(part, candidate, capacities, replicas, outcome, utilisation)


def _whole_requests(chosen: _Option, at_rates: list[float] | None, seed: int) -> list[Outcome]:
    """Whole requests at the planned rate and at the highest rate that passed; alone where none did."""
    server = chosen.last.servers["mid"]
    if at_rates is None:
        return [alone(server, seed=seed, ahead_s=chosen.ahead_s)]
    rates = {at_rates[-1], chosen.last_rps}
    return [simulate(server, rate, seed=seed, ahead_s=chosen.ahead_s) for rate in sorted(rates)]


def _least(times: Sequence[FloatArray], per_cent: int) -> float:
    return min(percentile(each, per_cent) for each in times)

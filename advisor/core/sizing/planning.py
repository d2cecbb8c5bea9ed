"""From a recommendation and what was measured of it to a plan: the verdict, and everything beside it.

Pure and seeded: the same measurements give the same plan. The queue stands in `serving` and `decoding`, the search for
replicas in `pipeline`; here its result is judged and put into the shape of the contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite

from advisor.core.architecture import Role
from advisor.core.guide.recommendation import Recommendation
from advisor.core.model.entry import ModelEntry
from advisor.core.sizing.candidates import Part, StageFact
from advisor.core.sizing.capacity import UTILISATION_LIMIT, Demand, Outcome, percentile
from advisor.core.sizing.design import Design, Index, demand_of
from advisor.core.sizing.findings import Facts, disturbed_alone, findings
from advisor.core.sizing.groups import writer_of
from advisor.core.sizing.latency import BOUNDS
from advisor.core.sizing.levers import first_thing_to_change
from advisor.core.sizing.measurement import Origin, Profile, Stage
from advisor.core.sizing.nearest import measured, nearest_plan
from advisor.core.sizing.pipeline import FRONT_LOADS, SHOWN_PERCENTILES, SizedPart, Sizing, size
from advisor.core.sizing.plan import (
    Assumption,
    Binding,
    Percentiles,
    Plan,
    PlanStage,
    Rates,
    ReplicaRange,
    Verdict,
    WhatIf,
)
from advisor.core.sizing.serving import FloatArray
from advisor.core.sizing.spread import LONGEST_SHARE
from advisor.core.sizing.what_if import what_if
from advisor.core.sizing.wording import gib
from advisor.core.workload import SECONDS_PER_DAY

_SECONDS_PER_HOUR = 3600


def plan(
    recommendation: Recommendation,
    profiles: Mapping[Role, Profile],
    entries: Mapping[str, ModelEntry],
    *,
    memory_limit_bytes: int,
    reproduce: str,
    seed: int = 0,
) -> Plan:
    """The plan for the advised design on machines like the measured ones.

    `profiles` holds what was measured, by role; a role without one has no figure. `entries` are the catalogue's, by
    id, for memory by closed form. `memory_limit_bytes` is what one replica may take, `reproduce` the command that
    made this.
    """
    design = Design(recommendation, profiles, entries, memory_limit_bytes, seed)
    workload = design.workload
    parts = design.parts(workload)
    demand, sizing = _sized(design, parts)
    disturbed = disturbed_alone(design, sizing) if sizing is not None else ()
    verdict = _verdict(parts, sizing, disturbed=bool(disturbed))
    nearest = nearest_plan(design) if sizing is not None and verdict == "misses" else None
    index = design.index(workload)
    total = _total_replicas(sizing, index, memory_limit_bytes)
    return Plan(
        verdict=verdict,
        meets_latency=_meets_latency(demand.has_budget, verdict, sizing),
        latency_ms=_percentiles(sizing.times_s) if sizing else None,
        judged_latency_ms=sizing.times_s[demand.percentile] * 1000 if sizing else None,
        origin=_origin(sizing) if sizing else None,
        first_token_ms=_percentiles(sizing.first_token_s) if sizing and sizing.first_token_s else None,
        judged_first_token_ms=_judged_first_token(sizing, demand.percentile),
        per_output_token_ms=_milliseconds(sizing.per_output_token_s) if sizing else None,
        capacity_per_replica_rps=_rates(_binding_part(sizing)) if sizing else None,
        replicas=total,
        utilisation=_utilisation(sizing) if total and sizing else None,
        cost_per_million_requests=_cost(design, total),
        binding=_binding(sizing, demand.has_budget, memory_limit_bytes) if sizing else None,
        binding_stage=_binding_part(sizing).part.role if sizing else None,
        stages=_stages(parts, sizing, index, memory_limit_bytes),
        findings=findings(Facts(design, parts, demand, sizing)),
        assumptions=_assumptions(parts, demand.has_budget, sizing),
        what_if=_what_if(parts, sizing, demand, workload.requests_per_second, seed),
        nearest=nearest,
        first_thing_to_change=first_thing_to_change(design, parts, sizing, verdict, nearest, disturbed),
        reproduce=reproduce,
    )


def sizing_of(
    recommendation: Recommendation,
    profiles: Mapping[Role, Profile],
    entries: Mapping[str, ModelEntry],
    *,
    memory_limit_bytes: int,
    seed: int = 0,
) -> Sizing | None:
    """What `plan` rests on: the measured parts, each with its server and its replicas; None where none was measured."""
    design = Design(recommendation, profiles, entries, memory_limit_bytes, seed)
    return _sized(design, design.parts(design.workload))[1]


def _sized(design: Design, parts: tuple[Part, ...]) -> tuple[Demand, Sizing | None]:
    """What the workload demands, and the measured parts sized for it; None where none was measured."""
    workload, sizable = design.workload, measured(parts)
    demand = demand_of(workload, writes=bool(sizable) and sizable[-1].writes)
    if not sizable:
        return demand, None
    return demand, size(sizable, demand, workload.requests_per_second, design.memory_limit_bytes, design.seed)


def _verdict(parts: tuple[Part, ...], sizing: Sizing | None, *, disturbed: bool) -> Verdict:
    """Misses if what was measured is already too slow at its best or too large; meets only if nothing is left open.

    Disturbance only ever adds time: on a disturbed machine a budget that is met stays met, one that is missed is open.
    """
    if sizing is None:
        return "undecided"
    if not sizing.fits_memory:
        return "misses"
    if not any(sizing.passes.values()):
        return "undecided" if disturbed else "misses"
    open_ends = any(part.missing for part in parts) or any(sized.candidate.floors for sized in sizing.parts)
    return "undecided" if open_ends or not all(sizing.passes.values()) else "meets"


def _meets_latency(has_budget: bool, verdict: Verdict, sizing: Sizing | None) -> bool | None:
    if not has_budget or sizing is None:
        return None
    if not any(sizing.passes.values()):
        return False if verdict == "misses" else None
    return True if verdict != "undecided" and all(sizing.passes.values()) else None


def _binding_part(sizing: Sizing) -> SizedPart:
    """The part with most replicas, and where there is no plan the one that takes longest."""
    if sizing.replicas is None:
        return max(sizing.parts, key=lambda sized: sized.candidate.servers["mid"].lone_s)
    return max(sizing.parts, key=lambda sized: (sized.replicas["mid"] or 0, sized.candidate.servers["mid"].lone_s))


def _binding(sizing: Sizing, has_budget: bool, memory_limit_bytes: int) -> Binding:
    """What keeps a replica from more: the budget, memory that a larger batch would need, or its throughput."""
    if not sizing.fits_memory:
        return "memory"
    part = _binding_part(sizing)
    server = part.candidate.servers["mid"]
    saturation = server.saturation_rps
    writer = writer_of(server)
    if writer is not None and writer.cache_tokens is not None:
        return "memory"
    if has_budget and part.capacity_rps["mid"] < UTILISATION_LIMIT * saturation:
        return "latency"
    more = (one for one in part.part.candidates if (one.peak_memory_bytes or 0) > memory_limit_bytes)
    held_back = any(one.servers["mid"].saturation_rps > saturation for one in more)
    return "memory" if held_back else "throughput"


def _what_if(
    parts: tuple[Part, ...], sizing: Sizing | None, demand: Demand, rate: float, seed: int
) -> tuple[WhatIf, ...]:
    """Other traffic and other ways to share it, where one part is planned: those of a pipeline wait for each other."""
    if sizing is None or sizing.replicas is None or len(parts) > 1:
        return ()
    return what_if(sizing.parts[0].candidate.servers["mid"], demand, rate, sizing.replicas["mid"], seed)


def _rates(sized: SizedPart) -> Rates:
    """From the slowest machine to the fastest, which is the reverse of how long a pass takes."""
    low, mid, high = sorted(sized.capacity_rps[bound] for bound in BOUNDS)
    return Rates(low=low, mid=mid, high=high)


def _total_replicas(sizing: Sizing | None, index: Index | None, memory_limit_bytes: int) -> ReplicaRange | None:
    counts = sizing.replicas if sizing else None
    if counts is None:
        return None
    machines = index.machines(memory_limit_bytes) if index else 0
    return ReplicaRange(low=counts["low"] + machines, mid=counts["mid"] + machines, high=counts["high"] + machines)


def _utilisation(sizing: Sizing) -> float:
    return max(sized.utilisation or 0.0 for sized in sizing.parts)


def _cost(design: Design, total: ReplicaRange | None) -> float | None:
    """Price of the replicas for as long as a million requests take to come.

    Replicas are paid for around the clock: at the average rate where the requests of a day are known, else at the peak.
    """
    workload = design.workload
    price, daily = workload.replica_cost_per_hour, workload.requests_per_day
    if price is None or total is None:
        return None
    served_rps = workload.requests_per_second if daily is None else daily / SECONDS_PER_DAY
    cost = total.mid * price / _SECONDS_PER_HOUR * 1e6 / served_rps if served_rps > 0 else inf
    return cost if isfinite(cost) else None


def _origin(sizing: Sizing) -> Origin:
    """One pass at a measured length is measured; a queue of whole answers or of several parts is put together."""
    origins = {fact.origin for sized in sizing.parts for fact in sized.candidate.stages}
    if "extrapolated" in origins:
        return "extrapolated"
    one_pass = len(sizing.parts) == 1 and not sizing.parts[0].part.writes
    return "measured" if one_pass and origins == {"measured"} else "interpolated"


def _judged_first_token(sizing: Sizing | None, per_cent: int) -> float | None:
    return None if sizing is None or sizing.first_token_s is None else sizing.first_token_s[per_cent] * 1000


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000


def _percentiles(times_s: Mapping[int, float]) -> Percentiles:
    return Percentiles(p50=times_s[50] * 1000, p95=times_s[95] * 1000, p99=times_s[99] * 1000)


def _stages(
    parts: tuple[Part, ...], sizing: Sizing | None, index: Index | None, memory_limit_bytes: int
) -> tuple[PlanStage, ...]:
    sized = {each.part.role: each for each in sizing.parts} if sizing else {}
    stages: list[PlanStage] = []
    for part in parts:
        if part.role in sized:
            stages += _measured_stages(sized[part.role], planned=sizing is not None and sizing.replicas is not None)
        elif part.role == "index" and index is not None:
            stages.append(_index_stage(part, index, memory_limit_bytes))
        else:
            stages += [_stage_without_figure(part, stage) for stage in part.stages]
    return tuple(stages)


def _measured_stages(sized: SizedPart, *, planned: bool) -> list[PlanStage]:
    candidate = sized.candidate
    known = sorted(count for count in sized.replicas.values() if count is not None)
    replicas = ReplicaRange(low=known[0], mid=known[1], high=known[2]) if planned else None
    note = "; ".join(candidate.floors) or None
    return [
        PlanStage(
            role=sized.part.role,
            model=sized.part.model,
            stage=fact.stage,
            serving=candidate.serving,
            latency_ms=_stage_times(fact, sized.outcome),
            replicas=replicas,
            peak_memory_bytes=candidate.peak_memory_bytes,
            origin=fact.origin,
            error_pct=fact.error_pct,
            note=note,
        )
        for fact in candidate.stages
    ]


def _stage_times(fact: StageFact, outcome: Outcome) -> Percentiles:
    """Reading ends with the first token it yields; decoding is the rest of the answer."""
    times: FloatArray = outcome.latency_s
    if outcome.first_token_s is not None:
        times = outcome.latency_s - outcome.first_token_s if fact.stage == "decode" else outcome.first_token_s
    return _percentiles({per_cent: percentile(times, per_cent) for per_cent in SHOWN_PERCENTILES})


def _index_stage(part: Part, index: Index, memory_limit_bytes: int) -> PlanStage:
    machines = index.machines(memory_limit_bytes)
    note = (
        f"{part.missing}; by arithmetic an exact index of {index.documents:,} vectors of {index.dimensions} float32 "
        f"values takes {gib(index.size_bytes)}, which needs {machines:,} of these machines for memory alone"
    )
    return PlanStage(
        role=part.role,
        model=None,
        stage="search",
        serving=None,
        latency_ms=None,
        replicas=ReplicaRange(low=machines, mid=machines, high=machines),
        peak_memory_bytes=index.size_bytes,
        origin="formula",
        note=note,
    )


def _stage_without_figure(part: Part, stage: Stage) -> PlanStage:
    return PlanStage(
        role=part.role,
        model=part.model,
        stage=stage,
        serving=None,
        latency_ms=None,
        replicas=None,
        peak_memory_bytes=None,
        origin=None,
        note=part.missing,
    )


def _assumptions(parts: tuple[Part, ...], has_budget: bool, sizing: Sizing | None) -> tuple[Assumption, ...]:
    """Every figure behind the plan that nobody said and nothing measured."""
    assumed = [
        Assumption(name=name, value=value, says=says) for part in parts for name, value, says in part.lengths.assumed
    ]
    if sizing is None:
        return tuple(assumed)
    arrivals = "requests come at random and are split at random among replicas"
    assumed.append(Assumption(name="ARRIVALS", value="Poisson", says=arrivals))
    assumed.append(_lengths_assumed(parts))
    if not has_budget:
        says = "share of its saturation that a replica carries where no budget limits it"
        assumed.append(Assumption(name="UTILISATION_LIMIT", value=UTILISATION_LIMIT, says=says))
    elif len(sizing.parts) > 1:
        says = "largest share of its saturation that a part carries while another one waits for it"
        assumed.append(Assumption(name="FRONT_LOADS", value=max(FRONT_LOADS), says=says))
    return tuple(assumed)


def _lengths_assumed(parts: tuple[Part, ...]) -> Assumption:
    """How the lengths of single requests are spread."""
    lengths = [part.lengths for part in parts]
    if all(
        one.longest_input_tokens == one.input_tokens and one.longest_output_tokens == one.output_tokens
        for one in lengths
    ):
        return Assumption(name="LENGTHS", value="typical", says="every request is of the typical length")
    says = (
        f"lengths are spread about the typical one, half of them longer; {LONGEST_SHARE:.0%} are as long as the longest"
    )
    return Assumption(name="LENGTHS", value="lognormal", says=says)

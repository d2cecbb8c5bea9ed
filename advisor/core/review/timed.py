"""The budgets that only a measurement can decide: latency, throughput and memory at the peak, on the testbed.

Pure and seeded: profiles in, results out; the queue is that of a plan, so a budget means here what it means there. The
one idea: an interval decides, never a median. What lies inside it is open, and so is what lies nearer to the median
than this machine is to itself from one run to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from statistics import median
from typing import NamedTuple

from advisor.core.architecture import Role
from advisor.core.guide.recommendation import Recommendation
from advisor.core.hardware import GIB
from advisor.core.model.entry import ModelEntry
from advisor.core.review.amounts import UNITS, amount, share, written
from advisor.core.review.case import Case
from advisor.core.review.declared import Steps
from advisor.core.review.design_kinds import BUDGETS, TIMED
from advisor.core.review.document import Figure, Outcome, Result
from advisor.core.sizing.candidates import Part
from advisor.core.sizing.capacity import Demand
from advisor.core.sizing.design import Design, demand_of
from advisor.core.sizing.findings import disturbed_alone
from advisor.core.sizing.latency import BOUNDS, usable
from advisor.core.sizing.measurement import Profile
from advisor.core.sizing.nearest import measured
from advisor.core.sizing.pipeline import Sizing, quickest, size

SEED = 0
PEAK_SPREAD = 0.03
"""How far the measured peaks of two processes are apart; our own benchmark holds cells to it."""
PERCENTILE = 95
NO_SAMPLES = "its profile keeps no samples (advisor profile --samples), so how far single runs spread is not in it"


@dataclass(frozen=True)
class Testbed:
    """What was measured on the testbed: for each part the profile it is judged by, and all there are of its model.

    `words` says where the figures come from. `memory_limit_bytes` is what a replica may take there.
    """

    advice: Recommendation
    profiles: Mapping[Role, Profile]
    others: Mapping[Role, Sequence[Profile]]
    entries: Mapping[str, ModelEntry]
    memory_limit_bytes: int
    words: str


class Noise(NamedTuple):
    """How far a machine is from itself, as a share, and in words."""

    share: float
    words: str


class _Interval(NamedTuple):
    """A figure and how far it may be off.

    `floor`: the budget is the least it may be. `open_` says why no pass is certain, `only_adds` that a disturbance may
    have made it worse.
    """

    low: float
    mid: float
    high: float
    unit: str
    noise: Noise
    floor: bool = False
    open_: str | None = None
    only_adds: bool = False


def _timed_budgets(case: Case) -> tuple[str, ...]:
    """The timed budgets that are set."""
    return tuple(name for name in TIMED if getattr(case.component.budgets, name) is not None)


def review_timed(case: Case, testbed: Testbed) -> Iterator[Result]:
    """Every timed budget against what was measured."""
    design = Design(testbed.advice, testbed.profiles, testbed.entries, testbed.memory_limit_bytes, SEED)
    parts = design.parts(design.workload)
    known = measured(parts)
    if not known:
        why = parts[0].missing or "nothing of it was measured"
        for name in _timed_budgets(case):
            yield _not_checked(case, name, why)
        return
    facts = _facts(design, known, testbed)
    missing = "; ".join(f"{one.role}: {one.missing}" for one in parts if one.missing) or None
    for name in _timed_budgets(case):
        interval = _INTERVALS[name](facts)
        if interval is None:
            yield _not_checked(case, name, "it was not measured")
        else:
            yield _held(case, name, getattr(case.component.budgets, name), interval, missing, testbed.words)


def _not_checked(case: Case, name: str, why: str) -> Result:
    return case.result(BUDGETS[name], "not-checked", f"{name} was not checked: {why}.", at=("budgets", name))


class _Facts(NamedTuple):
    """What the intervals of one component are made from."""

    parts: Sequence[Part]
    sizing: Sizing
    memory_limit_bytes: int
    noise: Noise
    floors: str | None
    disturbed: bool


def _facts(design: Design, known: tuple[Part, ...], testbed: Testbed) -> _Facts:
    workload, limit = design.workload, testbed.memory_limit_bytes
    demand = demand_of(workload, writes=known[-1].writes)
    sizing = size(known, demand, workload.requests_per_second, limit, SEED)
    floors = "; ".join(floor for one in sizing.parts for floor in one.candidate.floors) or None
    if any(not one.candidate.samples for one in sizing.parts):
        floors = f"{floors}; {NO_SAMPLES}" if floors else NO_SAMPLES
    return _Facts(known, sizing, limit, aa_noise(testbed), floors, bool(disturbed_alone(design, sizing)))


def _latency(facts: _Facts) -> _Interval:
    """Milliseconds within which 95 of 100 requests are answered that need not wait for others."""
    demand, limit = Demand(PERCENTILE), facts.memory_limit_bytes
    times = [quickest(facts.parts, demand, limit, SEED, bound) for bound in BOUNDS]
    low, mid, high = sorted(seconds * 1000 for seconds in times)
    return _Interval(low, mid, high, UNITS["p95_ms"], facts.noise, open_=facts.floors, only_adds=facts.disturbed)


def _throughput(facts: _Facts) -> _Interval:
    """Requests per second that one replica of every part carries together."""
    parts = facts.sizing.parts
    low, mid, high = sorted(min(one.capacity_rps[bound] for one in parts) for bound in BOUNDS)
    return _Interval(low, mid, high, UNITS["throughput_per_s"], facts.noise, True, facts.floors, facts.disturbed)


def _peak(facts: _Facts) -> _Interval | None:
    """GiB that the parts hold together at their peaks."""
    peaks = [one.candidate.peak_memory_bytes for one in facts.sizing.parts]
    known = [one for one in peaks if one is not None]
    if len(known) < len(peaks):
        return None
    size_gib = sum(known) / GIB
    noise = Noise(PEAK_SPREAD, f"two processes differ by up to {share(PEAK_SPREAD)} at their peaks")
    return _Interval(
        size_gib * (1 - PEAK_SPREAD), size_gib, size_gib * (1 + PEAK_SPREAD), UNITS["peak_memory_gib"], noise
    )


_INTERVALS: Mapping[str, Callable[[_Facts], _Interval | None]] = {
    "p95_ms": _latency,
    "throughput_per_s": _throughput,
    "peak_memory_gib": _peak,
}


def aa_noise(testbed: Testbed) -> Noise:
    """How far this machine is from itself.

    Between several profiles of a model: the widest gap between medians of the same cell. Within one: the half width of
    the typical cell's interval, which is the least that two runs can differ by.
    """
    widths = [
        (cell.ci95_s[1] - cell.ci95_s[0]) / 2 / cell.median_s
        for profile in testbed.profiles.values()
        for cell in profile.cells
        if usable(cell) and cell.ci95_s is not None and cell.median_s
    ]
    own = median(widths) if widths else 0.0
    apart = max((_apart(profiles) for profiles in testbed.others.values()), default=0.0)
    if apart > own:
        return Noise(apart, f"runs of it on this machine differ by up to {share(apart)}")
    return Noise(own, f"the typical interval of its measurement reaches {share(own)} to each side")


def _apart(profiles: Sequence[Profile]) -> float:
    """The widest gap between the medians of a cell that several profiles hold."""
    medians: dict[tuple[object, ...], list[float]] = {}
    for profile in profiles:
        for cell in profile.cells:
            if usable(cell) and cell.median_s:
                key = (cell.stage, cell.runtime, cell.dtype, cell.device, cell.threads, cell.workers)
                shape = (cell.batch_size, cell.input_tokens, cell.context_tokens, cell.layers)
                medians.setdefault((*key, *shape), []).append(cell.median_s)
    return max((max(one) / min(one) - 1 for one in medians.values()), default=0.0)


def _held(case: Case, name: str, budget: float, seen: _Interval, missing: str | None, words: str) -> Result:
    """One budget against its interval."""
    at: Steps = ("budgets", name)
    outcome, why = _outcome(budget, seen, missing)
    shown = amount(seen.mid, seen.unit, beside=budget)
    if seen.low != seen.high:
        shown += f" ({amount(seen.low, seen.unit)}–{amount(seen.high, seen.unit)})"
    says = f"{shown} {seen.unit} on the testbed, {words}; the budget is {written(budget)}."
    if why is not None:
        says += f" {why[0].upper()}{why[1:]}."
    figure = Figure(budget=budget, low=seen.low, mid=seen.mid, high=seen.high, unit=seen.unit, origin="measured")
    fix = None
    if outcome == "fail":
        fix = f"take a smaller model, or a budget of {written(_budget_that_passes(seen))} {seen.unit}"
    elif outcome == "inconclusive":
        fix = "measure again on an idle machine and with more lengths, or leave more room in the budget"
    return case.result(BUDGETS[name], outcome, says, at=at, figure=figure, fix=fix)


def _budget_that_passes(seen: _Interval) -> float:
    """The nearest budget in three digits outside the interval, and outside what the machine is from itself."""
    share = seen.noise.share * (1 + 1e-9)  # on the line is not outside it
    edge = min(seen.low, seen.mid * (1 - share)) if seen.floor else max(seen.high, seen.mid * (1 + share))
    step = 10.0 ** (floor(log10(edge)) - 2) if edge > 0 else 1.0
    return float(f"{(floor(edge / step) if seen.floor else ceil(edge / step)) * step:.3g}")


def _outcome(budget: float, seen: _Interval, missing: str | None) -> tuple[Outcome, str | None]:
    """PASS and FAIL only where the whole interval is on one side, and nothing is left that could change the side."""
    worst, best = (seen.low, seen.high) if seen.floor else (seen.high, seen.low)
    passes = worst >= budget if seen.floor else worst <= budget
    fails = best < budget if seen.floor else best > budget
    if abs(budget - seen.mid) < seen.noise.share * seen.mid:
        return "inconclusive", f"the budget is nearer to the figure than the machine is to itself: {seen.noise.words}"
    if fails:
        if seen.only_adds:
            return "inconclusive", "the machine was busy while it was measured, which only adds time"
        return "fail", None
    if not passes:
        return "inconclusive", "the budget lies inside the interval"
    if missing is not None:
        return "not-checked", f"a part has no figure ({missing})"
    return ("inconclusive", f"this is the least it takes: {seen.open_}") if seen.open_ is not None else ("pass", None)

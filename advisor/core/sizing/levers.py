"""The first thing to change: of what was measured, what moves the plan most.

A sentence, always concrete. For a plan that fails it is the nearest one that passes; for one that stands, the change
that saves most replicas; for one that could not be decided, the measurement that would decide it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from advisor.core.sizing.candidates import Part
from advisor.core.sizing.design import Design, demand_of
from advisor.core.sizing.nearest import measured
from advisor.core.sizing.pipeline import Sizing, replicas_at_median
from advisor.core.sizing.plan import Nearest, Verdict
from advisor.core.sizing.wording import gib, milliseconds, replicas, three_digits
from advisor.core.workload import Workload

_LOOSER = 2
_SHORTER = 2
_BUDGET_MOST_MS = 1e15


def first_thing_to_change(
    design: Design,
    parts: tuple[Part, ...],
    sizing: Sizing | None,
    verdict: Verdict,
    nearest: Nearest | None,
    disturbed: Sequence[str] = (),
) -> str:
    """The sentence for a plan. `disturbed` are the flags of what a request takes alone."""
    missing = [part for part in parts if part.missing is not None]
    if nearest is not None:
        return f"Change {'two answers' if nearest.also else 'one answer'}: {nearest.says}."
    if verdict == "misses" and sizing is not None:
        return _slowest_part(sizing)
    if verdict == "undecided" and disturbed and sizing is not None and not any(sizing.passes.values()):
        found = f"the budget was missed, but the machine was not left alone while measuring ({', '.join(disturbed)})"
        return f"Measure again on an idle machine: {found}."
    if missing:
        return _open_part(design, missing[0], sizing)
    floors = [floor for sized in sizing.parts for floor in sized.candidate.floors] if sizing else []
    if floors:
        return f"Measure the planned shape: {floors[0]}."
    if verdict == "undecided" or sizing is None:
        return "Measure again, with more samples on an idle machine: the budget lies inside the measured interval."
    return _best_lever(design, sizing)


def _open_part(design: Design, part: Part, sizing: Sizing | None) -> str:
    """What is left to find out, and how much of the budget the measured parts leave for it."""
    budget_ms, per_cent = design.workload.latency_budget_ms, design.workload.latency_percentile
    told = f"{_what_to_find(part)}: {part.missing}"
    if sizing is None or budget_ms is None or not all(sizing.passes.values()):
        return f"{told}."
    taken = f"{milliseconds(sizing.times_s[per_cent])} of the {milliseconds(budget_ms / 1000)} at p{per_cent}"
    return f"{told}; the measured parts take {taken}."


def _what_to_find(part: Part) -> str:
    if part.role == "index":
        return f"Find a figure for the {part.role}"
    if part.too_long:
        return "Name a model with a longer context, or plan shorter texts"
    if part.model is not None:
        return f"Measure {part.model} again"
    return f"Find a model for the {'task' if part.role == 'model' else part.role}"


def _slowest_part(sizing: Sizing) -> str:
    """No single answer helps: the model itself is too slow or too large here."""
    if not sizing.fits_memory:
        largest = max(sizing.parts, key=lambda sized: sized.candidate.peak_memory_bytes or 0)
        return (
            f"Take a smaller model for the {largest.part.role}, or give a replica more memory: {largest.part.model} "
            f"takes {gib(largest.candidate.peak_memory_bytes or 0)}, and no change of a single answer would pass."
        )
    slowest = max(sizing.parts, key=lambda sized: sized.candidate.servers["mid"].lone_s)
    lone = milliseconds(slowest.candidate.servers["mid"].lone_s)
    return (
        f"Take a smaller model for the {slowest.part.role}, or a faster machine: {slowest.part.model} takes {lone} for "
        "a request alone, and no change of a single answer would pass."
    )


def _best_lever(design: Design, sizing: Sizing) -> str:
    """The change that leaves the fewest replicas; said too where one replica is enough or nothing helps."""
    counts = sizing.replicas
    now = counts["mid"] if counts else 1
    least = len(sizing.parts)
    busiest = max(sizing.parts, key=lambda sized: sized.utilisation or 0.0)
    used = f"{three_digits(100 * (busiest.utilisation or 0.0))} % used"
    if now <= least:
        return f"Nothing has to change: {replicas(now)} will do, {used}."
    levers = sorted((count, words) for count, words in _levers(design) if count < now)
    if levers:
        count, words = levers[0]
        return f"{words} would need {replicas(count)} instead of {now:,}."
    serving = busiest.candidate.serving
    return (
        f"A smaller or faster model for the {busiest.part.role}: no measured change of one answer leaves fewer than "
        f"{replicas(now)}, served in {serving.dtype} with up to {serving.max_batch_size} requests at once."
    )


def _levers(design: Design) -> Iterator[tuple[int, str]]:
    """Replicas at the median, and what was changed, for each answer that can be eased and was measured eased."""
    workload = design.workload
    if workload.latency_budget_ms is not None:
        looser = min(workload.latency_budget_ms * _LOOSER, _BUDGET_MOST_MS)
        yield from _tried(design, {"latency_budget_ms": looser}, f"A budget of {milliseconds(looser / 1000)}")
    if workload.output_tokens > 1:
        fewer = max(1, workload.output_tokens // _SHORTER)
        yield from _tried(design, {"output_tokens": fewer}, f"Answers of {fewer:,} tokens")
    shorter = max(1, workload.input_tokens // _SHORTER)
    if shorter < workload.input_tokens:
        yield from _tried(design, {"input_tokens": shorter}, f"An input of {shorter:,} tokens")


def _tried(design: Design, update: dict[str, float | int], words: str) -> Iterator[tuple[int, str]]:
    eased: Workload = design.workload.model_copy(update=update)
    parts = measured(design.parts(eased))
    demand = demand_of(eased, writes=parts[-1].writes)
    count = replicas_at_median(parts, demand, eased.requests_per_second, design.memory_limit_bytes, design.seed)
    if count is not None:
        yield count, words

"""The smallest change of one answer with which the measured model would pass.

Each answer that can help is moved just as far as it must be; of those that then pass, the smallest move is named. The
one idea: a budget can be met by some number of replicas exactly if a request that meets no other one meets it, so
feasibility needs no queue; the change that is named is still sized in full before it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import log

from advisor.core.architecture import Role
from advisor.core.guide.recommendation import Answer, Change
from advisor.core.hardware import GIB
from advisor.core.sizing.candidates import Part
from advisor.core.sizing.design import Design, demand_of
from advisor.core.sizing.given import memory_limit_of
from advisor.core.sizing.latency import usable
from advisor.core.sizing.pipeline import Sizing, feasible, lone_times, replicas_at_median, size
from advisor.core.sizing.plan import Nearest
from advisor.core.sizing.wording import replicas, rounded_up, three_digits
from advisor.core.workload import PERCENTILES, Workload

_BUDGETS = ("latency_budget_ms", "first_token_budget_ms")
_EASE = 2.0
"""A budget that passes just so is passed by idle replicas only; what this many times that budget takes is said beside
it.
"""


@dataclass(frozen=True, slots=True)
class _Move:
    """One answer changed: how far it moved, on the scale on which moves are compared."""

    answer: str
    before: Answer
    after: float | int
    distance: float
    workload: Workload
    memory_limit_bytes: int


def nearest_plan(design: Design) -> Nearest | None:
    """The nearest change that passes, verified: of one answer, else of both budgets; None where nothing helps."""
    for move in sorted(_moves(design), key=lambda move: move.distance):
        sizing = _sized(design, move)
        if all(sizing.passes.values()) and sizing.fits_memory and sizing.replicas is not None:
            says = _words(design, move, sizing.replicas["mid"])
            return Nearest(answer=move.answer, from_=move.before, to=move.after, says=says)
    return _both_budgets(design)


def _both_budgets(design: Design) -> Nearest | None:
    """The budget for the answer and the one for its first token moved together, to what one way to serve needs."""
    ways = [
        [_move(design, answer, needed) for answer, needed in way.items()]
        for way in _budgets_needed(design)
        if len(way) == len(_BUDGETS)
    ]
    if not ways:
        return None
    one, other = moves = min(ways, key=lambda way: sum(move.distance for move in way))
    both = replace(one, workload=_changed(one.workload, other.answer, other.after))
    sizing = _sized(design, both)
    if not all(sizing.passes.values()) or not sizing.fits_memory or sizing.replicas is None:
        return None
    rate = three_digits(design.workload.requests_per_second)
    bounds = " together with ".join(f"{move.answer} of at least {three_digits(move.after)}" for move in moves)
    says = f"{bounds} would pass, with {replicas(sizing.replicas['mid'])} for {rate}/s"
    also = Change(answer=other.answer, from_=other.before, to=other.after)
    return Nearest(answer=one.answer, from_=one.before, to=one.after, also=(also,), says=says)


def measured(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts that have a figure."""
    return tuple(part for part in parts if part.candidates)


def _sized(design: Design, move: _Move) -> Sizing:
    parts = measured(design.parts(move.workload))
    demand = demand_of(move.workload, writes=parts[-1].writes)
    return size(parts, demand, move.workload.requests_per_second, move.memory_limit_bytes, design.seed)


def _passes(design: Design, workload: Workload) -> bool:
    parts = measured(design.parts(workload))
    demand = demand_of(workload, writes=parts[-1].writes)
    return bool(parts) and feasible(parts, demand, design.memory_limit_bytes, "high", design.seed)


def _moves(design: Design) -> Iterator[_Move]:
    """The least sufficient change of each answer that can be changed alone."""
    yield from _budget_moves(design)
    yield from _percentile_moves(design)
    yield from _length_moves(design)
    yield from _memory_moves(design)


def _budget_moves(design: Design) -> Iterator[_Move]:
    """Each budget moved to what is needed where the other one is kept."""
    ways = _budgets_needed(design)
    for answer in _BUDGETS if all(ways) else ():
        alone = [way[answer] for way in ways if list(way) == [answer]]
        if alone:
            yield _move(design, answer, min(alone))


def _budgets_needed(design: Design) -> list[dict[str, float]]:
    """For each way to serve, the budgets that a lone request misses there, and the milliseconds it takes."""
    workload = design.workload
    parts = measured(design.parts(workload))
    demand = demand_of(workload, writes=parts[-1].writes)
    ways: list[dict[str, float]] = []
    for times in lone_times(parts, demand, design.memory_limit_bytes, design.seed):
        given = [(answer, seconds, getattr(workload, answer)) for answer, seconds in zip(_BUDGETS, times, strict=True)]
        missed = {answer: s * 1000 for answer, s, budget in given if s and budget is not None and s * 1000 > budget}
        ways.append({answer: rounded_up(needed) for answer, needed in missed.items()})
    return ways


def _percentile_moves(design: Design) -> Iterator[_Move]:
    """Judging more of the tail: compared by the share of requests that may be late, not by the number that names it."""
    before = design.workload.latency_percentile
    for lower in reversed([each for each in PERCENTILES if each < before]):
        if _passes(design, _changed(design.workload, "latency_percentile", lower)):
            yield _move(design, "latency_percentile", lower, distance=log((100 - lower) / (100 - before)))
            return


def _length_moves(design: Design) -> Iterator[_Move]:
    """The most output tokens that pass, and the longest measured input that does."""
    workload = design.workload

    def passes(answer: str) -> Callable[[int], bool]:
        return lambda tokens: _passes(design, _changed(workload, answer, tokens))

    if workload.output_tokens > 1:
        tokens = _largest(passes("output_tokens"), workload.output_tokens - 1)
        if tokens is not None:
            yield _move(design, "output_tokens", tokens)
    for shorter in sorted(_shorter_inputs(design), reverse=True):
        if _passes(design, _changed(workload, "input_tokens", shorter)):
            yield _move(design, "input_tokens", shorter)
            return


def _shorter_inputs(design: Design) -> set[int]:
    """Values of `input_tokens` at which some part reads a length that was measured."""
    workload = design.workload
    found: set[int] = set()
    for part in measured(design.parts(workload)):
        cells = design.profiles[part.role].cells
        read = [cell for cell in cells if cell.stage == part.stages[0] and usable(cell)]
        lengths = {cell.input_tokens for cell in read if cell.input_tokens is not None}
        added = part.lengths.input_tokens - workload.input_tokens
        shorter = {length - added for length in lengths if 0 < length - added < workload.input_tokens}
        found |= {tokens for tokens in shorter if _reads(design, part.role, tokens) == tokens + added}
    return found


def _reads(design: Design, role: Role, input_tokens: int) -> int:
    """What a part reads if the workload's input were this long; a retriever's query does not follow a prompt."""
    parts = design.parts(_changed(design.workload, "input_tokens", input_tokens))
    return next(part.lengths.input_tokens for part in parts if part.role == role)


def _memory_moves(design: Design) -> Iterator[_Move]:
    parts = measured(design.parts(design.workload))
    smallest = [min((one.peak_memory_bytes or 0) for one in part.candidates) for part in parts]
    needed = max(smallest)
    machine = memory_limit_of([profile for profile in design.profiles.values() if profile.cells], None)
    if design.memory_limit_bytes < needed <= machine:  # no answer gives a machine more memory than it has
        yield _move(design, "memory_limit_gib", rounded_up(needed / GIB), before=design.memory_limit_bytes / GIB)


def _largest(passes: Callable[[int], bool], most: int) -> int | None:
    """The largest number of tokens from 1 to `most` that passes, by bisection: fewer tokens never take longer."""
    if not passes(1):
        return None
    low, high = 1, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if passes(middle) else (low, middle)
    return low


def _changed(workload: Workload, answer: str, value: float | int) -> Workload:
    return workload.model_copy(update={answer: value})


def _move(
    design: Design, answer: str, after: float | int, *, before: float | None = None, distance: float | None = None
) -> _Move:
    start = getattr(design.workload, answer) if before is None else before
    far = abs(log((after + 1) / (start + 1))) if distance is None else distance
    limit = int(after * GIB) if answer == "memory_limit_gib" else design.memory_limit_bytes
    return _Move(answer, start, after, far, _changed(design.workload, answer, after), limit)


def _words(design: Design, move: _Move, count: int) -> str:
    rate = three_digits(design.workload.requests_per_second)
    whole = isinstance(move.after, int)
    bound = f"at most {move.after:,}" if whole else f"at least {three_digits(move.after)}"
    told = f"{move.answer} of {bound} would pass, with {replicas(count)} for {rate}/s"
    if not move.answer.endswith("_budget_ms"):
        return told
    eased = _changed(design.workload, move.answer, move.after * _EASE)
    parts = measured(design.parts(eased))
    demand = demand_of(eased, writes=parts[-1].writes)
    fewer = replicas_at_median(parts, demand, eased.requests_per_second, design.memory_limit_bytes, design.seed)
    if fewer is None or fewer >= count:
        return told
    return f"{told}; at {three_digits(move.after * _EASE)} it takes {replicas(fewer)}"

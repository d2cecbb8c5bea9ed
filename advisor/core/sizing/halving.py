"""Which ways to serve a model are worth measuring to the end: a search that drops half of them after each look.

An arm is one way to serve: a runtime, a dtype, and among how many workers the cores are shared. A look costs little:
only the shapes that decide, in one process, and what is clearly slower is not looked at again; so the samples go to the
few that may be the fastest. The one idea: arms are compared in what a plan chooses by, time for one request alone and
time for one of many together, in each stage and in all of them one after the other, and whoever comes near the best in
any of these stays. Workers are tried last, of what is fast without them. Source: Karnin, Koren and Somekh 2013, Almost
Optimal Exploration in Multi-Armed Bandits, for the halving.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from math import ceil, prod
from typing import Literal, NamedTuple

from advisor.core.hardware import Dtype
from advisor.core.sizing.latency import usable
from advisor.core.sizing.measurement import Cell, CellPlan, Effort, Runtime

Which = Literal["alone", "shared", "all"]
"""Arms of one worker, of several, or both."""
LOOKS: Mapping[Effort, tuple[tuple[Effort, Which], ...]] = {
    "quick": (),
    "standard": (("quick", "alone"), ("quick", "shared")),
    "thorough": (("quick", "alone"), ("quick", "shared"), ("standard", "all")),
}
"""How hard each look is, and at which arms, before what is left is measured with the effort asked for."""
LEAST_ARMS = 3
"""Fewer are measured to the end: a look at two saves less than it costs."""
NEAR = 1.15
"""How many times the best a figure of a look may be and still belong to the fastest: processes differ by as much."""
_OWN_STAGES = ("load", "tokenize")
"""Stages of a model's files, which no arm is faster in than another."""


class Arm(NamedTuple):
    """One way to serve a model on one machine."""

    runtime: Runtime
    dtype: Dtype
    workers: int = 1


Objective = tuple[str, str]
"""A stage (or all of them), and whether a request is alone or one of many."""
Scores = Mapping[Arm, Mapping[Objective, float]]
"""Seconds for a request, by arm and objective; an arm that lacks a stage has no score in it."""


class Look(NamedTuple):
    """What is measured next: these cells of the list, with this effort. The last one settles the figures."""

    number: int
    cells: tuple[int, ...]
    effort: Effort
    last: bool


def arm_of(one: CellPlan | Cell) -> Arm:
    """The way to serve that a cell belongs to."""
    return Arm(one.runtime, one.dtype, one.workers)


def arms_of(plans: Iterable[CellPlan | Cell]) -> tuple[Arm, ...]:
    """All of them, each once, in the order met."""
    return tuple(dict.fromkeys(arm_of(plan) for plan in plans))


def next_look(plans: Sequence[CellPlan], left: Collection[Arm], effort: Effort, number: int) -> Look:
    """What to measure of the arms that are left, in the look of this number or the first one after it with anything
    to see.
    """
    ladder = LOOKS[effort] if len(arms_of(plans)) >= LEAST_ARMS else ()
    for place in range(number, len(ladder)):
        hard, which = ladder[place]
        arms = [arm for arm in left if which == "all" or (arm.workers > 1) == (which == "shared")]
        if arms and (which != "all" or len(arms) >= LEAST_ARMS):
            return Look(place, _deciding(plans, arms), hard, last=False)
    every = tuple(index for index, plan in enumerate(plans) if arm_of(plan) in left)
    return Look(len(ladder), every, effort, last=True)


def left_after(left: Collection[Arm], seen: Collection[Arm], stay: Collection[Arm]) -> frozenset[Arm]:
    """The arms that stay, and those not looked at yet that share the cores among workers of what stays."""
    fast = {(arm.runtime, arm.dtype) for arm in stay}
    waiting = {arm for arm in left if arm not in seen and (arm.runtime, arm.dtype) in fast}
    return frozenset(stay) | waiting


def _deciding(plans: Sequence[CellPlan], left: Collection[Arm]) -> tuple[int, ...]:
    """For each arm and stage the cell listed first, and of its lengths the one with the largest batch.

    Lists are orders of importance, so the first one is a request alone at the length that is planned.
    """
    found: set[int] = set()
    groups: dict[tuple[Arm, str], list[int]] = {}
    for index, plan in enumerate(plans):
        if arm_of(plan) in left and plan.stage not in _OWN_STAGES:
            groups.setdefault((arm_of(plan), plan.stage), []).append(index)
    for indices in groups.values():
        alike = [index for index in indices if _lengths(plans[index]) == _lengths(plans[indices[0]])]
        found |= {indices[0], max(alike, key=lambda index: plans[index].batch_size)}
    return tuple(sorted(found))


def _lengths(plan: CellPlan) -> tuple[int | None, int | None]:
    return plan.input_tokens, plan.context_tokens


def scores_of(cells: Iterable[Cell]) -> Scores:
    """What a look says of each arm. One without a usable figure is not among them."""
    by_stage: dict[Arm, dict[str, list[Cell]]] = {}
    for cell in filter(usable, cells):
        by_stage.setdefault(arm_of(cell), {}).setdefault(cell.stage, []).append(cell)
    scores: dict[Arm, dict[Objective, float]] = {}
    for arm, stages in by_stage.items():
        for stage, found in stages.items():
            alone, together = (choose(found, key=lambda cell: cell.batch_size) for choose in (min, max))
            own = scores.setdefault(arm, {})
            own[stage, "alone"], own[stage, "together"] = alone.median_s or 0.0, _each_s(together)
    return _with_the_whole(scores)


def _each_s(cell: Cell) -> float:
    """Seconds that the machine spends on one of many requests."""
    return (cell.median_s or 0.0) / cell.batch_size / cell.workers


def _with_the_whole(scores: dict[Arm, dict[Objective, float]]) -> Scores:
    """The scores with those of all stages together, for arms that run them all: shares of the best, multiplied."""
    every = {objective for own in scores.values() for objective in own}
    best = {objective: min(own[objective] for own in scores.values() if objective in own) for objective in every}
    for own in scores.values():
        if every <= own.keys():
            for way in ("alone", "together"):
                own["", way] = prod(own[one] / best[one] for one in every if one[1] == way)
    return scores


def survivors(scores: Scores) -> frozenset[Arm]:
    """The arms that are measured further: in some objective near the best, and not in its slower half."""
    stay: set[Arm] = set()
    for objective in {objective for own in scores.values() for objective in own}:
        order = sorted((arm for arm in scores if objective in scores[arm]), key=lambda arm: scores[arm][objective])
        best = scores[order[0]][objective]
        stay.update(arm for arm in order[: ceil(len(order) / 2)] if scores[arm][objective] <= NEAR * best)
    return frozenset(stay)


def passed_over(cells: Mapping[int, Cell], stay: Collection[Arm]) -> dict[int, Cell]:
    """The cells of the arms that are dropped, each with the flag and the reason; as they are where a look failed."""
    found: dict[int, Cell] = {}
    for index, cell in cells.items():
        rivals = [one for one in cells.values() if arm_of(one) in stay and usable(one) and _shape(one) == _shape(cell)]
        if arm_of(cell) in stay:
            continue
        if usable(cell) and rivals:
            found[index] = _flagged(cell, min(rivals, key=_each_s))
        else:
            found[index] = cell
    return found


def _shape(cell: Cell) -> tuple[object, ...]:
    return cell.stage, cell.batch_size, cell.input_tokens, cell.context_tokens


def _flagged(cell: Cell, rival: Cell) -> Cell:
    share = 100 * _each_s(rival) / (_each_s(cell) or 1.0)
    workers = f" in {rival.workers} workers" if rival.workers > 1 else ""
    who = f"{rival.runtime} {rival.dtype}{workers}"
    note = f"Passed over after a first look: {who} takes {share:.0f} % of this time for a request."
    flags = tuple(flag for flag in cell.flags if flag != "undecided")
    return cell.model_copy(update={"flags": (*flags, "passed-over"), "note": note, "more_samples": None})

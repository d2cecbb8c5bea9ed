"""The search for the fastest way to serve: against known times with noise, what it finds and what that costs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from math import exp
from typing import Any

import pytest

from advisor.core.sizing.effort import EFFORTS
from advisor.core.sizing.halving import (
    LEAST_ARMS,
    Arm,
    arm_of,
    arms_of,
    left_after,
    next_look,
    passed_over,
    scores_of,
    survivors,
)
from advisor.core.sizing.measurement import Cell, CellPlan, Effort
from tests.fake_child import fake_cell

RUNTIMES: tuple[Any, ...] = ("torch", "openvino", "ctranslate2")
DTYPES: tuple[Any, ...] = ("float32", "bfloat16", "float16", "int8")
ARMS = tuple(Arm(runtime, dtype) for runtime in RUNTIMES for dtype in DTYPES)
SHARED = tuple(arm._replace(workers=2) for arm in ARMS)
Seconds = Callable[[CellPlan], float]


def cell(plan: CellPlan, seconds: float, **change: Any) -> Cell:
    return fake_cell(plan).model_copy(update={"median_s": seconds} | change)


def grid(arms: Iterable[Arm] = ARMS, stages: tuple[Any, ...] = ("forward",)) -> list[CellPlan]:
    """What a workload asks for: the planned length in three batches, a shorter one in three."""
    return [
        CellPlan(stage=stage, batch_size=batch, input_tokens=tokens, **arm._asdict())
        for tokens in (128, 64)
        for batch in (1, 4, 8)
        for arm in arms
        for stage in stages
    ]


def truth(seed: int, stages: tuple[str, ...]) -> Seconds:
    """Times that nobody knows: arms differ up to six times, in a batch in another order than alone; two workers serve
    more requests or fewer than one.
    """
    source = random.Random(seed)
    alone = {(arm, stage): exp(source.uniform(0, 1.8)) for arm in ARMS for stage in stages}
    gain = {(arm, stage): source.uniform(0.3, 0.9) for arm in ARMS for stage in stages}
    shared = {(arm, stage): source.uniform(1.5, 2.2) for arm in ARMS for stage in stages}

    def seconds(plan: CellPlan) -> float:
        key = (arm_of(plan)._replace(workers=1), plan.stage)
        slower = 1.0 if plan.workers == 1 else shared[key]
        return alone[key] * slower * (plan.input_tokens or 1) / 128 * plan.batch_size ** gain[key]

    return seconds


def searched(plans: list[CellPlan], effort: Effort, seconds: Seconds, seed: int) -> tuple[dict[int, Cell], float]:
    """The cells that a search ends with, and what all its looks took. A process is up to 10 % off, for good."""
    source, left, number, cost = random.Random(seed + 1), frozenset(arms_of(plans)), 0, 0.0
    seen: dict[int, Cell] = {}
    while True:
        look = next_look(plans, left, effort, number)
        off = {arm: source.gauss(0, 0.05 / EFFORTS[look.effort].processes ** 0.5) for arm in sorted(left)}
        found = {one: cell(plans[one], seconds(plans[one]) * exp(off[arm_of(plans[one])])) for one in look.cells}
        cost += sum(EFFORTS[look.effort].samples * seconds(plans[one]) for one in look.cells)
        if look.last:
            return found, cost
        seen |= found
        stay = survivors(scores_of(seen.values()))
        left, number = left_after(left, arms_of(seen.values()), stay), look.number + 1
        seen = {one: known for one, known in seen.items() if arm_of(known) in stay}


def regret(plans: list[CellPlan], found: dict[int, Cell], seconds: Seconds) -> float:
    """How far the fastest that was kept is from the fastest there is, in the worst of what `best` holds."""
    worst = 0.0
    for stage in {plan.stage for plan in plans}:
        for score in (seconds, lambda plan: seconds(plan) / plan.batch_size / plan.workers):
            every = min(score(plan) for plan in plans if plan.stage == stage)
            kept = min(score(plans[index]) for index in found if plans[index].stage == stage)
            worst = max(worst, kept / every - 1)
    return worst


@pytest.mark.parametrize("stages", [("forward",), ("prefill", "decode")])
@pytest.mark.parametrize("effort", ["standard", "thorough"])
def test_the_fastest_is_found_within_five_per_cent_for_less_than_a_third(effort: Effort, stages: Any) -> None:
    regrets, shares = [], []
    for seed in range(100):
        plans, seconds = grid((*ARMS, *SHARED), stages), truth(seed, stages)
        found, cost = searched(plans, effort, seconds, seed)
        regrets.append(regret(plans, found, seconds))
        shares.append(cost / sum(EFFORTS[effort].samples * seconds(plan) for plan in plans))
    assert sum(one <= 0.05 for one in regrets) >= 97
    assert sorted(shares)[50] <= 0.30


def test_a_quick_run_and_one_of_few_arms_measure_everything_at_once() -> None:
    everything = tuple(range(len(grid())))
    assert next_look(grid(), ARMS, "quick", 0)[1:] == (everything, "quick", True)
    few = ARMS[: LEAST_ARMS - 1]
    assert next_look(grid(few), few, "thorough", 0)[2:] == ("thorough", True)


def test_a_look_takes_one_request_and_the_largest_batch_of_its_length_in_every_stage() -> None:
    plans = [*grid(stages=("prefill", "decode")), CellPlan(stage="load", dtype="float32", batch_size=1)]
    look = next_look(plans, ARMS, "standard", 0)
    seen = {(plan.stage, plan.batch_size, plan.input_tokens) for plan in (plans[index] for index in look.cells)}
    assert seen == {(stage, batch, 128) for stage in ("prefill", "decode") for batch in (1, 8)}
    assert look[2:] == ("quick", False)
    assert len(look.cells) == 4 * len(ARMS)


def test_workers_are_tried_of_what_is_fast_without_them() -> None:
    arms = (*ARMS[:4], *SHARED[:4])
    plans = grid(arms)
    first = next_look(plans, arms, "standard", 0)
    assert {arm_of(plans[one]) for one in first.cells} == set(ARMS[:4])
    left = left_after(arms, ARMS[:4], ARMS[:2])
    second = next_look(plans, left, "standard", first.number + 1)
    assert {arm_of(plans[one]) for one in second.cells} == set(SHARED[:2])
    last = next_look(plans, left_after(left, (*ARMS[:2], *SHARED[:2]), SHARED[:1]), "standard", second.number + 1)
    assert ({arm_of(plans[one]) for one in last.cells}, last.last) == (set(SHARED[:1]), True)


def test_what_is_best_alone_and_what_is_best_together_both_stay() -> None:
    plans = grid(ARMS[:4])
    times = {ARMS[0]: (1.0, 40.0), ARMS[1]: (5.0, 10.0), ARMS[2]: (4.9, 39.0), ARMS[3]: (9.0, 90.0)}
    found = {
        index: cell(plan, times[arm_of(plan)][plan.batch_size == 8])
        for index, plan in enumerate(plans)
        if plan.input_tokens == 128 and plan.batch_size != 4
    }
    stay = survivors(scores_of(found.values()))
    assert stay == {ARMS[0], ARMS[1]}
    dropped = passed_over(found, stay)
    assert {arm_of(one) for one in dropped.values()} == {ARMS[2], ARMS[3]}
    assert all(one.flags == ("passed-over",) for one in dropped.values())
    alone = next(one for one in dropped.values() if arm_of(one) == ARMS[3] and one.batch_size == 1)
    assert alone.note == "Passed over after a first look: torch float32 takes 11 % of this time for a request."


def test_what_is_second_in_every_stage_and_best_in_all_of_them_stays() -> None:
    plans = [plan for plan in grid(ARMS[:4], ("prefill", "decode")) if plan.batch_size != 4]
    times = {ARMS[0]: (1.0, 9.0), ARMS[1]: (9.0, 1.0), ARMS[2]: (1.5, 1.5), ARMS[3]: (9.0, 9.0)}
    found = [cell(plan, times[arm_of(plan)][plan.stage == "decode"]) for plan in plans]
    assert survivors(scores_of(found)) == set(ARMS[:3])


def test_an_arm_that_failed_is_left_as_it_is_and_goes_no_further() -> None:
    plans = grid(ARMS[:3])[:3]
    found = {index: cell(plan, 1.0) for index, plan in enumerate(plans)}
    found[2] = found[2].model_copy(update={"flags": ("deviates",), "note": "It strays."})
    stay = survivors(scores_of(found.values()))
    assert ARMS[2] not in stay
    assert passed_over(found, stay)[2].note == "It strays."
    assert survivors(scores_of([found[2]])) == frozenset()

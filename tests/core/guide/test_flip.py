"""Flips: the smallest change, exactly."""

import math
import random
from itertools import product

import pytest

from advisor.core.guide.axis import AxisSpec, Condition
from advisor.core.guide.flip import flip, why_not
from advisor.core.guide.rule import Impossible, Rule, Table, make_table
from tests.core.guide import brute

TASK = AxisSpec("task", ("sort", "write"))
RATE = AxisSpec("rate", lowest=0)
COST = AxisSpec("cost", ("cheap", "fair"))
LABELS = AxisSpec("labels", nullable=True, whole=True, lowest=0)


def table_of(
    specs: list[AxisSpec], *rules: tuple[str, list[Condition]], impossible: tuple[Impossible, ...] = ()
) -> Table:
    rows = [
        Rule(f"R-{number}", "A rule", tuple(when), then, "So.", ("G1",), position=number)
        for number, (then, when) in enumerate(rules)
    ]
    names = [spec.name for spec in specs]
    return make_table(name="t", over="o", policy="unique", axes=names, rules=rows, specs=specs, impossible=impossible)


def changes(table: Table, facts: dict, outcome: str) -> dict:
    return {step.answer: step.to for step in flip(table, facts, outcome, fixed="task")}


def test_a_number_is_named_by_the_bound_it_must_cross():
    table = table_of(
        [RATE], ("slow", [Condition("rate", (), ((None, 10),))]), ("fast", [Condition("rate", (), ((10, None),))])
    )
    assert changes(table, {"rate": 200}, "slow") == {"rate": "< 10"}
    assert changes(table, {"rate": 3.5}, "fast") == {"rate": ">= 10"}


def test_a_far_bound_is_named_too():
    spans = {"low": (None, 1), "mid": (1, 10), "high": (10, None)}
    table = table_of([RATE], *((name, [Condition("rate", (), (span,))]) for name, span in spans.items()))
    assert changes(table, {"rate": 200}, "mid") == {"rate": ">= 1 and < 10"}
    assert changes(table, {"rate": 0.1}, "mid") == {"rate": ">= 1 and < 10"}


def test_a_run_goes_on_through_another_rule_of_the_same_outcome():
    parts = [("slow", (None, 1)), ("slow", (1, 10)), ("fast", (10, None))]
    table = table_of([RATE], *((name, [Condition("rate", (), (span,))]) for name, span in parts))
    assert changes(table, {"rate": 200}, "slow") == {"rate": "< 10"}


def test_fewer_answers_beat_a_nearer_number():
    table = table_of(
        [RATE, COST],
        ("a", [Condition("rate", (), ((100, None),))]),
        ("b", [Condition("rate", (), ((10, 100),)), Condition("cost", ("cheap",))]),
        ("c", [Condition("rate", (), ((10, 100),)), Condition("cost", ("fair",))]),
        ("b", [Condition("rate", (), ((None, 10),))]),
    )
    assert changes(table, {"rate": 101, "cost": "fair"}, "b") == {"rate": "< 10"}


def test_the_nearer_number_wins_on_a_log_scale():
    parts = [("b", (None, 2)), ("a", (2, 100)), ("b", (100, None))]
    table = table_of([RATE], *((name, [Condition("rate", (), (span,))]) for name, span in parts))
    nearer_below = abs(math.log(3 / 15)) < abs(math.log(101 / 15))
    assert nearer_below
    assert changes(table, {"rate": 14}, "b") == {"rate": "< 2"}
    assert changes(table, {"rate": 40}, "b") == {"rate": ">= 100"}


def test_ties_go_by_the_order_of_answers_and_then_of_values():
    one, other = AxisSpec("one", (False, True)), AxisSpec("other", ("x", "y", "z"))
    table = table_of(
        [one, other],
        ("a", [Condition("one", (False,)), Condition("other", ("x",))]),
        ("b", [Condition("one", (True,)), Condition("other", ("x",))]),
        ("b", [Condition("other", ("y", "z"))]),
    )
    assert changes(table, {"one": False, "other": "x"}, "b") == {"one": True}
    assert changes(table, {"one": True, "other": "x"}, "a") == {"one": False}
    only = table_of([other], ("a", [Condition("other", ("x",))]), ("b", [Condition("other", ("y", "z"))]))
    assert changes(only, {"other": "x"}, "b") == {"other": "y"}


def test_a_null_is_left_for_the_lowest_stretch_and_costs_nothing():
    table = table_of(
        [LABELS],
        ("none", [Condition("labels", (None,))]),
        ("few", [Condition("labels", (), ((None, 100),))]),
        ("many", [Condition("labels", (), ((100, None),))]),
    )
    assert changes(table, {"labels": None}, "many") == {"labels": ">= 100"}
    assert changes(table, {"labels": None}, "few") == {"labels": "< 100"}
    assert changes(table, {"labels": 5}, "none") == {"labels": None}


def test_the_task_is_never_changed_and_the_impossible_never_proposed():
    table = table_of(
        [TASK, COST],
        ("a", [Condition("task", ("sort",)), Condition("cost", ("fair",))]),
        ("b", [Condition("task", ("sort",)), Condition("cost", ("cheap",))]),
        ("c", [Condition("task", ("write",))]),
        impossible=(Impossible((Condition("task", ("sort",)), Condition("cost", ("cheap",))), "nobody can"),),
    )
    facts = {"task": "sort", "cost": "fair"}
    assert flip(table, facts, "b", fixed="task") == ()
    assert flip(table, facts, "c", fixed="task") == ()
    assert [step.answer for step in flip(table, facts, "c")] == ["task"]


def test_why_not_names_each_rule_that_allows_the_task():
    table = table_of(
        [TASK, RATE, COST],
        ("a", [Condition("task", ("sort",)), Condition("rate", (), ((10, None),))]),
        ("b", [Condition("task", ("sort",)), Condition("rate", (), ((None, 10),)), Condition("cost", ("cheap",))]),
        ("c", [Condition("task", ("sort",)), Condition("rate", (), ((None, 10),)), Condition("cost", ("fair",))]),
        ("b", [Condition("task", ("write",))]),
    )
    facts = {"task": "sort", "rate": 200, "cost": "fair"}
    missed = why_not(table, facts, "b", fixed="task")
    assert [(one.rule, one.answer, one.got, one.needed) for one in missed] == [
        ("R-1", "rate", 200, "< 10"),
        ("R-1", "cost", "fair", "cheap"),
    ]
    elsewhere = why_not(table, {**facts, "task": "write"}, "c", fixed="task")
    assert [(one.rule, one.answer, one.needed) for one in elsewhere] == [("R-2", "task", "sort")]


def brute_flip(table: Table, impossible, facts, outcome, start):
    """The best key over all cells, with the cells that have it."""
    names = [axis.name for axis in table.space.axes]
    best = None
    for combination, there in brute.points(table, impossible):
        if combination[0] != start[0] or brute.fired(table, there)[0].then != outcome:
            continue
        changed = [at for at, (old, new) in enumerate(zip(start, combination, strict=True)) if old != new]
        cost = 0.0
        for at in changed:
            span, value = combination[at].span, facts[names[at]]
            if span is not None and value is not None:
                bound = span[0] if combination[at].number > start[at].number else span[1]
                cost += abs(math.log((bound + 1) / (value + 1)))
        key = (len(changed), round(cost, 12), changed, [combination[at].number for at in changed])
        if best is None or key < best[0]:
            best = (key, combination)
    return best


def in_words(words: str, value) -> bool:
    """Whether a number lies in a stretch given in words."""
    tests = {">=": lambda bound: value >= bound, "<": lambda bound: value < bound}
    return words == "any number" or all(
        tests[sign](float(bound)) for sign, bound in (part.split() for part in words.split(" and "))
    )


def held_by(step, value) -> bool:
    """Whether a value is what a step proposes."""
    is_number = isinstance(value, float | int) and not isinstance(value, bool)
    if is_number and isinstance(step.to, str):
        return in_words(step.to, value)
    return step.to is value or (step.to == value and type(step.to) is type(value))


@pytest.mark.parametrize("seed", range(500))
def test_flips_equal_brute_force_on_random_tables(seed):
    chance = random.Random(seed)
    table, impossible = brute.unique_table(chance)
    everything = list(brute.points(table, impossible))
    cells = brute.axis_cells(table, impossible)
    names = [axis.name for axis in table.space.axes]
    for start, facts in chance.sample(everything, min(4, len(everything))):
        facts = {name: chance.choice(cell.values) for name, cell in zip(names, start, strict=True)}
        here = brute.fired(table, facts)[0].then
        for outcome in brute.OUTCOMES:
            steps = flip(table, facts, outcome, fixed="kind")
            if outcome == here:
                assert steps == ()
                continue
            best = brute_flip(table, impossible, facts, outcome, start)
            assert bool(steps) == (best is not None)
            if best is None:
                continue
            assert [step.answer for step in steps] == [names[at] for at in best[0][2]]
            for at, step in zip(best[0][2], steps, strict=True):
                assert step.from_value == facts[names[at]]
                assert all(held_by(step, value) for value in best[1][at].values)
            check_stretch(table, impossible, cells, facts, steps, outcome)


def check_stretch(table, impossible, cells, facts, steps, outcome):
    """Everything that the words allow leads to the outcome; a single number could not be named more widely."""
    names = [axis.name for axis in table.space.axes]
    inside = [
        [cell for cell in cells[names.index(step.answer)] if all(held_by(step, value) for value in cell.values)]
        for step in steps
    ]
    for combination in product(*inside):
        for values in product(*(cell.values for cell in combination)):
            there = facts | {step.answer: value for step, value in zip(steps, values, strict=True)}
            assert brute.can_be(impossible, there)
            assert brute.fired(table, there)[0].then == outcome
    if len(steps) == 1 and inside[0][0].span is not None:
        row = cells[names.index(steps[0].answer)]
        for beyond in (inside[0][0].number - 1, inside[0][-1].number + 1):
            if 0 <= beyond < len(row) and row[beyond].span is not None:
                there = facts | {steps[0].answer: row[beyond].values[0]}
                assert not brute.can_be(impossible, there) or brute.fired(table, there)[0].then != outcome

"""The proof finds every gap, overlap, dead rule and false example, and says so with a workload."""

import random

import pytest

from advisor.core.guide.axis import AxisSpec, Condition
from advisor.core.guide.boxes import intersect
from advisor.core.guide.proof import gap, overlap, prove
from advisor.core.guide.rule import Impossible, Rule, Table, make_table
from tests.core.guide import brute

TASK = AxisSpec("task", ("sort", "write"))
RATE = AxisSpec("rate", lowest=0)
SORT = Condition("task", ("sort",))
WRITE = Condition("task", ("write",))
SLOW = Condition("rate", (), ((None, 10),))
FAST = Condition("rate", (), ((10, None),))


def complete(example):
    return {"rate": 1} | example


def row(name: str, *when: Condition, then: str = "a", **more) -> Rule:
    return Rule(name, "A rule", when, then, "So.", ("G1",), position=int(name[1:]), **more)


def table_of(*rules: Rule, impossible: tuple[Impossible, ...] = (), policy: str = "unique") -> Table:
    specs = [TASK, RATE]
    names = [spec.name for spec in specs]
    return make_table(name="t", over="o", policy=policy, axes=names, rules=rules, specs=specs, impossible=impossible)


def messages(table: Table, **more) -> list[str]:
    return [flaw.message for flaw in prove(table, complete=complete, **more)]


def test_a_sound_table_has_no_flaw():
    assert messages(table_of(row("R0", SORT, SLOW), row("R1", SORT, FAST), row("R2", WRITE))) == []


def test_a_gap_is_a_workload_in_words():
    found = messages(table_of(row("R0", SORT, SLOW), row("R2", WRITE)))
    assert found == ["no rule decides this workload: task sort, rate 10 (any >= 10)"]


def test_an_example_in_words_takes_the_usual_value_where_it_lies_in_the_gap():
    found = messages(table_of(row("R0", SORT, FAST), row("R2", WRITE)))
    assert found == ["no rule decides this workload: task sort, rate 1 (any < 10)"]


def test_an_overlap_names_both_rules_and_a_workload():
    found = messages(table_of(row("R0", SORT), row("R1", SORT, FAST), row("R2", WRITE)))
    assert found == ["R0 and R1 both decide this workload: task sort, rate 10 (any >= 10)"]


def test_what_cannot_be_is_neither_gap_nor_overlap():
    nobody = (Impossible((SORT, FAST), "nobody sorts that fast"),)
    assert (
        messages(table_of(row("R0", SORT, SLOW), row("R2", WRITE, SLOW), row("R3", WRITE, FAST), impossible=nobody))
        == []
    )


def test_a_rule_that_asks_for_the_impossible_never_fires():
    nobody = (Impossible((SORT, FAST), "nobody sorts that fast"),)
    found = messages(table_of(row("R0", SORT, SLOW), row("R1", SORT, FAST), row("R2", WRITE), impossible=nobody))
    assert found == ["R1 can never fire: what it asks for cannot be"]


def test_an_impossible_combination_over_an_axis_the_table_lacks_still_counts():
    """Only workloads that cannot be completed in any way are left out."""
    size = AxisSpec("size", ("s", "m"))
    both = (
        Impossible((SORT, Condition("size", ("s",))), "small"),
        Impossible((SORT, Condition("size", ("m",))), "middling"),
    )
    for impossible, gaps in ((both[:1], 1), (both, 0)):
        table = make_table(
            name="t",
            over="o",
            policy="unique",
            axes=["task"],
            rules=[row("R0", WRITE)],
            specs=[TASK, size],
            impossible=impossible,
        )
        assert len(gap(table)) == gaps


def test_an_outcome_nobody_reaches_is_a_flaw():
    table = table_of(row("R0", SORT, SLOW), row("R1", SORT, FAST), row("R2", WRITE))
    assert messages(table, outcomes=("a", "b")) == ["no workload leads to b"]


def test_an_axis_nobody_asks_about_is_a_flaw():
    found = messages(table_of(row("R0", SORT), row("R1", WRITE)))
    assert found == ["rate is declared, but no rule asks about it"]


def test_an_axis_asked_about_without_excluding_anything_is_not_used():
    found = messages(table_of(row("R0", SORT), row("R1", WRITE, Condition("rate", (), ((None, None),)))))
    assert found == ["rate is declared, but no rule asks about it"]


def test_examples_must_do_what_they_say():
    rules = [
        row("R0", SORT, SLOW, fires=({"task": "sort", "rate": 11},), silent=({"task": "sort", "rate": 9},)),
        row("R1", SORT, FAST, fires=({"task": "sort", "rate": 10},), silent=({"task": "write"},)),
        row("R2", WRITE),
    ]
    assert messages(table_of(*rules)) == [
        "R0 does not fire here; R1 does",
        "R0 fires here, but should be silent",
    ]


def test_an_example_that_cannot_be_says_why():
    nobody = (Impossible((SORT, FAST), "nobody sorts that fast"),)
    rules = [
        row("R0", SORT, SLOW, silent=({"task": "sort", "rate": 10},)),
        row("R2", WRITE, SLOW),
        row("R3", WRITE, FAST),
    ]
    found = messages(table_of(*rules, impossible=nobody), impossible=nobody)
    assert found == ["this example cannot be: nobody sorts that fast"]


def test_a_collect_table_may_leave_gaps_and_overlap():
    rules = [row("R0", SORT, FAST), row("R1", SORT)]
    assert messages(table_of(*rules, policy="collect")) == []


def test_a_table_with_an_unread_rule_is_not_blamed_for_what_that_rule_may_do():
    table = table_of(row("R0", SORT))
    assert messages(table, outcomes=("b",), whole=False) == []
    assert len(messages(table, outcomes=("b",))) == 3


def inside(boxes, table, facts) -> bool:
    return any(intersect(box, table.space.point(facts)) for box in boxes)


@pytest.mark.parametrize("seed", range(500))
def test_gaps_and_overlaps_equal_brute_force_on_random_tables(seed):
    table, impossible = brute.any_table(random.Random(seed))
    gaps = gap(table)
    pairs = {(a, b): overlap(table, a, b) for b in range(len(table.rules)) for a in range(b)}
    seen: set[int] = set()
    for combination, _ in brute.points(table, impossible):
        for values in zip(*(cell.values * 3 for cell in combination), strict=False):
            facts = {axis.name: value for axis, value in zip(table.space.axes, values, strict=True)}
            firing = [table.rules.index(rule) for rule in brute.fired(table, facts)]
            seen |= set(firing)
            assert inside(gaps, table, facts) == (not firing)
            for pair, boxes in pairs.items():
                assert inside(boxes, table, facts) == (set(pair) <= set(firing))
    dead = {number for number, region in enumerate(table.regions) if not region}
    assert dead == set(range(len(table.rules))) - seen
    flaws = [flaw.message for flaw in prove(table, complete=lambda facts: facts)]
    assert any("no rule decides" in one for one in flaws) == bool(gaps)
    assert sum("both decide" in one for one in flaws) == sum(map(bool, pairs.values()))


@pytest.mark.parametrize("seed", range(500))
def test_random_split_tables_are_sound_until_a_rule_is_deleted(seed):
    table, impossible = brute.unique_table(random.Random(seed))
    assert gap(table) == []
    assert not any(overlap(table, a, b) for b in range(len(table.rules)) for a in range(b))
    for number, region in enumerate(table.regions):
        left = [rule for at, rule in enumerate(table.rules) if at != number]
        smaller = make_table(
            name="t",
            over="o",
            policy="unique",
            axes=table.axes,
            rules=left,
            specs=[axis.spec for axis in table.space.axes],
            impossible=impossible,
        )
        assert bool(gap(smaller)) == bool(region)


def test_flaws_stand_where_the_rule_stands():
    table = table_of(row("R0", SORT), row("R1", SORT, FAST)._replace(position=7), row("R2", WRITE))
    (flaw,) = prove(table, complete=complete)
    assert flaw.path == ("rules", 7, "when")

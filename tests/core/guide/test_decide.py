"""Deciding and collecting, with every rule's match or misses."""

import random

import pytest

from advisor.core.errors import AdvisorError
from advisor.core.guide.axis import AxisSpec, Condition
from advisor.core.guide.decide import collect, decide, matched, trace
from advisor.core.guide.rule import Rule, make_table
from tests.core.guide import brute

RATE = AxisSpec("rate", lowest=0)
COST = AxisSpec("cost", ("cheap", "fair"))
FAST = Rule("R-0", "Fast", (Condition("rate", (), ((10, None),)),), "a", "So.", ("G1",))
CHEAP = Rule("R-1", "Cheap", (Condition("cost", ("cheap",)), Condition("rate", (), ((None, 10),))), "b", "So.", ("G1",))


def table_of(*rules: Rule):
    return make_table(name="t", over="o", policy="unique", axes=["rate", "cost"], rules=rules, specs=[RATE, COST])


def test_the_trace_names_what_each_rule_misses():
    steps = trace(table_of(FAST, CHEAP), {"rate": 20, "cost": "fair"})
    assert [(step.rule.id, step.misses, step.fires) for step in steps] == [
        ("R-0", (), True),
        ("R-1", ("rate", "cost"), False),
    ]


def test_what_matched_is_told_in_the_rules_own_order():
    assert list(matched(CHEAP, {"rate": 1.0, "cost": "cheap"}).items()) == [("cost", "cheap"), ("rate", 1.0)]


def test_a_table_that_was_never_proved_says_what_it_cannot_decide():
    with pytest.raises(AdvisorError, match="no rule of the table t decides: rate 1, cost fair"):
        decide(table_of(FAST, CHEAP), {"rate": 1, "cost": "fair"})
    both = CHEAP._replace(id="R-2", when=())
    with pytest.raises(AdvisorError, match="R-0 and R-2 both decide: rate 20, cost fair"):
        decide(table_of(FAST, both), {"rate": 20, "cost": "fair"})


@pytest.mark.parametrize("seed", range(200))
def test_decisions_equal_asking_each_condition(seed):
    chance = random.Random(seed)
    table, impossible = brute.unique_table(chance)
    for combination, _ in brute.points(table, impossible):
        facts = {
            axis.name: chance.choice(cell.values) for axis, cell in zip(table.space.axes, combination, strict=True)
        }
        (expected,) = brute.fired(table, facts)
        decision = decide(table, facts)
        assert decision.rule == expected
        assert collect(table, facts) == (expected,)
        for step in decision.trace:
            missed = {one.axis for one in step.rule.when if not brute.allows(one, facts[one.axis])}
            assert set(step.misses) == missed

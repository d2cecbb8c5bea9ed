"""Which rule decides, with every rule's match or misses; which rules of a collect table match.

One pass over bitmasks: the facts fall into one cell per axis, and a rule misses on the axes whose mask lacks that cell.
What would have to change stands in `flip`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from advisor.core.errors import AdvisorError
from advisor.core.guide.axis import Value
from advisor.core.guide.boxes import Box, touch
from advisor.core.guide.rule import Rule, Table
from advisor.core.guide.words import value_words


class Step(NamedTuple):
    """How one rule met the facts: the axes it misses on, in the order of the table; none where it fires."""

    rule: Rule
    misses: tuple[str, ...]

    @property
    def fires(self) -> bool:
        """Whether the rule matches."""
        return not self.misses


class Decision(NamedTuple):
    """The one rule that fired, and how every rule of the table met the facts."""

    rule: Rule
    trace: tuple[Step, ...]


def trace(table: Table, facts: Mapping[str, Value]) -> tuple[Step, ...]:
    """Every rule's match or misses."""
    point = table.space.point(facts)
    return tuple(Step(rule, _misses(table, box, point)) for rule, box in zip(table.rules, table.boxes, strict=True))


def decide(table: Table, facts: Mapping[str, Value]) -> Decision:
    """The rule of a `unique` table that fires.

    Raises AdvisorError where not exactly one does: only for a table that was never proved, or for facts that its
    impossible combinations rule out.
    """
    steps = trace(table, facts)
    fired = [step.rule for step in steps if step.fires]
    if len(fired) == 1:
        return Decision(fired[0], steps)
    said = ", ".join(f"{name} {value_words(facts[name])}" for name in table.axes)
    if fired:
        raise AdvisorError(f"{' and '.join(rule.id for rule in fired)} both decide: {said}")
    raise AdvisorError(f"no rule of the table {table.name} decides: {said}")


def collect(table: Table, facts: Mapping[str, Value]) -> tuple[Rule, ...]:
    """Every rule that matches, in the order of the table."""
    point = table.space.point(facts)
    return tuple(rule for rule, box in zip(table.rules, table.boxes, strict=True) if touch(box, point))


def matched(rule: Rule, facts: Mapping[str, Value]) -> dict[str, Value]:
    """The facts that a rule asked about, in the order it names them."""
    return {condition.axis: facts[condition.axis] for condition in rule.when}


def _misses(table: Table, box: Box, point: Box) -> tuple[str, ...]:
    axes = table.space.axes
    return tuple(axis.name for axis, mask, cell in zip(axes, box, point, strict=True) if not mask & cell)

"""A rule and a table of rules, as values: what a team writes in `rules/`, with every threshold resolved to a number.

A rule is a box and an outcome, never code. Two hit policies exist: in a `unique` table exactly one rule fires, in a
`collect` table every rule that matches does. There is no `first`: an order nobody sees would decide. The table is
generic over its axes and its outcomes; reading it from YAML is `store.rulebook`'s work, proving it is `proof`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from advisor.core.architecture import Architecture, Strength
from advisor.core.guide.axis import AxisSpec, Condition, Value
from advisor.core.guide.boxes import Box, Space, is_empty, make_space, subtract_all

Policy = Literal["unique", "collect"]
Outcome = str | tuple[str, ...]
"""One word, or a list of words in order of preference."""
Facts = dict[str, Value]


class Rule(NamedTuple):
    """One row. `when` holds a condition per axis it names; an axis it leaves out is free.

    `strength` is the decision's, `architecture` that of a component; both are None in tables of another kind. `unless`
    is a sentence for people and is never evaluated. `fires` and `silent` are answers as a team would give them.
    `position` is the row's number in its file, counted from 0.
    """

    id: str
    title: str
    when: tuple[Condition, ...]
    then: Outcome
    because: str
    source: tuple[str, ...]
    strength: Strength | None = None
    architecture: Architecture | None = None
    unless: str | None = None
    fires: tuple[Facts, ...] = ()
    silent: tuple[Facts, ...] = ()
    position: int = 0


class Impossible(NamedTuple):
    """A combination of answers that cannot be, and why. Proofs leave it out and flips never propose it."""

    when: tuple[Condition, ...]
    reason: str


class Table(NamedTuple):
    """Rules over a space. `boxes` are the rules' boxes, in the order of `rules`.

    `space` may have more axes than the table declares (`axes`): those that impossible combinations speak of.
    `regions` holds for each rule what is left of its box without the impossible, as disjoint boxes.
    """

    name: str
    over: str
    axes: tuple[str, ...]
    policy: Policy
    rules: tuple[Rule, ...]
    space: Space
    boxes: tuple[Box, ...]
    impossible: tuple[Box, ...]
    regions: tuple[tuple[Box, ...], ...]
    file: str = ""

    @property
    def possible(self) -> list[Box]:
        """Everything that can be, as disjoint boxes."""
        return subtract_all([self.space.full], self.impossible)


def make_table(
    *,
    name: str,
    over: str,
    policy: Policy,
    axes: Sequence[str],
    rules: Sequence[Rule],
    specs: Iterable[AxisSpec],
    impossible: Sequence[Impossible] = (),
    space: Space | None = None,
    file: str = "",
) -> Table:
    """Compile rules to boxes over `specs` (the axes declared and those of `impossible`), or over a given `space`.

    A space given from outside must be cut by the bounds of these rules; that is how two tables share their cells.
    """
    if space is None:
        conditions = [condition for rule in rules for condition in rule.when]
        conditions += [condition for entry in impossible for condition in entry.when]
        space = make_space(specs, conditions)
    boxes = tuple(space.box(rule.when) for rule in rules)
    banned = tuple(box for box in (space.box(entry.when) for entry in impossible) if not is_empty(box))
    regions = tuple(() if is_empty(box) else tuple(subtract_all([box], banned)) for box in boxes)
    return Table(name, over, tuple(axes), policy, tuple(rules), space, boxes, banned, regions, file)

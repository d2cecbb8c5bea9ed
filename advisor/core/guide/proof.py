"""The proof: what is wrong with a table, each flaw with a concrete workload where there is one.

A `unique` table must decide every possible workload exactly once; in every table each rule must be able to fire, each
axis declared must be used, each outcome that is promised must be reached, and each example must do what it says. All of
it is algebra on boxes: no workload is tried out except the examples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from advisor.core.guide.axis import Value
from advisor.core.guide.boxes import Box, cells, intersect, merge, subtract_all, touch
from advisor.core.guide.decide import collect
from advisor.core.guide.rule import Facts, Impossible, Outcome, Rule, Table
from advisor.core.guide.words import rule_words, workload_words

MAX_SHOWN = 8
"""Gaps shown one by one; more of them say the same thing again."""

Complete = Callable[[Facts], Mapping[str, Value]]
"""Fills an example's missing facts with their defaults."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong, at `path` in the table's file: keys and list positions from the root."""

    path: tuple[str | int, ...]
    message: str
    fix: str


def prove(
    table: Table,
    *,
    complete: Complete,
    outcomes: Sequence[Outcome] = (),
    impossible: Sequence[Impossible] = (),
    whole: bool = True,
) -> list[Flaw]:
    """Every flaw of a table; none proves it. `outcomes` must all be reached.

    `whole` is False where some rule of the file could not be read: what a missing rule alone would explain (a gap, an
    axis not used, an outcome not reached) is then not reported.
    """
    flaws = [*_never_fires(table), *_examples(table, complete, impossible, whole)]
    if table.policy == "unique":
        flaws += _overlaps(table, complete)
    if whole:
        if table.policy == "unique":
            flaws += _gaps(table, complete)
        flaws += [*_unreached(table, outcomes), *_unused_axes(table)]
    return flaws


def gap(table: Table) -> list[Box]:
    """Everything possible that no rule decides, as disjoint boxes."""
    return subtract_all(table.possible, table.boxes)


def overlap(table: Table, one: int, other: int) -> list[Box]:
    """Everything possible that two rules (by number) both decide, as disjoint boxes."""
    shared = intersect(table.boxes[one], table.boxes[other])
    return [] if shared is None else subtract_all([shared], table.impossible)


def _gaps(table: Table, complete: Complete) -> Iterator[Flaw]:
    left = _by_task(merge(gap(table)))
    for box in left[:MAX_SHOWN]:
        words = _words(table, box, complete)
        yield Flaw(("rules",), f"no rule decides this workload: {words}", "add a rule for it, or widen one")
    if len(left) > MAX_SHOWN:
        words = f"{len(left) - MAX_SHOWN} more kinds of workload are decided by no rule"
        yield Flaw(("rules",), words, "add the rules above first")


def _overlaps(table: Table, complete: Complete) -> Iterator[Flaw]:
    for one, other in combinations(range(len(table.rules)), 2):
        if shared := overlap(table, one, other):
            first, second = table.rules[one], table.rules[other]
            box = _by_task(shared)[0]
            words = _words(table, box, complete)
            message = f"{first.id} and {second.id} both decide this workload: {words}"
            yield Flaw(_at(second, "when"), message, "narrow one of them")


def _never_fires(table: Table) -> Iterator[Flaw]:
    for rule, region in zip(table.rules, table.regions, strict=True):
        if not region:
            yield Flaw(_at(rule, "when"), f"{rule.id} can never fire: what it asks for cannot be", "widen or remove it")


def _unreached(table: Table, outcomes: Sequence[Outcome]) -> Iterator[Flaw]:
    reached = {rule.then for rule, region in zip(table.rules, table.regions, strict=True) if region}
    for outcome in outcomes:
        if outcome not in reached:
            yield Flaw(("rules",), f"no workload leads to {outcome}", f"add a rule whose then is {outcome}")


def _unused_axes(table: Table) -> Iterator[Flaw]:
    for position, name in enumerate(table.axes):
        at = table.space.at[name]
        if all(box[at] == table.space.axes[at].full for box in table.boxes):
            yield Flaw(("axes", position), f"{name} is declared, but no rule asks about it", "remove it from axes")


def _examples(table: Table, complete: Complete, impossible: Sequence[Impossible], whole: bool) -> Iterator[Flaw]:
    for rule in table.rules:
        said = [("fires", number, facts) for number, facts in enumerate(rule.fires)]
        said += [("silent", number, facts) for number, facts in enumerate(rule.silent)]
        for kind, number, example in said:
            path = _at(rule, "examples", kind, number)
            facts = complete(example)
            if reason := _cannot_be(table, facts, impossible):
                yield Flaw(path, f"this example cannot be: {reason}", "change or remove it")
                continue
            fired = collect(table, facts)
            if kind == "fires" and rule not in fired:
                yield Flaw(path, f"{rule.id} does not fire here{_instead(table, fired)}", _asks(table, rule))
            elif kind == "silent" and rule in fired:
                yield Flaw(path, f"{rule.id} fires here, but should be silent", _asks(table, rule))
            elif table.policy == "unique" and len(fired) > 1:
                others = " and ".join(one.id for one in fired)
                yield Flaw(path, f"{others} both decide this example", "narrow one of them")
            elif table.policy == "unique" and not fired and whole:
                yield Flaw(path, "no rule decides this example", "add a rule for it, or remove it")


def _cannot_be(table: Table, facts: Mapping[str, Value], impossible: Sequence[Impossible]) -> str | None:
    point = table.space.point(facts)
    for entry in impossible:
        box = table.space.box(entry.when)
        if touch(box, point):
            return entry.reason
    return None


def _instead(table: Table, fired: Sequence[Rule]) -> str:
    return f"; {fired[0].id} does" if table.policy == "unique" and fired else ""


def _asks(table: Table, rule: Rule) -> str:
    return f"{rule.id} asks for: {rule_words({axis.name: axis.spec for axis in table.space.axes}, rule.when)}"


def _at(rule: Rule, *steps: str | int) -> tuple[str | int, ...]:
    return ("rules", rule.position, *steps)


def _words(table: Table, box: Box, complete: Complete) -> str:
    """A workload of the box in words. Of axes the table does not declare, the usual value goes without saying."""
    usual = _usual(table, box, complete)
    spoken = tuple(
        axis.full
        if axis.name not in table.axes and axis.name in usual and mask >> axis.cell_of(usual[axis.name]) & 1
        else mask
        for axis, mask in zip(table.space.axes, box, strict=True)
    )
    return workload_words(table.space, spoken, usual)


def _usual(table: Table, box: Box, complete: Complete) -> Mapping[str, Value]:
    """The values a person would take for granted, given the first answer of the box (the task)."""
    first = table.space.axes[0]
    return complete({first.name: first.spec.listed[next(cells(box[0]))]}) if not first.spec.is_number else {}


def _by_task(boxes: Iterable[Box]) -> list[Box]:
    """Boxes with the first axis split into its values, in their order: what is said of one task is said alone."""
    split = [(cell, (1 << cell, *box[1:])) for box in boxes for cell in cells(box[0])]
    return [box for _, box in sorted(split, key=lambda one: one[0])]

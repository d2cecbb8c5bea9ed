"""The smallest change of answers that leads to another outcome, and why the present answers do not.

Smallest is: fewest answers; then the least sum of |ln((to + 1) / (from + 1))| over numbers, `to` being the bound that
is crossed (every other change costs nothing, a change from or to null too); then the order of the answers; then the
order of their values, null first. One answer is held fixed: a different task is a different question. What cannot be
is never proposed, and the whole stretch that is named leads to the outcome asked for, never through another.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from math import fsum, log
from typing import NamedTuple

from advisor.core.guide.axis import Axis, Value
from advisor.core.guide.boxes import Box, cells, subtract_all
from advisor.core.guide.rule import Outcome, Table
from advisor.core.guide.words import needed_words, span_words

_DIGITS = 12
"""Sums that differ only by rounding are ties, so that the order of summation never settles one."""


class Step(NamedTuple):
    """One changed answer: from a value to a value, or into a stretch of numbers given in words (`< 10`)."""

    answer: str
    from_value: Value
    to: Value


class Missed(NamedTuple):
    """One answer that keeps a rule from firing: what it is, and what the rule needs, in words."""

    rule: str
    answer: str
    got: Value
    needed: str


def flip(table: Table, facts: Mapping[str, Value], outcome: Outcome, *, fixed: str | None = None) -> tuple[Step, ...]:
    """The smallest change that leads to `outcome`, in the order of the axes; empty where none does, or none is
    needed.
    """
    axes, point = table.space.axes, table.space.point(facts)
    pieces = [
        piece
        for rule, region in zip(table.rules, table.regions, strict=True)
        if rule.then == outcome
        for piece in region
    ]
    best: tuple[tuple[int, float, tuple[int, ...], tuple[int, ...]], dict[int, int]] | None = None
    fewest = len(axes) + 1
    for piece in pieces:
        changed = [at for at, cell in enumerate(point) if not piece[at] & cell]
        if not changed:
            return ()
        if len(changed) > fewest or any(axes[at].name == fixed for at in changed):
            continue
        fewest = len(changed)
        for targets in product(*(_nearest(axes[at], piece[at], facts) for at in changed)):
            cost = round(fsum(_cost(axes[at], cell, facts) for at, cell in zip(changed, targets, strict=True)), _DIGITS)
            key = (len(changed), cost, tuple(changed), targets)
            if best is None or key < best[0]:
                best = (key, dict(zip(changed, targets, strict=True)))
    if best is None:
        return ()
    reached = _grow(table, point, best[1], pieces)
    return tuple(
        Step(axes[at].name, facts[axes[at].name], _target(axes[at], cell, reached[at]))
        for at, cell in sorted(best[1].items())
    )


def why_not(table: Table, facts: Mapping[str, Value], outcome: Outcome, *, fixed: str) -> tuple[Missed, ...]:
    """What keeps the rules with `outcome` from firing, rule by rule.

    Rules that do not allow the `fixed` answer are left out, unless none does: then that answer is the whole reason.
    """
    axes, point = table.space.axes, table.space.point(facts)
    rows = [(rule, box) for rule, box in zip(table.rules, table.boxes, strict=True) if rule.then == outcome]
    held = table.space.at.get(fixed)
    if held is None:
        chosen = range(len(axes))
    elif allowing := [(rule, box) for rule, box in rows if box[held] & point[held]]:
        rows, chosen = allowing, range(len(axes))
    else:
        chosen = range(held, held + 1)
    return tuple(
        Missed(rule.id, axes[at].name, facts[axes[at].name], needed_words(axes[at], box[at]))
        for rule, box in rows
        for at in chosen
        if not box[at] & point[at]
    )


def _nearest(axis: Axis, mask: int, facts: Mapping[str, Value]) -> list[int]:
    """The cells of a mask that can be part of a smallest change: of numbers, the nearest on either side."""
    found = list(cells(mask))
    if not axis.spec.is_number:
        return found[:1]
    at = axis.cell_of(facts[axis.name])
    if axis.is_null(at):
        return found[:1]
    below = [cell for cell in found if cell < at and not axis.is_null(cell)]
    above = [cell for cell in found if cell > at]
    return [cell for cell in found if axis.is_null(cell)] + below[-1:] + above[:1]


def _cost(axis: Axis, cell: int, facts: Mapping[str, Value]) -> float:
    value = facts[axis.name]
    if not axis.spec.is_number or value is None or axis.is_null(cell):
        return 0.0
    low, high = axis.span_of(cell)
    bound = high if cell < axis.cell_of(value) else low
    return 0.0 if bound is None else abs(log((bound + 1) / (float(value) + 1)))


def _grow(table: Table, point: Box, targets: Mapping[int, int], pieces: list[Box]) -> Box:
    """The box around the target cells that still leads to the outcome whole: each number grown as far as it can be.

    Away from the bound that is crossed first, then the other way; a cell is taken only if everything it adds leads to
    the outcome, so that the words never promise more than the rules keep.
    """
    box = list(point)
    for at, cell in targets.items():
        box[at] = 1 << cell
    for at, cell in targets.items():
        axis = table.space.axes[at]
        if not axis.spec.is_number or axis.is_null(cell):
            continue
        for step in (1, -1):
            reach = cell + step
            while int(axis.spec.nullable) <= reach < axis.size:
                added = (*box[:at], 1 << reach, *box[at + 1 :])
                if subtract_all([added], pieces):
                    break
                box[at] |= 1 << reach
                reach += step
    return tuple(box)


def _target(axis: Axis, cell: int, mask: int) -> Value:
    if not axis.spec.is_number:
        return axis.spec.listed[cell]
    if axis.is_null(cell):
        return None
    run = list(cells(mask))
    return span_words((axis.span_of(run[0])[0], axis.span_of(run[-1])[1]))

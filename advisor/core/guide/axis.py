"""An axis: one question of a rule table, cut into the cells that the rules tell apart.

An enumerated axis has a cell per listed value; a number is cut by every threshold that any rule names, so two numbers
in one cell are the same to every rule. A null is a cell of its own, the first, and no threshold matches it. Which
axes there are stands in `vocabulary`; sets of cells are combined in `boxes`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

Value = str | int | float | bool | None
Span = tuple[float | None, float | None]
"""A half-open stretch of numbers: from `low` (included) up to `high` (not included); None is unbounded."""


class AxisSpec(NamedTuple):
    """What may stand on an axis, before any rule cuts it.

    `values` lists the values in the order of the contract, without null; it is empty for a number, whose smallest and
    largest allowed values are `lowest` and `highest` (None: no such bound). `whole` numbers have no fraction.
    """

    name: str
    values: tuple[Value, ...] = ()
    nullable: bool = False
    whole: bool = False
    lowest: float | None = None
    highest: float | None = None

    @property
    def is_number(self) -> bool:
        """Whether thresholds cut this axis."""
        return not self.values

    @property
    def listed(self) -> tuple[Value, ...]:
        """Every value that can be named one by one: null first, where it is allowed."""
        return (None, *self.values) if self.nullable else self.values


class Condition(NamedTuple):
    """What a rule allows on one axis: values named one by one (of a number, only null), and stretches of numbers."""

    axis: str
    values: tuple[Value, ...] = ()
    spans: tuple[Span, ...] = ()

    def bounds(self) -> Iterable[float]:
        """The numbers at which this condition changes its mind."""
        return (bound for span in self.spans for bound in span if bound is not None)


class Axis(NamedTuple):
    """A cut axis. Cell 0 is null where the axis is nullable; the others follow in order of their values.

    `size` is how many cells there are, `full` the mask of them all.
    """

    spec: AxisSpec
    cuts: tuple[float, ...]
    cell_by_value: Mapping[Value, int]
    size: int
    full: int

    @property
    def name(self) -> str:
        """The answer, or the fact of the design, that this axis is about."""
        return self.spec.name

    def cell_of(self, value: Value) -> int:
        """The number of the cell that holds `value`. Raises KeyError where an enumerated axis does not list it."""
        if not self.spec.is_number:
            return self.cell_by_value[value]
        if value is None:
            return self.cell_by_value[None]
        return bisect_right(self.cuts, float(value)) + self.spec.nullable

    def span_of(self, cell: int) -> Span:
        """The numbers in a cell of a number axis. Not for the null cell."""
        at = cell - self.spec.nullable
        return (self.cuts[at - 1] if at > 0 else None, self.cuts[at] if at < len(self.cuts) else None)

    def is_null(self, cell: int) -> bool:
        """Whether a cell is the null cell."""
        return self.spec.nullable and cell == 0

    def mask(self, condition: Condition) -> int:
        """The cells that a condition allows. Exact, because every bound of every rule is a cut."""
        mask = 0
        for value in condition.values:
            mask |= 1 << self.cell_by_value[value]
        if condition.spans:
            for cell in range(int(self.spec.nullable), self.size):
                if any(_inside(self.span_of(cell), span) for span in condition.spans):
                    mask |= 1 << cell
        return mask


def _inside(cell: Span, span: Span) -> bool:
    (low, high), (least, limit) = cell, span
    from_below = least is None or (low is not None and low >= least)
    return from_below and (limit is None or (high is not None and high <= limit))


def cut_axis(spec: AxisSpec, conditions: Iterable[Condition]) -> Axis:
    """The axis with the cuts that `conditions` (those on this axis) ask for.

    A bound that leaves nothing on one side of it cuts nothing: below the smallest allowed value there is no cell.
    """
    bounds = {bound for condition in conditions for bound in condition.bounds()}
    cuts = tuple(sorted(bound for bound in bounds if cuts_axis(spec, bound))) if spec.is_number else ()
    cells: dict[Value, int] = {None: 0} if spec.is_number else {value: cell for cell, value in enumerate(spec.listed)}
    size = len(cuts) + 1 + spec.nullable if spec.is_number else len(cells)
    return Axis(spec, cuts, MappingProxyType(cells), size, (1 << size) - 1)


def trim(spec: AxisSpec, span: Span) -> Span | None:
    """The span without bounds that no allowed value lies beyond; None where no allowed value lies within."""
    low, high = span
    if low is not None and low <= (spec.lowest if spec.lowest is not None else low - 1):
        low = None
    if high is not None and spec.highest is not None and high > spec.highest:
        high = None
    above = low is not None and not cuts_axis(spec, low)
    below = high is not None and not cuts_axis(spec, high)
    return None if above or below or (low is not None and high is not None and low >= high) else (low, high)


def cuts_axis(spec: AxisSpec, bound: float) -> bool:
    """Whether there are allowed values on both sides of `bound`."""
    return (spec.lowest is None or bound > spec.lowest) and (spec.highest is None or bound <= spec.highest)


def complement(spec: AxisSpec, condition: Condition) -> Condition:
    """Everything on the axis that `condition` does not allow; null included, unless it names null."""
    if not spec.is_number:
        return Condition(spec.name, tuple(value for value in spec.listed if value not in condition.values))
    values: tuple[Value, ...] = (None,) if spec.nullable and None not in condition.values else ()
    spans: list[Span] = []
    low: float | None = None
    for least, limit in sorted(condition.spans, key=lambda span: (span[0] is not None, span[0] or 0.0)):
        if least is not None and (low is None or least > low):
            spans.append((low, least))
        if limit is None:
            return Condition(spec.name, values, tuple(spans))
        low = limit if low is None else max(low, limit)
    return Condition(spec.name, values, (*spans, (low, None)))

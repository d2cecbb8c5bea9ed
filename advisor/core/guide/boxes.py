"""Boxes: for each axis a set of cells, held as one bitmask; the algebra on which every promise of the rules stands.

A box is a tuple of bitmasks, one per axis of its space, all of them non-zero. What is proved, flipped, reached or
compared is always a list of disjoint boxes, so nothing is ever sampled and nothing enumerates the cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from advisor.core.guide.axis import Axis, AxisSpec, Condition, Value, cut_axis

Box = tuple[int, ...]


class Space(NamedTuple):
    """The axes that boxes are made over, in the order of the contract."""

    axes: tuple[Axis, ...]
    at: Mapping[str, int]

    @property
    def full(self) -> Box:
        """Everything."""
        return tuple(axis.full for axis in self.axes)

    def box(self, conditions: Iterable[Condition]) -> Box:
        """The box that `conditions` describe; an axis they do not name is free."""
        masks = [axis.full for axis in self.axes]
        for condition in conditions:
            position = self.at[condition.axis]
            masks[position] &= self.axes[position].mask(condition)
        return tuple(masks)

    def point(self, facts: Mapping[str, Value]) -> Box:
        """The single cell that `facts` fall into: a box of one cell per axis. Raises KeyError for a missing fact."""
        return tuple(1 << axis.cell_of(facts[axis.name]) for axis in self.axes)

    def partial(self, facts: Mapping[str, Value]) -> Box:
        """The box of everything that agrees with `facts`; an axis they do not name is free."""
        known = facts.keys()
        return tuple(1 << axis.cell_of(facts[axis.name]) if axis.name in known else axis.full for axis in self.axes)


def make_space(specs: Iterable[AxisSpec], conditions: Iterable[Condition]) -> Space:
    """The space of the axes `specs`, cut by every bound in `conditions`."""
    by_axis: dict[str, list[Condition]] = {}
    for condition in conditions:
        by_axis.setdefault(condition.axis, []).append(condition)
    axes = tuple(cut_axis(spec, by_axis.get(spec.name, ())) for spec in specs)
    return Space(axes, {axis.name: position for position, axis in enumerate(axes)})


def is_empty(box: Box) -> bool:
    """Whether a box holds nothing, because some axis allows no cell."""
    return 0 in box


def touch(one: Box, other: Box) -> bool:
    """Whether two boxes share anything."""
    for a, b in zip(one, other, strict=True):  # noqa: SIM110 - a plain loop is twice as fast as a generator here
        if not a & b:
            return False
    return True


def intersect(one: Box, other: Box) -> Box | None:
    """What two boxes share, or None."""
    if not touch(one, other):
        return None
    return tuple(a & b for a, b in zip(one, other, strict=True))


def subtract(box: Box, other: Box) -> list[Box]:
    """What is left of `box` without `other`, as disjoint boxes: at most one per axis."""
    if not touch(box, other):
        return [box]
    left: list[Box] = []
    rest = list(box)
    for position, mask in enumerate(other):
        if outside := rest[position] & ~mask:
            left.append((*rest[:position], outside, *rest[position + 1 :]))
            rest[position] &= mask
    return left


def subtract_all(boxes: Iterable[Box], cutters: Sequence[Box]) -> list[Box]:
    """What is left of `boxes` without any of `cutters`, as disjoint boxes where `boxes` were disjoint."""
    left = list(boxes)
    for cutter in cutters:
        left = [piece for box in left for piece in subtract(box, cutter)]
    return left


def merge(boxes: Iterable[Box]) -> list[Box]:
    """Fewer boxes that hold the same: two that differ on one axis only become one, until none do."""
    left = list(boxes)
    merged = True
    while merged:
        merged = False
        for at in range(len(left[0]) if left else 0):
            groups: dict[Box, int] = {}
            for box in left:
                others = (*box[:at], *box[at + 1 :])
                groups[others] = groups.get(others, 0) | box[at]
            if len(groups) < len(left):
                left = [(*others[:at], mask, *others[at:]) for others, mask in groups.items()]
                merged = True
    return left


def cover(boxes: Sequence[Box], spare: Sequence[Box], full: Box) -> list[Box]:
    """Fewer and wider boxes that hold all of `boxes` and, beyond them, only what is in `spare`; they may overlap.

    For words: the widest box says least about axes that do not matter.
    """
    allowed = [*boxes, *spare]
    left = list(boxes)
    wide: list[Box] = []
    while left:
        box = left[0]
        for at, all_cells in enumerate(full):
            outside = all_cells & ~box[at]
            if outside and not subtract_all([(*box[:at], outside, *box[at + 1 :])], allowed):
                box = (*box[:at], all_cells, *box[at + 1 :])
        wide.append(box)
        left = subtract_all(left, [box])
    return wide


def cells(mask: int) -> Iterator[int]:
    """The numbers of the cells in a mask, ascending."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest

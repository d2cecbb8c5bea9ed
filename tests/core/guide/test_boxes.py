"""The algebra of boxes, against sets of points."""

import random
from itertools import product

import pytest

from advisor.core.guide.boxes import Box, cells, cover, intersect, merge, subtract, subtract_all

SIZES = (2, 3, 4)
FULL: Box = tuple((1 << size) - 1 for size in SIZES)


def points(boxes: list[Box]) -> set[tuple[int, ...]]:
    return {point for box in boxes for point in product(*(cells(mask) for mask in box))}


def random_boxes(chance: random.Random, count: int) -> list[Box]:
    return [tuple(chance.randint(1, full) for full in FULL) for _ in range(count)]


def disjoint(boxes: list[Box]) -> bool:
    return len(points(boxes)) == sum(len(points([box])) for box in boxes)


@pytest.mark.parametrize("seed", range(100))
def test_the_algebra_equals_sets_of_points(seed):
    chance = random.Random(seed)
    one, other, *more = random_boxes(chance, 5)
    shared = intersect(one, other)
    assert points([shared] if shared else []) == points([one]) & points([other])
    left = subtract(one, other)
    assert points(left) == points([one]) - points([other])
    assert disjoint(left)
    pieces = subtract_all([FULL], [one, other, *more])
    assert points(pieces) == points([FULL]) - points([one, other, *more])
    assert disjoint(pieces)
    merged = merge(pieces)
    assert points(merged) == points(pieces)
    assert disjoint(merged)
    assert len(merged) <= len(pieces)


@pytest.mark.parametrize("seed", range(100))
def test_a_cover_holds_everything_and_goes_only_where_it_may(seed):
    chance = random.Random(seed)
    wanted, spare = random_boxes(chance, 3), random_boxes(chance, 2)
    wide = cover(wanted, spare, FULL)
    assert points(wanted) <= points(wide) <= points([*wanted, *spare])


def test_nothing_is_left_of_a_box_without_itself():
    assert subtract(FULL, FULL) == []
    assert merge([]) == []
    assert cover([], [], FULL) == []


def test_cells_are_named_in_ascending_order():
    assert list(cells(0b101001)) == [0, 3, 5]
    assert list(cells(0)) == []

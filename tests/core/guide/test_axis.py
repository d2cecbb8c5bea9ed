"""Axes: how numbers and values fall into cells."""

import math
import random

import pytest

from advisor.core.guide.axis import AxisSpec, Condition, complement, cut_axis, cuts_axis, trim
from tests.core.guide import brute

RATE = AxisSpec("rate", lowest=0, highest=100)
LABELS = AxisSpec("labels", nullable=True, whole=True, lowest=0)
KIND = AxisSpec("kind", ("a", "b", "c"), nullable=True)


def test_a_bound_belongs_to_the_cell_above_it():
    axis = cut_axis(RATE, [Condition("rate", (), ((None, 10),))])
    assert [axis.cell_of(value) for value in (0.1, 9.999, 10, 10.0, 11)] == [0, 0, 1, 1, 1]


def test_a_null_is_a_cell_of_its_own_that_no_threshold_matches():
    condition = Condition("labels", (), ((None, 10),))
    axis = cut_axis(LABELS, [condition])
    assert (axis.size, axis.cell_of(None), axis.cell_of(0), axis.cell_of(10)) == (3, 0, 1, 2)
    assert axis.mask(condition) == 0b010
    assert axis.mask(Condition("labels", (None,), ((10, None),))) == 0b101


def test_listed_values_are_cells_in_their_order_with_null_first():
    axis = cut_axis(KIND, [])
    assert [axis.cell_of(value) for value in (None, "a", "b", "c")] == [0, 1, 2, 3]
    assert axis.mask(Condition("kind", ("a", "c"))) == 0b1010
    with pytest.raises(KeyError):
        axis.cell_of("d")


def test_a_bound_with_nothing_beyond_it_cuts_nothing():
    assert not cuts_axis(RATE, 0)
    assert cuts_axis(RATE, 100)
    assert not cuts_axis(RATE, 100.5)
    assert cut_axis(RATE, [Condition("rate", (), ((0, 200),))]).cuts == ()


def test_trimming_drops_bounds_that_say_nothing_and_refuses_what_holds_nothing():
    assert trim(RATE, (0, None)) == (None, None)
    assert trim(RATE, (-5, 10)) == (None, 10)
    assert trim(RATE, (10, 200)) == (10, None)
    assert trim(RATE, (None, 0)) is None
    assert trim(RATE, (101, None)) is None
    assert trim(RATE, (10, 10)) is None
    assert trim(RATE, (20, 10)) is None
    assert trim(LABELS, (0, 1)) == (None, 1)


@pytest.mark.parametrize("seed", range(200))
def test_a_condition_and_its_complement_share_nothing_and_leave_nothing(seed):
    chance = random.Random(seed)
    for spec in (*brute.random_specs(chance), KIND, AxisSpec("n", nullable=True, lowest=0)):
        condition = brute.random_condition(chance, spec)
        if not spec.values and chance.random() < 0.5:
            condition = Condition(spec.name, condition.values, (*condition.spans, (3, 7), (50, 60)))
        other = complement(spec, condition)
        values = (
            spec.listed if spec.values else (*((None,) if spec.nullable else ()), 0.5, 1, 2, 3, 6, 7, 9, 10, 45, 55, 99)
        )
        for value in values:
            assert brute.allows(condition, value) != brute.allows(other, value)
        axis = cut_axis(spec, [condition, other])
        assert axis.mask(condition) ^ axis.mask(other) == axis.full
        assert not axis.mask(condition) & axis.mask(other)


def test_every_number_falls_into_the_cell_whose_span_holds_it():
    axis = cut_axis(RATE, [Condition("rate", (), ((1, 5), (10, None)))])
    for value in (0.01, math.nextafter(1, 0), 1, 4.9, 5, 10, 99):
        low, high = axis.span_of(axis.cell_of(value))
        assert (low is None or value >= low) and (high is None or value < high)  # noqa: PT018 - one interval

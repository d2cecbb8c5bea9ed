"""Figures in sentences: three digits, hardly an exponent, and limits that still hold when they were rounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.core.sizing.wording import milliseconds, replicas, rounded_up, three_digits


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"),
        (0.001234, "0.00123"),
        (0.9996, "1.00"),
        (9.996, "10.0"),
        (12.34, "12.3"),
        (999.6, "1,000"),
        (123_456.0, "123,000"),
        (0.000001234, "0.00000123"),
        (7.894e-299, "7.89e-299"),
    ],
)
def test_a_figure_has_three_digits(value: float, words: str) -> None:
    assert three_digits(value) == words


def test_units_and_plurals() -> None:
    assert milliseconds(0.0123) == "12.3 ms"
    assert [replicas(1), replicas(1200)] == ["1 replica", "1,200 replicas"]


@given(st.floats(1e-6, 1e15))
def test_a_limit_rounded_up_is_at_most_one_per_cent_above_and_never_below(value: float) -> None:
    assert value <= rounded_up(value) <= value * 1.0101

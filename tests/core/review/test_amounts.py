"""Figures of budgets in words."""

from __future__ import annotations

import pytest

from advisor.core.review.amounts import amount, of_check, raised, written


@pytest.mark.parametrize(
    ("value", "words"),
    [(400e6, "400,000,000"), (80.0, "80"), (0.3, "0.3"), (1234.5, "1,234.5"), (0.0, "0"), (1e20, "1e+20")],
)
def test_a_budget_stands_as_it_was_written(value: float, words: str) -> None:
    assert written(value) == words


def test_counts_are_told_in_full_and_measured_figures_in_three_digits() -> None:
    assert amount(335_141_888, "parameters") == "335,141,888"
    assert amount(170_132_480.4, "FLOPs") == "170,132,480"
    assert amount(98.123, "ms") == "98.1"
    assert amount(0.407853, "GiB") == "0.408"
    assert amount(0.407853, "GiB", beside=0.408) == "0.407853", "three digits would hide which is larger"
    assert of_check("BUD-203", 4.0) == "4 GiB"


@pytest.mark.parametrize(
    ("budget", "value", "words"),
    [
        (109_482_239, 109_482_240, "to 110,000,000, which is 1 % more"),
        (300e6, 335_141_888, "to 336,000,000, which is 12 % more"),
        (1000, 73_728, "to 73,800, which is 73.8 times as much"),
        (0, 524_288, "to 525,000"),
    ],
)
def test_a_budget_is_raised_so_far_that_the_value_passes(budget: float, value: float, words: str) -> None:
    assert raised(budget, value) == words

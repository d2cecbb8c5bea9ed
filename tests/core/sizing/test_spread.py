"""The lengths of single requests, from the typical and the longest one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.core.sizing.serving import drawn_levels, uniform_draws
from advisor.core.sizing.spread import LONGEST_SHARE, spread_of


@given(typical=st.integers(1, 10_000_000), longer=st.integers(0, 10_000_000))
def test_lengths_lie_about_the_typical_one_and_never_beyond_the_longest(typical: int, longer: int) -> None:
    spread = spread_of(typical, typical + longer)
    assert list(spread.tokens) == sorted(set(spread.tokens))
    assert 1 <= spread.tokens[0] <= typical
    assert spread.tokens[-1] == typical + longer
    assert sum(spread.shares) == pytest.approx(1.0)
    assert spread.varies == (longer > 0)


def test_half_of_the_requests_are_longer_than_typical_and_one_in_a_hundred_is_the_longest() -> None:
    spread = spread_of(128, 512)
    draws = uniform_draws(100_000, 0, 7)
    lengths = np.asarray(spread.tokens)[drawn_levels(spread.shares, draws)]
    assert float(np.mean(lengths > 128)) == pytest.approx(0.5, abs=0.01)
    assert float(np.mean(lengths == 512)) == pytest.approx(LONGEST_SHARE, abs=0.002)


def test_a_larger_draw_is_never_a_shorter_text() -> None:
    levels = drawn_levels((0.2, 0.5, 0.3), np.linspace(0, 0.999, 100))
    assert levels.tolist() == sorted(levels.tolist())
    assert set(levels.tolist()) == {0, 1, 2}

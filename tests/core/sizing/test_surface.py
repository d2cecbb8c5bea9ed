"""Fitted surfaces as a plan reads them: exact at the cells, bent between them, bounds widened by their own error."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.core.sizing.latency import BOUNDS, Surface
from advisor.core.sizing.measurement import Surface as Fitted
from advisor.core.sizing.surface import bend_s, formula_of, predicted_s, smooth_s, terms_of
from tests.core.sizing.test_latency import forward

shapes = st.tuples(st.sampled_from([1, 2, 4, 8]), st.sampled_from([16, 64, 100, 256]))


def fit(c0: float, c1: float, c2: float, worst: float | None = 0.0) -> Fitted:
    terms = terms_of("forward")
    return Fitted(
        stage="forward",
        runtime="torch",
        dtype="float32",
        formula=formula_of(terms),
        coefficients=dict(zip(terms, (c0, c1, c2), strict=True)),
        holdout_error_pct=worst,
        holdout_worst_pct=worst,
    )


def surface(points: dict[tuple[int, int], float], fitted: Fitted, width: float = 0.0) -> Surface:
    cells = [forward(batch, length, seconds, width=width) for (batch, length), seconds in points.items()]
    return Surface.of(cells, fit=fitted)


def test_a_formula_is_written_as_it_is_computed() -> None:
    assert formula_of(terms_of("forward")) == "c0 + c1·b·s + c2·b·s²"
    assert formula_of(terms_of("decode")) == "α + β·b + γ·b·ctx"
    assert smooth_s({"c0": 1.0, "c1": 0.5, "c2": 0.25}, 2, 4) == 1 + 0.5 * 8 + 0.25 * 32
    assert smooth_s({"α": 1.0, "β": 0.5, "γ": 0.25}, 2, 4) == 1 + 0.5 * 2 + 0.25 * 8


def test_measured_cells_come_back_exactly_however_far_the_formula_is_off() -> None:
    points = {(1, 64): 1.0, (4, 64): 2.5, (1, 128): 2.0, (4, 128): 5.0}
    read = surface(points, fit(9.0, 9.0, 9.0, worst=50.0))
    for bound in BOUNDS:
        assert read.service_s(64, bound)[0] == 1.0
        assert read.service_s(128, bound)[3] == 5.0


def test_between_two_lengths_a_time_follows_the_bend_of_the_formula() -> None:
    true = fit(0.1, 0.001, 0.00002)
    points = {(b, s): smooth_s(true.coefficients, b, s) for b in (1, 4) for s in (32, 128)}
    read = surface(points, true)
    assert read.service_s(80, "mid")[0] == pytest.approx(smooth_s(true.coefficients, 1, 80))
    assert read.service_s(80, "mid")[2] == pytest.approx(smooth_s(true.coefficients, 3, 80))
    assert bend_s(true, 1, 32, 80, 128) < 0


def test_the_error_of_the_fit_widens_what_was_not_measured_and_nothing_else() -> None:
    points = {(1, 64): 1.0, (4, 64): 4.0, (1, 128): 2.0, (4, 128): 8.0}
    read = surface(points, fit(0.0, 1 / 64, 0.0, worst=10.0), width=0.05)
    assert read.service_s(64, "high")[0] == pytest.approx(1.05)
    assert read.service_s(64, "high")[1] == pytest.approx(2.0 * 1.05 * 1.1)
    assert read.service_s(64, "low")[1] == pytest.approx(2.0 * 0.95 * 0.9)
    assert read.service_s(96, "high")[0] == pytest.approx(1.5 * 1.05 * 1.1)
    assert read.service_s(96, "mid")[0] == pytest.approx(1.5)


def test_a_wild_error_reaches_no_further_than_the_cells_on_either_side() -> None:
    points = {(1, 64): 1.0, (4, 64): 1.2}
    read = surface(points, fit(0.9, 1e-3, 0.0, worst=400.0))
    assert read.service_s(64, "high")[1] == 1.2
    assert read.service_s(64, "low")[1] == 1.0


def test_a_surface_without_coefficients_is_as_good_as_none() -> None:
    points = {(1, 64): 1.0, (4, 64): 4.0}
    empty = fit(0.0, 0.0, 0.0).model_copy(update={"coefficients": {}, "holdout_worst_pct": None})
    assert surface(points, empty).fit is None


def test_what_the_formula_leaves_over_is_interpolated_over_batches_then_lengths() -> None:
    flat = {"c0": 1.0}
    cells = {(1, 10): 1.0, (3, 10): 2.0, (1, 20): 2.0, (3, 20): 5.0}
    assert predicted_s(flat, cells, 1, 10) == 1.0
    assert predicted_s(flat, cells, 2, 15) == pytest.approx((1.5 + 3.5) / 2)
    assert predicted_s(flat, cells, 9, 99) == 5.0


@given(
    points=st.dictionaries(shapes, st.floats(1e-4, 10.0), min_size=1, max_size=16),
    bend=st.floats(0.0, 1e-3),
    worst=st.floats(0.0, 200.0),
    shorter=st.integers(1, 300),
    more=st.integers(0, 300),
)
def test_a_longer_text_or_a_larger_batch_never_takes_less_time_on_a_fitted_surface(
    points: dict[tuple[int, int], float], bend: float, worst: float, shorter: int, more: int
) -> None:
    read = surface(points, fit(0.0, 1e-3, bend, worst), width=0.1)
    for bound in BOUNDS:
        short, long = read.service_s(shorter, bound), read.service_s(shorter + more, bound)
        assert all(one <= other * (1 + 1e-9) for one, other in zip(short, long, strict=False))
        assert all(one <= other * (1 + 1e-9) for one, other in pairwise(long))
    low, mid, high = (read.service_s(shorter, bound) for bound in BOUNDS)
    assert all(a <= b * (1 + 1e-9) <= c * (1 + 2e-9) for a, b, c in zip(low, mid, high, strict=True))

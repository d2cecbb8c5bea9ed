"""Surfaces fitted to cells of known models: the truth comes back, and what cannot be told is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.core.sizing.measurement import Cell, CellPlan
from advisor.core.sizing.measurement import Surface as Fitted
from advisor.predict.fitting import fitted
from tests.core.sizing.known_model import cell
from tests.fake_child import fake_cell

GRID = [(batch, tokens) for batch in (1, 4, 8) for tokens in (32, 64, 128)]


def passes(truth: Callable[[int, int], float], grid: Sequence[tuple[int, int]] = GRID, **more: Any) -> list[Cell]:
    plans = [CellPlan(stage="forward", dtype="float32", batch_size=b, input_tokens=s) for b, s in grid]
    return [cell(plan, truth(plan.batch_size, plan.input_tokens or 0), **more) for plan in plans]


def only(cells: Sequence[Cell]) -> Fitted:
    (surface,) = fitted(cells)
    return surface


def test_the_known_function_of_the_fake_child_comes_back() -> None:
    stages: list[dict[str, Any]] = [{"stage": "prefill", "input_tokens": s, "context_tokens": None} for s in (32, 128)]
    stages += [{"stage": "decode", "input_tokens": None, "context_tokens": s} for s in (32, 128)]
    cells = [fake_cell(CellPlan(dtype="float32", batch_size=b, **stage)) for b in (1, 4, 8) for stage in stages]
    found = {surface.stage: surface for surface in fitted(cells)}
    assert found["prefill"].coefficients == pytest.approx({"c0": 2e-3, "c1": 20e-6, "c2": 10e-9}, rel=0.02)
    assert found["decode"].coefficients == pytest.approx({"α": 5e-3, "β": 1e-3, "γ": 2e-6}, rel=0.02)
    assert found["prefill"].formula == "c0 + c1·b·s + c2·b·s²"
    assert found["decode"].formula == "α + β·b + γ·b·ctx"
    assert all(surface.holdout_error_pct == pytest.approx(0.0, abs=0.5) for surface in found.values())


def test_each_configuration_has_a_surface_of_its_own() -> None:
    cells = passes(lambda b, s: 1e-3 + 1e-5 * b * s)
    slower = [one.model_copy(update={"dtype": "bfloat16", "median_s": 3 * (one.median_s or 0.0)}) for one in cells]
    found = fitted([*cells, *slower])
    assert {one.dtype for one in found} == {"float32", "bfloat16"}
    slopes = {one.dtype: one.coefficients["c1"] for one in found}
    assert slopes["bfloat16"] == pytest.approx(3 * slopes["float32"])


def test_a_step_in_the_truth_shows_in_the_error() -> None:
    smooth = only(passes(lambda b, s: 1e-3 + 1e-5 * b * s))
    stepped = only(passes(lambda b, s: (1e-3 + 1e-5 * b * s) * (1.3 if b * s > 200 else 1.0)))
    assert smooth.holdout_error_pct == pytest.approx(0.0, abs=1e-6)
    assert stepped.holdout_error_pct is not None
    assert stepped.holdout_error_pct > 2
    assert (stepped.holdout_worst_pct or 0.0) > 10


def test_a_batch_with_a_kernel_of_its_own_shows_where_it_is_left_out_whole_and_not_along_the_lengths() -> None:
    grid = [(batch, tokens) for batch in (1, 2, 3, 4, 8) for tokens in (32, 64, 128)]
    smooth = only(passes(lambda b, s: 1e-3 + 1e-5 * b * s, grid))
    own = only(passes(lambda b, s: (2.0 if b == 3 else 1.0) * (1e-2 + 1e-6 * b * s), grid))
    assert smooth.holdout_batch_pct == pytest.approx(0.0, abs=1e-6)
    assert (own.holdout_batch_pct or 0.0) > 40
    assert (own.holdout_error_pct or 0.0) < 5
    assert (
        only(passes(lambda b, s: 1e-3 + 1e-5 * b * s, [(1, 32), (4, 32), (1, 64), (4, 64)])).holdout_batch_pct is None
    )


def test_at_one_length_no_more_terms_are_fitted_than_it_can_tell_apart() -> None:
    found = only(passes(lambda b, s: 1e-3 + 1e-5 * b * s, [(1, 64), (4, 64), (8, 64)]))
    assert found.formula == "c0 + c1·b·s"
    assert found.coefficients == pytest.approx({"c0": 1e-3, "c1": 1e-5})


@pytest.mark.parametrize("grid", [[(1, 64)], [(1, 64), (4, 64)], [(1, 32), (4, 64), (8, 128)]])
def test_too_few_cells_have_no_error_and_say_so(grid: list[tuple[int, int]]) -> None:
    found = only(passes(lambda b, s: 1e-3 + 1e-5 * b * s, grid))
    assert found.coefficients == {}
    assert found.holdout_error_pct is None
    count = "1 cell is" if len(grid) == 1 else f"{len(grid)} cells are"
    assert (found.note or "").startswith(f"{count} too few")


def test_a_term_that_dominates_is_not_given_up_for_one_that_fits_better() -> None:
    found = only(passes(lambda b, s: 1e-4 + 1e-7 * b * s * s))
    assert found.coefficients["c1"] > 0
    assert "c2" not in found.coefficients


def test_times_that_do_not_grow_are_no_surface() -> None:
    found = only(passes(lambda b, s: 1 / (b * s)))
    assert found.coefficients == {}
    assert "zero" in (found.note or "")


def test_cells_without_a_figure_and_cells_of_cut_models_are_left_out() -> None:
    cells = passes(lambda b, s: 1e-3 + 1e-5 * b * s)
    cut = [one.model_copy(update={"layers": 2, "median_s": 9.0}) for one in cells]
    broken = [one.model_copy(update={"median_s": None, "flags": ("killed",)}) for one in cells]
    assert fitted([*cells, *cut, *broken]) == fitted(cells)
    assert fitted([]) == ()


def test_a_step_that_reads_a_source_counts_it_as_attended() -> None:
    plans = [
        CellPlan(stage="decode", dtype="float32", batch_size=b, input_tokens=source, context_tokens=10)
        for b in (1, 4, 8)
        for source in (32, 64, 128)
    ]
    truth = [5e-3 + 1e-3 * p.batch_size + 2e-6 * p.batch_size * (10 + (p.input_tokens or 0)) for p in plans]
    found = only([cell(plan, seconds) for plan, seconds in zip(plans, truth, strict=True)])
    assert found.coefficients == pytest.approx({"α": 5e-3, "β": 1e-3, "γ": 2e-6})


def test_noise_of_a_few_per_cent_gives_an_error_of_a_few_per_cent() -> None:
    wobble = [1.02, 0.97, 1.03, 0.98, 1.01, 1.03, 0.99, 0.97, 1.02]
    cells = passes(lambda b, s: 2e-3 + 2e-5 * b * s + 1e-8 * b * s * s)
    noisy = [c.model_copy(update={"median_s": (c.median_s or 0.0) * w}) for c, w in zip(cells, wobble, strict=True)]
    assert (only(noisy).holdout_error_pct or 99.0) < 8


@given(seconds=st.lists(st.floats(1e-5, 100.0), min_size=9, max_size=9))
def test_whatever_was_measured_no_coefficient_is_negative_and_errors_are_errors(seconds: list[float]) -> None:
    cells = [one.model_copy(update={"median_s": s}) for one, s in zip(passes(lambda b, s: 1.0), seconds, strict=True)]
    found = only(cells)
    assert all(value >= 0 for value in found.coefficients.values())
    if found.coefficients:
        assert found.holdout_error_pct is not None
        assert 0 <= found.holdout_error_pct <= (found.holdout_worst_pct or 0.0)
        assert median([found.holdout_error_pct]) < float("inf")
    else:
        assert found.note

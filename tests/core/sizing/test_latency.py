"""Surfaces between measured cells: exact at the cells, never cheaper for more, silent about what was not measured."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.core.sizing.latency import BOUNDS, Surface, bounds_of, residuals_of, usable
from advisor.core.sizing.measurement import Cell, CellPlan
from tests.core.sizing.known_model import cell


def forward(batch: int, tokens: int, seconds: float | None, **more: object) -> Cell:
    shape = CellPlan(stage="forward", dtype="float32", batch_size=batch, input_tokens=tokens)
    return cell(shape, seconds, **more)  # type: ignore[arg-type]


def grid(seconds: dict[tuple[int, int], float]) -> Surface:
    return Surface.of(forward(batch, tokens, value) for (batch, tokens), value in seconds.items())


FOUR = grid({(1, 64): 1.0, (4, 64): 2.5, (1, 128): 2.0, (4, 128): 5.0})


def test_measured_points_come_back_exactly() -> None:
    assert FOUR.service_s(128, "mid")[0] == 2.0
    assert FOUR.service_s(128, "mid")[3] == 5.0
    assert FOUR.service_s(64, "mid") == (1.0, 1.5, 2.0, 2.5)


def test_between_batches_and_lengths_times_are_linear() -> None:
    assert FOUR.service_s(96, "mid") == pytest.approx((1.5, 2.25, 3.0, 3.75))


def test_no_batch_beyond_the_largest_measured_one_is_spoken_of() -> None:
    assert len(FOUR.service_s(128, "mid")) == 4


def test_a_length_beyond_the_longest_is_a_floor_and_says_so() -> None:
    assert FOUR.service_s(1000, "mid") == FOUR.service_s(128, "mid")
    assert not FOUR.reaches(129)
    assert FOUR.reaches(128)


def test_a_shorter_length_than_any_measured_costs_no_less_than_the_shortest() -> None:
    assert FOUR.service_s(3, "mid") == FOUR.service_s(64, "mid")


def test_a_larger_run_that_came_out_faster_shows_what_the_smaller_needs_at_most() -> None:
    surface = grid({(1, 64): 1.2, (1, 128): 1.0, (4, 64): 0.9, (4, 128): 5.0})
    assert surface.service_s(64, "mid") == pytest.approx((0.9, 0.9, 0.9, 0.9))
    assert surface.service_s(128, "mid")[0] == 1.0


def test_a_disturbed_shorter_run_does_not_spoil_the_planned_length() -> None:
    surface = grid({(1, 64): 9.0, (1, 128): 2.0, (4, 64): 9.0, (4, 128): 5.0})
    assert surface.service_s(128, "mid") == pytest.approx((2.0, 3.0, 4.0, 5.0))


def test_a_batch_is_filled_up_to_a_larger_one_that_clearly_takes_less_time() -> None:
    steps = grid({(1, 64): 30.0, (2, 64): 54.0, (3, 64): 73.0, (4, 64): 52.0, (8, 64): 55.0, (1, 99): 90.0})
    assert steps.padded(64) == steps.padded(10) == {3: 4}
    assert steps.service_s(64, "mid")[1:3] == (52.0, 52.0)
    assert steps.padded(99) == {}


def test_a_missing_cell_takes_no_more_than_a_larger_run_that_was_measured() -> None:
    surface = grid({(1, 64): 1.0, (1, 128): 2.0, (4, 128): 5.0})
    assert surface.service_s(64, "mid")[3] == 5.0


def test_a_longest_length_measured_alone_allows_no_batch_there() -> None:
    surface = grid({(1, 64): 1.0, (4, 64): 2.0, (1, 512): 9.0})
    assert len(surface.service_s(512, "mid")) == 1
    assert len(surface.service_s(64, "mid")) == 4


def test_the_bounds_of_a_cell_are_its_interval_and_hold_its_median() -> None:
    assert bounds_of(forward(1, 64, 2.0, width=0.1)) == pytest.approx({"low": 1.8, "mid": 2.0, "high": 2.2})


def test_too_few_samples_for_an_interval_leave_their_extremes() -> None:
    measured = forward(1, 64, 2.0, noise=(0.9, 1.0, 1.3)).model_copy(update={"ci95_s": None})
    assert bounds_of(measured) == pytest.approx({"low": 1.8, "mid": 2.0, "high": 2.6})


@pytest.mark.parametrize(
    "flag", ["out-of-memory", "does-not-fit", "killed", "crashed", "hung", "not-finite", "above-peak"]
)
def test_a_cell_whose_run_failed_is_not_used_whatever_figure_it_holds(flag: str) -> None:
    assert not usable(forward(1, 64, 2.0, flags=(flag,)))
    assert not usable(forward(1, 64, None, flags=(flag,)))


@pytest.mark.parametrize("flag", ["not-steady", "other-load", "throttled", "fits-in-cache", "undecided"])
def test_a_disturbed_cell_is_used(flag: str) -> None:
    assert usable(forward(1, 64, 2.0, flags=(flag,)))


def test_residuals_are_every_sample_over_its_own_median() -> None:
    cells = [forward(1, 64, 2.0, noise=(0.9, 1.0, 1.4)), forward(1, 128, None)]
    assert sorted(set(residuals_of(cells))) == pytest.approx([0.9, 1.0, 1.4])
    assert residuals_of([]) == (1.0,)


def test_that_one_process_is_slower_than_the_next_is_no_noise_of_runs() -> None:
    times = {"samples_s": (1.0, 0.9, 1.1, 2.0, 1.8, 2.2), "processes": 2, "process_samples": (3, 3), "median_s": 1.5}
    two = forward(1, 64, 1.5).model_copy(update=times)
    assert {round(ratio, 6) for ratio in residuals_of([two])} == {0.9, 1.0, 1.1}


def test_a_noisy_cell_with_many_samples_does_not_outweigh_a_steady_one() -> None:
    steady, noisy = forward(1, 64, 2.0, noise=(1.0,) * 6), forward(4, 64, 2.0, noise=(0.5, 1.0, 3.0) * 90)
    found = residuals_of([steady, noisy])
    assert sum(ratio == pytest.approx(1.0) for ratio in found) / len(found) == pytest.approx(2 / 3, abs=0.01)


def test_cells_at_one_depth_are_kept_apart_from_cells_of_one_length() -> None:
    shape = CellPlan(stage="decode", dtype="float32", batch_size=2, context_tokens=300)
    assert Surface.of([cell(shape, 0.5)], by_context=True).lengths == (300,)


shapes = st.tuples(st.sampled_from([1, 2, 4, 8]), st.sampled_from([16, 64, 100, 256]))


@given(
    points=st.dictionaries(shapes, st.floats(1e-4, 10.0), min_size=1, max_size=16),
    shorter=st.integers(1, 300),
    more=st.integers(0, 300),
)
def test_a_longer_text_or_a_larger_batch_never_takes_less_time(
    points: dict[tuple[int, int], float], shorter: int, more: int
) -> None:
    surface = grid(points)
    for bound in BOUNDS:
        short, long = surface.service_s(shorter, bound), surface.service_s(shorter + more, bound)
        assert len(short) >= len(long)
        assert all(one <= other * (1 + 1e-12) for one, other in zip(short, long, strict=False))
        assert all(one <= other * (1 + 1e-12) for one, other in pairwise(long))


@given(points=st.dictionaries(shapes, st.floats(1e-4, 10.0), min_size=1, max_size=16), tokens=st.integers(1, 400))
def test_a_slower_bound_is_slower_everywhere(points: dict[tuple[int, int], float], tokens: int) -> None:
    surface = Surface.of(forward(batch, length, value, width=0.1) for (batch, length), value in points.items())
    low, mid, high = (surface.service_s(tokens, bound) for bound in BOUNDS)
    assert all(a <= b <= c for a, b, c in zip(low, mid, high, strict=True))

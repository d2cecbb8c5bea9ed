"""Ratios between sides that were measured in rounds, and cells of several rounds as one."""

from __future__ import annotations

from typing import Any

import pytest

from advisor.core.architecture import Architecture
from advisor.core.comparison import Seconds
from advisor.core.sizing.measurement import Cell, Profile, ProfiledModel, unmeasured
from advisor.core.sizing.rounds import merged, one_of
from advisor.core.sizing.sides import Taken, over_rounds, ratio_between, ratios
from tests.fake_child import FAKE_MACHINE, fake_cell
from tests.measuring import plans

PLAN = plans()[0]


def taken(mid: float, spread: float = 0.0) -> Taken:
    return {"latency": Seconds(low=mid * (1 - spread), mid=mid, high=mid * (1 + spread))}


def sides(encoder: list[Taken], decoder: list[Taken]) -> dict[Architecture, list[Taken]]:
    return {"encoder-only": encoder, "decoder-only": decoder}


def test_a_ratio_is_taken_within_a_round_so_that_a_slower_hour_does_not_count() -> None:
    found = ratio_between(sides([taken(1), taken(3)], [taken(2), taken(6)]), "latency", "decoder-only", "encoder-only")
    assert found is not None
    assert found.ratio == pytest.approx(2)
    assert found.ci95 == pytest.approx((2, 2))
    assert found.rounds == pytest.approx((2, 2))


def test_rounds_that_disagree_and_intervals_that_are_wide_widen_the_ratio() -> None:
    found = ratio_between(
        sides([taken(1, 0.1), taken(1)], [taken(2), taken(3)]), "latency", "decoder-only", "encoder-only"
    )
    assert found is not None
    assert found.ci95 == pytest.approx((2 / 1.1, 3))
    assert found.ratio == pytest.approx(6**0.5)


def test_a_round_in_which_a_side_has_no_figure_is_left_out_and_without_any_there_is_no_ratio() -> None:
    found = ratio_between(sides([{}, taken(1)], [taken(9), taken(3)]), "latency", "decoder-only", "encoder-only")
    assert found is not None
    assert found.rounds == (3,)
    assert ratio_between(sides([{}], [taken(1)]), "latency", "decoder-only", "encoder-only") is None


def test_every_pair_is_told_once_with_the_dearer_side_first() -> None:
    (found,) = ratios(sides([taken(2)], [taken(1)]))
    assert (found.dearer, found.cheaper, found.ratio) == ("encoder-only", "decoder-only", 2)


def test_what_a_side_took_reaches_as_wide_as_any_round() -> None:
    found = over_rounds([taken(1, 0.5), {}, taken(4)], "latency")
    assert found is not None
    assert (found.low, found.mid, found.high) == pytest.approx((0.5, 2, 4))
    assert over_rounds([{}], "latency") is None


def profile(*cells: Cell) -> Profile:
    model = ProfiledModel(id="bert-base", architecture="encoder-only", parameters=1, weights="random")
    return Profile(machine=FAKE_MACHINE, model=model, cells=cells, best=(), wall_s=1.0)


def slower(cell: Cell, factor: float, **more: Any) -> Cell:
    samples = tuple(sample * factor for sample in cell.samples_s or ())
    low, high = cell.ci95_s or (0.0, 0.0)
    changed = {"median_s": (cell.median_s or 0.0) * factor, "ci95_s": (low * factor, high * factor)}
    return cell.model_copy(update=changed | {"samples_s": samples} | more)


def test_cells_of_two_rounds_are_one_with_all_samples_and_the_wider_interval() -> None:
    first = fake_cell(PLAN)
    second = slower(first, 1.2, flags=("other-load",), mfu=0.5, outliers=3, more_samples=9)
    both = one_of([first, second])
    assert both.samples == first.samples + second.samples
    assert (both.median_s or 0) > (first.median_s or 0)
    assert both.ci95_s == ((first.ci95_s or ())[0], (second.ci95_s or ())[1])
    assert (both.processes, both.outliers, both.more_samples) == (2, 3 + (first.outliers or 0), None)
    assert both.flags == ("other-load",)
    assert both.throughput_per_s == pytest.approx(PLAN.batch_size / (both.median_s or 1))


def test_a_share_of_the_peak_follows_the_time_of_all_rounds() -> None:
    first = fake_cell(PLAN).model_copy(update={"mfu": 0.4})
    both = one_of([first, slower(first, 3.0)])
    assert both.mfu == pytest.approx(0.4 * (first.median_s or 0) / (both.median_s or 1))


def test_what_a_pause_costs_is_the_median_over_the_rounds_that_know() -> None:
    first, second, third = (fake_cell(PLAN).model_copy(update={"after_pause_ratio": one}) for one in (1.1, None, 1.3))
    assert one_of([first, second, third]).after_pause_ratio == pytest.approx(1.2)
    assert one_of([second, second]).after_pause_ratio is None


def test_a_cell_that_failed_in_one_round_has_the_figure_of_the_other() -> None:
    failed = unmeasured(PLAN, device="cpu", threads=1, flags=("crashed",), note="It fell over.")
    assert one_of([failed, fake_cell(PLAN)]) == fake_cell(PLAN)
    assert one_of([failed, failed]) == failed


def test_profiles_of_rounds_become_one_with_its_best_cells() -> None:
    cells = [fake_cell(plan) for plan in plans(batches=(1, 8))]
    found = merged([profile(*cells), profile(*cells)])
    assert [best.throughput_cell for best in found.best] == [1]
    assert found.wall_s == 2.0

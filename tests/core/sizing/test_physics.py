"""Cells held against peaks that are known."""

from __future__ import annotations

from typing import Any

import pytest

from advisor.core.hardware import PeakFlops, Peaks
from advisor.core.sizing.latency import usable
from advisor.core.sizing.measurement import Cell
from advisor.core.sizing.physics import above_peak, refused_above_peak, roofline, with_shares
from tests.fake_child import fake_cell
from tests.measuring import plans

PEAKS = Peaks(
    device="cpu",
    flops_per_s=PeakFlops(float32=100e9),
    bytes_per_s=10e9,
    last_level_cache_bytes=32 * 2**20,
    threads=2,
    torch="0.0",
)
LARGE = 10**9
SMALL = 10**6


def cell(**changed: Any) -> Cell:
    found = {"median_s": 0.2, "flops": 10 * 10**9, "bytes_moved": LARGE} | changed
    return fake_cell(plans()[0]).model_copy(update=found)


def test_shares_are_the_work_of_a_run_over_its_time_and_the_peak() -> None:
    found = with_shares(cell(), PEAKS)
    assert found.mfu == pytest.approx(0.5)
    assert found.mbu == pytest.approx(0.5)
    assert "fits-in-cache" not in found.flags


def test_what_fits_in_the_cache_has_no_share_of_the_memory_rate_and_says_why() -> None:
    found = with_shares(cell(bytes_moved=SMALL), PEAKS)
    assert found.mbu is None
    assert "fits-in-cache" in found.flags
    assert with_shares(found, PEAKS) == found, "told twice it is still told once"


def test_four_times_the_cache_is_where_traffic_begins_to_count() -> None:
    edge = 4 * 32 * 2**20
    assert with_shares(cell(bytes_moved=edge), PEAKS).mbu is None
    assert with_shares(cell(bytes_moved=edge + 1), PEAKS).mbu is not None


@pytest.mark.parametrize(
    ("peaks", "unknown"),
    [
        (PEAKS.model_copy(update={"flops_per_s": PeakFlops()}), "mfu"),
        (PEAKS.model_copy(update={"bytes_per_s": None}), "mbu"),
        (PEAKS.model_copy(update={"last_level_cache_bytes": None}), "mbu"),
    ],
)
def test_an_unknown_peak_or_cache_leaves_its_share_unknown(peaks: Peaks, unknown: str) -> None:
    found = with_shares(cell(), peaks)
    assert getattr(found, unknown) is None
    assert found.flags == ()


def test_a_runtime_whose_products_were_not_tried_is_not_held_against_those_of_another() -> None:
    found = with_shares(cell(runtime="openvino", median_s=0.001), PEAKS)
    assert found.mfu is None
    assert found.roofline_bound == "memory"


def test_another_devices_peaks_say_nothing_of_a_cell() -> None:
    assert with_shares(cell(), PEAKS.model_copy(update={"device": "cuda:0"})) == cell()
    assert with_shares(cell(), None) == cell()


def test_the_longer_of_arithmetic_and_traffic_is_the_floor() -> None:
    assert roofline(cell(flops=50 * 10**9), PEAKS) == (pytest.approx(0.5), "arithmetic")
    assert roofline(cell(bytes_moved=2 * LARGE), PEAKS) == (pytest.approx(0.2), "memory")


def test_traffic_that_a_cache_may_serve_sets_no_floor() -> None:
    small = cell(flops=None, bytes_moved=SMALL)
    assert roofline(small, PEAKS) is None


def test_a_cell_without_a_figure_still_has_its_floor_and_no_shares() -> None:
    found = with_shares(cell(median_s=None), PEAKS)
    assert (found.mfu, found.mbu) == (None, None)
    assert found.roofline_s == pytest.approx(0.1)


def test_faster_than_the_machine_is_refused_and_slightly_faster_is_not() -> None:
    tolerated = with_shares(cell(median_s=0.1 / 1.04), PEAKS)
    assert not above_peak(tolerated)
    assert refused_above_peak(tolerated) == tolerated
    impossible = refused_above_peak(with_shares(cell(median_s=0.1 / 1.06), PEAKS))
    assert "above-peak" in impossible.flags
    assert not usable(impossible)
    assert "106 %" in (impossible.note or "")


def test_of_two_measurements_of_a_peak_the_better_counts_in_every_figure() -> None:
    other = Peaks(device="cpu", flops_per_s=PeakFlops(float32=90e9, bfloat16=400e9), threads=2, torch="0.0")
    both = PEAKS.better_of(other)
    assert (both.flops_per_s.float32, both.flops_per_s.bfloat16, both.bytes_per_s) == (100e9, 400e9, 10e9)

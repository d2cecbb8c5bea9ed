"""One request and the peaks of its device: when they are measured, and what becomes of cells above them."""

from __future__ import annotations

from typing import Any

from advisor.core.hardware import Dtype, PeakFlops, Peaks
from advisor.core.protocol import Event, Peaked
from advisor.core.sizing.measurement import Cell, Runtime
from advisor.profile.physics import Physics
from tests.fake_child import fake_cell
from tests.measuring import plans, request

BOTH = (*plans(dtype="float32"), *plans(dtype="bfloat16"))


def peaks(float32: float | None = 100e9, bfloat16: float | None = 200e9) -> Peaks:
    rates = PeakFlops(float32=float32, bfloat16=bfloat16)
    return Peaks(device="cpu", flops_per_s=rates, bytes_per_s=10e9, last_level_cache_bytes=2**20, threads=1, torch="0")


class Bench:
    """Physics whose measurements are given, with what it asked for and said."""

    def __init__(self, *found: Peaks | None, known: Peaks | None = None, wants: bool = True, cells: Any = BOTH) -> None:
        self.found, self.asked, self.said = list(found), list[tuple[Dtype, ...]](), list[Event]()
        self.by: list[tuple[Runtime, ...]] = []
        asked = request(*cells, wants_peaks=wants, peaks=known)
        self.physics = Physics(asked, measure=self._measure, say=self.said.append)
        self.physics.begin()

    def _measure(self, dtypes: tuple[Dtype, ...], runtimes: tuple[Runtime, ...]) -> Peaks | None:
        self.asked.append(dtypes)
        self.by.append(runtimes)
        return self.found.pop(0)

    def judged(self, **changed: Any) -> Cell:
        cell = fake_cell(BOTH[0]).model_copy(update={"median_s": 0.1, "flops": 5 * 10**9, "bytes_moved": 1} | changed)
        return self.physics.judged(cell)


def test_what_is_not_known_is_measured_once_before_the_first_cell_and_told() -> None:
    bench = Bench(peaks())
    assert bench.asked == [("float32", "bfloat16")]
    assert bench.judged().mfu == bench.judged().mfu == 0.5
    assert [event.peaks for event in bench.said if isinstance(event, Peaked)] == [peaks()]


def test_what_is_known_is_not_measured_again() -> None:
    bench = Bench(known=peaks())
    assert bench.asked == []
    assert bench.judged().mfu == 0.5


def test_only_the_dtypes_that_are_missing_are_measured_and_the_others_kept() -> None:
    bench = Bench(peaks(float32=None), known=peaks(bfloat16=None))
    assert bench.asked == [("bfloat16",)]
    assert bench.judged().mfu == 0.5


def test_a_dtype_that_has_no_peak_to_measure_costs_no_measurement() -> None:
    eight_bits = plans()[0].model_copy(update={"dtype": "int8"})
    bench = Bench(known=peaks(), cells=[eight_bits])
    assert bench.asked == []


def test_peaks_of_a_disturbed_machine_are_tried_again_and_kept_where_they_were_better() -> None:
    disturbed = peaks(float32=50e9, bfloat16=300e9).model_copy(update={"flags": ("other-load",)})
    bench = Bench(peaks(), known=disturbed)
    assert bench.asked == [("float32", "bfloat16")]
    (told,) = (event.peaks for event in bench.said if isinstance(event, Peaked))
    assert (told.flops_per_s.float32, told.flops_per_s.bfloat16, told.flags) == (100e9, 300e9, ())


def test_a_runtime_that_is_new_may_do_better_and_is_tried_in_every_dtype() -> None:
    cells = [plan.model_copy(update={"runtime": runtime}) for plan in BOTH for runtime in ("torch", "openvino")]
    bench = Bench(peaks().model_copy(update={"runtimes": ("torch", "openvino")}), known=peaks(), cells=cells)
    assert (bench.asked, bench.by) == ([("float32", "bfloat16")], [("torch", "openvino")])
    assert bench.judged(runtime="openvino").mfu == 0.5


def test_a_runtime_that_computes_no_product_alone_is_held_against_nothing() -> None:
    cells = [plan.model_copy(update={"runtime": "ctranslate2"}) for plan in BOTH]
    bench = Bench(known=peaks(), cells=cells)
    assert bench.asked == []
    assert bench.judged(runtime="ctranslate2").mfu is None


def test_a_request_that_wants_no_shares_measures_no_peaks() -> None:
    bench = Bench(wants=False)
    assert bench.asked == []
    assert bench.judged().mfu is None


def test_a_cell_above_the_peak_has_the_peak_measured_again_and_stands_if_that_was_wrong() -> None:
    bench = Bench(peaks(float32=200e9), known=peaks(float32=20e9))
    found = bench.judged()
    assert bench.asked == [("float32",)]
    assert found.mfu == 0.25
    assert "above-peak" not in found.flags


def test_a_cell_that_stays_above_the_peak_is_refused_and_the_next_costs_no_other_measurement() -> None:
    bench = Bench(peaks(float32=21e9), peaks(float32=22e9), known=peaks(float32=20e9))
    assert "above-peak" in bench.judged().flags
    assert "above-peak" in bench.judged().flags
    assert len(bench.asked) == 2


def test_each_dtype_has_its_peak_measured_again() -> None:
    right = peaks(float32=200e9, bfloat16=400e9)
    bench = Bench(right, right, known=peaks(float32=20e9, bfloat16=20e9))
    assert "above-peak" not in bench.judged().flags
    assert "above-peak" not in bench.judged(dtype="bfloat16").flags
    assert bench.asked[0] == ("float32",)


def test_peaks_that_others_disturbed_refuse_no_cell() -> None:
    low = peaks(float32=20e9).model_copy(update={"flags": ("other-load",)})
    bench = Bench(low, low, low, known=low)
    found = bench.judged()
    assert (found.flags, found.mfu, found.median_s) == (fake_cell(BOTH[0]).flags, None, 0.1)


def test_a_worker_that_finds_no_peaks_costs_the_shares_and_nothing_else() -> None:
    bench = Bench(None)
    assert bench.judged().median_s == 0.1
    assert bench.judged().mfu is None
    assert bench.said == []

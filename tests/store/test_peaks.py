"""Peaks are kept by machine and device, and losing them is no trouble."""

from __future__ import annotations

from advisor.core.hardware import PeakFlops, Peaks
from advisor.store.paths import data_dir
from advisor.store.peaks import all_peaks, keep_peaks, known_peaks


def peaks(device: str = "cpu", float32: float = 1e11) -> Peaks:
    return Peaks(device=device, flops_per_s=PeakFlops(float32=float32), bytes_per_s=1e10, threads=2, torch="2.13.0")


def test_what_was_kept_is_known_again_with_the_time_it_was_measured() -> None:
    keep_peaks("abc", peaks())
    found = known_peaks("abc", "cpu", torch="2.13.0", threads=2)
    assert found is not None
    assert found.measured_at is not None
    assert found.model_copy(update={"measured_at": None}) == peaks()


def test_another_machine_device_torch_or_number_of_threads_is_another_question() -> None:
    keep_peaks("abc", peaks())
    assert known_peaks("abd", "cpu", torch="2.13.0", threads=2) is None
    assert known_peaks("abc", "cuda:0", torch="2.13.0", threads=2) is None
    assert known_peaks("abc", "cpu", torch="2.14.0", threads=2) is None
    assert known_peaks("abc", "cpu", torch="2.13.0", threads=1) is None


def test_a_new_measurement_takes_the_place_of_the_old_one_and_leaves_other_devices() -> None:
    keep_peaks("abc", peaks())
    keep_peaks("abc", peaks("cuda:0"))
    keep_peaks("abc", peaks(float32=2e11))
    assert {one.device: one.flops_per_s.float32 for one in all_peaks("abc")} == {"cuda:0": 1e11, "cpu": 2e11}


def test_a_damaged_file_knows_nothing_and_is_written_anew() -> None:
    keep_peaks("abc", peaks())
    (data_dir() / "peaks" / "abc.json").write_text("{")
    assert all_peaks("abc") == ()
    keep_peaks("abc", peaks())
    assert len(all_peaks("abc")) == 1

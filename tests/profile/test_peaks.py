"""Peaks: the best of what is tried, by a clock of the test's own, and once on the processor there is."""

from __future__ import annotations

import os
from importlib.util import find_spec

import pytest

from advisor.profile import peaks
from advisor.profile.accelerator import Cpu
from advisor.profile.orders import Job
from advisor.store import machine
from tests.core.model.tiny_models import entry


class Clock:
    """Time that passes only while a task runs; each task takes what it is told to, run by run."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def taking(self, *seconds: float) -> peaks.Run:
        left = list(seconds)

        def run() -> None:
            self.now += left.pop(0) if len(left) > 1 else left[0]

        return run


def best(clock: Clock, *tasks: tuple[float, peaks.Run], seconds: float = 10.0) -> float:
    return peaks._best(tasks, lambda: None, seconds, clock)


def test_the_fastest_run_of_the_fastest_task_is_the_peak() -> None:
    clock = Clock()
    assert best(clock, (10.0, clock.taking(1.0, 1.0, 0.5, 1.0)), (30.0, clock.taking(2.0))) == 20.0


def test_the_first_run_pays_for_first_touches_and_never_counts() -> None:
    clock = Clock()
    assert best(clock, (10.0, clock.taking(0.125, 1.0))) == 10.0


def test_a_task_that_would_not_end_in_time_is_not_begun() -> None:
    clock = Clock()
    begun: list[float] = []

    def endless() -> None:
        begun.append(clock.now)
        clock.now += 1e6

    assert best(clock, (10.0, clock.taking(1.0)), (1e6, endless)) == 10.0
    assert begun == []


def job(**changed: object) -> Job:
    facts = {"model": entry("bert"), "dtype": "float32", "device": "cpu", "threads": 1, "seed": 0}
    facts |= {"file_backed_bytes": None, "parent_pid": os.getpid(), "peaks_of": ("float32",)}
    return Job.model_validate(facts | changed)


def test_the_processor_has_a_peak_in_every_dtype_asked_for_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peaks, "SECONDS_PER_DTYPE", 0.01)
    monkeypatch.setattr(peaks, "SECONDS_OF_READING", 0.01)
    monkeypatch.setattr(peaks, "SIZES_ON_A_PROCESSOR", (16, 32))
    monkeypatch.setattr(peaks, "READ_BYTES_LEAST", 2**20)
    monkeypatch.setattr(machine, "last_level_cache_bytes", lambda: 2**18)
    found = peaks.measure_peaks(job(), Cpu(None))
    assert (found.flops_per_s.float32 or 0) > 0
    assert found.flops_per_s.bfloat16 is None
    assert (found.bytes_per_s or 0) > 0
    assert found.last_level_cache_bytes == 2**18


@pytest.mark.skipif(find_spec("openvino") is None, reason="needs openvino, of the extra `runtimes`")
def test_another_runtime_raises_the_peak_where_its_products_are_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peaks, "SECONDS_PER_DTYPE", 0.01)
    found = peaks._flops_per_s("float32", job(peaks_by=("openvino",)), Cpu(None), (32,))
    assert (found or 0) > 0
    assert peaks._flops_per_s("float16", job(peaks_by=("openvino",)), Cpu(None), (32,)) is None


def test_where_the_memory_holds_no_stretch_beyond_the_cache_the_read_rate_stays_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "memory_available_bytes", lambda: 2**30)
    assert peaks._read_bytes("cpu", 32 * 2**20) == 256 * 2**20
    assert peaks._read_bytes("cpu", 65 * 2**20) is None

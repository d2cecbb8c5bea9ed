"""What a run learns of its device's peaks is kept, stands in the profile, and is not asked for again."""

from __future__ import annotations

from collections.abc import AsyncIterator

from advisor.advise import profile_model
from advisor.core.hardware import PeakFlops, Peaks
from advisor.core.protocol import Event, Finished, Measure, Measured, Peaked, Ready
from advisor.measuring import Measuring
from advisor.store.catalog import load_catalog
from advisor.store.paths import shipped
from advisor.store.peaks import all_peaks, keep_peaks
from tests.fake_child import FAKE_MACHINE, fake_cell

PEAKS = Peaks(device="cpu", flops_per_s=PeakFlops(float32=1e11), bytes_per_s=1e10, threads=2, torch="0.0")


class Measurer:
    """A child that measures the peaks where it is not told them."""

    def __init__(self) -> None:
        self.asked: list[Measure] = []

    async def ready(self) -> Ready:
        return Ready(machine=FAKE_MACHINE, pid=1, forks=True)

    async def measure(self, request: Measure, *_: object) -> AsyncIterator[Event]:
        self.asked.append(request)
        if request.wants_peaks and request.peaks is None:
            yield Peaked(id=request.id, peaks=PEAKS)
        for index, plan in enumerate(request.cells):
            yield Measured(id=request.id, index=index, cell=fake_cell(plan))
        yield Finished(id=request.id, parameters=1, wall_s=1.0)


async def test_peaks_are_measured_once_and_stand_in_every_profile() -> None:
    entry, child = load_catalog(shipped("models")).get("minilm-l6"), Measurer()
    profiles = [await profile_model(entry, child, Measuring(batch_sizes=(1,), input_tokens=(8,))) for _ in range(2)]
    assert [request.peaks is None for request in child.asked] == [True, False]
    assert [one.machine.peak_flops_per_s.float32 for one in profiles] == [1e11, 1e11]
    assert [one.machine.peak_bytes_per_s for one in profiles] == [1e10, 1e10]
    (kept,) = all_peaks(FAKE_MACHINE.fingerprint)
    assert kept.measured_at is not None


async def test_peaks_that_another_run_measured_while_this_one_waited_stand_in_its_profile_too() -> None:
    class Late(Measurer):
        async def measure(self, request: Measure, *_: object) -> AsyncIterator[Event]:
            keep_peaks(FAKE_MACHINE.fingerprint, PEAKS)
            async for event in super().measure(request.model_copy(update={"wants_peaks": False})):
                yield event

    entry = load_catalog(shipped("models")).get("minilm-l6")
    profile = await profile_model(entry, Late(), Measuring(batch_sizes=(1,), input_tokens=(8,)))
    assert profile.machine.peak_bytes_per_s == 1e10

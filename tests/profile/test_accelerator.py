"""What a worker does differently on a graphics card, with a card that is none; and on a real one where there is one."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest
import torch

from advisor.profile import accelerator as module
from advisor.profile.accelerator import Accelerator, Cpu, Cuda, Mps, accelerator, clock_dropped
from advisor.store.nvml import Driver
from tests.profile.fake_card import IDENTITY, MIB, FakeCuda, FakeNvml

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA card that torch can use is here")
needs_mps = pytest.mark.skipif(not torch.backends.mps.is_available(), reason="no Apple GPU is here")


def card(cuda: FakeCuda, nvml: FakeNvml | None, identity: str = IDENTITY) -> Cuda:
    return Cuda(0, cuda=cuda, driver=None if nvml is None else Driver(nvml), identity=identity)


def process(pid: int, size: int) -> SimpleNamespace:
    return SimpleNamespace(pid=pid, usedGpuMemory=size)


def test_planned_memory_is_what_torch_reserved_and_what_the_driver_keeps_beside_it() -> None:
    cuda, nvml = FakeCuda(), FakeNvml()
    device = card(cuda, nvml)
    nvml.processes = [process(os.getpid(), 900 * MIB)]
    taken = device.taken()
    assert taken.peak_bytes == 400 * MIB + (900 - 400) * MIB
    assert (taken.allocated_bytes, taken.reserved_bytes, taken.process_bytes) == (300 * MIB, 400 * MIB, 900 * MIB)
    assert taken.note is None


def test_a_process_the_driver_knows_by_another_number_is_judged_by_the_cards_growth() -> None:
    cuda, nvml = FakeCuda(), FakeNvml(used_bytes=100 * MIB)
    device = card(cuda, nvml)
    nvml.used_bytes, nvml.processes = (100 + 400 + 250) * MIB, [process(1, 650 * MIB)]
    taken = device.taken()
    assert taken.peak_bytes == (400 + 250) * MIB
    assert taken.process_bytes is None


@pytest.mark.parametrize("identity", [IDENTITY, "", "another"])
def test_without_the_drivers_word_the_note_says_what_is_left_out(identity: str) -> None:
    nvml = FakeNvml(used_bytes=None) if identity == IDENTITY else FakeNvml()
    taken = card(FakeCuda(), nvml, identity).taken()
    assert taken.peak_bytes == 400 * MIB
    assert "could not be read" in (taken.note or "")
    assert card(FakeCuda(), None).taken().peak_bytes == 400 * MIB


def test_the_cards_own_clock_is_read_after_the_card_has_reached_it() -> None:
    cuda = FakeCuda()
    times = iter((5.0, 3.0, 4.0))
    assert card(cuda, FakeNvml()).device_seconds(lambda: cuda.work(next(times)), 3) == pytest.approx(0.004)


def test_whoever_computes_before_cuda_was_started_here_is_somebody_else() -> None:
    assert card(FakeCuda(), FakeNvml()).disturbances() == ()
    busy = FakeNvml(processes=[process(1, MIB)])
    assert card(FakeCuda(), busy).disturbances() == ("foreign-process",)


def test_a_second_process_that_came_later_is_said_and_our_own_is_not() -> None:
    nvml = FakeNvml()
    device = card(FakeCuda(), nvml)
    nvml.processes = [process(77, MIB)]  # our own, by whatever number
    assert device.disturbances() == ()
    nvml.processes = [process(77, MIB), process(78, MIB)]
    assert device.disturbances() == ("foreign-process",)


def test_a_clock_that_falls_while_blocks_are_timed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(100))
    monkeypatch.setattr(module, "monotonic", lambda: next(now))
    nvml = FakeNvml()
    nvml.clocks_mhz = [600, 1800, 1500, 1500]
    device = card(FakeCuda(), nvml)
    for _ in range(3):
        device.look()
    nvml.clocks_mhz = [1500]
    device.look()
    assert "clock-drop" in device.disturbances()
    device.reset_peak()
    assert device.disturbances() == (), "what was seen in another cell is not this one's"


@pytest.mark.parametrize(
    ("clocks", "dropped"),
    [([], False), ([300, 1800, 1800], False), ([1800, 1700], False), ([1800, 1600], True), ([300, 1800, 1500], True)],
)
def test_only_a_fall_of_more_than_a_tenth_counts_and_waking_is_none(clocks: list[int], dropped: bool) -> None:
    assert clock_dropped(clocks) is dropped


def test_the_processor_has_no_clock_of_its_own_and_a_peak_of_the_kernels() -> None:
    device = Cpu(None)
    device.reset_peak()
    assert (device.taken().peak_bytes or 0) > 50 * MIB
    assert device.device_seconds(lambda: None, 6) is None
    assert device.disturbances() == ()
    assert isinstance(accelerator("cpu"), Cpu)


def test_apples_gpu_says_that_its_memory_is_sampled() -> None:
    mps = SimpleNamespace(
        driver_allocated_memory=lambda: 9, current_allocated_memory=lambda: 5, empty_cache=lambda: None
    )
    device = Mps(mps)
    device.reset_peak()
    taken = device.taken()
    assert (taken.peak_bytes, taken.allocated_bytes) == (9, 5)
    assert "sampled" in (taken.note or "")


@needs_cuda
def test_a_real_card_is_waited_for_and_its_memory_counted() -> None:
    _measures_a_product(accelerator("cuda:0"), "cuda:0")


@needs_mps
def test_apples_real_gpu_is_waited_for_and_its_memory_counted() -> None:
    _measures_a_product(accelerator("mps"), "mps")


def _measures_a_product(device: Accelerator, name: str) -> None:
    device.reset_peak()
    factor = torch.ones(1024, 1024, device=name)
    product = factor @ factor
    device.synchronise()
    assert product[0, 0].item() == 1024
    assert (device.taken().peak_bytes or 0) >= 2 * factor.nbytes
    seconds = device.device_seconds(lambda: factor @ factor, 6)
    assert seconds is None or seconds > 0

"""What differs between devices while a cell is measured: when work is done, what memory it took, what disturbed it.

A call on a graphics card returns before the work is done, so a clock read then times the queue. The one idea: all that
a worker must do differently stands behind one interface with a class for each kind of device; torch's module of the
device and the driver are handed in, so that the logic is tested where there is no card.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from time import monotonic
from typing import Any, Protocol

import torch

from advisor.core.sizing.measurement import Flag
from advisor.profile import memory
from advisor.store.nvml import CardState, Driver

CLOCK_DROP = 0.10
"""How far a card's clock may fall behind its highest before it is said."""
LOOK_SECONDS = 0.1
"""The clock of a card is read between blocks, and no more often than this."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Bytes at the peak of one run; `note` says what the figure is not. The parts are a graphics card's alone."""

    peak_bytes: int | None
    allocated_bytes: int | None = None
    reserved_bytes: int | None = None
    process_bytes: int | None = None
    note: str | None = None


class Accelerator(Protocol):
    """A device, from before the model is built until the worker ends."""

    def synchronise(self) -> None:
        """Wait until the device has done all it was given."""

    def look(self) -> None:
        """Called between blocks, while nothing is timed."""

    def reset_peak(self) -> None:
        """Forget the peak so far, and give back what earlier work left."""

    def taken(self) -> Taken:
        """What was taken since `reset_peak`."""

    def device_seconds(self, run: Callable[[], object], runs: int) -> float | None:
        """Median seconds of a run by the device's own clock; None where it keeps none."""

    def disturbances(self) -> tuple[Flag, ...]:
        """What disturbed the cell on the device itself, since this was asked before or the last `reset_peak`."""


def accelerator(device: str, *, identity: str = "", file_backed_bytes: int | None = None) -> Accelerator:
    """The device of a worker. Made before anything is put on it."""
    kind, _, number = device.partition(":")
    if kind == "cuda":
        return Cuda(int(number or 0), cuda=torch.cuda, driver=Driver.load(), identity=identity)
    return Mps(torch.mps) if kind == "mps" else Cpu(file_backed_bytes)


class Cpu:
    """The processor: done when the call returns, its peak kept by the kernel."""

    def __init__(self, file_backed_bytes: int | None) -> None:
        self._file_backed_bytes = file_backed_bytes
        self._reset = False

    def synchronise(self) -> None:
        """Nothing is ever queued."""

    def look(self) -> None:
        """The kernel's counters are read before and after a cell."""

    def reset_peak(self) -> None:
        self._reset = memory.reset_peak()

    def taken(self) -> Taken:
        peak = memory.peak(reset=self._reset, parent_file_backed_bytes=self._file_backed_bytes)
        return Taken(peak.bytes, note=None if peak.since_reset else "Memory is the peak of the whole process so far.")

    def device_seconds(self, run: Callable[[], object], runs: int) -> float | None:
        return None

    def disturbances(self) -> tuple[Flag, ...]:
        return ()


class Cuda:
    """One NVIDIA card. `cuda` is torch's module; `driver` answers what CUDA does not."""

    def __init__(self, index: int, *, cuda: Any, driver: Driver | None, identity: str) -> None:
        self._index, self._cuda, self._driver = index, cuda, driver
        self._handle = driver.find(identity) if driver is not None and identity else None
        self._at_first = self._state()  # CUDA has not been started here: whoever computes now is somebody else
        self._others_at_first = self._at_first.processes or 0
        self._clocks_mhz: list[int] = []
        self._looked = 0.0
        cuda.set_device(index)

    def synchronise(self) -> None:
        self._cuda.synchronize(self._index)

    def look(self) -> None:
        if self._driver is None or self._handle is None or monotonic() - self._looked < LOOK_SECONDS:
            return
        self._looked = monotonic()
        if clock := self._driver.clock_mhz(self._handle):
            self._clocks_mhz.append(clock)

    def reset_peak(self) -> None:
        gc.collect()
        self._cuda.empty_cache()
        self._cuda.reset_peak_memory_stats(self._index)
        self._clocks_mhz.clear()

    def taken(self) -> Taken:
        """The most that torch had reserved, and what the driver keeps for this process beside it."""
        reserved = int(self._cuda.max_memory_reserved(self._index))
        process, context = self._process_and_context_bytes()
        return Taken(
            reserved + (context or 0),
            allocated_bytes=int(self._cuda.max_memory_allocated(self._index)),
            reserved_bytes=reserved,
            process_bytes=process,
            note=None if context is not None else "Memory is torch's own: the driver's part could not be read.",
        )

    def device_seconds(self, run: Callable[[], object], runs: int) -> float | None:
        return median(self._between_events(run) for _ in range(runs)) if runs else None

    def disturbances(self) -> tuple[Flag, ...]:
        flags: list[Flag] = []
        if clock_dropped(self._clocks_mhz):
            flags.append("clock-drop")
        self._clocks_mhz.clear()
        if self._others_at_first > 0 or (self._state().processes or 0) > 1:
            flags.append("foreign-process")
        return tuple(flags)

    def _between_events(self, run: Callable[[], object]) -> float:
        begun, ended = (self._cuda.Event(enable_timing=True) for _ in range(2))
        begun.record()
        run()
        ended.record()
        self.synchronise()
        return float(begun.elapsed_time(ended)) / 1000

    def _process_and_context_bytes(self) -> tuple[int | None, int | None]:
        """This process's bytes, and those of them that are not torch's.

        Inside a container the driver may know this process by another number. Then the card's own growth since this
        worker began stands for it, which is right as long as nobody else came or went.
        """
        held = int(self._cuda.memory_reserved(self._index))
        process = None
        if self._driver is not None and self._handle is not None:
            process = self._driver.process_bytes(self._handle, os.getpid())
        if process is not None:
            return process, max(0, process - held)
        before, now = self._at_first.used_bytes, self._state().used_bytes
        return None, None if before is None or now is None else max(0, now - before - held)

    def _state(self) -> CardState:
        if self._driver is None or self._handle is None:
            return CardState()
        return self._driver.state(self._handle)


class Mps:
    """Apple's GPU. It keeps no peak, so memory is what its driver holds after a run: sampled, and said to be."""

    def __init__(self, mps: Any) -> None:
        self._mps = mps

    def synchronise(self) -> None:
        self._mps.synchronize()

    def look(self) -> None:
        """It tells no clock and no other process."""

    def reset_peak(self) -> None:
        gc.collect()
        self._mps.empty_cache()

    def taken(self) -> Taken:
        return Taken(
            int(self._mps.driver_allocated_memory()),
            allocated_bytes=int(self._mps.current_allocated_memory()),
            note="Memory is sampled after a run, not a peak: this GPU keeps none.",
        )

    def device_seconds(self, run: Callable[[], object], runs: int) -> float | None:
        return None

    def disturbances(self) -> tuple[Flag, ...]:
        return ()


def clock_dropped(clocks_mhz: Sequence[int]) -> bool:
    """Whether the clock fell clearly below its highest afterwards; on the way up it is only waking."""
    if not clocks_mhz:
        return False
    highest = max(clocks_mhz)
    after = clocks_mhz[clocks_mhz.index(highest) :]
    return min(after) < (1 - CLOCK_DROP) * highest

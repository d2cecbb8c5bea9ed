"""A graphics card that is none: torch.cuda and NVML as far as they are asked, doing as a test says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

MIB = 2**20
IDENTITY = "aaaa-bbbb"


class FakeNvml:
    """The driver's library. A fact set to None is one that it refuses to tell."""

    NVML_CLOCK_SM = 1

    def __init__(self, *, used_bytes: int | None = 100 * MIB, processes: list[Any] | None = None) -> None:
        self.used_bytes, self.processes = used_bytes, processes or []
        self.clocks_mhz = [1800]

    def nvmlInit(self) -> None: ...

    def nvmlShutdown(self) -> None: ...

    def nvmlDeviceGetCount(self) -> int:
        return 1

    def nvmlDeviceGetHandleByIndex(self, index: int) -> str:
        return "the card"

    def nvmlDeviceGetHandleByUUID(self, identity: str) -> str:
        if identity != f"GPU-{IDENTITY}":
            raise RuntimeError("Not Found")
        return "the card"

    def nvmlDeviceGetName(self, handle: str) -> bytes:
        return b"Fake H1"

    def nvmlSystemGetDriverVersion(self) -> str:
        return "600.1"

    def nvmlDeviceGetCudaComputeCapability(self, handle: str) -> tuple[int, int]:
        return (9, 0)

    def nvmlDeviceGetMemoryInfo(self, handle: str) -> Any:
        if self.used_bytes is None:
            raise RuntimeError("Insufficient Permissions")
        return SimpleNamespace(total=80 * 1024 * MIB, used=self.used_bytes, free=80 * 1024 * MIB - self.used_bytes)

    def nvmlDeviceGetComputeRunningProcesses(self, handle: str) -> list[Any]:
        return self.processes

    def nvmlDeviceGetClockInfo(self, handle: str, kind: int) -> int:
        return self.clocks_mhz.pop(0) if len(self.clocks_mhz) > 1 else self.clocks_mhz[0]


class FakeEvent:
    """A moment on the card's own clock."""

    def __init__(self, card: FakeCuda) -> None:
        self._card = card
        self.at_ms: float | None = None

    def record(self) -> None:
        self.at_ms = self._card.queued_ms

    def elapsed_time(self, other: FakeEvent) -> float:
        assert self._card.synchronised, "an event was read before the card had reached it"
        return (other.at_ms or 0.0) - (self.at_ms or 0.0)


class FakeCuda:
    """torch.cuda with one card (or none). `queued_ms` grows with what a test puts on it."""

    def __init__(self, *, cards: int = 1, capability: tuple[int, int] = (9, 0)) -> None:
        self.cards, self.capability = cards, capability
        self.queued_ms = 0.0
        self.synchronised = True
        self.allocated, self.reserved = 300 * MIB, 400 * MIB
        self.started = False

    def work(self, milliseconds: float) -> None:
        self.queued_ms += milliseconds
        self.synchronised = False

    def is_available(self) -> bool:
        return self.cards > 0

    def device_count(self) -> int:
        return self.cards

    def get_device_properties(self, index: int) -> Any:
        major, minor = self.capability
        return SimpleNamespace(name="Fake H1", major=major, minor=minor, uuid=IDENTITY, total_memory=80 * 1024 * MIB)

    def mem_get_info(self, index: int) -> tuple[int, int]:
        return 70 * 1024 * MIB, 80 * 1024 * MIB

    def set_device(self, index: int) -> None:
        self.started = True

    def synchronize(self, index: int) -> None:
        self.synchronised = True

    def empty_cache(self) -> None: ...

    def reset_peak_memory_stats(self, index: int) -> None: ...

    def max_memory_allocated(self, index: int) -> int:
        return self.allocated

    def max_memory_reserved(self, index: int) -> int:
        return self.reserved

    def memory_reserved(self, index: int) -> int:
        return self.reserved

    def Event(self, *, enable_timing: bool) -> FakeEvent:
        assert enable_timing
        return FakeEvent(self)

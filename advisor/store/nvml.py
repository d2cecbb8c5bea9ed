"""NVIDIA cards as their driver describes them, through NVML: asking here starts no CUDA and takes milliseconds.

What torch can do with a card is the measuring child's to say. The one idea: every figure is asked for by itself, and
one that the driver, a container or a sliced card does not tell is None; nothing here ever raises.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

PREFIXES = ("GPU-", "MIG-")
"""What NVML writes before the identity that CUDA gives a card, or a slice of one."""


@dataclass(frozen=True, slots=True)
class Card:
    """One card as installed. Bytes; `free_bytes` is now."""

    name: str
    memory_bytes: int | None
    free_bytes: int | None
    driver: str | None
    compute_capability: str | None


@dataclass(frozen=True, slots=True)
class CardState:
    """What a card does now: bytes used by everybody, processes that compute on it, its clock."""

    used_bytes: int | None = None
    free_bytes: int | None = None
    processes: int | None = None
    clock_mhz: int | None = None


class Driver:
    """The driver, loaded. `close` lets go of it."""

    def __init__(self, library: Any) -> None:
        self._library = library

    @classmethod
    def load(cls, name: str = "pynvml") -> Self | None:
        """The driver, or None where there is none (or no nvidia-ml-py to ask it with)."""
        try:
            library = importlib.import_module(name)  # late: it takes longer than the answer
            library.nvmlInit()
        except Exception:  # noqa: BLE001  # a missing package, library or driver: to us all the same
            return None
        return cls(library)

    def close(self) -> None:
        """Let go of the driver."""
        with suppress(Exception):
            self._library.nvmlShutdown()

    def cards(self) -> tuple[Card, ...]:
        """Every card of the machine, in the driver's order."""
        count = self._ask(self._library.nvmlDeviceGetCount) or 0
        handles = [self._ask(self._library.nvmlDeviceGetHandleByIndex, index) for index in range(count)]
        return tuple(self._card(handle) for handle in handles if handle is not None)

    def find(self, identity: str) -> Any | None:
        """The driver's handle of the card that CUDA calls `identity`."""
        for prefix in PREFIXES:
            bare = identity.removeprefix(prefix)
            if (handle := self._ask(self._library.nvmlDeviceGetHandleByUUID, f"{prefix}{bare}")) is not None:
                return handle
        return None

    def state(self, handle: Any) -> CardState:
        """What the card does now."""
        library = self._library
        memory = self._ask(library.nvmlDeviceGetMemoryInfo, handle)
        processes = self._ask(library.nvmlDeviceGetComputeRunningProcesses, handle)
        return CardState(
            used_bytes=None if memory is None else memory.used,
            free_bytes=None if memory is None else memory.free,
            processes=None if processes is None else len(processes),
            clock_mhz=self.clock_mhz(handle),
        )

    def clock_mhz(self, handle: Any) -> int | None:
        """The clock of its arithmetic units."""
        library = self._library
        clock: int | None = self._ask(library.nvmlDeviceGetClockInfo, handle, getattr(library, "NVML_CLOCK_SM", 1))
        return clock

    def process_bytes(self, handle: Any, pid: int) -> int | None:
        """Bytes one process holds on the card; None where the driver does not know it by this number."""
        for process in self._ask(self._library.nvmlDeviceGetComputeRunningProcesses, handle) or ():
            if process.pid == pid and process.usedGpuMemory:
                return int(process.usedGpuMemory)
        return None

    def _card(self, handle: Any) -> Card:
        library = self._library
        memory = self._ask(library.nvmlDeviceGetMemoryInfo, handle)
        capability = self._ask(library.nvmlDeviceGetCudaComputeCapability, handle)
        return Card(
            name=_text(self._ask(library.nvmlDeviceGetName, handle)) or "NVIDIA card",
            memory_bytes=None if memory is None else memory.total,
            free_bytes=None if memory is None else memory.free,
            driver=_text(self._ask(library.nvmlSystemGetDriverVersion)),
            compute_capability=None if capability is None else ".".join(map(str, capability)),
        )

    def _ask(self, function: Callable[..., Any], *arguments: Any) -> Any | None:
        with suppress(Exception):
            return function(*arguments)
        return None


def installed_cards() -> tuple[Card, ...]:
    """Every NVIDIA card of this machine, as far as the driver answers."""
    driver = Driver.load()
    if driver is None:
        return ()
    try:
        return driver.cards()
    finally:
        driver.close()


def free_bytes(identity: str) -> int | None:
    """What is free now on one card."""
    driver = Driver.load()
    if driver is None:
        return None
    try:
        handle = driver.find(identity)
        return None if handle is None else driver.state(handle).free_bytes
    finally:
        driver.close()


def _text(word: str | bytes | None) -> str | None:
    """NVML's older bindings give bytes."""
    return word.decode("utf-8", "replace") if isinstance(word, bytes) else word

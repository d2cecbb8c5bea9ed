"""A machine as a value: what may be used of it, and what has been measured of it.

Its devices have names of their own: `cpu`, `cuda:0`, `cuda:1`, `mps`. What a caller asks for (`auto`, `cuda`) is turned
into one of them in one place, `device_for`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field

from advisor.core.values import Value

Dtype = Literal["float32", "bfloat16", "float16", "int8"]

BYTES_PER_VALUE: dict[str, int] = {"float32": 4, "bfloat16": 2, "float16": 2, "int8": 1}
"""Of a weight."""
BYTES_PER_STATE: dict[str, int] = BYTES_PER_VALUE | {"int8": 4}
"""Of an activation or a cached key or value: where weights have eight bits, what lies between layers stays float32."""
GIB = 1024**3


class PeakFlops(Value):
    """Measured peak arithmetic rate per dtype; `None` until measured."""

    float32: float | None = None
    bfloat16: float | None = None
    float16: float | None = None

    def of(self, dtype: str) -> float | None:
        """The peak in one dtype; None for one that is not known here."""
        return getattr(self, dtype, None)


class Peaks(Value):
    """The most that one device was seen to do: arithmetic in each dtype, and a read of memory from end to end.

    `last_level_cache_bytes` is the device's own: what fits into it is not read from memory every time. Whatever was not
    measured is None. `torch` and `threads` are what it was measured with, `runtimes` whose products were tried: of what
    another one can reach at most, these rates say nothing. With `flags` somebody disturbed the measurement: the rates
    were reached, and more may be possible.
    """

    device: str
    flops_per_s: PeakFlops = Field(default_factory=PeakFlops)
    bytes_per_s: float | None = None
    last_level_cache_bytes: int | None = None
    threads: int
    torch: str
    runtimes: tuple[str, ...] = ("torch",)
    flags: tuple[str, ...] = ()
    measured_at: datetime | None = None

    def arithmetic(self, runtime: str, dtype: str) -> float | None:
        """The peak that a run in this runtime and dtype can be held against."""
        return self.flops_per_s.of(dtype) if runtime in self.runtimes else None

    def better_of(self, other: Peaks) -> Peaks:
        """Each figure as high as it was ever seen, disturbed only if it always was; the rest is the newer other's."""
        dtypes = PeakFlops.model_fields
        rates = {name: _higher(self.flops_per_s.of(name), other.flops_per_s.of(name)) for name in dtypes}
        flops, bytes_per_s = PeakFlops(**rates), _higher(self.bytes_per_s, other.bytes_per_s)
        flags = other.flags if self.flags else ()
        found = {"flops_per_s": flops, "bytes_per_s": bytes_per_s, "flags": flags}
        return other.model_copy(update=found | {"runtimes": tuple(dict.fromkeys((*self.runtimes, *other.runtimes)))})


class DeviceDetail(Value):
    """One device that torch can use.

    `memory_bytes` is what it has, `memory_limit_bytes` what a model may take of it: for a graphics card what was free
    when it was looked at. `dtypes` are those it computes in.
    """

    device: str
    name: str
    memory_bytes: int | None
    memory_limit_bytes: int | None
    driver: str | None = None
    compute_capability: str | None = None
    dtypes: tuple[Dtype, ...] = ()


class Machine(Value):
    """This machine as a process may use it.

    `cores_usable` = min(affinity, rounded-up cgroup quota, physical cores); `memory_limit_bytes` = the smaller of
    installed memory and the cgroup limit. `versions` holds what can change a measurement. `fingerprint` is a short hash
    of the facts that make two measurements comparable; it holds no user or host name. The peaks are those of the device
    that was measured.
    """

    cpu: str
    cores_usable: int
    memory_limit_bytes: int
    devices: tuple[str, ...] = ("cpu",)
    device_details: tuple[DeviceDetail, ...] = ()
    last_level_cache_bytes: int | None = None
    peak_flops_per_s: PeakFlops = Field(default_factory=PeakFlops)
    peak_bytes_per_s: float | None = None
    versions: dict[str, str]
    fingerprint: str

    def detail(self, device: str) -> DeviceDetail | None:
        """What is known of one of its devices; None where it says nothing."""
        return next((one for one in self.device_details if one.device == device), None)

    def with_peaks(self, peaks: Peaks) -> Machine:
        """The same machine, with what one of its devices was measured to do at most."""
        return self.model_copy(update={"peak_flops_per_s": peaks.flops_per_s, "peak_bytes_per_s": peaks.bytes_per_s})

    def memory_limit_on(self, device: str) -> int:
        """Bytes a model may take on this device: a graphics card's own, else the machine's."""
        detail = self.detail(device)
        own = detail.memory_limit_bytes if detail is not None and device != "cpu" else None
        return self.memory_limit_bytes if own is None else own


def _higher(one: float | None, other: float | None) -> float | None:
    return max((rate for rate in (one, other) if rate is not None), default=None)


def device_for(asked: str, devices: Sequence[str]) -> str | None:
    """The device that `asked` means here, or None where there is none.

    `auto` is the first of a CUDA card, Apple's GPU and the CPU; `cuda` the first card.
    """
    wanted = {"auto": ("cuda", "mps", "cpu")}.get(asked, (asked,))
    for kind in wanted:
        for device in devices:
            if device == kind or device.partition(":")[0] == kind:
                return device
    return None

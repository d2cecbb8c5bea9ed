"""A machine as a value: what may be used of it, and what has been measured of it.

Its devices have names of their own: `cpu`, `cuda:0`, `cuda:1`, `mps`. What a caller asks for (`auto`, `cuda`) is turned
into one of them in one place, `device_for`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from advisor.core.values import Value

Device = Literal["cpu", "cuda", "mps"]
Dtype = Literal["float32", "bfloat16", "float16"]

BYTES_PER_VALUE: dict[str, int] = {"float32": 4, "bfloat16": 2, "float16": 2}
GIB = 1024**3


class PeakFlops(Value):
    """Measured peak arithmetic rate per dtype; `None` until measured."""

    float32: float | None = None
    bfloat16: float | None = None


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
    of the facts that make two measurements comparable; it holds no user or host name.
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

    def memory_limit_on(self, device: str) -> int:
        """Bytes a model may take on this device: a graphics card's own, else the machine's."""
        detail = self.detail(device)
        own = detail.memory_limit_bytes if detail is not None and device != "cpu" else None
        return self.memory_limit_bytes if own is None else own


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

"""A machine as a value: what may be used of it, and what has been measured of it."""

from __future__ import annotations

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
    last_level_cache_bytes: int | None = None
    peak_flops_per_s: PeakFlops = Field(default_factory=PeakFlops)
    peak_bytes_per_s: float | None = None
    versions: dict[str, str]
    fingerprint: str

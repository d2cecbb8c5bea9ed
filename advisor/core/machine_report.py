"""This machine as a document (contract: `machine`): what may be used of it and why, and what would be slow or wrong.

Values only: `store.doctor` gathers them, `diagnosis` judges them. It is meant for a bug report, so it holds no name of
a host or a user and no path of a home. What has not been measured is null.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from advisor.core.hardware import DeviceDetail, PeakFlops, Peaks
from advisor.core.values import Document, Value

Level = Literal["wrong", "slow", "note"]
"""Something will not work; figures will be worse than they could be; worth knowing."""


class Cores(Value):
    """Why so many cores may be used: the smallest of these, the quota rounded up. `quota` is None without one."""

    installed: int
    affinity: int
    physical: int
    quota: float | None
    bound_by: Literal["affinity", "quota", "physical cores"]


class Memory(Value):
    """Why so much memory may be used. `cgroup_limit_bytes` is None without one; swap is None where nobody tells.

    `address_space_bytes` is what one process may map at most (`ulimit -v`), None without such a limit.
    """

    installed_bytes: int
    cgroup_limit_bytes: int | None
    available_bytes: int
    swap_bytes: int | None
    swap_used_bytes: int | None
    address_space_bytes: int | None = None


class Load(Value):
    """What goes on while the doctor looks: shares of the usable cores' time, and what the quota has cost so far."""

    watched_s: float
    others_share: float | None
    stolen_share: float | None
    throttled_s: float | None


class Surroundings(Value):
    """What the machine stands in. None where the system does not tell."""

    system: str
    architecture: str
    virtual: bool | None
    emulated: bool
    container: bool
    terminal_is_utf8: bool | None


class ResultStore(Value):
    """Where results are kept. `trouble` says in words what is the matter with it."""

    path: str
    size_bytes: int | None
    readable: bool
    writable: bool
    trouble: str | None = None


class Lock(Value):
    """Whether a measurement holds this machine now, and which process said so."""

    held: bool
    holder_pid: int | None


class Diagnosis(Value):
    """One thing that would be slow or wrong here, and what to do about it."""

    id: str
    level: Level
    says: str
    fix: str | None = None


class MachineReport(Document):
    """This machine. `peaks` are those measured so far, by device; the two keys above them are the processor's.

    `devices` are what torch may find here. `versions` are those installed, None for what is not; `tested_versions` are
    those this release was tested with.
    """

    kind: Literal["machine"] = "machine"
    cpu: str
    cpu_features: tuple[str, ...]
    cores_usable: int
    cores: Cores
    memory_limit_bytes: int
    memory: Memory
    last_level_cache_bytes: int | None
    devices: tuple[str, ...]
    device_details: tuple[DeviceDetail, ...]
    peak_flops_per_s: PeakFlops = Field(default_factory=PeakFlops)
    peak_bytes_per_s: float | None = None
    peaks: tuple[Peaks, ...] = ()
    versions: dict[str, str | None]
    tested_versions: dict[str, str]
    tested_pythons: tuple[str, ...]
    fingerprint: str
    surroundings: Surroundings
    load: Load
    lock: Lock
    store: ResultStore
    diagnoses: tuple[Diagnosis, ...] = ()

"""Everything the doctor looks at, gathered into one value within a second and without torch.

Only facts are read here; `core.diagnosis` says what they mean. The one idea: the result goes into bug reports, so paths
are written without the home they lie in, and nothing names the host or the user.
"""

from __future__ import annotations

import getpass
import os
import platform
import resource
import sys
import tempfile
import time
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import Any, Literal

from advisor.core.diagnosis import diagnoses
from advisor.core.hardware import DeviceDetail
from advisor.core.machine_report import Cores, Load, Lock, MachineReport, Memory, ResultStore, Surroundings
from advisor.store import machine
from advisor.store.lock import LOCK_PATH, MachineLock, is_held
from advisor.store.machine import ROOT
from advisor.store.nvml import installed_cards
from advisor.store.paths import home
from advisor.store.peaks import all_peaks
from advisor.store.results import StoreTrouble, open_to_read, results_path
from advisor.store.versions import installed_versions, release_pins, release_pythons

WATCH_SECONDS = 0.3
"""Long enough for the kernel's counters, which step in hundredths of a second, to say something."""
SHOWN_FEATURES = (
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "amx_tile",
    "amx_bf16",
    "amx_int8",
    "asimd",
    "sve",
    "bf16",
    "i8mm",
)
EMULATORS = ("QEMU Virtual", "QEMU TCG")
CONTAINER_MARKS = (".dockerenv", "run/.containerenv")


def examine(*, terminal_is_utf8: bool | None, root: Path = ROOT, lock: Path = LOCK_PATH) -> MachineReport:
    """This machine, and what would be slow or wrong on it."""
    here = machine.this_machine(root=root)
    versions = installed_versions()
    cards = _cards()
    found = MachineReport(
        cpu=here.cpu,
        cpu_features=tuple(one for one in SHOWN_FEATURES if one in machine.cpu_features(root)),
        cores_usable=here.cores_usable,
        cores=_cores(root),
        memory_limit_bytes=here.memory_limit_bytes,
        memory=_memory(root),
        last_level_cache_bytes=here.last_level_cache_bytes,
        devices=_devices(cards, versions.get("torch")),
        device_details=cards,
        versions=versions,
        tested_versions=release_pins(),
        tested_pythons=release_pythons(),
        fingerprint=here.fingerprint,
        surroundings=_surroundings(terminal_is_utf8, root),
        **_peaks(here.fingerprint),
        load=_load(here.cores_usable, root),
        lock=_lock(lock),
        store=_store(),
    )
    return found.model_copy(update={"diagnoses": diagnoses(found)})


def _peaks(fingerprint: str) -> dict[str, Any]:
    """What was measured of the devices so far, and the processor's once more under the keys of a machine."""
    known = all_peaks(fingerprint)
    found: dict[str, Any] = {"peaks": known}
    for one in known:
        if one.device == "cpu":
            found |= {"peak_flops_per_s": one.flops_per_s, "peak_bytes_per_s": one.bytes_per_s}
    return found


def nameless(path: Path) -> str:
    """A path without what would tell whose it is: `~` for the home, `…` for a folder named like the user or host."""
    own = home()
    if own is not None and path.is_relative_to(own):
        return str(Path("~") / path.relative_to(own))
    names = {platform.node()}
    with suppress(Exception):  # no user database, no variable: then there is no name to hide
        names.add(getpass.getuser())
    return str(Path(*("…" if part in names else part for part in path.parts)))


def _cores(root: Path) -> Cores:
    installed, affinity, physical = machine.core_limits(root)
    quota = machine.cpu_quota(root)
    limits: list[tuple[int, Literal["affinity", "quota", "physical cores"]]] = [(physical, "physical cores")]
    limits += [(affinity, "affinity")] if affinity < installed or affinity < physical else []
    limits += [] if quota is None else [(ceil(quota), "quota")]
    least = min(limit for limit, _ in limits)
    bound_by = [name for limit, name in limits if limit == least][-1]
    return Cores(installed=installed, affinity=affinity, physical=physical, quota=quota, bound_by=bound_by)


def _memory(root: Path) -> Memory:
    installed, cap = machine.memory_limits(root)
    swap, used = machine.swap_bytes(root)
    return Memory(
        installed_bytes=installed,
        cgroup_limit_bytes=cap,
        available_bytes=machine.memory_available_bytes(root),
        swap_bytes=swap,
        swap_used_bytes=used,
        address_space_bytes=_address_space_bytes(),
    )


def _address_space_bytes() -> int | None:
    """What one process may map at most, or None without such a limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft


def _cards() -> tuple[DeviceDetail, ...]:
    """The cards as their driver lists them; what torch can do with them only the measuring process asks."""
    return tuple(
        DeviceDetail(
            device=f"cuda:{number}",
            name=card.name,
            memory_bytes=card.memory_bytes,
            memory_limit_bytes=card.free_bytes,
            driver=card.driver,
            compute_capability=card.compute_capability,
        )
        for number, card in enumerate(installed_cards())
    )


def _devices(cards: tuple[DeviceDetail, ...], torch: str | None) -> tuple[str, ...]:
    """What torch may find here, judged by its version without importing it."""
    if torch is None:
        return ("cpu",)
    if sys.platform == "darwin":
        return ("cpu", "mps") if platform.machine() == "arm64" else ("cpu",)
    return ("cpu", *(card.device for card in cards if "+cpu" not in torch))


def _surroundings(terminal_is_utf8: bool | None, root: Path) -> Surroundings:
    features = machine.cpu_features(root)
    x86 = platform.machine() in ("x86_64", "AMD64", "i686")
    return Surroundings(
        system=platform.system(),
        architecture=platform.machine(),
        virtual="hypervisor" in features if x86 and features else None,
        emulated=machine.cpu_name(root).startswith(EMULATORS),
        container=any((root / mark).exists() for mark in CONTAINER_MARKS),
        terminal_is_utf8=terminal_is_utf8,
    )


def _load(cores: int, root: Path) -> Load:
    """What others do while this process sleeps."""
    before, own_before, begun = machine.load(root), machine.own_cpu_seconds(), time.monotonic()
    time.sleep(WATCH_SECONDS)
    after, own, watched = machine.load(root), machine.own_cpu_seconds() - own_before, time.monotonic() - begun
    return Load(
        watched_s=round(watched, 3),
        others_share=_share(before.busy_s, after.busy_s, own, watched * cores),
        stolen_share=_share(before.stolen_s, after.stolen_s, 0.0, watched * cores),
        throttled_s=after.throttled_s,
    )


def _share(before: float | None, after: float | None, own: float, whole: float) -> float | None:
    if before is None or after is None:
        return None
    return round(min(1.0, max(0.0, after - before - own) / whole), 3)


def _lock(path: Path) -> Lock:
    held = is_held(path)
    return Lock(held=held, holder_pid=MachineLock(path).holder_pid() if held else None)


def _store() -> ResultStore:
    path = results_path()
    trouble = None
    try:
        if (store := open_to_read(path)) is not None:
            store.close()
    except StoreTrouble as error:
        trouble = error.reason
    size = None
    with suppress(OSError):
        size = path.stat().st_size
    folder = next(place for place in path.parents if os.path.lexists(place))  # a file in the way takes no folder
    return ResultStore(
        path=nameless(path),
        size_bytes=size,
        readable=trouble is None and os.access(path if size is not None else folder, os.R_OK),
        writable=_takes_files(folder) and (size is None or os.access(path, os.W_OK)),
        trouble=None if trouble is None else trouble.replace(str(path), nameless(path)),
    )


def _takes_files(folder: Path) -> bool:
    """Whether a file can be made there, tried with one that has no name: permissions alone do not tell."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False

"""This machine as the kernel describes it: what a process may use, and what else goes on while it is timed.

Facts are read from /proc and /sys; what torch knows (devices, versions) is added by the measuring child. The one idea:
the limit that counts is the tightest one, and in a container that is rarely what the hardware has. Reads are cheap and
need no library on Linux; `root` lets a test put its own files in place of the kernel's.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from advisor.core.hardware import GIB, DeviceDetail, Machine
from advisor.store.cgroup import Hierarchy, hierarchies

ROOT = Path("/")
UNKNOWN_CPU = "unknown CPU"


def this_machine(
    *, versions: Mapping[str, str] | None = None, details: Sequence[DeviceDetail] = (), root: Path = ROOT
) -> Machine:
    """Everything that is known of this machine without measuring."""
    cpu, cores, memory, cache = (
        cpu_name(root),
        cores_usable(root),
        memory_limit_bytes(root),
        last_level_cache_bytes(root),
    )
    return Machine(
        cpu=cpu,
        cores_usable=cores,
        memory_limit_bytes=memory,
        devices=tuple(detail.device for detail in details) or ("cpu",),
        device_details=tuple(details),
        last_level_cache_bytes=cache,
        versions=dict(versions or {}),
        fingerprint=fingerprint(cpu, cores, memory, cache, nvidia_cards(root)),
    )


def fingerprint(cpu: str, cores: int, memory_bytes: int, cache_bytes: int | None, cards: Sequence[str] = ()) -> str:
    """Twelve hex digits of what makes two machines comparable: no host, no user, nothing that changes at a reboot.

    Memory counts in whole GiB, because the kernel keeps a little more or less for itself after each update.
    """
    facts = "|".join((cpu, str(cores), str(round(memory_bytes / GIB)), str(cache_bytes), platform.machine(), *cards))
    return hashlib.sha256(facts.encode()).hexdigest()[:12]


def cores_usable(root: Path = ROOT) -> int:
    """min(affinity, rounded-up cgroup quota, physical cores in the affinity): more threads than that only wait."""
    cpus = _affinity()
    limits = [len(cpus), _physical_cores(cpus, root)]
    quota = cpu_quota(root)
    if quota is not None:
        limits.append(ceil(quota))
    return max(1, min(limits))


def core_limits(root: Path = ROOT) -> tuple[int, int, int]:
    """CPUs that are installed, CPUs in the affinity, physical cores behind those."""
    cpus = _affinity()
    return max(os.cpu_count() or 1, len(cpus)), len(cpus), _physical_cores(cpus, root)


def cpu_quota(root: Path = ROOT) -> float | None:
    """CPUs' worth of time the tightest cgroup grants, or None without a quota."""
    quotas = [quota for group in hierarchies(root) if (quota := _quota_of(group)) is not None]
    return min(quotas, default=None)


def memory_limit_bytes(root: Path = ROOT) -> int:
    """The smaller of installed memory and the tightest cgroup limit."""
    limits = [limit for group in hierarchies(root) if (limit := _memory_limit_of(group)) is not None]
    return min([_installed_bytes(root), *limits])


def memory_limits(root: Path = ROOT) -> tuple[int, int | None]:
    """Installed memory, and the tightest cgroup limit if there is one that binds."""
    installed = _installed_bytes(root)
    limits = [limit for group in hierarchies(root) if (limit := _memory_limit_of(group)) is not None]
    return installed, min((limit for limit in limits if limit < installed), default=None)


def swap_bytes(root: Path = ROOT) -> tuple[int | None, int | None]:
    """Swap that there is, and that is used; None where nobody tells."""
    meminfo = _meminfo(root)
    if "SwapTotal" in meminfo:
        return meminfo["SwapTotal"], meminfo["SwapTotal"] - meminfo.get("SwapFree", 0)
    if root != ROOT or sys.platform != "darwin":
        return None, None
    import psutil

    swap = psutil.swap_memory()
    return swap.total, swap.used


def memory_available_bytes(root: Path = ROOT) -> int:
    """What can be allocated now without swapping: free for the machine, and left in the tightest cgroup."""
    left = [free for group in hierarchies(root) if (free := _memory_left_in(group)) is not None]
    meminfo = _meminfo(root)
    if "MemAvailable" not in meminfo:
        import psutil  # not Linux: nothing to read

        return min([psutil.virtual_memory().available, *left])
    return max(0, min([meminfo["MemAvailable"], *left]))


def cpu_name(root: Path = ROOT) -> str:
    """The processor's name, as its maker writes it where the system tells."""
    for line in _lines(root / "proc/cpuinfo"):
        key, _, value = line.partition(":")
        if key.strip() in ("model name", "Model") and value.strip():
            return " ".join(value.split())
    if sys.platform == "darwin":
        import subprocess  # the memory limit alone, all that a decision asks for, does without

        told = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False
        )
        if told.stdout.strip():
            return told.stdout.strip()
    return platform.processor() or platform.machine() or UNKNOWN_CPU


def cpu_features(root: Path = ROOT) -> frozenset[str]:
    """What the processor can do, in the kernel's words; empty where it does not say."""
    for line in _lines(root / "proc/cpuinfo"):
        key, _, value = line.partition(":")
        if key.strip() in ("flags", "Features"):
            return frozenset(value.split())
    return frozenset()


def nvidia_cards(root: Path = ROOT) -> tuple[str, ...]:
    """The names of the NVIDIA cards as their kernel module lists them, which needs no library."""
    names = []
    for file in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        fields = dict(line.split(":", 1) for line in _lines(file) if ":" in line)
        names.append(" ".join(fields.get("Model", "NVIDIA card").split()))
    return tuple(names)


def last_level_cache_bytes(root: Path = ROOT) -> int | None:
    """Size of the last cache before memory, or None where the kernel does not say."""
    found: list[tuple[int, int]] = []
    for index in sorted((root / "sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, size = _text(index / "level"), _size_bytes(_text(index / "size"))
        if level.isdigit() and size is not None:
            found.append((int(level), size))
    return max(found)[1] if found else None


@dataclass(frozen=True, slots=True)
class Load:
    """Counters that only grow, in seconds since boot: what may disturb a timing. None where the kernel is silent."""

    busy_s: float | None
    stolen_s: float | None
    throttled_s: float | None
    swapped_pages: int | None
    out_of_memory_kills: int | None


def load(root: Path = ROOT) -> Load:
    """Read the counters, of the CPUs this process may run on where they are kept by CPU."""
    busy, stolen = _cpu_seconds(root)
    vmstat = _counters(root / "proc/vmstat")
    swapped = None if "pswpin" not in vmstat else vmstat["pswpin"] + vmstat.get("pswpout", 0)
    throttled = [s for group in hierarchies(root) if (s := _throttled_seconds(group)) is not None]
    return Load(busy, stolen, max(throttled, default=None), swapped, vmstat.get("oom_kill"))


def own_cpu_seconds() -> float:
    """Processor time this process has used, its own and what the kernel did for it."""
    times = os.times()
    return times.user + times.system


def _affinity() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))


def _physical_cores(cpus: set[int], root: Path) -> int:
    """Distinct cores behind the CPUs: two hyper-threads share one set of arithmetic units."""
    cores = set()
    for cpu in cpus:
        topology = root / f"sys/devices/system/cpu/cpu{cpu}/topology"
        core, package = _text(topology / "core_id"), _text(topology / "physical_package_id")
        cores.add((package, core) if core else ("cpu", str(cpu)))
    if sys.platform == "darwin":
        import psutil

        return psutil.cpu_count(logical=False) or len(cores)
    return len(cores)


def _quota_of(group: Hierarchy) -> float | None:
    quotas = []
    for folder in group.folders:
        words = _text(folder / "cpu.max").split() or [
            _text(folder / "cpu.cfs_quota_us"),
            _text(folder / "cpu.cfs_period_us"),
        ]
        if len(words) == 2 and all(word.isdigit() for word in words) and int(words[1]) > 0:
            quotas.append(int(words[0]) / int(words[1]))
    return min(quotas, default=None)


def _memory_limit_of(group: Hierarchy) -> int | None:
    limits = [int(word) for folder in group.folders if (word := _first(folder, LIMIT_FILES)).isdigit()]
    return min(limits, default=None)


LIMIT_FILES = ("memory.max", "memory.limit_in_bytes")
USAGE_FILES = ("memory.current", "memory.usage_in_bytes")


def _memory_left_in(group: Hierarchy) -> int | None:
    """The least a level of the hierarchy has left; file pages that may be dropped count as free."""
    left = []
    for folder in group.folders:
        limit, usage = _first(folder, LIMIT_FILES), _first(folder, USAGE_FILES)
        if limit.isdigit() and usage.isdigit():
            stat = _counters(folder / "memory.stat")
            droppable = stat.get("total_inactive_file", stat.get("inactive_file", 0))
            left.append(int(limit) - int(usage) + droppable)
    return min(left, default=None)


def _throttled_seconds(group: Hierarchy) -> float | None:
    stats = [_counters(folder / "cpu.stat") for folder in group.folders]
    seconds = [s["throttled_usec"] / 1e6 for s in stats if "throttled_usec" in s]
    seconds += [s["throttled_time"] / 1e9 for s in stats if "throttled_time" in s]
    return max(seconds, default=None)


def _cpu_seconds(root: Path) -> tuple[float | None, float | None]:
    """Seconds our CPUs were busy for anybody, and seconds the hypervisor gave to somebody else."""
    busy = stolen = 0.0
    seen = False
    ticks = os.sysconf("SC_CLK_TCK")
    wanted = {f"cpu{number}" for number in _affinity()}
    for line in _lines(root / "proc/stat"):
        name, *words = line.split()
        if name in wanted and len(words) >= 8:
            user, nice, system, _idle, _iowait, irq, softirq, steal = (int(word) for word in words[:8])
            busy += (user + nice + system + irq + softirq) / ticks
            stolen += steal / ticks
            seen = True
    return (busy, stolen) if seen else (None, None)


def _installed_bytes(root: Path) -> int:
    meminfo = _meminfo(root)
    if "MemTotal" in meminfo:
        return meminfo["MemTotal"]
    import psutil

    return psutil.virtual_memory().total


def _meminfo(root: Path) -> dict[str, int]:
    """Fields of /proc/meminfo in bytes."""
    return {name.rstrip(":"): kib * 1024 for name, kib in _counters(root / "proc/meminfo").items()}


def _counters(path: Path) -> dict[str, int]:
    """Lines that begin with a name and a whole number."""
    pairs = (line.split() for line in _lines(path))
    return {words[0]: int(words[1]) for words in pairs if len(words) >= 2 and words[1].isdigit()}


def _size_bytes(word: str) -> int | None:
    units = {"K": 1024, "M": 1024**2, "G": GIB}
    number, unit = (word[:-1], word[-1]) if word and word[-1] in units else (word, "")
    return int(number) * units.get(unit, 1) if number.isdigit() else None


def _first(folder: Path, names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := _text(folder / name))), "")


def _text(path: Path) -> str:
    return "".join(_lines(path)).strip()


def _lines(path: Path) -> Iterator[str]:
    """Lines of a kernel file; none where it does not exist or may not be read."""
    try:
        yield from path.read_text("utf-8", "replace").splitlines(keepends=True)
    except OSError:
        return

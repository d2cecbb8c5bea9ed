"""What the doctor says, in order: the machine and why so much of it, what would be slow or wrong, the versions.

Pure: values in, blocks out. What was not measured is said to be so.
"""

from __future__ import annotations

from advisor.core.hardware import DeviceDetail, Peaks
from advisor.core.machine_report import Diagnosis, Level, MachineReport
from advisor.report import figures
from advisor.report.blocks import Block, Heading, Table, Tone, bullets
from advisor.report.history import minute

_WORDS: dict[Level, str] = {"wrong": "✗ wrong", "slow": "! slow", "note": "note"}


def machine_blocks(machine: MachineReport) -> list[Block]:
    """The whole of it."""
    blocks: list[Block] = [Heading(_verdict(machine), 1, _tone(machine)), bullets(_facts(machine))]
    if machine.diagnoses:
        blocks += [Heading("What would be slow or wrong", 2), bullets([_diagnosis(one) for one in machine.diagnoses])]
    return [*blocks, Heading("Versions", 2), _versions(machine)]


def _verdict(machine: MachineReport) -> str:
    levels = [one.level for one in machine.diagnoses]
    if "wrong" in levels:
        things = figures.counted(levels.count("wrong"), "thing")
        return f"✗ {things} below must be mended before this machine can do all its work"
    if "slow" in levels:
        points = figures.counted(levels.count("slow"), "point")
        return f"! ready to measure, and slower or less certain than it could be in {points}"
    return "✓ ready to measure"


def _tone(machine: MachineReport) -> Tone:
    levels = {one.level for one in machine.diagnoses}
    return "bad" if "wrong" in levels else "tight" if "slow" in levels else "good"


def _facts(machine: MachineReport) -> list[str | tuple[str, list[str]]]:
    memory, load, store = machine.memory, machine.load, machine.store
    features = ", ".join(machine.cpu_features) or figures.UNKNOWN
    facts: list[str | tuple[str, list[str]]] = [
        (f"Processor: {machine.cpu}", [f"It can: {features}", f"Last cache: {_bytes(machine.last_level_cache_bytes)}"]),
        (f"Usable cores: {machine.cores_usable}, bound by {machine.cores.bound_by}", [_core_words(machine)]),
        (f"Memory limit: {figures.gib(machine.memory_limit_bytes)}", [_memory_words(machine)]),
        f"Free memory: {figures.gib(memory.available_bytes)}; swap used: {_bytes(memory.swap_used_bytes)}",
        (f"Devices: {', '.join(machine.devices)}", [_device_words(one) for one in machine.device_details]),
        *_peak_facts(machine),
        f"Now: others use {_share(load.others_share)} of the usable cores, {_share(load.stolen_share)} is stolen; "
        f"held back by the quota so far: {_seconds(load.throttled_s)}",
        f"Measuring now: {_lock_words(machine)}",
        f"Results: {store.path}, {_bytes(store.size_bytes) if store.size_bytes is not None else 'nothing kept yet'}, "
        f"{'readable' if store.readable else 'not readable'}, {'writable' if store.writable else 'not writable'}",
        f"Fingerprint: {machine.fingerprint}; {machine.surroundings.system} on {machine.surroundings.architecture}"
        f"{', virtual machine' if machine.surroundings.virtual else ''}"
        f"{', container' if machine.surroundings.container else ''}",
    ]
    return facts


def _peak_facts(machine: MachineReport) -> list[str]:
    """What each device does at most, once something was measured here."""
    if not machine.peaks:
        return ["Peaks: not measured yet; the first measurement (advise, profile) takes them"]
    return [_peak_words(one) for one in machine.peaks]


def _peak_words(one: Peaks) -> str:
    threads = figures.counted(one.threads, "thread")
    when = "" if one.measured_at is None else f", measured {minute(one.measured_at)} UTC"
    disturbed = f", disturbed ({', '.join(one.flags)}): the next measurement tries again" if one.flags else ""
    return f"Peaks of {one.device}: {figures.peaks(one)}; torch {one.torch}, {threads}{when}{disturbed}"


def _core_words(machine: MachineReport) -> str:
    cores = machine.cores
    quota = "no cgroup quota" if cores.quota is None else f"cgroup quota {figures.digits(cores.quota)}"
    physical = figures.counted(cores.physical, "physical core")
    return f"{cores.installed} CPUs installed, {cores.affinity} allowed, {physical}, {quota}"


def _memory_words(machine: MachineReport) -> str:
    cap = machine.memory.cgroup_limit_bytes
    granted = "no cgroup limit" if cap is None else f"cgroup limit {figures.gib(cap)}"
    mapped = machine.memory.address_space_bytes
    limited = "" if mapped is None else f", {figures.gib(mapped)} of addresses for a process"
    return f"{figures.gib(machine.memory.installed_bytes)} installed, {granted}{limited}"


def _device_words(one: DeviceDetail) -> str:
    capability = "" if one.compute_capability is None else f", compute capability {one.compute_capability}"
    driver = "" if one.driver is None else f", driver {one.driver}"
    free = f"{_bytes(one.memory_limit_bytes)} of {_bytes(one.memory_bytes)} free"
    return f"{one.device}: {one.name}, {free}{capability}{driver}"


def _lock_words(machine: MachineReport) -> str:
    if not machine.lock.held:
        return "nobody"
    return "somebody" if machine.lock.holder_pid is None else f"process {machine.lock.holder_pid}"


def _diagnosis(one: Diagnosis) -> tuple[str, list[str]]:
    return f"{_WORDS[one.level]}: {one.says} [{one.id}]", [one.fix] if one.fix else []


def _versions(machine: MachineReport) -> Table:
    rows = tuple(
        (name, version or "not installed", machine.tested_versions.get(name, "–"))
        for name, version in machine.versions.items()
    )
    return Table(("package", "here", "tested with"), rows)


def _bytes(size: int | None) -> str:
    return figures.UNKNOWN if size is None else figures.gib(size)


def _share(share: float | None) -> str:
    return figures.UNKNOWN if share is None else figures.percent(share)


def _seconds(seconds: float | None) -> str:
    return figures.UNKNOWN if seconds is None else figures.seconds(seconds)

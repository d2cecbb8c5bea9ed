"""What would be slow or wrong on a machine: one function for each thing, from the facts alone.

Each says one sentence, or nothing. The one idea: a sentence names the figure it rests on, and what somebody could do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from advisor.core.hardware import GIB
from advisor.core.machine_report import Diagnosis, Level, MachineReport

NEEDED = ("torch", "transformers")
TRANSFORMERS_MAJOR = "5"
BFLOAT16_FEATURES = frozenset({"amx_bf16", "avx512_bf16", "bf16"})
BUSY_SHARE = 0.10
"""The share of the usable cores' time from which other load is flagged on measured cells too."""
STOLEN_SHARE = 0.02
CLOSE_SHARE = 0.25
"""Less than this part of the limit free: larger models will be refused although they would fit."""
INSTALL = "pip install 'archadvisor[profile]'"


def diagnoses(machine: MachineReport) -> tuple[Diagnosis, ...]:
    """All there is to say, what does not work first."""
    found = [one for tell in _TOLD for one in tell(machine)]
    return tuple(sorted(found, key=lambda one: ("wrong", "slow", "note").index(one.level)))


def _said(number: str, level: Level, says: str, fix: str | None = None) -> Diagnosis:
    return Diagnosis(id=f"DOC-{number}", level=level, says=says, fix=fix)


def _missing(machine: MachineReport) -> Iterator[Diagnosis]:
    missing = [name for name in NEEDED if machine.versions.get(name) is None]
    if missing:
        says = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed: nothing can be measured."
        yield _said("001", "wrong", f"{says} Deciding works without.", INSTALL)


def _transformers(machine: MachineReport) -> Iterator[Diagnosis]:
    version = machine.versions.get("transformers")
    if version is not None and version.split(".")[0] != TRANSFORMERS_MAJOR:
        says = f"Measuring needs transformers {TRANSFORMERS_MAJOR}; {version} is installed."
        yield _said("002", "wrong", says, INSTALL)


def _card_unused(machine: MachineReport) -> Iterator[Diagnosis]:
    """A card the driver knows, and a torch that cannot use it."""
    idle = [one for one in machine.device_details if one.device not in machine.devices]
    if idle and machine.versions.get("torch") is not None:
        says = f"{idle[0].name} is here, but torch {machine.versions['torch']} is built without CUDA."
        yield _said("003", "slow", says, "install a build of torch with CUDA to measure on the card")


def _store(machine: MachineReport) -> Iterator[Diagnosis]:
    store = machine.store
    if store.trouble is not None:
        yield _said("004", "wrong", f"{store.path}, which keeps what was measured, cannot be used: {store.trouble}.")
    elif not store.writable:
        says = f"{store.path}, which keeps what was measured, cannot be written: an interrupted run starts again."
        yield _said("004", "wrong", says, "make the folder writable, or set XDG_DATA_HOME to one that is")


def _system(machine: MachineReport) -> Iterator[Diagnosis]:
    if machine.surroundings.system not in ("Linux", "Darwin"):
        yield _said("005", "wrong", f"{machine.surroundings.system} is not supported.", "use Linux or macOS")


def _held(machine: MachineReport) -> Iterator[Diagnosis]:
    if machine.lock.held:
        who = "another process" if machine.lock.holder_pid is None else f"process {machine.lock.holder_pid}"
        yield _said("006", "note", f"{who} is measuring on this machine now; a second measurement waits for it.")


def _python(machine: MachineReport) -> Iterator[Diagnosis]:
    version = ".".join((machine.versions.get("python") or "").split(".")[:2])
    if version and machine.tested_pythons and version not in machine.tested_pythons:
        says = f"Python {version} is not among those this release names: {', '.join(machine.tested_pythons)}."
        yield _said("007", "note", says)


def _untested(machine: MachineReport) -> Iterator[Diagnosis]:
    others = [
        f"{name} {version} ({machine.tested_versions[name]})"
        for name, version in machine.versions.items()
        if version is not None and version.split("+")[0] != machine.tested_versions.get(name, version.split("+")[0])
    ]
    if others:
        says = f"Not the versions this release was tested with (which stand in brackets): {', '.join(others)}."
        yield _said("008", "note", says, "pip install with -c constraints.txt where it matters")


def _cores(machine: MachineReport) -> Iterator[Diagnosis]:
    cores, usable = machine.cores, machine.cores_usable
    if usable < cores.installed and cores.bound_by == "quota":
        says = f"A cgroup grants {cores.quota:.3g} of {cores.installed} CPUs: {_cores_words(usable)} used."
        yield _said("009", "slow", says, "raise the CPU limit of the container")
    elif usable < cores.installed and cores.bound_by == "affinity":
        says = f"This process may run on {cores.affinity} of {cores.installed} CPUs: {_cores_words(usable)} used."
        yield _said("009", "slow", says, "start it without taskset, or with more CPUs")
    elif usable < cores.affinity:
        says = f"{cores.affinity} CPUs are threads of {cores.physical} cores, which share their arithmetic units"
        yield _said("009", "note", f"{says}: {_cores_words(usable)} used.")


def _cores_words(usable: int) -> str:
    return "1 core is" if usable == 1 else f"{usable} cores are"


def _bfloat16(machine: MachineReport) -> Iterator[Diagnosis]:
    if machine.cpu_features and not BFLOAT16_FEATURES & set(machine.cpu_features):
        says = "The processor has no bfloat16 arithmetic (AMX or AVX512-BF16): bfloat16 will be no faster than float32."
        yield _said("010", "slow", says)


def _memory_close(machine: MachineReport) -> Iterator[Diagnosis]:
    free, limit = machine.memory.available_bytes, machine.memory_limit_bytes
    if free < CLOSE_SHARE * limit:
        says = (
            f"Other programs leave {free / GIB:.3g} GiB of {limit / GIB:.3g} GiB of memory: larger models are refused."
        )
        yield _said("011", "slow", says, "end what holds the memory")


def _memory_capped(machine: MachineReport) -> Iterator[Diagnosis]:
    cap, installed = machine.memory.cgroup_limit_bytes, machine.memory.installed_bytes
    if cap is not None:
        yield _said("012", "note", f"A cgroup grants {cap / GIB:.3g} of {installed / GIB:.3g} GiB of memory.")


def _address_space(machine: MachineReport) -> Iterator[Diagnosis]:
    limit = machine.memory.address_space_bytes
    if limit is not None:
        says = f"A process may map {limit / GIB:.3g} GiB here (ulimit -v), and libraries map far more than they use"
        yield _said("020", "slow", f"{says}: models may fail that would fit.", "start it without that limit")


def _swap(machine: MachineReport) -> Iterator[Diagnosis]:
    used = machine.memory.swap_used_bytes
    if used:
        says = f"{used / GIB:.3g} GiB are swapped out: what comes back while a cell is timed makes it slow."
        yield _said("013", "slow", says, "free memory, then swapoff and swapon")


def _busy(machine: MachineReport) -> Iterator[Diagnosis]:
    share = machine.load.others_share
    if share is not None and share > BUSY_SHARE:
        says = f"Other programs use {share:.0%} of the usable cores now: times would be flagged other-load."
        yield _said("014", "slow", says, "measure when the machine is idle")


def _throttled(machine: MachineReport) -> Iterator[Diagnosis]:
    seconds = machine.load.throttled_s
    if seconds:
        says = f"The cgroup has been held back {seconds:.3g} s so far for using more than its CPU quota."
        yield _said("015", "slow", says, "raise the CPU limit of the container")


def _stolen(machine: MachineReport) -> Iterator[Diagnosis]:
    share = machine.load.stolen_share
    if share is not None and share > STOLEN_SHARE:
        yield _said("016", "slow", f"The hypervisor gives {share:.0%} of the cores' time to other machines now.")


def _virtual(machine: MachineReport) -> Iterator[Diagnosis]:
    if machine.surroundings.emulated:
        yield _said("017", "slow", "The processor is emulated: no time measured here says anything of a real one.")
    elif machine.surroundings.virtual:
        yield _said("018", "note", "This is a virtual machine: its neighbours may take time that it does not see.")


def _terminal(machine: MachineReport) -> Iterator[Diagnosis]:
    if machine.surroundings.terminal_is_utf8 is False:
        says = "The output is not UTF-8: signs like ✓ become question marks."
        yield _said("019", "note", says, "set LC_ALL=C.UTF-8, or use --json")


_TOLD: tuple[Callable[[MachineReport], Iterator[Diagnosis]], ...] = (
    _missing,
    _transformers,
    _card_unused,
    _store,
    _system,
    _held,
    _python,
    _untested,
    _cores,
    _bfloat16,
    _memory_close,
    _memory_capped,
    _address_space,
    _swap,
    _busy,
    _throttled,
    _stolen,
    _virtual,
    _terminal,
)

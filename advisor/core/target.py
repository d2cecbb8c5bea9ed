"""Where a run measures: one device, what a model may take there, and the dtypes worth trying on it.

The one idea: the limit that counts is the device's own. A graphics card has its memory whatever the machine has; the
processor has what the machine allows.
"""

from __future__ import annotations

from typing import NamedTuple

from advisor.core.errors import EXIT_UNDECIDED, AdvisorError
from advisor.core.hardware import DeviceDetail, Dtype, Machine, device_for

ON_A_PROCESSOR: tuple[Dtype, ...] = ("float32", "bfloat16")
"""float16 runs there too, but processors with arithmetic for it are rare: it is measured where it is asked for."""


class Target(NamedTuple):
    """A device. `memory_limit_bytes` is None where it shares the machine's memory and limits."""

    device: str
    memory_limit_bytes: int | None
    dtypes: tuple[Dtype, ...]


def target_on(machine: Machine, asked: str) -> Target:
    """The device that `asked` means on this machine. Raises AdvisorError that says what is there."""
    device = device_for(asked, machine.devices)
    if device is None:
        says = f"This machine has no device {asked} that torch can use; it has {', '.join(machine.devices)}."
        raise AdvisorError(says, exit_code=EXIT_UNDECIDED, fix=_mend(machine, asked))
    detail = machine.detail(device)
    if device == "cpu" or detail is None:
        return Target(device, None, ON_A_PROCESSOR)
    return Target(device, machine.memory_limit_on(device), worth_trying(detail))


def worth_trying(detail: DeviceDetail) -> tuple[Dtype, ...]:
    """float32 and the better half precision: on a graphics card both of them run at the same speed."""
    halves: tuple[Dtype, ...] = ("bfloat16", "float16")
    return ("float32", *[dtype for dtype in halves if dtype in detail.dtypes][:1])


def _mend(machine: Machine, asked: str) -> str | None:
    """Why a card that may be there is not seen, as far as the versions tell."""
    torch = machine.versions.get("torch")
    if not asked.startswith("cuda") or torch is None:
        return None
    if "cuda" not in machine.versions:
        return f"torch {torch} is built without CUDA; for an NVIDIA card install a build with it"
    if any(device.startswith("cuda") for device in machine.devices):
        return "name one of the cards that are there"
    return f"torch {torch} is built for CUDA {machine.versions['cuda']}, but no card answers it: check nvidia-smi"

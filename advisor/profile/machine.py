"""What torch and transformers know of this machine: devices and versions. Runs no operator."""

from __future__ import annotations

import platform

import torch
import transformers

from advisor.core.hardware import Machine
from advisor.store.machine import this_machine


def devices() -> tuple[str, ...]:
    """The devices that can be measured on here, the CPU first."""
    found = ["cpu"]
    if torch.cuda.is_available():
        found.append("cuda")
    if torch.backends.mps.is_available():
        found.append("mps")
    return tuple(found)


def describe() -> Machine:
    """This machine with the versions that can change a measurement."""
    versions = {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "python": platform.python_version(),
        "kernel": platform.release(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
    }
    return this_machine(versions=versions, devices=devices())

"""What torch and transformers know of this machine: devices and versions. Runs no operator."""

from __future__ import annotations

import platform

import numpy
import torch
import transformers

from advisor.core.hardware import Machine
from advisor.profile.probe import Found
from advisor.store.machine import this_machine
from advisor.store.versions import installed_runtimes


def describe(found: Found) -> Machine:
    """This machine with its devices and the versions that can change a measurement."""
    versions = {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "numpy": numpy.__version__,
        "python": platform.python_version(),
        "kernel": platform.release(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
    }
    if torch.version.cuda is not None:
        versions["cuda"] = torch.version.cuda
    versions |= installed_runtimes()
    return this_machine(versions=versions, details=found.details)

"""What every runtime is to the worker: a model that stands, its stages as tasks, and its outputs to be compared.

The one idea: who times a cell does not know what runs it. A runtime hands out tasks; whether it can serve a model at
all was said before, in `core.sizing.runtimes`.
"""

from __future__ import annotations

from typing import Protocol

from advisor.core.sizing.measurement import CellPlan
from advisor.profile.deviation import Outputs, Probe
from advisor.profile.runtimes.torch_eager import Task


class Served(Protocol):
    """A model standing in a runtime."""

    @property
    def computes_in(self) -> str | None:
        """The precision the runtime itself reports; None where it is that of the weights."""

    def task(self, plan: CellPlan) -> Task:
        """The task of a plan. Raises ValueError where this model cannot do it here."""

    def outputs(self, probe: Probe) -> Outputs:
        """What the model makes of the probe, as far as this runtime hands it out."""

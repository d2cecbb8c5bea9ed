"""When a cell that was measured before may stand for one that is asked for now.

Two questions, both answered from values alone: under which conditions a figure was had (`conditions`; any difference
makes it another figure), and whether it was measured so well that a new run would add nothing (`reusable`). The one
idea: what is not known to leave a figure alone is a condition of it, so a field added to a request counts until it is
named here.
"""

from __future__ import annotations

from typing import Any

from advisor.core.hardware import Machine
from advisor.core.protocol import Measure
from advisor.core.sizing.measurement import Cell, CellPlan, Flag
from advisor.core.sizing.runtimes import of_this
from advisor.core.sizing.sampling import Terms, samples_by_process

_NOT_OF_A_FIGURE = {
    # which request it was, and what else was in it
    "request",
    "id",
    "cells",
    # How long there was and how much memory decide whether a cell gets a figure, not which: one that has it had enough.
    "seconds_per_cell",
    "seconds_total",
    "memory_limit_bytes",
    # decide when sampling ends, see `reusable`
    "effort",
    "latency_budget_s",
    "settled_below_s",
    # what a figure is held against, not what it depends on
    "wants_peaks",
    "peaks",
}
_NOT_OF_A_MODULE = {
    "id",
    "title",
    "roles",
    "tasks",
    "languages",
    "language_names",
    "context_note",
    "context_note_beyond",
    "context_source",
    "source_parameters",
    "license",
    "hub_id",
    "source",
}
"""What an entry says of a model that is not built: names, words, sources."""
_NOT_OF_FILES = {"folder", "name", "hub_id", "revision", "notes"}
"""Where a model's files lie and what is said of them: the same weights and tokenizer give the same figures anywhere."""

_HARMLESS: frozenset[Flag] = frozenset({"fits-in-cache"})
"""Flags that say something of the cell itself. Every other one says that a new run may do better: the machine was
disturbed (`other-load`, `throttled`, `stolen`, `swapping`), the samples disagree (`not-steady`), time or memory ran
out, somebody cancelled, or something broke."""


def conditions(request: Measure, machine: Machine, plan: CellPlan, *, measured_by: str) -> dict[str, Any]:
    """Everything the figures of one cell depend on, as JSON has it. `measured_by` stands for the code that measures."""
    asked = request.model_dump(mode="json", exclude=_NOT_OF_A_FIGURE)
    asked["model"] = {key: value for key, value in asked["model"].items() if key not in _NOT_OF_A_MODULE}
    if asked["source"] is not None:
        asked["source"] = {key: value for key, value in asked["source"].items() if key not in _NOT_OF_FILES}
    asked["threads"] = request.threads or machine.cores_usable
    return {
        "asked": asked,
        "plan": plan.model_dump(mode="json"),
        "machine": machine.fingerprint,
        "device": _device(machine, request.device),
        "versions": of_this(machine.versions, plan.runtime, plan.dtype),
        "measured_by": measured_by,
    }


def reusable(cell: Cell, asked: Measure) -> bool:
    """Whether the cell was measured so well that measuring it again for this request would add nothing.

    What was measured with more effort serves a request for less, never the other way. Sampling may have ended because
    the verdict was certain; such a cell is good for every request under whose terms it still is.
    """
    terms = Terms(asked.effort, asked.latency_budget_s, asked.settled_below_s)
    if cell.median_s is None or not _HARMLESS.issuperset(cell.flags) or cell.processes < terms.processes:
        return False
    return cell.stage == "load" or terms.decided(samples_by_process(cell))


def _device(machine: Machine, device: str) -> dict[str, Any] | None:
    """What is known of the device but how much of it was free."""
    detail = machine.detail(device)
    return None if detail is None else detail.model_dump(mode="json", exclude={"memory_limit_bytes"})

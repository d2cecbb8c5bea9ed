"""Which cells of a request can be attempted, and which of them one worker measures.

A family is served by one built model, or by several alike: the same runtime, dtype and number of workers. A model and
its cuts are one family, where the cuts can be seen in it: two processes of the same work differ, by more than a few
layers take, so what is held against each other is timed in one. The one idea: what is refused is refused before
anything is built, with the flag and the sentence that the cell is told with.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import NamedTuple

from advisor.core.hardware import DeviceDetail
from advisor.core.model.cut import cut, cut_source
from advisor.core.protocol import Measure
from advisor.core.sizing.measurement import CellPlan, Flag
from advisor.core.sizing.runtimes import Configuration, is_converted
from advisor.profile.orders import Job
from advisor.profile.refusal import refusal, refusal_of_dtype, refusal_of_runtime
from advisor.store import machine
from advisor.store.nvml import free_bytes
from advisor.store.versions import installed_runtimes


class Families(NamedTuple):
    """Indices of cells by the model they need, in the order asked for, and the refusals of the others by index."""

    attempted: tuple[list[int], ...]
    refused: dict[int, tuple[Flag, str]]


def families_of(request: Measure, detail: DeviceDetail | None, identity: str) -> Families:
    """The cells of a request on a device, described by `detail` and known to its driver as `identity`."""
    available = _available_bytes(request, identity)
    families: dict[tuple[Configuration, int | None, int], list[int]] = {}
    refused: dict[int, tuple[Flag, str]] = {}
    for index, plan in enumerate(request.cells):
        if words := _refusal(request, plan, detail, available):
            refused[index] = words
        else:
            seen = plan.runtime == "torch" and not is_converted(plan.runtime, plan.dtype)
            key = Configuration(plan.runtime, plan.dtype), None if seen else plan.layers, plan.workers
            families.setdefault(key, []).append(index)
    return Families(tuple(families.values()), refused)


def with_most_layers(cells: Sequence[CellPlan], indices: Sequence[int]) -> list[int]:
    """Those of these cells that are of the model with most layers."""
    most = max((cells[index].layers or inf for index in indices), default=inf)
    return [index for index in indices if (cells[index].layers or inf) == most]


def job_of(request: Measure, plan: CellPlan, *, threads: int, identity: str, parent_pid: int) -> Job:
    """What a worker is for whose model is that of this cell. Several of them share the threads."""
    model = cut(request.model, plan.layers)
    return Job(
        model=model,
        layers=plan.layers,
        runtime=plan.runtime,
        dtype=plan.dtype,
        device=request.device,
        threads=max(1, threads // plan.workers),
        workers=plan.workers,
        seed=request.seed,
        file_backed_bytes=None,
        identity=identity,
        parent_pid=parent_pid,
        source=request.source if plan.layers is None else cut_source(request.source, model),
        least_cosine=request.least_cosine.get(plan.dtype),
    )


def _refusal(
    request: Measure, plan: CellPlan, detail: DeviceDetail | None, available_bytes: int
) -> tuple[Flag, str] | None:
    return (
        refusal_of_dtype(detail, plan.dtype)
        or refusal_of_runtime(request.model, plan, device=request.device, versions=installed_runtimes())
        or refusal(
            cut(request.model, plan.layers),
            plan,
            limit_bytes=request.memory_limit_bytes // plan.workers,
            available_bytes=available_bytes // plan.workers,
        )
    )


def _available_bytes(request: Measure, identity: str) -> int:
    """What the device has free now; where nobody tells, what the request allows."""
    if request.device == "cpu":
        return machine.memory_available_bytes()
    free = free_bytes(identity) if identity else None
    return request.memory_limit_bytes if free is None else free

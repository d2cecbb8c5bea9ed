"""One model's cells, from the request to the child to the profile that is made of what came back.

Which cells are wanted is said elsewhere, and what they mean too; here are how much time they get, what is known of the
machine beforehand, and how the child's events become one value.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from advisor.core.architecture import Role
from advisor.core.errors import EXIT_UNDECIDED, AdvisorError, Problem
from advisor.core.hardware import Dtype, Machine
from advisor.core.target import Target
from advisor.store.machine import memory_available_bytes

if TYPE_CHECKING:  # the decision alone must not pay for what only a measurement needs
    from advisor.core.model.entry import ModelEntry
    from advisor.core.model.source import ModelSource
    from advisor.core.protocol import Event, Measure, Ready
    from advisor.core.sizing.measurement import Cell, CellPlan, Effort, Profile, Runtime, Surface
    from advisor.core.sizing.runtimes import Offer
    from advisor.run.remembering import StillWanted
    from advisor.store.recorder import Recorder

SECONDS_QUICK = 49.0
"""Time for the cells of one model that is not large for a quick run, process start and plan not counted."""
SECONDS_MOST = 300.0
TIMES_FOR_CUTS = 2.0
"""How much more time there is where a model is told from cuts of it: three are built in place of one, or beside it."""
SECONDS_PER_CELL_LEAST = 3.0
FLOPS_AT_QUICK = 5e11
"""Arithmetic of the longest single pass that fits the quick time: a prompt of thousands of tokens needs more."""
PASSES = ("forward", "embed", "prefill", "encode", "rerank")
CELLS_AT_MOST_SLOW = 3
"""How many cells may share all the time where the first ones are slow: they are the ones a plan cannot do without."""


class MeasuringChild(Protocol):
    """What the story needs of a child process (see `run.Child`)."""

    async def ready(self) -> Ready: ...

    def measure(self, request: Measure, still_wanted: StillWanted | None = None, /) -> AsyncIterator[Event]: ...


@dataclass(frozen=True)
class Measuring:
    """What the caller fixed about the measurement; None leaves it to the workload and the effort.

    `model` is an id of the catalogue at hand, `model_words` what the caller would say to name it again.
    """

    model: str | None = None
    model_words: str | None = None
    batch_sizes: tuple[int, ...] | None = None
    input_tokens: tuple[int, ...] | None = None
    output_tokens: int | None = None
    dtypes: tuple[Dtype, ...] | None = None
    runtimes: tuple[Runtime, ...] | None = None
    device: str = "auto"
    effort: Effort = "quick"
    layers: tuple[int, ...] | None = None


OnEvent = Callable[[Role, "Event"], None]


@dataclass
class Reporter:
    """Passes events on with the part they belong to, and remembers whether the run was cancelled."""

    role: Role
    on_event: OnEvent
    recorder: Recorder | None = None
    cancelled: bool = False
    cells: dict[int, Cell] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        self.on_event(self.role, event)


def dtypes_with_room(entry: ModelEntry, limit_bytes: int, dtypes: Sequence[Dtype]) -> tuple[Dtype, ...]:
    """The dtypes whose weights leave room."""
    from advisor.core.model.cost import weight_bytes

    return tuple(dtype for dtype in dtypes if weight_bytes(entry, dtype) < limit_bytes)


def dtypes_of_cuts(entry: ModelEntry, machine: Machine, target: Target, limit: int, tokens: int) -> tuple[Dtype, ...]:
    """The dtypes in which a model without room can be told from fewer layers; the plainest one where it can in none.

    That one is then refused, which shows its sums.
    """
    from advisor.core.sizing.cuts import Room, dtypes_to_cut

    room = Room(limit, available_bytes(target, limit), machine.last_level_cache_bytes, SECONDS_MOST)
    return dtypes_to_cut(entry, target.dtypes, tokens, room) or target.dtypes[:1]


def check_layers(entry: ModelEntry, measuring: Measuring) -> None:
    """Raises AdvisorError where the model cannot be cut to the layers asked for."""
    from advisor.core.sizing.cuts import mistake_in

    if measuring.layers is not None and (wrong := mistake_in(entry, measuring.layers)):
        fix = "give three different numbers below the model's own, or leave --layers out"
        raise AdvisorError([Problem("--layers", None, None, wrong, fix)])


async def measured(
    entry: ModelEntry,
    source: ModelSource | None,
    cells: Sequence[CellPlan],
    offered: Offer,
    child: MeasuringChild,
    measuring: Measuring,
    target: Target,
    limit: int,
    budget_s: float | None,
    report_event: Reporter,
    settled_s: float | None = None,
) -> Profile:
    """One request to the child, its cells gathered into a profile."""
    import asyncio

    from advisor.core.protocol import Failed, Finished, Measure, Measured, Peaked
    from advisor.core.sizing.cuts import Room, cut_where_needed
    from advisor.core.sizing.grid import best_cells
    from advisor.core.sizing.layers import told_from_cuts
    from advisor.core.sizing.measurement import Profile, profiled_model
    from advisor.core.sizing.own_stages import with_own_stages
    from advisor.core.sizing.runtimes import failed_conversions, seconds_to_convert
    from advisor.core.sizing.workers import with_workers
    from advisor.run import remembering, searching
    from advisor.store.checks import procedure_check
    from advisor.store.limits import shipped_limits
    from advisor.store.peaks import keep_peaks, known_peaks

    if source is not None:
        cells = with_own_stages(cells, source, batch_sizes=measuring.batch_sizes)
    began = time.monotonic()
    ready = await child.ready()
    seconds = seconds_total(entry, cells, measuring.effort)
    machine = ready.machine
    torch, threads = machine.versions.get("torch"), machine.cores_usable
    peaks = known_peaks(machine.fingerprint, target.device, torch=torch, threads=threads)
    machine = machine if peaks is None else machine.with_peaks(peaks)
    sure = None if peaks is None or peaks.flags else peaks  # what a disturbed machine did at most foretells nothing
    cell_s, cache = _cell_seconds(seconds, cells), machine.last_level_cache_bytes
    room = Room(limit, available_bytes(target, limit), cache, cell_s, sure)
    only_alone = measuring.batch_sizes is None
    cutting = cut_where_needed(entry, cells, room, asked=measuring.layers, only_alone=only_alone)
    cells, searched = cutting.plans, _is_searched(measuring, cutting.plans)
    if searched and target.device == "cpu":
        cells = with_workers(cells, machine.cores_usable)

    def time_for(plans: Sequence[CellPlan], effort: Effort) -> searching.Seconds:
        total = seconds_total(entry, plans, effort) + seconds_to_convert(entry, plans)
        # The child keeps what later cells need; a cell that is slow but early may have more than its even share.
        return searching.Seconds(total, _cell_seconds(total, plans))

    seconds_all = time_for(cells, measuring.effort)
    request = Measure(
        id=time.monotonic_ns() % 1_000_000_000,
        model=entry,
        cells=tuple(cells),
        device=target.device,
        seconds_per_cell=seconds_all.per_cell,
        effort=measuring.effort,
        seconds_total=seconds_all.total,
        memory_limit_bytes=limit,
        latency_budget_s=budget_s,
        settled_below_s=settled_s,
        source=source,
        wants_peaks=True,
        peaks=peaks,
        least_cosine=shipped_limits().by_dtype(),
    )
    model = profiled_model(entry, source)
    draft = Profile(machine=machine, model=model, cells=(), best=(), wall_s=0.0)
    recorder = report_event.recorder
    part = None if recorder is None else recorder.part(report_event.role, request, draft)
    if searched:
        events = searching.measure(child, request, part, time_for)
    else:
        events = remembering.measure(child, request, part)
    async for event in events:
        report_event(event)
        if isinstance(event, Measured):
            report_event.cells[event.index] = event.cell
        elif isinstance(event, Peaked):
            keep_peaks(machine.fingerprint, event.peaks)
            peaks = event.peaks
        elif isinstance(event, Finished):
            model = profiled_model(entry, source, event.parameters, event.weights, event.notes)
            report_event.cancelled = event.cancelled
        elif isinstance(event, Failed):
            raise AdvisorError(event.says, exit_code=EXIT_UNDECIDED, fix=event.fix)
    # Where nothing had to be measured after a wait, whoever had the machine has measured its peaks.
    peaks = peaks or known_peaks(machine.fingerprint, target.device, torch=torch, threads=threads)
    machine = machine if peaks is None else machine.with_peaks(peaks)
    cells_of = (report_event.cells[index] for index in sorted(report_event.cells))
    check = procedure_check(machine.fingerprint) if recorder is not None and _only_cuts(cells) else None
    told, extrapolations = told_from_cuts(tuple(cells_of), entry, check)
    model = model.model_copy(update={"notes": (*model.notes, *cutting.notes)})
    found = {"machine": machine, "cells": told, "best": best_cells(told), "wall_s": time.monotonic() - began}
    found |= {"extrapolations": extrapolations, "procedure_check": check}
    found["surfaces"] = await asyncio.to_thread(_surfaces, told)
    found["not_available"] = (*offered.refused, *failed_conversions(told))
    return draft.model_copy(update={"model": model, **found})


def available_bytes(target: Target, limit: int) -> int:
    """What a model may take now: what is allowed, and of the machine's own memory no more than others leave free."""
    return limit if target.memory_limit_bytes is not None else min(limit, memory_available_bytes())


def _is_searched(measuring: Measuring, cells: Sequence[CellPlan]) -> bool:
    """Whether more ways to serve are tried, and dropped after a look: not in a quick run, which has no time for it,
    where the caller named them all, or of a cut model.
    """
    named = measuring.runtimes is not None and measuring.dtypes is not None
    return measuring.effort != "quick" and not named and all(plan.layers is None for plan in cells)


def _only_cuts(cells: Sequence[CellPlan]) -> bool:
    """Whether a whole model is told from cuts that nobody measures beside them."""
    cut, whole = ({cell.dtype for cell in cells if (cell.layers is None) == of} for of in (False, True))
    return bool(cut - whole)


def _cell_seconds(seconds: float, cells: Sequence[CellPlan]) -> float:
    """The most that one cell may take of so many seconds for all."""
    return max(seconds / len(cells), seconds / CELLS_AT_MOST_SLOW)


def _surfaces(cells: Sequence[Cell]) -> tuple[Surface, ...]:
    """What was fitted to these cells; nothing where scikit-learn is not installed, and times between them are lines."""
    try:
        from advisor.predict.fitting import fitted
    except ImportError:
        return ()
    return fitted(cells)


def seconds_total(entry: ModelEntry, cells: Sequence[CellPlan], effort: Effort = "quick") -> float:
    """Seconds an effort gives the cells of one model: more for a larger model, longer texts or a longer list.

    The first two are capped. What one request takes alone decides, because no plan can do without that cell.
    """
    from advisor.core.model.cost import stage_flops
    from advisor.core.sizing.effort import EFFORTS, PARAMETERS_AT_QUICK

    longest = max(
        (stage_flops(entry, plan) for plan in cells if plan.batch_size == 1 and plan.stage in PASSES), default=0
    )
    scale = max(1.0, entry.parameters / PARAMETERS_AT_QUICK, longest / FLOPS_AT_QUICK)
    times = 1.0 if all(plan.layers is None for plan in cells) else TIMES_FOR_CUTS
    quick = max(SECONDS_PER_CELL_LEAST * len(cells), times * min(SECONDS_QUICK * scale, SECONDS_MOST))
    return EFFORTS[effort].time_factor * quick

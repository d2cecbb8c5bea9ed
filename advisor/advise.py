"""The main job as one straight story: answers, recommendation, measurement, plan. Every face calls it.

Nothing is decided, measured or sized here: the rules decide, the child measures, `core.sizing` plans. This is the order
in which they are asked, and what one hands to the next.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from advisor.core.architecture import Role
from advisor.core.errors import EXIT_UNDECIDED, AdvisorError, Problem
from advisor.core.guide.recommend import recommend
from advisor.core.guide.recommendation import Because, Component, Recommendation, Source
from advisor.core.guide.words import value_words
from advisor.core.hardware import GIB, Dtype, Machine
from advisor.core.lengths import Lengths, component_lengths
from advisor.core.model.cost import stages_of
from advisor.core.target import Target, target_on
from advisor.core.workload import Answers, Workload, fill_defaults
from advisor.store.catalog import load_catalog
from advisor.store.machine import memory_available_bytes, memory_limit_bytes
from advisor.store.named_model import quoted
from advisor.store.paths import shipped
from advisor.store.rulebook import load_rulebook

if TYPE_CHECKING:  # the decision alone must not pay for what only a measurement needs
    from advisor.core.guide.rulebook import Rulebook
    from advisor.core.model.catalog import Catalog
    from advisor.core.model.entry import ModelEntry
    from advisor.core.model.source import ModelSource
    from advisor.core.protocol import Event, Measure, Ready
    from advisor.core.report import Report
    from advisor.core.sizing.measurement import Cell, CellPlan, Effort, Profile, Runtime, Surface
    from advisor.core.sizing.runtimes import Offer
    from advisor.store.recorder import Recorder

SECONDS_QUICK = 44.0
"""Time for the cells of one model of up to half a billion parameters, process start and plan not counted."""
SECONDS_MOST = 300.0
TIMES_FOR_CUTS = 2.0
"""How much more time there is where a model is told from cuts of it: three are built in place of one, or beside it."""
SECONDS_PER_CELL_LEAST = 3.0
PARAMETERS_AT_QUICK = 500_000_000
FLOPS_AT_QUICK = 5e11
"""Arithmetic of the longest single pass that fits the quick time: a prompt of thousands of tokens needs more."""
PASSES = ("forward", "embed", "prefill", "encode", "rerank")
CELLS_AT_MOST_SLOW = 3
"""How many cells may share all the time where the first ones are slow: they are the ones a plan cannot do without."""


class MeasuringChild(Protocol):
    """What the story needs of a child process (see `run.Child`)."""

    async def ready(self) -> Ready: ...

    def measure(self, request: Measure) -> AsyncIterator[Event]: ...


@dataclass(frozen=True)
class Knowledge:
    """The rules and the catalogue one run works with; `sources` are files of models that are not shipped, by id."""

    rulebook: Rulebook
    catalog: Catalog
    sources: Mapping[str, ModelSource] = field(default_factory=dict)

    def with_model(self, entry: ModelEntry, source: ModelSource | None) -> Knowledge:
        """The same with one model more, where it has files of its own: a catalogue's is known already."""
        if source is None:
            return self
        catalog = replace(self.catalog, entries={**self.catalog.entries, entry.id: entry})
        return replace(self, catalog=catalog, sources={**self.sources, entry.id: source})


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


def load_knowledge(rules: Path | None = None, models: Path | None = None) -> Knowledge:
    """Rules and catalogue from the given folders, else the shipped ones. Raises AdvisorError with every problem."""
    return Knowledge(load_rulebook(rules or shipped("rules")), load_catalog(models or shipped("models")))


def recommendation(answers: Answers, knowledge: Knowledge, measuring: Measuring | None = None) -> Recommendation:
    """What the rules advise for these answers, with the model that stands for it on this machine."""
    workload, defaulted = fill_defaults(answers)
    advice = recommend(workload, defaulted, knowledge.rulebook, knowledge.catalog, memory_limit(workload))
    named = measuring.model if measuring else None
    return _with_named_model(advice, knowledge.catalog.get(named)) if named else advice


def memory_limit(workload: Workload, device_bytes: int | None = None) -> int:
    """Bytes a replica may take: what the team allows, never more than the device has, or else this machine."""
    here = memory_limit_bytes() if device_bytes is None else device_bytes
    allowed = workload.memory_limit_gib
    return here if allowed is None else int(min(here, allowed * GIB))


async def measure_and_plan(
    advice: Recommendation,
    knowledge: Knowledge,
    child: MeasuringChild,
    measuring: Measuring | None = None,
    on_event: OnEvent = lambda role, event: None,
    recorder: Recorder | None = None,
) -> Report:
    """Measure every part that has a model and plan from what was measured.

    `recorder` keeps the run and knows earlier ones; without it everything is measured and nothing kept. A cancelled
    measurement plans from the cells that were finished. Raises AdvisorError where nothing can be measured at all (no
    torch, no such device).
    """
    import asyncio

    from advisor.core.report import Report
    from advisor.core.sizing.planning import plan

    measuring = measuring or Measuring()
    workload = advice.workload
    if workload.hosting == "api":
        reason = "hosting is api: a model behind somebody's API cannot be measured here; the recommendation stands"
        return Report(recommendation=advice, profiles=(), plan=None, undecided=reason)
    target = target_on((await child.ready()).machine, measuring.device)
    advice = _for_target(advice, knowledge, measuring, target)
    limit = memory_limit(workload, target.memory_limit_bytes)
    entries = {part.role: knowledge.catalog.get(part.model) for part in advice.components if part.model}
    _check_layers_of_parts(entries, measuring)
    profiles: dict[Role, Profile] = {}
    cancelled = False
    for part in advice.components:
        if entry := entries.get(part.role):
            report_event = Reporter(part.role, on_event, recorder)
            source = knowledge.sources.get(entry.id)
            profiles[part.role] = await measured_part(
                workload, part, entry, source, child, measuring, target, report_event
            )
            if cancelled := report_event.cancelled:
                break
    # In a thread: it computes for seconds, and the caller's screen and signals must not wait for it.
    plan_ = await asyncio.to_thread(
        plan,
        advice,
        profiles,
        {entry.id: entry for entry in entries.values()},
        memory_limit_bytes=limit,
        reproduce=reproduce_command(advice, measuring),
    )
    report = Report(recommendation=advice, profiles=tuple(profiles.values()), plan=plan_)
    if recorder is not None:
        recorder.end("interrupted" if cancelled else "done", report.profiles, report)
    return report


async def profile_model(
    entry: ModelEntry,
    child: MeasuringChild,
    measuring: Measuring,
    on_event: OnEvent = lambda role, event: None,
    recorder: Recorder | None = None,
    source: ModelSource | None = None,
) -> Profile:
    """Measure one model without a workload, from its files where it has any. `recorder` as for `measure_and_plan`."""
    from advisor.core.sizing.grid import INPUT_TOKENS, default_cells
    from advisor.core.sizing.runtimes import offer

    _check_layers(entry, measuring)
    role: Role = entry.roles[0]
    machine = (await child.ready()).machine
    target = target_on(machine, measuring.device)
    limit = memory_limit_bytes() if target.memory_limit_bytes is None else target.memory_limit_bytes
    tokens = max(measuring.input_tokens or INPUT_TOKENS)
    fitting = dtypes_with_room(entry, limit, target.dtypes) or _dtypes_of_cuts(entry, machine, target, limit, tokens)
    offered = offer(entry, measuring, fitting, target.device, (await child.ready()).machine.versions)
    cells = default_cells(
        entry,
        dtypes=offered.dtypes,
        others=offered.others,
        batch_sizes=measuring.batch_sizes,
        input_tokens=measuring.input_tokens,
        output_tokens=measuring.output_tokens,
    )
    reporter = Reporter(role, on_event, recorder)
    profile = await _measured(entry, source, cells, offered, child, measuring, target, limit, None, reporter)
    if recorder is not None:
        recorder.end("interrupted" if reporter.cancelled else "done", [profile])
    return profile


def _check_layers_of_parts(entries: Mapping[Role, ModelEntry], measuring: Measuring) -> None:
    """Raises AdvisorError where nobody can tell which model is to be cut, or it cannot be."""
    named = [entry for entry in entries.values() if measuring.model in (None, entry.id)]
    if measuring.layers is not None and len(named) > 1:
        words = f"the design has {len(named)} models: {', '.join(entry.id for entry in named)}"
        raise AdvisorError([Problem("--layers", None, None, words, "say with --model which one is to be cut")])
    for entry in named:
        _check_layers(entry, measuring)


def dtypes_with_room(entry: ModelEntry, limit_bytes: int, dtypes: Sequence[Dtype]) -> tuple[Dtype, ...]:
    """The dtypes whose weights leave room."""
    from advisor.core.model.cost import weight_bytes

    return tuple(dtype for dtype in dtypes if weight_bytes(entry, dtype) < limit_bytes)


def _dtypes_of_cuts(entry: ModelEntry, machine: Machine, target: Target, limit: int, tokens: int) -> tuple[Dtype, ...]:
    """The dtypes in which a model without room can be told from fewer layers; the plainest one where it can in none.

    That one is then refused, which shows its sums.
    """
    from advisor.core.sizing.cuts import Room, dtypes_to_cut

    room = Room(limit, available_bytes(target, limit), machine.last_level_cache_bytes, SECONDS_MOST)
    return dtypes_to_cut(entry, target.dtypes, tokens, room) or target.dtypes[:1]


def _check_layers(entry: ModelEntry, measuring: Measuring) -> None:
    """Raises AdvisorError where the model cannot be cut to the layers asked for."""
    from advisor.core.sizing.cuts import mistake_in

    if measuring.layers is not None and (wrong := mistake_in(entry, measuring.layers)):
        fix = "give three different numbers below the model's own, or leave --layers out"
        raise AdvisorError([Problem("--layers", None, None, wrong, fix)])


def reproduce_command(
    advice: Recommendation, measuring: Measuring, profiles: Sequence[str] = (), *, command: str = "advise"
) -> str:
    """The command that gives this plan again: every answer that was said, and what was fixed about measuring.

    `profiles` are the files it was planned from, where this machine measured nothing.
    """
    words = ["advisor", command]
    derived = {"requests_per_second"} if advice.workload.requests_per_day is not None else {"peak_factor"}
    skipped = derived | set(advice.defaulted)
    for key, value in advice.workload.model_dump().items():
        if key not in skipped and value is not None:
            words += ["--set", f"{key}={value_words(value)}"]
    options = {
        "--model": measuring.model_words or measuring.model,
        "--batch": _joined(measuring.batch_sizes),
        "--input-tokens": _joined(measuring.input_tokens),
        "--output-tokens": measuring.output_tokens,
        "--dtype": _joined(measuring.dtypes),
        "--runtime": _joined(measuring.runtimes),
        "--device": None if measuring.device == "auto" else measuring.device,
        "--effort": None if measuring.effort == "quick" else measuring.effort,
        "--layers": _joined(measuring.layers),
    }
    for option, chosen in options.items():
        if chosen is not None:
            words += [option, str(chosen)]
    for file in profiles:
        words += ["--profile", file]
    return " ".join(quoted(word) for word in words)


def _joined(values: Sequence[object] | None) -> str | None:
    return None if values is None else ",".join(str(value) for value in values)


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


def _for_target(advice: Recommendation, knowledge: Knowledge, measuring: Measuring, target: Target) -> Recommendation:
    """The advice with models chosen for the memory of the device, where that is not the machine's."""
    if target.memory_limit_bytes is None or measuring.model is not None:
        return advice
    limit = memory_limit(advice.workload, target.memory_limit_bytes)
    return recommend(advice.workload, advice.defaulted, knowledge.rulebook, knowledge.catalog, limit)


async def measured_part(
    workload: Workload,
    part: Component,
    entry: ModelEntry,
    source: ModelSource | None,
    child: MeasuringChild,
    measuring: Measuring,
    target: Target,
    report_event: Reporter,
) -> Profile:
    """Measure one part of a design, in the cells that its lengths ask for."""
    from advisor.core.model.representative import Need, fitting_dtypes
    from advisor.core.sizing.grid import cells_for
    from advisor.core.sizing.runtimes import offer

    if measuring.model not in (None, entry.id):
        measuring = replace(measuring, layers=None)  # they are the named model's
    lengths: Lengths = component_lengths(workload, architecture=part.architecture, role=part.role)
    limit = memory_limit(workload, target.memory_limit_bytes)
    need = Need(
        part.role,
        entry.architecture,
        workload.task,
        workload.priority,
        workload.languages,
        lengths.longest_input_tokens,
        lengths.longest_output_tokens,
        limit,
    )
    machine, longest = (await child.ready()).machine, lengths.longest_input_tokens
    fitting = fitting_dtypes(entry, need, target.dtypes) or _dtypes_of_cuts(entry, machine, target, limit, longest)
    offered = offer(entry, measuring, fitting, target.device, (await child.ready()).machine.versions)
    cells = cells_for(
        entry,
        lengths,
        role=part.role,
        dtypes=offered.dtypes,
        others=offered.others,
        batch_sizes=measuring.batch_sizes,
        input_tokens=measuring.input_tokens,
        output_tokens=measuring.output_tokens,
    )
    budget_s = workload.latency_budget_ms / 1000 if workload.latency_budget_ms else None
    settled_s = _settled_below_s(workload, cells) if source is None else None
    return await _measured(
        entry, source, cells, offered, child, measuring, target, limit, budget_s, report_event, settled_s
    )


def _settled_below_s(workload: Workload, cells: Sequence[CellPlan]) -> float | None:
    """How fast a pass makes the verdict certain, where one pass is all that a request is: one part, nothing written."""
    from advisor.core.sizing.settled import settled_below_s

    if workload.latency_budget_ms is None or any(plan.stage != "forward" for plan in cells):
        return None
    rate, budget_s = workload.requests_per_second, workload.latency_budget_ms / 1000
    return settled_below_s(rate, budget_s, workload.latency_percentile)


async def _measured(
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
    from advisor.run import remembering
    from advisor.store.checks import procedure_check
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
    cells, converting = cutting.plans, seconds_to_convert(entry, cutting.plans)
    seconds = seconds_total(entry, cells, measuring.effort) + converting
    request = Measure(
        id=time.monotonic_ns() % 1_000_000_000,
        model=entry,
        cells=tuple(cells),
        device=target.device,
        # The child keeps what later cells need; a cell that is slow but early may have more than its even share.
        seconds_per_cell=_cell_seconds(seconds, cells),
        effort=measuring.effort,
        seconds_total=seconds,
        memory_limit_bytes=limit,
        latency_budget_s=budget_s,
        settled_below_s=settled_s,
        source=source,
        wants_peaks=True,
        peaks=peaks,
    )
    model = profiled_model(entry, source)
    draft = Profile(machine=machine, model=model, cells=(), best=(), wall_s=0.0)
    recorder = report_event.recorder
    part = None if recorder is None else recorder.part(report_event.role, request, draft)
    async for event in remembering.measure(child, request, part):
        report_event(event)
        if isinstance(event, Measured):
            report_event.cells[event.index] = event.cell
        elif isinstance(event, Peaked):
            keep_peaks(machine.fingerprint, event.peaks)
            machine = machine.with_peaks(event.peaks)
        elif isinstance(event, Finished):
            model = profiled_model(entry, source, event.parameters, event.weights, event.notes)
            report_event.cancelled = event.cancelled
        elif isinstance(event, Failed):
            raise AdvisorError(event.says, exit_code=EXIT_UNDECIDED, fix=event.fix)
    cells_of = (report_event.cells[index] for index in sorted(report_event.cells))
    check = procedure_check(machine.fingerprint) if recorder is not None and _only_cuts(cells) else None
    measured, extrapolations = told_from_cuts(tuple(cells_of), entry, check)
    model = model.model_copy(update={"notes": (*model.notes, *cutting.notes)})
    found = {"machine": machine, "cells": measured, "best": best_cells(measured), "wall_s": time.monotonic() - began}
    found |= {"extrapolations": extrapolations, "procedure_check": check}
    found["surfaces"] = await asyncio.to_thread(_surfaces, measured)
    found["not_available"] = (*offered.refused, *failed_conversions(measured))
    return draft.model_copy(update={"model": model, **found})


def available_bytes(target: Target, limit: int) -> int:
    """What a model may take now: what is allowed, and of the machine's own memory no more than others leave free."""
    return limit if target.memory_limit_bytes is not None else min(limit, memory_available_bytes())


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
    from advisor.core.sizing.effort import EFFORTS

    longest = max(
        (stage_flops(entry, plan) for plan in cells if plan.batch_size == 1 and plan.stage in PASSES), default=0
    )
    scale = max(1.0, entry.parameters / PARAMETERS_AT_QUICK, longest / FLOPS_AT_QUICK)
    times = 1.0 if all(plan.layers is None for plan in cells) else TIMES_FOR_CUTS
    quick = max(SECONDS_PER_CELL_LEAST * len(cells), times * min(SECONDS_QUICK * scale, SECONDS_MOST))
    return EFFORTS[effort].time_factor * quick


def _runs(part: Component, entry: ModelEntry) -> bool:
    """Whether the model has the stages of this part: an embedding decoder writes nothing, a cross-encoder embeds
    nothing.
    """
    stages = stages_of(entry)
    if part.role in ("retriever", "reranker"):
        return ("embed" if part.role == "retriever" else "rerank") in stages
    return part.architecture == "encoder-only" or "decode" in stages


def _misfit(advice: Recommendation, entry: ModelEntry, *, alike: bool) -> str:
    """Why no part of the design can be this model; `alike` says that one has its architecture."""
    if alike:
        return f"{entry.id} runs {', '.join(stages_of(entry))} alone, and no part of the advised design is that"
    return f"{entry.id} is {entry.architecture}, but the advice for {advice.workload.task} is {advice.architecture}"


def _with_named_model(advice: Recommendation, entry: ModelEntry) -> Recommendation:
    """The advice with the model the caller named standing for the first part that it can run."""
    alike = [part for part in advice.components if part.architecture == entry.architecture]
    fitting = [part for part in alike if _runs(part, entry)]
    if not fitting:
        fix = "name a model of the advised architecture, see: advisor models"
        raise AdvisorError(_misfit(advice, entry, alike=bool(alike)), fix=fix)
    said = Because(says=f"You named {entry.id}.", source=(Source(id="answers", section="yours"),))
    components = tuple(
        part.model_copy(update={"model": entry.id, "because": (said,)}) if part is fitting[0] else part
        for part in advice.components
    )
    return advice.model_copy(update={"components": components})

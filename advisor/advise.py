"""The main job as one straight story: answers, recommendation, measurement, plan. Every face calls it.

Nothing is decided, measured or sized here: the rules decide, the child measures, `core.sizing` plans. This is the order
in which they are asked, and what one hands to the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.core.architecture import Role
from advisor.core.errors import AdvisorError, Problem
from advisor.core.guide.recommend import recommend
from advisor.core.guide.recommendation import Because, Component, Recommendation, Source
from advisor.core.guide.words import value_words
from advisor.core.hardware import GIB
from advisor.core.lengths import Lengths, component_lengths
from advisor.core.model.cost import stages_of
from advisor.core.target import Target, target_on
from advisor.core.workload import Answers, Workload, fill_defaults
from advisor.measuring import (
    Measuring,
    MeasuringChild,
    OnEvent,
    Reporter,
    check_layers,
    dtypes_of_cuts,
    dtypes_with_room,
    measured,
)
from advisor.store.catalog import load_catalog
from advisor.store.machine import memory_limit_bytes
from advisor.store.named_model import quoted
from advisor.store.paths import shipped
from advisor.store.rulebook import load_rulebook

if TYPE_CHECKING:  # the decision alone must not pay for what only a measurement needs
    from advisor.core.guide.rulebook import Rulebook
    from advisor.core.model.catalog import Catalog
    from advisor.core.model.entry import ModelEntry
    from advisor.core.model.source import ModelSource
    from advisor.core.report import Report
    from advisor.core.sizing.measurement import CellPlan, Profile
    from advisor.store.recorder import Recorder


SERVED_BY_OTHERS = "hosting is api: a model behind somebody's API cannot be measured here; the recommendation stands"
"""Why nothing is measured where the answers say so."""


@dataclass(frozen=True)
class Knowledge:
    """The rules and the catalogue one run works with; `sources` are files of models that are not shipped, by id.

    `folders` are the words of a command line that name folders in place of the shipped ones.
    """

    rulebook: Rulebook
    catalog: Catalog
    sources: Mapping[str, ModelSource] = field(default_factory=dict)
    folders: tuple[str, ...] = ()

    def with_model(self, entry: ModelEntry, source: ModelSource | None) -> Knowledge:
        """The same with one model more, where it has files of its own: a catalogue's is known already."""
        if source is None:
            return self
        catalog = replace(self.catalog, entries={**self.catalog.entries, entry.id: entry})
        return replace(self, catalog=catalog, sources={**self.sources, entry.id: source})


def load_knowledge(rules: Path | None = None, models: Path | None = None) -> Knowledge:
    """Rules and catalogue from the given folders, else the shipped ones. Raises AdvisorError with every problem."""
    book, catalog = load_rulebook(rules or shipped("rules")), load_catalog(models or shipped("models"))
    named = (("--rules", rules), ("--models", models))
    folders = tuple(word for option, folder in named if folder is not None for word in (option, str(folder)))
    return Knowledge(book, catalog, folders=folders)


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
        return Report(recommendation=advice, profiles=(), plan=None, undecided=SERVED_BY_OTHERS)
    target = target_on((await child.ready()).machine, measuring.device)
    advice = _for_target(advice, knowledge, measuring, target)
    limit = memory_limit(workload, target.memory_limit_bytes)
    entries = {part.role: knowledge.catalog.get(part.model) for part in advice.components if part.model}
    _check_layers_of_parts(entries, measuring)
    profiles: dict[Role, Profile] = {}
    cancelled = False
    for part in advice.components:
        if (entry := entries.get(part.role)) and _can_be_asked(entry, part, workload):
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
        reproduce=reproduce_command(advice, knowledge, measuring),
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

    check_layers(entry, measuring)
    role: Role = entry.roles[0]
    machine = (await child.ready()).machine
    target = target_on(machine, measuring.device)
    limit = memory_limit_bytes() if target.memory_limit_bytes is None else target.memory_limit_bytes
    tokens = max(measuring.input_tokens or INPUT_TOKENS)
    fitting = dtypes_with_room(entry, limit, target.dtypes) or dtypes_of_cuts(entry, machine, target, limit, tokens)
    offered = offer(entry, measuring, fitting, target.device, machine.versions)
    cells = default_cells(
        entry,
        dtypes=offered.dtypes,
        others=offered.others,
        batch_sizes=measuring.batch_sizes,
        input_tokens=measuring.input_tokens,
        output_tokens=measuring.output_tokens,
    )
    reporter = Reporter(role, on_event, recorder)
    profile = await measured(entry, source, cells, offered, child, measuring, target, limit, None, reporter)
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
        check_layers(entry, measuring)


def reproduce_command(
    advice: Recommendation,
    knowledge: Knowledge,
    measuring: Measuring,
    profiles: Sequence[str] = (),
    *,
    command: str = "advise",
) -> str:
    """The command that gives this plan again: every answer that was said, what was fixed about measuring, the folders.

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
    return " ".join(quoted(word) for word in (*words, *knowledge.folders))


def _joined(values: Sequence[object] | None) -> str | None:
    return None if values is None else ",".join(str(value) for value in values)


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
    need = Need.of(workload, lengths, role=part.role, architecture=entry.architecture, memory_limit_bytes=limit)
    machine, longest = (await child.ready()).machine, lengths.longest_input_tokens
    fitting = fitting_dtypes(entry, need, target.dtypes) or dtypes_of_cuts(entry, machine, target, limit, longest)
    offered = offer(entry, measuring, fitting, target.device, machine.versions)
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
    return await measured(
        entry, source, cells, offered, child, measuring, target, limit, budget_s, report_event, settled_s
    )


def _settled_below_s(workload: Workload, cells: Sequence[CellPlan]) -> float | None:
    """How fast a pass makes the verdict certain, where one pass is all that a request is: one part, nothing written."""
    from advisor.core.sizing.settled import settled_below_s

    if workload.latency_budget_ms is None or any(plan.stage != "forward" for plan in cells):
        return None
    rate, budget_s = workload.requests_per_second, workload.latency_budget_ms / 1000
    return settled_below_s(rate, budget_s, workload.latency_percentile)


def _can_be_asked(entry: ModelEntry, part: Component, workload: Workload) -> bool:
    """Whether the model has positions for the longest request: the plan says why where it has not."""
    from advisor.core.model.context import length_refusal

    lengths = component_lengths(workload, architecture=part.architecture, role=part.role)
    return length_refusal(entry, lengths.longest_input_tokens, lengths.longest_output_tokens) is None


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

"""What a profile and a report say, in order: verdict first, reasons second, alternatives third.

Pure: values in, blocks out. Every figure is formatted by `figures`, and one that is not there is `unknown`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from advisor.core.guide.recommendation import Recommendation
from advisor.core.report import Report
from advisor.core.sizing.measurement import Cell, Profile, ProfiledModel
from advisor.core.sizing.plan import Percentiles, Plan, PlanStage
from advisor.core.workload import Workload
from advisor.report import figures
from advisor.report.advice import recommendation_blocks
from advisor.report.blocks import Block, Command, Heading, Paragraph, Table, Tone, bullets
from advisor.report.history import minute
from advisor.report.predicted import predicted_blocks
from advisor.report.serving import served_by, serving_lines
from advisor.report.verification import verification_blocks, what_if_lines

VERDICT_TONES: dict[str, Tone] = {"meets": "good", "misses": "bad", "undecided": "tight"}
LAUNCH_BOUND_SHARE = 0.2
"""From this part of a run on, launching it is worth a word."""
_PEAK_COLUMNS = ("roofline", "mfu", "mbu")
"""Beside a figure, where the device's peaks are known: the time no run can fall below, and the shares it used."""
_LEFT_OF_CELLS = ("stage", "dtype", "origin", "flags")


def profile_blocks(profile: Profile, *, level: int = 1) -> list[Block]:
    """What was measured, on which machine, and what could not be."""
    model = profile.model
    size = figures.short_count(model.parameters)
    known = bool(profile.cells) and all(cell.reused_from is not None for cell in profile.cells)
    wall = "measured before" if known else f"measured in {figures.seconds(profile.wall_s)}"
    words = f"{model.id}: {model.architecture}, {size} parameters, {model.weights} weights; {wall}"
    blocks: list[Block] = [Heading(words, level), Paragraph(machine_words(profile)), *_reused(profile.cells)]
    if files := files_words(model):
        blocks.append(Paragraph(files))
    blocks.append(cells_table(profile.cells))
    blocks += predicted_blocks(profile.surfaces, profile.extrapolations, profile.procedure_check)
    if serving := serving_lines(profile):
        blocks.append(bullets(serving))
    if notes := [*model.notes, *_notes(profile.cells), *_launch_bound(profile.cells)]:
        blocks.append(bullets(notes))
    return blocks


def _launch_bound(cells: Sequence[Cell]) -> list[str]:
    """Cells of a graphics card that wait for calls to be launched longer than they should."""
    found = []
    for cell in cells:
        share = (cell.launch_overhead_s or 0.0) / (cell.median_s or 1.0)
        if share > LAUNCH_BOUND_SHARE:
            words = f"{figures.percent(share)} of the time is launching and waiting, not work of the card"
            found.append(f"{cell_name(cell)}: {words}; a larger batch hides it.")
    return found


def files_words(model: ProfiledModel) -> str | None:
    """Whose files a model was built from; None for one of the catalogue, which has none."""
    if model.name is None:
        return None
    where = f"{model.hub_id} at revision {model.revision}" if model.hub_id else f"the folder {model.name}"
    return f"From {where}" + (f"; weights sha256 {model.weights_sha256}." if model.weights_sha256 else ".")


def _reused(cells: Sequence[Cell]) -> list[Block]:
    times = [cell.measured_at for cell in cells if cell.reused_from is not None and cell.measured_at is not None]
    return [Paragraph(f"{reused_words(len(times), len(cells), min(times), max(times))}.")] if times else []


def reused_words(reused: int, cells: int, earliest: datetime, latest: datetime) -> str:
    """`7 of 12 cells reused from 2026-11-22 10:12 UTC; --fresh measures again`."""
    first, last = minute(earliest), minute(latest)
    when = first if first == last else f"{first} to {last}"
    return f"{reused} of {cells} cells reused from {when} UTC; --fresh measures again"


def _notes(cells: Sequence[Cell]) -> list[str]:
    """What the cells have to say, once for those that share their flags and dtype."""
    alike: dict[tuple[object, ...], list[Cell]] = {}
    for cell in cells:
        if cell.note:
            alike.setdefault((cell.stage, cell.runtime, cell.dtype, cell.flags), []).append(cell)
    return [f"{cell_name(first)}: {first.note}{_so_with(len(others))}" for first, *others in alike.values()]


def _so_with(others: int) -> str:
    return f" So with {figures.counted(others, 'other cell')}." if others else ""


def report_blocks(report: Report) -> list[Block]:
    """The whole answer: verdict, plan, reasons, measurements, and the command that checks it."""
    blocks = _verdict(report)
    if report.plan is not None:
        blocks += _plan(report.plan, report.recommendation.workload)
        blocks += verification_blocks(report.verification)
    blocks.append(Heading("Architecture", 2))
    blocks += recommendation_blocks(report.recommendation, level=3)
    for number, profile in enumerate(report.profiles):
        if number == 0:
            blocks += _where_measured(report)
        blocks += profile_blocks(profile, level=3)
    if report.to_measure:
        blocks.append(Heading("Measure what is missing", 2))
        blocks += [Command(command) for command in report.to_measure]
    if report.plan is not None:
        blocks += [Heading("Check it yourself", 2), Command(report.plan.reproduce)]
    return blocks


def _where_measured(report: Report) -> list[Block]:
    """A heading, and below it the machines of profiles that were given."""
    if not report.measured_on:
        return [Heading("Measured here", 2)]
    here = all(one.this_machine for one in report.measured_on)
    lines = [
        f"{one.role}: {one.model} on {one.machine} ({one.device}), fingerprint {one.fingerprint}"
        f"{', this machine' if one.this_machine else ''}; from {one.file}"
        for one in report.measured_on
    ]
    return [Heading("Measured earlier on this machine" if here else "Measured elsewhere", 2), bullets(lines)]


def verdict_sentence(plan: Plan, recommendation: Recommendation, machine: str = "this machine") -> str:
    """The verdict in one sentence, symbol and word first. `machine` is what a replica is like."""
    workload = recommendation.workload
    rate = figures.rate(workload.requests_per_second)
    start = figures.VERDICT_WORDS[plan.verdict]
    if plan.verdict == "undecided":
        missing = [f"{stage.role} ({stage.note})" for stage in plan.stages if stage.note and stage.latency_ms is None]
        return f"{start}: {'; '.join(dict.fromkeys(missing)) or plan.first_thing_to_change}"
    if plan.replicas is None:
        if any(finding.id == "PLAN-009" for finding in plan.findings):
            return f"{start}: no replica like {machine} has the memory for this, however many there are"
        return f"{start}: no number of replicas like {machine} serves this within the budget; {plan.binding} binds"
    within = _within(plan, workload.latency_percentile)
    held = "" if within is None else f", {workload.latency_percentile} % answered within {figures.milliseconds(within)}"
    noun = "replica" if plan.replicas.high == 1 else "replicas"
    disturbed = any(finding.id == "PLAN-005" for finding in plan.findings)
    doubt = "; part of the measurement was disturbed, see the findings" if disturbed else ""
    return f"{start}: {figures.replicas(plan.replicas)} {noun} like {machine} for {rate}{held}{doubt}"


def machine_words(profile: Profile) -> str:
    """The machine in one line."""
    machine = profile.machine
    versions = ", ".join(f"{name} {version}" for name, version in sorted(machine.versions.items()))
    cores = figures.counted(machine.cores_usable, "usable core")
    limit = figures.gib(machine.memory_limit_bytes)
    cards = "".join(f", {one.device} {one.name}" for one in machine.device_details if one.device != "cpu")
    return f"{machine.cpu}, {cores}, {limit} memory{cards}; {versions}; fingerprint {machine.fingerprint}"


def cells_table(cells: Sequence[Cell]) -> Table:
    """Every cell, measured or not; times are medians with the half-width of their 95 % interval."""
    shape, time = ("stage", "dtype", "layers", "batch", "tokens", "depth"), ("median", "± 95 %", *_PEAK_COLUMNS)
    columns = (*shape, *time, "throughput", "memory", "n", "origin", "flags")
    idle = set() if any(cell.roofline_s is not None for cell in cells) else set(_PEAK_COLUMNS)
    idle |= set() if any(cell.layers is not None for cell in cells) else {"layers", "origin"}
    kept = [number for number, name in enumerate(columns) if name not in idle]
    right = frozenset(place for place, number in enumerate(kept) if columns[number] not in _LEFT_OF_CELLS)
    rows = [_cell_row(cell) for cell in cells]
    return Table(tuple(columns[number] for number in kept), tuple(tuple(row[n] for n in kept) for row in rows), right)


def _cell_row(cell: Cell) -> tuple[str, ...]:
    measured = cell.median_s is not None
    return (
        cell.stage,
        served_by(cell),
        "all" if cell.layers is None else str(cell.layers),
        str(cell.batch_size),
        "–" if cell.input_tokens is None else str(cell.input_tokens),
        "–" if cell.context_tokens is None else str(cell.context_tokens),
        figures.seconds(cell.median_s) if measured else "–",
        _half_width(cell),
        "–" if cell.roofline_s is None else figures.seconds(cell.roofline_s),
        "–" if cell.mfu is None else figures.percent(cell.mfu),
        "–" if cell.mbu is None else figures.percent(cell.mbu),
        "–" if cell.throughput_per_s is None else figures.rate(cell.throughput_per_s, cell.throughput_unit[:3]),
        figures.gib(cell.peak_memory_bytes) if cell.peak_memory_bytes else "–",
        str(cell.samples) if cell.processes == 1 else f"{cell.samples} in {cell.processes}",
        _cell_origin(cell),
        " ".join((*cell.flags, "reused") if cell.reused_from is not None else cell.flags),
    )


def _cell_origin(cell: Cell) -> str:
    if cell.median_s is None:
        return "–"
    return cell.origin if cell.memory_origin is None else f"{cell.origin}, memory {cell.memory_origin}"


def _half_width(cell: Cell) -> str:
    if cell.ci95_s is None or not cell.median_s:
        return "–"
    low, high = cell.ci95_s
    return figures.percent(max(high - cell.median_s, cell.median_s - low) / cell.median_s)


def cell_name(cell: Cell) -> str:
    """A cell in words: `decode bfloat16 batch 4, depth 160`."""
    tokens = f", {cell.input_tokens} tokens" if cell.input_tokens is not None else ""
    depth = f", depth {cell.context_tokens}" if cell.context_tokens is not None else ""
    layers = f", {cell.layers} layers" if cell.layers is not None else ""
    return f"{cell.stage} {served_by(cell)} batch {cell.batch_size}{tokens}{depth}{layers}"


def _verdict(report: Report) -> list[Block]:
    if report.plan is None:
        reason = report.undecided or "nothing was measured"
        return [Heading(f"{figures.VERDICT_WORDS['undecided']}: {reason}", 1, "tight")]
    here = all(one.this_machine for one in report.measured_on)
    machine = "this machine" if here else "the machine that was measured"
    words = verdict_sentence(report.plan, report.recommendation, machine)
    return [Heading(words, 1, VERDICT_TONES[report.plan.verdict])]


def _plan(plan: Plan, workload: Workload) -> list[Block]:
    blocks: list[Block] = [bullets(_plan_lines(plan, workload)), _stages_table(plan.stages)]
    if notes := dict.fromkeys(f"{stage.role}: {stage.note}" for stage in plan.stages if stage.note):
        blocks.append(bullets(list(notes)))
    if plan.findings:
        found = [f"{finding.says} [{finding.id}; {figures.sources(finding.source)}]" for finding in plan.findings]
        blocks += [Heading("Findings", 2), bullets(found)]
    if plan.assumptions:
        blocks += [Heading("Assumed", 2), bullets([f"{assumed.says}" for assumed in plan.assumptions])]
    if lines := what_if_lines(plan, workload.latency_percentile):
        blocks += [Heading("What if", 2), bullets(lines)]
    return blocks


def _plan_lines(plan: Plan, workload: Workload) -> list[str]:
    lines = []
    if plan.latency_ms is not None:
        shown = shown_percentiles(plan.latency_ms, plan.judged_latency_ms, workload.latency_percentile)
        lines.append(f"Latency: {_in_words(shown)}{_budget(workload.latency_budget_ms, workload)}")
    if plan.first_token_ms is not None:
        shown = shown_percentiles(plan.first_token_ms, plan.judged_first_token_ms, workload.latency_percentile)
        lines.append(f"First token: {_in_words(shown)}{_budget(workload.first_token_budget_ms, workload)}")
    if plan.per_output_token_ms is not None:
        lines.append(f"Each further token: {figures.milliseconds(plan.per_output_token_ms)}")
    if (capacity := plan.capacity_per_replica_rps) is not None:
        interval = f" ({figures.digits(capacity.low)}–{figures.digits(capacity.high)})"
        lines.append(f"One replica carries {figures.rate(capacity.mid)}{interval}; the peak is {_peak(workload)}")
    if plan.utilisation is not None:
        lines.append(f"Utilisation at the peak: {figures.percent(plan.utilisation)}")
    if plan.cost_per_million_requests is not None:
        lines.append(f"Cost per million requests: {figures.digits(plan.cost_per_million_requests)} (your currency)")
    if plan.binding is not None:
        where = f" in the {plan.binding_stage}" if plan.binding_stage not in (None, "model") else ""
        lines.append(f"What binds: {plan.binding}{where}")
    if plan.nearest is not None and plan.nearest.says not in (plan.first_thing_to_change or ""):
        lines.append(f"Nearest plan that passes: {plan.nearest.says}")
    if plan.first_thing_to_change is not None:
        lines.append(f"First thing to change: {plan.first_thing_to_change}")
    return lines


def shown_percentiles(latency: Percentiles, judged_ms: float | None, per_cent: int) -> dict[str, float | None]:
    """Milliseconds by percentile, ascending: those that every plan has, and the one that a budget is held against."""
    shown = {f"p{per_cent}": judged_ms} | dict(latency) if judged_ms is not None else dict(latency)
    return dict(sorted(shown.items()))


def _within(plan: Plan, per_cent: int) -> float | None:
    """Milliseconds in which so many of a hundred requests are answered."""
    if plan.latency_ms is None:
        return None
    return shown_percentiles(plan.latency_ms, plan.judged_latency_ms, per_cent).get(f"p{per_cent}")


def _in_words(shown: Mapping[str, float | None]) -> str:
    """`p50 23.4 ms, p95 41 ms, p99 55 ms`."""
    return ", ".join(f"{name} {figures.milliseconds(value)}" for name, value in shown.items())


def _peak(workload: Workload) -> str:
    return figures.rate(workload.requests_per_second)


def _budget(budget_ms: float | None, workload: Workload) -> str:
    return f"; budget {figures.milliseconds(budget_ms)} at p{workload.latency_percentile}" if budget_ms else ""


def _stages_table(stages: Sequence[PlanStage]) -> Table:
    columns = ("part", "model", "stage", "served by", "p50", "p95", "replicas", "memory", "origin")
    return Table(columns, tuple(_stage_row(stage) for stage in stages), frozenset({4, 5, 6, 7}))


def _stage_row(stage: PlanStage) -> tuple[str, ...]:
    serving, latency = stage.serving, stage.latency_ms
    served = "–"
    if serving is not None:
        threads = figures.counted(serving.threads, "thread")
        shared = f"{serving.workers} workers of {threads}" if serving.workers > 1 else threads
        on = shared if serving.device == "cpu" else serving.device
        served = f"{serving.runtime} {serving.dtype}, {on}, batch ≤ {serving.max_batch_size}"
    return (
        stage.role,
        stage.model or "–",
        stage.stage,
        served,
        figures.milliseconds(latency.p50) if latency else "–",
        figures.milliseconds(latency.p95) if latency else "–",
        figures.replicas(stage.replicas) if stage.replicas else "–",
        figures.gib(stage.peak_memory_bytes) if stage.peak_memory_bytes else "–",
        _origin(stage),
    )


def _origin(stage: PlanStage) -> str:
    """Where its figures come from, and the hold-out error of what lies between cells, where that is known."""
    error = "" if stage.error_pct is None else f" ± {figures.percent(stage.error_pct / 100)}"
    return f"{stage.origin}{error}" if stage.origin else "not measured"

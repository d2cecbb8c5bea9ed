"""What a model that does not fit would take, from the same model cut to fewer layers.

Three cuts are measured. Two of them give a line, time per layer and the rest (tables, head, host); the third says
whether it is one; the line is followed to the whole depth. All are timed in one process where they can be: of the same
work two processes take times further apart than a line through them bears. The one idea: all layers do the same work,
so time is linear in their number as long as nothing is swapped and no layer stays in a cache. The memory of the whole
model is arithmetic: nobody has seen it, and its origin says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from advisor.core.model.cost import stage_bytes_moved, stage_flops
from advisor.core.model.cut import cut, depth
from advisor.core.model.entry import ModelEntry
from advisor.core.model.memory import peak_memory_estimate_bytes, sized
from advisor.core.sizing.latency import bounds_of, usable
from advisor.core.sizing.measurement import (
    Cell,
    CellPlan,
    Extrapolation,
    Flag,
    ProcedureCheck,
    plan_of,
    throughput_unit,
    unmeasured,
)

OFF_THE_LINE = 0.10
"""How far the third cut may lie from the line of the other two (ours): as wide as a quick interval."""
_NOT_LINEAR: frozenset[Flag] = frozenset({"swapping", "throttled", "clock-drop"})
"""Flags of cuts whose times grow with something else than layers."""


def told_from_cuts(
    cells: Sequence[Cell], entry: ModelEntry, check: ProcedureCheck | None = None
) -> tuple[tuple[Cell, ...], tuple[Extrapolation, ...]]:
    """The cells with what their cuts say of the whole model before them, and how that came about.

    Where the whole model was measured too no cell is added: the measured one stands, and the error is in the second.
    The worst error of a `check` on the same machine widens every interval.
    """
    known_off = max(check.errors_pct, default=0.0) / 100 if check is not None else 0.0
    # a tokenizer runs where some model stands, whichever that is
    cells = [one.model_copy(update={"layers": None}) if one.stage == "tokenize" else one for one in cells]
    groups: dict[CellPlan, list[Cell]] = {}
    for cell in cells:
        if cell.layers is not None:
            groups.setdefault(_of_whole(cell), []).append(cell)
    measured = {_of_whole(cell): cell for cell in cells if cell.layers is None and usable(cell)}
    told: list[Cell] = []
    found: list[Extrapolation] = []
    for plan, cuts in groups.items():
        line = _line(sorted(cuts, key=lambda cell: cell.layers or 0), depth(entry), measured.get(plan))
        if line is not None:
            found.append(line)
        if plan not in measured:
            told.append(_cell(plan, cuts, line, entry, known_off))
    return (*told, *cells), tuple(found)


def _of_whole(cell: Cell) -> CellPlan:
    """The cell of the whole model that a cut stands for."""
    return plan_of(cell).model_copy(update={"layers": None})


def _line(cuts: Sequence[Cell], whole: int, measured: Cell | None) -> Extrapolation | None:
    """The line through the first and the last cut; None unless all three have a time."""
    if len(cuts) != 3 or not all(map(usable, cuts)):
        return None
    first, middle, last = (cell.median_s or 0.0 for cell in cuts)
    counts = [cell.layers or 0 for cell in cuts]
    slope = (last - first) / (counts[2] - counts[0])
    rest = first - slope * counts[0]
    told = rest + slope * whole
    known = None if measured is None else measured.median_s
    behind = cuts if measured is None else (*cuts, measured)
    return Extrapolation(
        **_of_whole(cuts[0]).model_dump(exclude={"layers", "workers"}),
        layers=(counts[0], counts[1], counts[2]),
        of_layers=whole,
        seconds_per_layer=slope,
        rest_s=rest,
        third_off_pct=100 * abs((rest + slope * counts[1]) / middle - 1),
        predicted_s=told,
        measured_s=known,
        error_pct=None if not known else 100 * abs(told / known - 1),
        flags=_disturbed(behind),
    )


def _cell(
    plan: CellPlan, cuts: Sequence[Cell], line: Extrapolation | None, entry: ModelEntry, known_off: float
) -> Cell:
    """The cell of the whole model: a time with its interval, or why there is none."""
    cuts = sorted(cuts, key=lambda cell: cell.layers or 0)
    device, threads = cuts[0].device, cuts[0].threads
    if line is None:
        missing = next((cell for cell in cuts if not usable(cell)), cuts[0])
        flags = missing.flags or ("undecided",)
        note = f"Not extrapolated from its cuts: of {missing.layers} layers, {missing.note or ', '.join(flags)}"
        return unmeasured(plan, device=device, threads=threads, flags=flags, note=note)
    if refused := _refused(line, cuts):
        flag, note = refused
        return unmeasured(plan, device=device, threads=threads, flags=(flag,), note=note)
    return Cell(
        **plan.model_dump(),
        device=device,
        threads=threads,
        origin="extrapolated",
        samples=min(cell.samples for cell in cuts),
        median_s=line.predicted_s,
        ci95_s=_interval(line, cuts, known_off),
        ci_method="from-layers",
        p95_s=None,
        throughput_per_s=plan.batch_size / line.predicted_s,
        throughput_unit=throughput_unit(plan.stage),
        peak_memory_bytes=peak_memory_estimate_bytes(entry, plan),
        memory_origin="formula",
        flops=stage_flops(entry, plan),
        bytes_moved=stage_bytes_moved(entry, plan),
        flags=line.flags,
        note=_words(line, cuts, entry, plan),
    )


def _disturbed(cells: Sequence[Cell]) -> tuple[Flag, ...]:
    """What flags these cells have, but that a small one fits into the cache."""
    return tuple(dict.fromkeys(flag for cell in cells for flag in cell.flags if flag != "fits-in-cache"))


def _refused(line: Extrapolation, cuts: Sequence[Cell]) -> tuple[Flag, str] | None:
    """Why a line is not followed: it falls, a cut swapped, or the third lies off it by more than its own interval."""
    if line.seconds_per_layer <= 0:
        return "not-linear", "More layers came out faster than fewer, so nothing can be told of the whole model."
    if disturbed := [flag for cell in cuts for flag in cell.flags if flag in _NOT_LINEAR]:
        return disturbed[0], "A cut was swapped or slowed down while it was timed, which does not grow with the layers."
    bounds = bounds_of(cuts[1])
    on_line = line.rest_s + line.seconds_per_layer * line.layers[1]
    if line.third_off_pct <= 100 * OFF_THE_LINE or bounds["low"] <= on_line <= bounds["high"]:
        return None
    return "not-linear", (
        f"Of {line.layers[1]} layers it takes {line.third_off_pct:.1f} % more or less than the line through "
        f"{line.layers[0]} and {line.layers[2]} says, so nothing is told of {line.of_layers}."
    )


def _interval(line: Extrapolation, cuts: Sequence[Cell], known_off: float) -> tuple[float, float]:
    """The slowest and the fastest line through the two intervals, wider by how far the third cut lies from it.

    Or by what the procedure is known to be off, where that is more.
    """
    first, last = bounds_of(cuts[0]), bounds_of(cuts[2])
    far = (line.of_layers - line.layers[2]) / (line.layers[2] - line.layers[0])
    low = last["low"] + far * (last["low"] - first["high"])
    high = last["high"] + far * (last["high"] - first["low"])
    off = max(line.third_off_pct / 100, known_off)
    # the layers that were not run take no less than none
    return max(low * (1 - off), min(last["low"], line.predicted_s)), max(high * (1 + off), line.predicted_s)


def _words(line: Extrapolation, cuts: Sequence[Cell], entry: ModelEntry, plan: CellPlan) -> str:
    first, middle, last = line.layers
    memory = sized(peak_memory_estimate_bytes(entry, plan))
    return (
        f"Told from {first}, {middle} and {last} of {line.of_layers} layers: {line.seconds_per_layer * 1e3:.3g} ms a "
        f"layer and {line.rest_s * 1e3:.3g} ms besides; {middle} layers lie {line.third_off_pct:.1f} % off that line. "
        f"Memory by closed form, {memory}{_checked_memory(cuts[-1], entry, plan)}."
    )


def _checked_memory(last: Cell, entry: ModelEntry, plan: CellPlan) -> str:
    """The closed form beside a peak that was measured, for the largest cut."""
    if last.peak_memory_bytes is None:
        return ""
    by_form = peak_memory_estimate_bytes(cut(entry, last.layers), plan)
    return f"; of {last.layers} layers it says {sized(by_form)}, and {sized(last.peak_memory_bytes)} was measured"

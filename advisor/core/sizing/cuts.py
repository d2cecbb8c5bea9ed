"""Which cuts of a model that does not fit are measured in its place, and when.

Three models with fewer layers than the whole one; what they say of it stands in `layers`. The one idea: choosing them
is arithmetic. The smallest must be too large for the cache, the largest must leave room in the memory, and where no
such three exist the sums say why. Whether the whole model is too large is arithmetic too; whether it is too slow can be
foreseen only where the machine's peaks are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from advisor.core.hardware import Dtype, Peaks
from advisor.core.model.cost import stage_bytes_moved, stage_flops, stages_of, weight_bytes
from advisor.core.model.cut import cut, depth, period
from advisor.core.model.entry import ModelEntry
from advisor.core.model.memory import peak_memory, sized
from advisor.core.sizing.measurement import CellPlan

CACHES = 4
"""The layers of the smallest cut are at least so many times the last cache: a layer that stays there is no layer."""
MEMORY_SHARE = 0.6
"""The largest cut's weights take at most this part of the memory that a model may have; it must have room now, too."""
_OWN_STAGES = ("load", "tokenize")
"""Stages of a model's files, which are no run of its layers."""
RUNS = 8
"""Runs of a cell that has the least samples, its warm-up included."""
EFFICIENCY = 0.5
"""The part of the device's peak that a run is taken to reach (ours), where its time has to be foreseen."""

Cuts = tuple[int, int, int]
"""Numbers of layers, ascending."""


class Room(NamedTuple):
    """For one model: bytes it may have, bytes free now, the last cache, seconds for a cell, known peaks."""

    limit_bytes: int
    available_bytes: int
    last_level_cache_bytes: int | None
    seconds_per_cell: float
    peaks: Peaks | None = None


class Cutting(NamedTuple):
    """The cells to measure, cut models in place of whole ones where those are out of reach, and why some are not."""

    plans: tuple[CellPlan, ...]
    notes: tuple[str, ...] = ()


class NoCuts(NamedTuple):
    """Why a model cannot be told from three cuts, with the sums."""

    says: str


def cut_where_needed(
    entry: ModelEntry,
    plans: Sequence[CellPlan],
    room: Room,
    *,
    asked: Sequence[int] | None = None,
    only_alone: bool = False,
) -> Cutting:
    """The plans with cut models in place of cells that cannot be had of the whole one.

    With `only_alone`, cuts chosen here are measured at the smallest batch alone: large models are slow, and one request
    is what no plan can do without. With cuts `asked` for, every cell is measured of them, and of the whole model as
    well where it has room: that shows how far off the procedure is. Raises ValueError where they cannot be used.
    """
    if asked is not None and (wrong := mistake_in(entry, asked)):
        raise ValueError(wrong)
    kept: list[CellPlan] = []
    notes: list[str] = []
    for dtype in dict.fromkeys(plan.dtype for plan in plans):
        of_dtype = [plan for plan in plans if plan.dtype == dtype]
        runs = [plan for plan in of_dtype if plan.stage not in _OWN_STAGES and plan.runtime == "torch"]
        needing = runs if asked is not None else _out_of_reach(entry, runs, room)
        cuts = _cuts(entry, needing, room, asked) if needing else None
        if cuts is None or isinstance(cuts, NoCuts):
            without_room = weight_bytes(entry, dtype) > room.limit_bytes
            notes += [cuts.says] if cuts is not None and without_room else []
            kept += of_dtype
            continue
        alone = _alone(needing) if only_alone and asked is None else needing
        kept += with_cuts(alone, cuts)
        whole = [
            plan for plan in of_dtype if plan not in needing or (asked is not None and _has_room(entry, plan, room))
        ]
        kept += [_where_a_cut_stands(plan, cuts[0], room, entry) for plan in whole if not _starts(plan, needing)]
    return Cutting(tuple(kept), tuple(dict.fromkeys(notes)))


def dtypes_to_cut(entry: ModelEntry, dtypes: Sequence[Dtype], input_tokens: int, room: Room) -> tuple[Dtype, ...]:
    """The dtypes in which a model without room as a whole can be told from cuts, at one text of this length."""
    stage = stages_of(entry)[0]
    smallest = [CellPlan(stage=stage, dtype=dtype, batch_size=1, input_tokens=input_tokens) for dtype in dtypes]
    return tuple(plan.dtype for plan in smallest if not isinstance(_cuts(entry, [plan], room, None), NoCuts))


def _cuts(entry: ModelEntry, needing: Sequence[CellPlan], room: Room, asked: Sequence[int] | None) -> Cuts | NoCuts:
    if asked is not None:
        first, middle, last = sorted(asked)
        return first, middle, last
    smallest = min(needing, key=lambda plan: peak_memory(entry, plan).total)
    return cuts_for(entry, smallest, room)


def _out_of_reach(entry: ModelEntry, plans: Sequence[CellPlan], room: Room) -> list[CellPlan]:
    """All cells of a model that serves not even one request here: it would be refused for its memory, or be too slow.

    Where it is only the larger ones that are, what they say stays theirs: a plan can do without them.
    """
    out = any(not _has_room(entry, plan, room) or _too_slow(entry, plan, room) for plan in _alone(plans))
    return list(plans) if out else []


def _alone(plans: Sequence[CellPlan]) -> list[CellPlan]:
    """The cells of the smallest batch."""
    return [plan for plan in plans if plan.batch_size == min(one.batch_size for one in plans)]


def _has_room(entry: ModelEntry, plan: CellPlan, room: Room) -> bool:
    if plan.stage in _OWN_STAGES:
        plan = plan.model_copy(update={"stage": stages_of(entry)[0], "batch_size": 1})
    return peak_memory(entry, plan).total <= room.available_bytes


def _too_slow(entry: ModelEntry, plan: CellPlan, room: Room) -> bool:
    """Whether even at a good part of the device's peaks a cell would not get its samples; no where none are known."""
    if room.peaks is None:
        return False
    rates = (room.peaks.arithmetic(plan.runtime, plan.dtype), stage_flops), (room.peaks.bytes_per_s, stage_bytes_moved)
    times = [count(entry, plan) / (EFFICIENCY * rate) for rate, count in rates if rate]
    return RUNS * max(times, default=0.0) > room.seconds_per_cell


def _where_a_cut_stands(plan: CellPlan, layers: int, room: Room, entry: ModelEntry) -> CellPlan:
    """A tokenizer needs no whole model beside it: where that has no room, it runs beside the smallest cut."""
    beside_a_cut = plan.stage == "tokenize" and not _has_room(entry, plan, room)
    return plan.model_copy(update={"layers": layers}) if beside_a_cut else plan


def _starts(plan: CellPlan, needing: Sequence[CellPlan]) -> bool:
    """Whether this is the start of a model of which only cuts are measured: a cut loads none of its files."""
    return plan.stage == "load" and bool(needing)


def cuts_for(entry: ModelEntry, plan: CellPlan, room: Room) -> Cuts | NoCuts:
    """The cuts from which to tell the whole model, chosen by arithmetic; `plan` is the smallest cell asked for.

    The smallest has layers of `CACHES` caches, the largest weights within `MEMORY_SHARE` of the memory and room to run
    now, the third lies in the middle.
    """
    try:
        whole, step = depth(entry), period(entry)
    except ValueError as error:
        return NoCuts(f"{error}.")
    counts = range(step, whole, step)
    layer_bytes = (weight_bytes(cut(entry, 2 * step), plan.dtype) - weight_bytes(cut(entry, step), plan.dtype)) / step
    least = CACHES * (room.last_level_cache_bytes or 0)
    fitting = [count for count in counts if count * layer_bytes >= least and _fits(entry, plan, count, room)]
    if len(fitting) < 3:
        return NoCuts(_why_no_cuts(entry, plan, counts, fitting, room, least))
    first, last = fitting[0], fitting[-1]
    return first, min(fitting[1:-1], key=lambda count: abs(2 * count - first - last)), last


def mistake_in(entry: ModelEntry, cuts: Sequence[int]) -> str | None:
    """Why these cuts cannot be used, or None where they can."""
    try:
        whole, step = depth(entry), period(entry)
    except ValueError as error:
        return str(error)
    if len(cuts) != 3 or len(set(cuts)) != 3:
        return "three different numbers of layers are needed: two give a line, the third says whether it is one"
    if max(cuts) >= whole:
        return f"{entry.id} has {whole} layers, and a cut has fewer"
    wrong = [count for count in cuts if count % step]
    return f"the layers of {entry.id} come round every {step}, so {wrong[0]} is not a whole round" if wrong else None


def with_cuts(plans: Sequence[CellPlan], cuts: Cuts) -> tuple[CellPlan, ...]:
    """The cells of the three cuts: first of the largest, without which nothing can be told, then the others."""
    first, middle, last = cuts
    return tuple(plan.model_copy(update={"layers": count}) for count in (last, first, middle) for plan in plans)


def _fits(entry: ModelEntry, plan: CellPlan, count: int, room: Room) -> bool:
    fewer = cut(entry, count)
    within = weight_bytes(fewer, plan.dtype) <= MEMORY_SHARE * room.limit_bytes
    return within and peak_memory(fewer, plan).total <= room.available_bytes


def _why_no_cuts(
    entry: ModelEntry, plan: CellPlan, counts: Sequence[int], fitting: Sequence[int], room: Room, least: int
) -> str:
    if len(counts) < 3:
        return f"{entry.id} has {depth(entry)} layers, too few to tell them from three cuts."
    largest = counts.index(fitting[0]) + 2 if fitting else 2
    if largest >= len(counts):
        return f"{entry.id} has too few layers beyond {CACHES} times the last cache to tell them from three cuts."
    needed = counts[largest]
    fewer = cut(entry, needed)
    size, takes = sized(weight_bytes(fewer, plan.dtype)), sized(peak_memory(fewer, plan).total)
    share = sized(int(MEMORY_SHARE * room.limit_bytes))
    words = f"Nor can it be extrapolated from fewer layers in {plan.dtype}: three cuts are needed, of which "
    cache = f", and the smallest has at least {sized(least)} of layers, {CACHES} times the last cache" if least else ""
    return (
        f"{words}the largest, of {needed} of {depth(entry)} layers, has weights of {size} and takes {takes} to "
        f"run; {MEMORY_SHARE:.0%} of the {sized(room.limit_bytes)} that may be used is {share}, and "
        f"{sized(room.available_bytes)} are free now{cache}."
    )

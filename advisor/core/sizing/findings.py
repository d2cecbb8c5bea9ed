"""What the figures of a plan show beside its verdict.

Each finding is one function of the same facts that says one sentence, or nothing. What a kind of finding means stands
in `finding_kinds`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from advisor.core.guide.recommendation import Source
from advisor.core.model.cost import weight_bytes
from advisor.core.sizing.candidates import Part
from advisor.core.sizing.capacity import UTILISATION_LIMIT, Demand, replicas_for
from advisor.core.sizing.design import Design
from advisor.core.sizing.finding_kinds import FINDING_KINDS
from advisor.core.sizing.latency import usable
from advisor.core.sizing.measurement import Cell, Flag
from advisor.core.sizing.nearest import measured
from advisor.core.sizing.pipeline import SizedPart, Sizing, quickest
from advisor.core.sizing.plan import Finding
from advisor.core.sizing.statistics import samples_to_bound
from advisor.core.sizing.wording import gib, milliseconds, replicas, three_digits

_ADDS_TIME: frozenset[Flag] = frozenset(
    {"not-steady", "throttled", "stolen", "other-load", "swapping", "clock-drop", "foreign-process"}
)
"""Flags of cells that would have been quicker on a machine left alone."""
_BROKEN_OFF: frozenset[Flag] = frozenset({"killed", "crashed", "hung", "cancelled"})
"""Flags of cells that would have a figure if the process had lived."""
_DISTURBED: tuple[Flag, ...] = ("undecided", "too-slow", *sorted(_ADDS_TIME))


@dataclass(frozen=True, slots=True)
class Facts:
    """What findings are made from. `parts` holds all parts, `sizing` those that were measured."""

    design: Design
    parts: tuple[Part, ...]
    demand: Demand
    sizing: Sizing | None


def findings(facts: Facts) -> tuple[Finding, ...]:
    """All that is to say, what decides most first."""
    told = (
        _no_figure,
        _serial_decoding,
        _too_large,
        _straddles,
        _utilisation,
        _longest,
        _first_token,
        _tail,
        _broken_off,
        _padded,
        _disturbed,
        _tokenizing,
    )
    return tuple(finding for tell in told for finding in tell(facts))


def _found(number: str, says: str) -> Finding:
    """A finding of a kind that `finding_kinds` knows, with this plan's own figures."""
    kind = FINDING_KINDS[f"PLAN-{number}"]
    return Finding(id=kind.id, says=says, source=(Source(id=kind.source, section="ours"),))


def _no_figure(facts: Facts) -> Iterator[Finding]:
    for part in facts.parts:
        if part.missing is not None:
            others = " What is shown is of the other parts." if facts.sizing else ""
            yield _found("007", f"{part.role} cannot be planned: {part.missing}.{others}")
    for sized in facts.sizing.parts if facts.sizing else ():
        for floor in sized.candidate.floors:
            yield _found("008", f"{sized.part.role}: {floor}.")


def _serial_decoding(facts: Facts) -> Iterator[Finding]:
    """G61: tokens come one after another, so their steps alone can exceed the budget on any software."""
    budget = facts.demand.latency_budget_s
    for part in facts.parts:
        steps_s = [one.step_s for one in part.candidates if one.step_s is not None]
        steps = part.candidates[0].servers["mid"].output_steps if part.candidates else 0
        if budget is None or not steps_s or steps * min(steps_s) <= budget:
            continue
        says = (
            f"{steps:,} decode steps of {milliseconds(min(steps_s))} (measured, one answer at a time) take "
            f"{milliseconds(steps * min(steps_s))}, more than the budget of {milliseconds(budget)}: "
            "tokens come one after another, and no number of replicas changes that."
            f"{_bandwidth_floor(facts, part, steps)}"
        )
        yield _found("061", says)


def _bandwidth_floor(facts: Facts, part: Part, steps: int) -> str:
    """Why a step takes that long: every weight is read once per step. Empty where the bandwidth was not measured."""
    entry = facts.design.entries.get(part.model or "")
    bytes_per_s = facts.design.profiles[part.role].machine.peak_bytes_per_s
    if entry is None or not bytes_per_s:
        return ""
    smallest = min(weight_bytes(entry, one.serving.dtype) for one in part.candidates)
    floor_s = steps * smallest / bytes_per_s
    return (
        f" Reading the weights ({gib(smallest)}) once per step at {three_digits(bytes_per_s / 1e9)} GB/s takes "
        f"{milliseconds(floor_s)} on this machine, whatever the software."
    )


def _too_large(facts: Facts) -> Iterator[Finding]:
    limit = facts.design.memory_limit_bytes
    for sized in facts.sizing.parts if facts.sizing else ():
        peak = sized.candidate.peak_memory_bytes
        if peak is not None and peak > limit:
            yield _found("009", f"{sized.part.role} takes {gib(peak)} and a replica may take {gib(limit)}.")


def _straddles(facts: Facts) -> Iterator[Finding]:
    sizing = facts.sizing
    if sizing is None or len(set(sizing.passes.values())) == 1 or not sizing.fits_memory:
        return
    mid = "meets" if sizing.passes["mid"] else "misses"
    says = (
        f"The budget lies inside the interval of the measurement: at the median the model {mid} it, at the slow end it "
        "misses, at the fast end it meets. More samples on an idle machine would settle it."
    )
    yield _found("006", says)


def _utilisation(facts: Facts) -> Iterator[Finding]:
    rate = facts.design.workload.requests_per_second
    for sized in facts.sizing.parts if facts.sizing else ():
        if sized.utilisation is None or sized.utilisation <= UTILISATION_LIMIT:
            continue
        server = sized.candidate.servers["mid"]
        enough = replicas_for(rate, UTILISATION_LIMIT * server.saturation_rps)
        says = (
            f"{sized.part.role} runs at {three_digits(100 * sized.utilisation)} % of what a replica can do at most: "
            f"the budget allows it, a burst does not; {replicas(enough)} would bring it to {UTILISATION_LIMIT:.0%}."
        )
        yield _found("001", says)


def _padded(facts: Facts) -> Iterator[Finding]:
    for sized in facts.sizing.parts if facts.sizing else ():
        serving, profile = sized.candidate.serving, facts.design.profiles[sized.part.role]
        steps = {
            cell.batch_size: cell.median_s
            for cell in sorted(profile.cells, key=lambda cell: cell.context_tokens or 0)
            if cell.stage == "decode"
            and (cell.runtime, cell.dtype, cell.workers) == (serving.runtime, serving.dtype, serving.workers)
            and usable(cell)
        }
        slow = [
            f"{few} ({milliseconds(steps[few] or 0)}) up to {rows} ({milliseconds(steps[rows] or 0)})"
            for few, rows in serving.padded_steps
        ]
        if slow:
            says = f"{sized.part.role} fills decode steps of {', '.join(slow)}, which take less time here."
            yield _found("012", says)


def _longest(facts: Facts) -> Iterator[Finding]:
    """The longest request stated, alone on a replica, against the budget."""
    workload, demand = facts.design.workload, facts.demand
    if workload.input_tokens_max is None and workload.output_tokens_max is None:
        return
    update = {
        "input_tokens": workload.input_tokens_max or workload.input_tokens,
        "output_tokens": workload.output_tokens_max or workload.output_tokens,
    }
    parts = measured(facts.design.parts(workload.model_copy(update=update)))
    if not parts:
        return
    what = f"The longest request ({update['input_tokens']:,} tokens in, {update['output_tokens']:,} out)"
    floors = [floor for part in parts for floor in part.candidates[0].floors]
    latency_s = quickest(parts, demand, facts.design.memory_limit_bytes, facts.design.seed)
    least = " at least" if floors else ""
    beside = "" if demand.latency_budget_s is None else _against(latency_s, demand.latency_budget_s)
    reason = f" ({floors[0]})" if floors else ""
    yield _found("004", f"{what} takes{least} {milliseconds(latency_s)} alone on a replica{beside}{reason}.")


def _against(latency_s: float, budget_s: float) -> str:
    over = latency_s > budget_s
    return f", {'over' if over else 'within'} the budget of {milliseconds(budget_s)}"


def _first_token(facts: Facts) -> Iterator[Finding]:
    if facts.design.workload.first_token_budget_ms is None or any(part.writes for part in facts.parts):
        return
    says = "first_token_budget_ms does not apply: this design answers in one pass and writes no tokens."
    yield _found("003", says)


def _tail(facts: Facts) -> Iterator[Finding]:
    """Whether slow runs were seen often enough. A whole answer is many steps, whose sum needs no rare one."""
    per_cent = facts.demand.percentile
    needed = samples_to_bound(per_cent)
    for sized in facts.sizing.parts if facts.sizing else ():
        one_run = not sized.part.writes or facts.demand.first_token_budget_s is not None
        if facts.demand.has_budget and one_run and sized.candidate.samples < needed:
            known = "no single runs are known (a profile keeps them where it is made with --samples)"
            if sized.candidate.samples:
                known = f"the spread of single runs rests on {sized.candidate.samples} samples"
            says = (
                f"{sized.part.role}: {known}, and a {per_cent}th percentile needs {needed}: rare slow runs may be "
                "missing from the simulation."
            )
            yield _found("002", says)


def _disturbed(facts: Facts) -> Iterator[Finding]:
    for sized in facts.sizing.parts if facts.sizing else ():
        cells = [cell for cell in _served_by(facts, sized) if usable(cell) and set(cell.flags) & set(_DISTURBED)]
        if cells:
            flags = sorted({flag for cell in cells for flag in cell.flags if flag in _DISTURBED})
            some = f"{len(cells)} of the cells behind these figures {'is' if len(cells) == 1 else 'are'}"
            says = f"{sized.part.role}: {some} flagged {', '.join(flags)}."
            yield _found("005", says)


def _broken_off(facts: Facts) -> Iterator[Finding]:
    for sized in facts.sizing.parts if facts.sizing else ():
        cells = facts.design.profiles[sized.part.role].cells
        lost = [cell for cell in cells if cell.median_s is None and _BROKEN_OFF & set(cell.flags)]
        if lost:
            says = f"{sized.part.role}: {len(lost)} of {len(cells)} shapes have no figure. {lost[0].note or ''}"
            yield _found("011", says.rstrip())


def _tokenizing(facts: Facts) -> Iterator[Finding]:
    for sized in facts.sizing.parts if facts.sizing else ():
        if (seconds := sized.candidate.tokenizing_s) is not None:
            says = (
                f"{sized.part.role}: tokenising a text with the model's own tokenizer takes {milliseconds(seconds)}, "
                "which is in these figures."
            )
            yield _found("010", says)


def disturbed_alone(design: Design, sizing: Sizing) -> tuple[Flag, ...]:
    """What disturbed the measurement of requests on their own, in any dtype; empty where nothing did.

    Whether any number of replicas can meet a budget rests on these cells.
    """
    stages = {sized.part.role: sized.part.stages for sized in sizing.parts}
    cells = [cell for role in stages for cell in design.profiles[role].cells if cell.stage in stages[role]]
    return tuple(sorted({flag for cell in cells if cell.batch_size == 1 for flag in cell.flags if flag in _ADDS_TIME}))


def _served_by(facts: Facts, sized: SizedPart) -> list[Cell]:
    serving = sized.candidate.serving
    cells = facts.design.profiles[sized.part.role].cells
    wanted = (serving.runtime, serving.dtype, serving.workers)
    return [
        cell for cell in cells if cell.stage in sized.part.stages and (cell.runtime, cell.dtype, cell.workers) == wanted
    ]

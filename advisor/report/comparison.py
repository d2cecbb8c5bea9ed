"""What a comparison says, in order: who takes least, what each side takes, how many times the other, the claims.

Pure: values in, blocks out.
"""

from __future__ import annotations

from collections.abc import Mapping

from advisor.core.comparison import ClaimResult, Comparison, Entry, Outcome, Ratio, Seconds
from advisor.core.guide.rulebook import QUANTITY_WORDS
from advisor.core.sizing.plan import Plan
from advisor.report import figures
from advisor.report.blocks import Block, Command, Heading, Paragraph, Table, bullets
from advisor.report.outline import machine_words

OUTCOME_WORDS: Mapping[Outcome, str] = {
    "confirmed": "✓ confirmed here",
    "refuted": "✗ refuted here",
    "undecided": "? undecided here",
}


def comparison_blocks(comparison: Comparison) -> list[Block]:
    """The whole of it."""
    blocks: list[Block] = [Heading(_verdict(comparison), 1, "good" if comparison.ratios else "tight")]
    blocks += [Paragraph(_conditions(comparison)), _sides(comparison), bullets(_each(comparison))]
    if comparison.ratios:
        blocks += [Heading("How many times as long", 2), _ratios(comparison)]
    if comparison.claims:
        blocks += [Heading("What the guide claims", 2), bullets([_claim(one) for one in comparison.claims])]
    blocks += [Heading("Not measured", 2), bullets(list(comparison.not_measured))]
    return [*blocks, Heading("Check it yourself", 2), Command(comparison.reproduce)]


def _verdict(comparison: Comparison) -> str:
    """The largest difference in machine time, or that there is none to tell."""
    found = [one for one in comparison.ratios if one.quantity == "machine-time"]
    if not found:
        return "? undecided: fewer than two architectures could be measured here"
    widest = max(found, key=lambda one: one.ratio)
    task = comparison.workload.task
    if widest.ci95[0] <= 1:
        return f"? {widest.cheaper} and {widest.dearer} cannot be told apart here for {task}"
    times = _times(widest.ratio, widest.ci95)
    return f"{widest.cheaper} takes least: {widest.dearer} takes {times} the machine time for {task}"


def _conditions(comparison: Comparison) -> str:
    profiles = [profile for one in comparison.entries for profile in one.report.profiles]
    machine = f" {machine_words(profiles[0])}." if profiles else ""
    rounds = figures.counted(comparison.rounds, "round")
    return f"Measured in turns, {rounds} in {figures.seconds(comparison.wall_s)}.{machine}"


def _sides(comparison: Comparison) -> Table:
    priced = comparison.workload.replica_cost_per_hour is not None
    columns = ("architecture", "model", "size", "reads", "writes", "one alone", "machine time", "replicas", "memory")
    rows = [_side(one, comparison) for one in comparison.entries]
    if not priced:
        rows = [row[:-1] for row in rows]
    right = frozenset(range(2, len(columns) + 1))
    return Table((*columns, "per million") if priced else columns, tuple(rows), right)


def _side(one: Entry, comparison: Comparison) -> tuple[str, ...]:
    plan = one.report.plan
    cost = plan.cost_per_million_requests if plan else None
    return (
        f"{one.architecture}{' (advised)' if one.architecture == comparison.advised else ''}",
        one.model or "none",
        figures.short_count(one.parameters),
        f"{one.reads_tokens:,}",
        f"{one.writes_tokens:,}",
        _seconds(one.latency_s),
        _seconds(one.machine_time_s),
        figures.replicas(plan.replicas) if plan and plan.replicas else "–",
        _memory(plan),
        "–" if cost is None else figures.digits(cost),
    )


def _memory(plan: Plan | None) -> str:
    peaks = [one.peak_memory_bytes for one in plan.stages if one.peak_memory_bytes] if plan else []
    return figures.gib(max(peaks)) if peaks else "–"


def _seconds(value: Seconds | None) -> str:
    return "–" if value is None else figures.seconds(value.mid)


def _each(comparison: Comparison) -> list[str]:
    """How a side does the task, what its plan says, and why one has no figure."""
    return [f"{one.architecture}: {_how(one)}; {_plan_words(one)}" for one in comparison.entries]


def _how(one: Entry) -> str:
    if not one.writes_tokens:
        return f"one pass over {one.reads_tokens:,} tokens"
    prompt = f", {one.prompt_tokens:,} of them examples put in front of the text" if one.prompt_tokens else ""
    return f"reads {one.reads_tokens:,} tokens{prompt}, writes {figures.counted(one.writes_tokens, 'token')}"


def _plan_words(one: Entry) -> str:
    plan = one.report.plan
    if plan is None or one.latency_s is None:
        notes = [stage.note for stage in plan.stages if stage.note] if plan else []
        return f"no figure: {notes[0] if notes else 'nothing was measured'}"
    none = ", no number of replicas serves it" if plan.verdict == "misses" else ""
    return f"{figures.VERDICT_WORDS[plan.verdict]}{none}"


def _ratios(comparison: Comparison) -> Table:
    rows = [
        (QUANTITY_WORDS[one.quantity], one.dearer, one.cheaper, _times(one.ratio, one.ci95), _rounds(one))
        for one in comparison.ratios
    ]
    columns = ("of", "dearer", "cheaper", "times as long", "round by round")
    return Table(columns, tuple(rows), frozenset({3, 4}))


def _rounds(one: Ratio) -> str:
    return ", ".join(f"{figures.digits(ratio)}×" for ratio in one.rounds)


def _times(ratio: float | None, ci95: tuple[float, float] | None) -> str:
    if ratio is None or ci95 is None:
        return "no figure"
    low, high = ci95
    return f"{figures.digits(ratio)}× ({figures.digits(low)}–{figures.digits(high)})"


def _claim(one: ClaimResult) -> tuple[str, list[str]]:
    below = [one.note]
    if one.quantity is not None:
        below.insert(
            0,
            f"{QUANTITY_WORDS[one.quantity]}, {one.dearer} to {one.cheaper}: claimed at least "
            f"{figures.digits(one.at_least or 0.0)}×, measured {_times(one.ratio, one.ci95)}",
        )
    return f"{OUTCOME_WORDS[one.outcome]}: {one.says} [{one.id}; {figures.sources(one.source)}]", below

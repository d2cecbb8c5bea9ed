"""The same task on every architecture that can do it, measured side by side: the story behind `advisor compare`.

Nothing is decided or sized here. The one idea: the sides take turns, and in the next round in the opposite order, so
that a machine which slowly changes favours none of them. Nothing known is reused: a figure of another day is no rival.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace

from advisor.advise import Knowledge, measured_part, memory_limit, reproduce_command
from advisor.core.architecture import Architecture
from advisor.core.claims import judged
from advisor.core.comparison import Comparison, Entry, capable, comparable_tasks
from advisor.core.errors import EXIT_INTERRUPTED, EXIT_UNDECIDED, AdvisorError
from advisor.core.guide.recommend import put_forward, recommend
from advisor.core.guide.recommendation import Component, Recommendation
from advisor.core.lengths import Lengths, component_lengths
from advisor.core.model.entry import ModelEntry
from advisor.core.report import Report
from advisor.core.sizing.design import Design
from advisor.core.sizing.measurement import Profile
from advisor.core.sizing.planning import plan
from advisor.core.sizing.rounds import merged
from advisor.core.sizing.sides import Taken, over_rounds, ratios, taken
from advisor.core.target import Target, target_on
from advisor.core.workload import Answers, Workload, fill_defaults
from advisor.measuring import Measuring, MeasuringChild, OnEvent, Reporter

ROUNDS = 2
BATCH_SIZES = (1, 4)
"""One request alone, and a batch that shows what a busy machine makes of it. Where each request brings a prompt of
examples, a larger one would not get its samples."""
SEED = 0


@dataclass
class _Side:
    """One architecture: its design, the part that is measured, and a profile for each round so far."""

    advice: Recommendation
    part: Component
    entry: ModelEntry | None
    lengths: Lengths
    profiles: list[Profile] = field(default_factory=list)

    @property
    def architecture(self) -> Architecture:
        return self.advice.architecture

    def design(self, profiles: Sequence[Profile], limit: int) -> Design:
        """The design with what these rounds measured of it."""
        entries = {} if self.entry is None else {self.entry.id: self.entry}
        measured = {self.part.role: merged(profiles)} if profiles else {}
        return Design(self.advice, measured, entries, limit, SEED)


async def compare(
    answers: Answers,
    knowledge: Knowledge,
    child: MeasuringChild,
    measuring: Measuring | None = None,
    on_event: OnEvent = lambda role, event: None,
    say: Callable[[str], object] = lambda words: None,
) -> Comparison:
    """Measure every side in turns and say what each takes. `say` is told whose turn it is.

    A cancelled run compares the rounds that were finished. Raises AdvisorError where the task has one architecture
    alone, where nothing can be measured, or where not every side had its turn.
    """
    measuring, began = measuring or Measuring(), time.monotonic()
    workload, defaulted = fill_defaults(answers)
    architectures = _architectures(workload)
    target = target_on((await child.ready()).machine, measuring.device)
    limit = memory_limit(workload, target.memory_limit_bytes)
    advice = recommend(workload, defaulted, knowledge.rulebook, knowledge.catalog, limit)
    sides = [_side(one, advice, knowledge, limit) for one in architectures]
    async for words in _in_turns(sides, knowledge, child, measuring, target, on_event):
        say(words)
    reproduce = reproduce_command(advice, knowledge, measuring, command="compare")
    by_round = {side.architecture: _taken(side, limit) for side in sides}
    return Comparison(
        workload=workload,
        advised=advice.architecture,
        entries=tuple([await asyncio.to_thread(_entry, one, by_round, limit, reproduce) for one in sides]),
        ratios=ratios(by_round),
        claims=judged(workload.task, by_round, _parameters(sides), knowledge.rulebook),
        rounds=max((len(side.profiles) for side in sides), default=0),
        reproduce=reproduce,
        wall_s=time.monotonic() - began,
    )


def _architectures(workload: Workload) -> tuple[Architecture, ...]:
    """Those that can do the task. Raises AdvisorError where there is nothing to compare or to measure."""
    found = capable(workload.task)
    if len(found) < 2:
        words = f"only {found[0]} can do {workload.task}, so there is nothing to compare"
        raise AdvisorError(words, fix=f"tasks with more than one: {', '.join(comparable_tasks())}")
    if workload.hosting == "api":
        words = "hosting is api: models behind somebody's API cannot be measured here"
        raise AdvisorError(words, exit_code=EXIT_UNDECIDED, fix="leave hosting out, or say self")
    return found


def _side(architecture: Architecture, advice: Recommendation, knowledge: Knowledge, limit: int) -> _Side:
    own = put_forward(architecture, advice, knowledge.rulebook, knowledge.catalog, limit)
    part = next((one for one in own.components if one.model), own.components[0])
    lengths = component_lengths(own.workload, architecture=part.architecture, role=part.role)
    return _Side(own, part, knowledge.catalog.get(part.model) if part.model else None, lengths)


async def _in_turns(
    sides: Sequence[_Side],
    knowledge: Knowledge,
    child: MeasuringChild,
    measuring: Measuring,
    target: Target,
    on_event: OnEvent,
) -> AsyncIterator[str]:
    """Measure all sides in each round; yields whose turn comes before it is taken. Ends early where it is cancelled."""
    for number in range(ROUNDS):
        for side in sides if number % 2 == 0 else reversed(sides):
            if side.entry is None:
                continue
            yield f"round {number + 1} of {ROUNDS}: {side.architecture}, {side.entry.id}"
            reporter = Reporter(side.part.role, on_event)
            # no budget: it would end the sampling of a side that misses it
            workload = side.advice.workload.model_copy(update={"latency_budget_ms": None})
            profile = await measured_part(
                workload,
                side.part,
                side.entry,
                knowledge.sources.get(side.entry.id),
                child,
                _cells_of(side, measuring),
                target,
                reporter,
            )
            if reporter.cancelled:
                if number == 0:
                    raise AdvisorError("interrupted before every side had its turn", exit_code=EXIT_INTERRUPTED)
                return
            side.profiles.append(profile)


def _cells_of(side: _Side, measuring: Measuring) -> Measuring:
    """The lengths that were stated and two batch sizes unless the caller says otherwise, for every side comes often."""
    lengths = sorted({side.lengths.input_tokens, side.lengths.longest_input_tokens})
    return replace(
        measuring,
        batch_sizes=measuring.batch_sizes or BATCH_SIZES,
        input_tokens=measuring.input_tokens or tuple(lengths),
    )


def _taken(side: _Side, limit: int) -> tuple[Taken, ...]:
    return tuple(taken(side.design([profile], limit)) for profile in side.profiles)


def _parameters(sides: Sequence[_Side]) -> dict[Architecture, int]:
    return {side.architecture: side.entry.parameters for side in sides if side.entry is not None}


def _entry(side: _Side, by_round: dict[Architecture, tuple[Taken, ...]], limit: int, reproduce: str) -> Entry:
    """The side with a report of its own, planned from all rounds."""
    design, lengths = side.design(side.profiles, limit), side.lengths
    found = plan(side.advice, design.profiles, design.entries, memory_limit_bytes=limit, reproduce=reproduce, seed=SEED)
    prompts = [value for name, value, _ in lengths.assumed if name == "FEW_SHOT_PROMPT_TOKENS"]
    return Entry(
        architecture=side.architecture,
        model=side.entry.id if side.entry else None,
        parameters=side.entry.parameters if side.entry else None,
        reads_tokens=lengths.input_tokens * lengths.texts,
        writes_tokens=lengths.output_tokens,
        prompt_tokens=sum(prompts),
        latency_s=over_rounds(by_round[side.architecture], "latency"),
        machine_time_s=over_rounds(by_round[side.architecture], "machine-time"),
        report=Report(recommendation=side.advice, profiles=tuple(design.profiles.values()), plan=found),
    )

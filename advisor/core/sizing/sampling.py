"""When a cell has samples enough, and what its samples say together, from one process or from several.

Taking samples is the child's work; what they prove is `statistics`. The one idea: two questions are kept apart. Within
a process a cell is sampled until its median there is known, looked at in planned sizes only. Between processes the
medians are all that counts, and each is one observation, however many samples stand behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from advisor.core.sizing.effort import EFFORTS
from advisor.core.sizing.measurement import Cell, Effort
from advisor.core.sizing.statistics import (
    MOST_PROCESSES,
    PLANNED_SIZES,
    count_outliers,
    interval_across,
    more_processes_needed,
    more_samples_needed,
    next_planned_size,
    order_statistic_interval,
    percentile_bound,
    precise_enough,
    reach_of,
)

LEAST = PLANNED_SIZES[0]
SAMPLING_SECONDS = 1.0
"""A shared machine has faster and slower spells of about this length: quick runs that saw one spell alone would agree
with each other and with nothing else. So no cell is settled sooner, however narrow its interval."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What makes a cell decided: its interval is narrow, or the verdict on it can no longer change.

    A median certain to lie above `missed_above_s`, the whole latency budget, proves that this shape misses it: half of
    the passes alone take longer than a request may. The opposite is not provable from the budget. That one pass is
    within it says nothing of waiting, and a plan needs T itself to count replicas. So a cell is settled from below only
    where the caller has worked out a time under which nothing it will say can change: `settled_below_s`, held against
    the slowest sample and not against the median, because requests wait for slow passes too.
    """

    effort: Effort = "quick"
    missed_above_s: float | None = None
    settled_below_s: float | None = None

    @property
    def tolerance(self) -> float:
        """How far the interval may reach from the median."""
        return EFFORTS[self.effort].tolerance

    @property
    def processes(self) -> int:
        """How many fresh processes measure the cell."""
        return EFFORTS[self.effort].processes

    def verdict_is_certain(self, samples: Sequence[float]) -> bool:
        """Whether more samples of this process could no longer change what is said of the cell."""
        if len(samples) < LEAST:
            return False
        if self.settled_below_s is not None and max(samples) <= self.settled_below_s:
            return True
        interval = order_statistic_interval(samples)
        return self.missed_above_s is not None and interval is not None and interval[0] > self.missed_above_s

    def more_wanted(self, samples: Sequence[float], runs: int = 1) -> int:
        """How many samples the process should take next; 0 where it has enough. A sample is the mean of `runs` runs.

        The interval is looked at in planned sizes only. A cell whose median is known goes on to the samples that the
        effort's percentile needs; they are no second look, so nothing is taken back by them.
        """
        if len(samples) < LEAST:
            return LEAST - len(samples)
        looked_at = samples[: max(size for size in PLANNED_SIZES if size <= len(samples))]
        if sum(looked_at) * runs >= SAMPLING_SECONDS:
            if self.verdict_is_certain(looked_at):
                return 0
            if precise_enough(looked_at, self.tolerance):
                return max(0, EFFORTS[self.effort].samples_each - len(samples))
        size = next_planned_size(len(samples))
        return 0 if size is None else size - len(samples)

    def decided(self, by_process: Sequence[Sequence[float]]) -> bool:
        """Whether the samples of all processes answer what was asked."""
        if len(by_process) < self.processes:
            return False
        if all(self.verdict_is_certain(samples) for samples in by_process):
            return True
        interval, middle = _interval(by_process)
        return interval is not None and reach_of(interval, middle) <= self.tolerance


def pooled(cell: Cell, by_process: Sequence[Sequence[float]], terms: Terms) -> Cell:
    """The cell with what its samples say together. Needs a sample of one process at least.

    From one process: its median, with the order-statistic interval. From several: the median of their medians, with
    Student's t over them. The percentiles are of all samples, so they hold for passes of such processes.
    """
    samples = [sample for one in by_process for sample in one]
    interval, middle = _interval(by_process)
    found: dict[str, Any] = {
        "processes": len(by_process),
        "samples": len(samples),
        "median_s": middle,
        "ci95_s": interval,
        "ci_method": "order-statistic" if len(by_process) == 1 else "student-t",
        "p95_s": percentile_bound(samples, 95),
        "p99_s": percentile_bound(samples, 99),
        "outliers": sum(count_outliers(one) for one in by_process),
        "samples_s": tuple(samples),
        "process_samples": tuple(len(one) for one in by_process),
        "process_medians_s": tuple(median(one) for one in by_process),
    }
    if cell.throughput_per_s is not None:
        found["throughput_per_s"] = cell.workers * cell.batch_size / middle
    if cell.stage != "load" and not terms.decided(by_process):
        found |= _undecided(cell, by_process, terms)
    return cell.model_copy(update=found)


def samples_by_process(cell: Cell) -> list[tuple[float, ...]]:
    """The samples of a cell, each process's for itself."""
    samples, begun, found = cell.samples_s or (), 0, []
    for count in cell.process_samples or (len(samples),):
        found.append(samples[begun : begun + count])
        begun += count
    return found


def _interval(by_process: Sequence[Sequence[float]]) -> tuple[tuple[float, float] | None, float]:
    if len(by_process) == 1:
        return order_statistic_interval(by_process[0]), median(by_process[0])
    medians = [median(one) for one in by_process]
    return interval_across(medians), median(medians)


def _undecided(cell: Cell, by_process: Sequence[Sequence[float]], terms: Terms) -> dict[str, Any]:
    """The flag, with how many more samples would do, in a number and in a sentence."""
    medians, each = [median(one) for one in by_process], max(LEAST, *(len(one) for one in by_process))
    interval, middle = _interval(by_process)
    if len(medians) < terms.processes:
        missing = terms.processes - len(medians)
        more, words = missing * each, f"measured in {len(medians)} of {terms.processes} processes"
    elif interval is None:
        more, words = LEAST - len(by_process[0]), f"{len(by_process[0])} samples are too few for an interval"
    elif terms.processes == 1:
        more = more_samples_needed(by_process[0], terms.tolerance)
        words = f"{_too_wide(interval, middle, terms)}; about {more} more samples would do"
    else:
        missing = more_processes_needed(medians, terms.tolerance)
        more = missing * each
        noun = "process" if missing == 1 else "processes"
        about = "at least" if len(medians) + missing == MOST_PROCESSES else "about"
        words = f"{_too_wide(interval, middle, terms)}; {about} {missing} more {noun} like these would do"
    sentence = f"Undecided: {words}."
    return {
        "flags": tuple(dict.fromkeys((*cell.flags, "undecided"))),
        "more_samples": more,
        "note": sentence if cell.note is None else f"{cell.note} {sentence}",
    }


def _too_wide(interval: tuple[float, float], middle: float, terms: Terms) -> str:
    reach, asked = 100 * reach_of(interval, middle), 100 * terms.tolerance
    return f"the interval reaches {reach:.3g} % from the median, {terms.effort} asks for {asked:g} %"

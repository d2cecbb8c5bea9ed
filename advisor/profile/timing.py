"""Time a task: first run, warm-up until steady, samples to the planned sizes, all within limits.

What the samples mean is said in `core.sizing.statistics`. The one idea: the clock is handed in, so a test can drive
every branch with a clock of its own, and nothing here but the clock knows what time it is. A sample is the time of one
run; runs so short that reading the clock would show are timed in blocks.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Generic, TypeVar

from advisor.core.sizing.measurement import Flag
from advisor.core.sizing.statistics import (
    PLANNED_SIZES,
    more_samples_needed,
    next_planned_size,
    order_statistic_interval,
    precise_enough,
    sample_until,
    steady,
)

Result = TypeVar("Result")
Clock = Callable[[], int]
"""Nanoseconds of a clock that never goes back."""

WARM_UP_SECONDS = 0.5
WARM_UP_SECONDS_MOST = 5.0
"""What is not steady by then is noisy, and no longer wait will change that."""
WARM_UP_RUNS = 2
WARM_UP_SHARE = 0.4
"""The part of a cell's share that warm-up may take beyond the least it must do."""
STEADY_BLOCKS = 5
SAMPLING_SECONDS = 1.0
"""A shared machine has faster and slower spells of about this length: quick runs that saw one spell alone would agree
with each other and with nothing else. So no cell is settled sooner, however narrow its interval."""
COLD_FACTOR = 3.0
"""A first run pays for compiling and for first touches: no more than this many times a later one, as far as seen."""
CLOCK_SHARE = 0.01
"""Reading the clock may cost this part of a block."""
LEAST = PLANNED_SIZES[0]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one cell may take: `share_s` is its fair part, `limit_s` what it must not exceed, both from its start.

    `tolerance` is how far the interval may reach from the median; `budget_s` ends sampling once the median is certain
    to miss it.
    """

    share_s: float
    limit_s: float
    tolerance: float
    budget_s: float | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """Samples in seconds, or none: then `flags` and `note` say why. `more_samples` would make it decided."""

    samples_s: tuple[float, ...]
    flags: tuple[Flag, ...] = ()
    note: str | None = None
    more_samples: int | None = None


class Stopwatch(Generic[Result]):
    """Times blocks of a task against the limits of one cell, which began when this was made."""

    def __init__(
        self,
        run: Callable[[], Result],
        reset: Callable[[], None],
        check: Callable[[], None],
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._run, self._reset, self._check = run, reset, check
        self._limits, self._clock = limits, clock
        self._begun = clock()
        self._runs = 1

    def first(self) -> tuple[float, Result]:
        """Seconds and result of the first run, which is never a sample: it pays for everything that happens once."""
        start = self._clock()
        result = self._run()
        seconds = max(self._clock() - start, 1) * 1e-9
        self._reset()
        return seconds, result

    def time(self, first_s: float) -> Timing:
        """Warm up and sample. `first_s` is what the first run took."""
        if self._hopeless(first_s / COLD_FACTOR, runs=WARM_UP_RUNS - 1 + LEAST):
            return self._too_slow(first_s, "the first, cold run")
        warm = deque([self._block(1)], maxlen=STEADY_BLOCKS)
        self._runs = runs_per_block(warm[0], clock_seconds(self._clock))
        if self._hopeless(warm[0], runs=LEAST):
            return self._too_slow(min(first_s, warm[0]), "one run")
        warmed = self._warm_up(warm)
        samples = sample_until(self._take, enough=self._enough, may_go_on=self._may_go_on)
        if len(samples) < LEAST:
            return self._too_slow(min([first_s, *warm, *samples]), "one run")
        return self._timing(samples, warmed)

    def _warm_up(self, warm: deque[float]) -> bool:
        """Run until the last blocks, kept in `warm`, are steady; False where the cap came first."""
        cap = max(WARM_UP_SECONDS, min(WARM_UP_SECONDS_MOST, WARM_UP_SHARE * self._limits.share_s))
        while not (self._elapsed() >= WARM_UP_SECONDS and steady(warm)):
            spare = self._limits.limit_s - self._elapsed() - (LEAST + 1) * median(warm) * self._runs
            if self._elapsed() >= cap or spare < 0:
                return False
            warm.append(self._block(self._runs))
        return True

    def _take(self, wanted: int) -> Sequence[float]:
        taken: list[float] = []
        while len(taken) < wanted and self._elapsed() < self._limits.limit_s:
            taken.append(self._block(self._runs))
        return taken

    def _enough(self, taken: Sequence[float]) -> bool:
        """Whether more samples would change nothing: the median is known, or it misses the budget for certain."""
        if sum(taken) * self._runs < SAMPLING_SECONDS:
            return False
        return precise_enough(taken, self._limits.tolerance) or self._missed(taken)

    def _may_go_on(self, taken: Sequence[float]) -> bool:
        """Whether the next planned size fits the share."""
        size = next_planned_size(len(taken))
        if size is None:
            return False
        return self._elapsed() + (size - len(taken)) * median(taken) * self._runs <= self._limits.share_s

    def _timing(self, samples: tuple[float, ...], warmed: bool) -> Timing:
        flags: tuple[Flag, ...] = () if warmed or steady(samples) else ("not-steady",)
        if precise_enough(samples, self._limits.tolerance) or self._missed(samples):
            return Timing(samples, flags)
        return Timing(samples, (*flags, "undecided"), None, more_samples_needed(samples, self._limits.tolerance))

    def _missed(self, samples: Sequence[float]) -> bool:
        interval = order_statistic_interval(samples)
        return self._limits.budget_s is not None and interval is not None and interval[0] > self._limits.budget_s

    def _hopeless(self, run_s: float, *, runs: int) -> bool:
        return self._elapsed() + runs * run_s > self._limits.limit_s

    def _too_slow(self, run_s: float, what: str) -> Timing:
        return Timing((), ("too-slow",), too_slow_note(run_s, self._limits.limit_s, what=what))

    def _block(self, runs: int) -> float:
        """Seconds per run of one block, nothing collected or put back while it lasts."""
        run, reset = self._run, self._reset
        self._check()
        gc.disable()
        try:
            start = self._clock()
            for _ in range(runs - 1):
                run()
                reset()
            run()
            end = self._clock()
        finally:
            gc.enable()
        reset()
        self._check()
        return max(end - start, 1) / runs * 1e-9

    def _elapsed(self) -> float:
        return (self._clock() - self._begun) * 1e-9


def too_slow_note(run_s: float, limit_s: float, *, what: str = "one run") -> str:
    """Why a cell got no figures although it ran: `run_s` is what `what` took."""
    return (
        f"Too slow for its time: {what} took {run_s:.3g} s, {LEAST} samples and the warm-up do not fit into the "
        f"{limit_s:.3g} s it may take."
    )


def clock_seconds(clock: Clock) -> float:
    """What reading the clock twice costs: the smallest step of a few."""
    steps = []
    for _ in range(20):
        start = clock()
        steps.append(clock() - start)
    return min(steps) * 1e-9


def runs_per_block(run_s: float, clock_s: float) -> int:
    """Runs in a block so that reading the clock costs at most 1 % of it."""
    return max(1, ceil(clock_s / (CLOCK_SHARE * run_s)))

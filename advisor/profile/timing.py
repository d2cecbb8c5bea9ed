"""Time a task: first run, warm-up until steady, the first samples, and on a later visit more, all within limits.

How many there should be is said in `core.sizing.sampling`, what they mean in `statistics`. The one idea: the clock is
handed in, so a test can drive every branch with a clock of its own, and nothing here but the clock knows what time it
is. A sample is the time of one run; runs so short that reading the clock would show are timed in blocks.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Generic, TypeVar

from advisor.core.sizing.measurement import CellPlan, Flag, Stage
from advisor.core.sizing.sampling import LEAST
from advisor.core.sizing.statistics import steady

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
AGAIN_RUNS = 2
"""Runs before the first sample of a later visit: other shapes have had the caches since."""
COLD_FACTOR = 3.0
"""A first run pays for compiling and for first touches: no more than this many times a later one, as far as seen."""
CLOCK_SHARE = 0.01
"""Reading the clock may cost this part of a block."""
READING: tuple[Stage, ...] = ("forward", "embed", "prefill", "encode")
PAIRS = 7
"""Runs after a pause, each with one right after it."""
PAUSE_RUNS = 2
PAUSE_SECONDS_MOST = 0.25
"""A pause lasts as long as so many runs, and no longer than this."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one visit may take: `share_s` is its fair part, `limit_s` what it must not exceed, both from its start."""

    share_s: float
    limit_s: float


@dataclass(frozen=True, slots=True)
class Timing:
    """Samples in seconds, or none: then `flags` and `note` say why. Each is the mean of `runs` runs.

    `warmed` tells whether times were level before the first of them.
    """

    samples_s: tuple[float, ...]
    runs: int = 1
    warmed: bool = True
    flags: tuple[Flag, ...] = ()
    note: str | None = None


class Stopwatch(Generic[Result]):
    """Times blocks of a task against the limits of one visit, which began when this was made."""

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
        """Warm up and take the first samples. `first_s` is what the first run took."""
        if self._hopeless(first_s / COLD_FACTOR, runs=WARM_UP_RUNS - 1 + LEAST):
            return self._too_slow(first_s, "the first, cold run")
        warm = deque([self._block(1)], maxlen=STEADY_BLOCKS)
        self._runs = runs_per_block(warm[0], clock_seconds(self._clock))
        if self._hopeless(warm[0], runs=LEAST):
            return self._too_slow(min(first_s, warm[0]), "one run")
        warmed = self._warm_up(warm)
        samples = self._take(LEAST)
        if len(samples) < LEAST:
            return self._too_slow(min([first_s, *warm, *samples]), "one run")
        return Timing(tuple(samples), self._runs, warmed)

    def again(self, wanted: int, runs: int) -> tuple[float, ...]:
        """Up to `wanted` samples more of a cell that was warmed up before, in blocks of as many runs as then."""
        for _ in range(AGAIN_RUNS):
            self._block(1)
        self._runs = runs
        return tuple(self._take(wanted))

    def after_pause(self, run_s: float, sleep: Callable[[float], None]) -> float | None:
        """How many times as long a run takes after a pause as right after another one, at least 1.

        The median over pairs, so that a drift of the machine or a stall of one pair does not show. None where the
        share of this visit has no time left for all of them. `run_s` is what one run takes, `sleep` passes seconds.
        """
        pause_s = min(PAUSE_RUNS * run_s, PAUSE_SECONDS_MOST)
        pair_s = pause_s + 2 * run_s
        if self._elapsed() + PAIRS * pair_s > self._limits.share_s:
            return None
        ratios: list[float] = []
        for _ in range(PAIRS):
            if self._elapsed() + pair_s > self._limits.limit_s:
                return None
            sleep(pause_s)
            paused_s = self._block(1)
            ratios.append(paused_s / self._block(1))
        return max(1.0, median(ratios))

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

    def _hopeless(self, run_s: float, *, runs: int) -> bool:
        return self._elapsed() + runs * run_s > self._limits.limit_s

    def _too_slow(self, run_s: float, what: str) -> Timing:
        return Timing((), flags=("too-slow",), note=too_slow_note(run_s, self._limits.limit_s, what=what))

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


def begins_alone(plan: CellPlan) -> bool:
    """Whether a run is what a replica that stood idle begins with: the whole model reads one text."""
    return plan.stage in READING and plan.batch_size == 1 and plan.layers is None


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

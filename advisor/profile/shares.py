"""How the time of a request is divided among its cells, and which cell is not worth starting.

The one idea: a slow cell may use time that cheaper cells leave over, but never the time that the cells after it need.
What they need is judged from the closed forms and the best rate seen so far; before anything was seen, everyone has an
even share. Nothing here reads a clock but the one handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from advisor.core.model.cost import stage_bytes_moved, stage_flops
from advisor.core.model.cut import cut
from advisor.core.model.entry import ModelEntry
from advisor.core.model.families import MAX_SIZE
from advisor.core.sizing.measurement import CellPlan, Runtime
from advisor.core.sizing.runtimes import COMPILED
from advisor.core.sizing.sampling import LEAST
from advisor.profile.timing import COLD_FACTOR, WARM_UP_RUNS, WARM_UP_SECONDS

RATE_SLACK = 4.0
"""A larger cell may run at a better rate than any seen so far, but hardly at more than this many times it."""
RUNS = LEAST + WARM_UP_RUNS
UNKNOWN_SHARE = 0.5
"""What is kept for a cell of which nothing is known, as a part of its even share: most cells need less."""
BUILD_SECONDS, COMPILE_SECONDS = 60.0, 300.0
"""How long a model of any size may take to stand, and a compiler to go through it."""


def build_seconds(parameters: int, runtime: Runtime) -> float:
    """How long building may take before it counts as stuck: many times what it takes on a slow machine."""
    return (COMPILE_SECONDS if runtime == COMPILED else BUILD_SECONDS) + parameters / 1e7


def broken_off_run_s(first_run_s: float | None, elapsed_s: float) -> float:
    """The least that one run of a cell takes which did not get its samples in `elapsed_s`."""
    return elapsed_s / RUNS if first_run_s is None else first_run_s / COLD_FACTOR


@dataclass(frozen=True, slots=True)
class Allowance:
    """Seconds a cell may take: its even share of what is left, and the most it can have."""

    share_s: float
    limit_s: float


class Shares:
    """The clock and the ledger of one request."""

    def __init__(
        self, entry: ModelEntry, *, seconds_per_cell: float, seconds_total: float, clock: Callable[[], float]
    ) -> None:
        self._entry, self._clock = entry, clock
        self._per_cell = seconds_per_cell
        self._end = clock() + seconds_total
        self._rates: dict[_Kind, float] = {}
        self._slower: list[tuple[CellPlan, float]] = []

    def left_s(self) -> float:
        """Seconds left for the whole request."""
        return self._end - self._clock()

    def allowance(self, after: Sequence[CellPlan]) -> Allowance:
        """What a cell may take when the cells `after` it still have to be measured."""
        left = max(0.0, self.left_s())
        even = left / (len(after) + 1)
        reserved = sum(min(even, self._need(other, UNKNOWN_SHARE * even)) for other in after)
        limit = min(self._per_cell, left - reserved)
        return Allowance(share_s=min(even, limit), limit_s=limit)

    def learn(self, plan: CellPlan, run_s: float) -> None:
        """Remember at what rate a cell ran. A start happens once and says nothing of another."""
        if plan.stage == "load":
            return
        kind = _kind(plan)
        self._rates[kind] = max(self._rates.get(kind, 0.0), self._work(plan) / run_s)

    def learn_slower(self, plan: CellPlan, run_s: float) -> None:
        """Remember that one run of this cell takes longer than `run_s`."""
        self._slower.append((plan, run_s))

    def hopeless(self, plan: CellPlan, limit_s: float) -> str | None:
        """Why the cell cannot get its samples within the limit whatever happens, or None while it may."""
        best = self._rates.get(_kind(plan))
        if best is not None:
            run_s = self._work(plan) / (RATE_SLACK * best)
            if RUNS * run_s > limit_s:
                return (
                    f"Too slow for its time, so it was not begun: at {RATE_SLACK:.0f} times the best rate seen here "
                    f"one run would still take {run_s:.3g} s, and {RUNS} runs do not fit into {limit_s:.3g} s."
                )
        for other, seconds in self._slower:
            if _no_smaller(plan, other) and RUNS * seconds > limit_s:
                return (
                    f"Too slow for its time, so it was not begun: a smaller cell took more than {seconds:.3g} s for "
                    f"one run, and {RUNS} runs do not fit into {limit_s:.3g} s."
                )
        return None

    def _need(self, plan: CellPlan, unknown_s: float) -> float:
        """Seconds for the least number of samples, judged from the nearest cells that ran."""
        rate = self._rates.get(_kind(plan)) or self._rate_in_another_dtype(plan)
        if rate is None:
            return unknown_s
        run_s = self._work(plan) / rate
        return max(WARM_UP_SECONDS + LEAST * run_s, RUNS * run_s)

    def _rate_in_another_dtype(self, plan: CellPlan) -> float | None:
        return max((rate for (stage, *_), rate in self._rates.items() if stage == plan.stage), default=None)

    def _work(self, plan: CellPlan) -> float:
        """What the stage is bound by: traffic for a decode step, arithmetic for a whole pass, tokens to tokenise."""
        if plan.stage in ("tokenize", "load"):
            return float(plan.batch_size * (plan.input_tokens or 1))
        count = stage_bytes_moved if plan.stage == "decode" else stage_flops
        return float(max(1, count(cut(self._entry, plan.layers), plan)))


_Kind = tuple[str, str, str, int]


def _kind(plan: CellPlan) -> _Kind:
    return plan.stage, plan.runtime, plan.dtype, plan.workers


def _no_smaller(plan: CellPlan, other: CellPlan) -> bool:
    """Whether `plan` asks at least as much work as `other` in every respect."""
    return (
        _kind(plan) == _kind(other)
        and plan.batch_size >= other.batch_size
        and (plan.input_tokens or 0) >= (other.input_tokens or 0)
        and (plan.context_tokens or 0) >= (other.context_tokens or 0)
        and (plan.layers or MAX_SIZE) >= (other.layers or MAX_SIZE)
    )

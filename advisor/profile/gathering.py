"""What one request has gathered of a cell so far: its samples, process by process, and what they make of it.

No clock and no worker here. The one idea: a process that ends early takes the samples of the cells it had not finished
with it, because samples of two processes must not pass for those of one; they are kept only where no time is left to
take them again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from advisor.core.sizing.measurement import Cell, Flag
from advisor.core.sizing.sampling import Terms, pooled
from advisor.core.sizing.statistics import steady
from advisor.profile.disturbance import Meanwhile, disturbances
from advisor.profile.orders import More, Outcome
from advisor.profile.timing import AGAIN_RUNS


@dataclass
class InOneProcess:
    """A cell's samples in one process. `outlived`: it ended before the cell had enough; `full`: it can take no more."""

    samples_s: list[float]
    runs: int
    warmed: bool
    setup_s: float
    seen: Meanwhile
    flags: tuple[Flag, ...]
    spent_s: float
    after_pause_ratio: float | None = None
    outlived: bool = False
    full: bool = False

    def add(self, more: More, wanted: int, spent_s: float) -> None:
        """After a later visit, which should have brought `wanted` samples and took so many seconds."""
        self.samples_s.extend(more.samples_s)
        self.flags = (*self.flags, *more.flags)
        self.seen = self.seen.plus(more.seen)
        self.spent_s += spent_s
        self.full = len(more.samples_s) < wanted

    def visit_s(self, more: int) -> float:
        """What a later visit for so many samples should take."""
        return self.setup_s + (AGAIN_RUNS + more * self.runs) * median(self.samples_s)


@dataclass
class Gathered:
    """A cell of a request. `first` is what its first visit told, apart from the samples."""

    first: Cell
    terms: Terms
    processes: list[InOneProcess] = field(default_factory=list)
    now: InOneProcess | None = None

    def begin(self, outcome: Outcome, spent_s: float) -> None:
        """The first visit in the running process. The memory of a cell is the most that any process took."""
        cell = outcome.cell
        self.now = InOneProcess(
            samples_s=list(cell.samples_s or ()),
            runs=outcome.runs,
            warmed=outcome.warmed,
            setup_s=outcome.setup_s,
            seen=outcome.seen,
            flags=cell.flags,
            spent_s=spent_s,
            after_pause_ratio=cell.after_pause_ratio,
        )
        if (self.first.peak_memory_bytes or 0) < (cell.peak_memory_bytes or 0):
            self.first = self.first.model_copy(update={"peak_memory_bytes": cell.peak_memory_bytes})

    def wanted(self) -> int:
        """How many samples more the running process should take of it."""
        if self.now is None or self.now.full or self.first.stage == "load":
            return 0
        return self.terms.more_wanted(self.now.samples_s, self.now.runs)

    def outlive(self) -> None:
        """The running process ended, and the cell should have had more of it."""
        if self.now is not None:
            self.now.outlived = True

    def end_process(self) -> None:
        """The running process takes no more of it."""
        if self.now is not None:
            self.processes.append(self.now)
            self.now = None

    def cell(self, cores: int, flags: tuple[Flag, ...] = (), note: str | None = None) -> Cell:
        """What was measured, with `flags` and `note` of what ended it early."""
        parts = [*self.processes, *([self.now] if self.now is not None else [])]
        found = {flag: None for part in parts for flag in self._flags_of(part, cores)}
        notes = [words for words in (self.first.note, note) if words]
        ratios = [part.after_pause_ratio for part in parts if part.after_pause_ratio is not None]
        told = {"flags": (*found, *flags), "note": " ".join(notes) or None}
        cell = self.first.model_copy(update=told | {"after_pause_ratio": median(ratios) if ratios else None})
        return pooled(cell, [part.samples_s for part in parts], self.terms)

    def _flags_of(self, part: InOneProcess, cores: int) -> tuple[Flag, ...]:
        unsteady: tuple[Flag, ...] = () if part.warmed or steady(part.samples_s) else ("not-steady",)
        return (*unsteady, *disturbances(part.seen, cores=cores), *part.flags)

"""What a configuration of a measured model holds at its peak, in batches and with slots for answers.

Peaks are not interpolated: a peak is that of a measured cell which covers the shape, and where none does, no less than
the closed form says.
"""

from __future__ import annotations

from dataclasses import dataclass

from advisor.core.hardware import Dtype
from advisor.core.lengths import Lengths
from advisor.core.model.cost import kv_cache_bytes, weight_bytes
from advisor.core.model.entry import ModelEntry
from advisor.core.model.memory import peak_memory_estimate_bytes
from advisor.core.sizing.latency import usable
from advisor.core.sizing.measurement import Cell, CellPlan, Stage


@dataclass(frozen=True, slots=True)
class Room:
    """Memory of one configuration: its cells, the model's entry where it has one, and the lengths that are planned."""

    cells: tuple[Cell, ...]
    entry: ModelEntry | None
    lengths: Lengths
    memory_limit_bytes: int | None

    def peak(self, stage: Stage, batch: int, tokens: int) -> int | None:
        """Peak memory of a pass over `batch` texts of `tokens` tokens: no less than any measured cell which it covers
        took, and as much as the shortest text that covers it did in the same batch.

        Memory is not interpolated. Without such a text the closed form is asked, which larger batches may undercut.
        """
        known = [
            (cell.batch_size, cell.input_tokens or 0, cell.peak_memory_bytes)
            for cell in self.cells_of(stage)
            if usable(cell) and cell.peak_memory_bytes is not None
        ]
        covered = [peak for b, t, peak in known if b <= batch and t <= tokens]
        bounds = [peak for b, t, peak in known if b == batch and t >= tokens]
        if not bounds:
            bounds = [peak for b, t, peak in known if b > batch and t >= tokens]
            bounds += [] if self.entry is None else [self._by_closed_form(self.entry, stage, batch, tokens)]
        return max([*covered, *([min(bounds)] if bounds else [])], default=None)

    def _by_closed_form(self, entry: ModelEntry, stage: Stage, batch: int, tokens: int) -> int:
        shape = CellPlan(stage=stage, dtype=self._dtype, batch_size=batch, input_tokens=max(tokens, 1))
        return peak_memory_estimate_bytes(entry, shape)

    def _cache(self, batch: int, context: int) -> int:
        if self.entry is None:
            return 0
        source = self.lengths.longest_input_tokens
        return kv_cache_bytes(
            self.entry, dtype=self._dtype, batch_size=batch, context_tokens=context, source_tokens=source
        )

    def _deepest(self, reading: Stage) -> int:
        """Tokens in the cache of the longest answer at its end."""
        return self.lengths.longest_output_tokens + (self.lengths.longest_input_tokens if reading == "prefill" else 0)

    def cache_limit(self, slots: int, peak: int | None, reading: Stage) -> tuple[int | None, int | None]:
        """Tokens the caches may hold together and the peak with them, where memory has no room for every slot at its
        longest but for two of them and more; else no limit, and the peak as it is.
        """
        if peak is None or self.memory_limit_bytes is None or peak <= self.memory_limit_bytes:
            return None, peak
        deepest, source = self._deepest(reading), 0 if reading == "prefill" else self.lengths.longest_input_tokens
        typical = deepest - self.lengths.longest_output_tokens + self.lengths.output_tokens
        kept = (typical, deepest)
        per_token = max(-(-self._cache(1, tokens) // max(tokens + source, 1)) for tokens in kept)
        besides = peak - self._cache(slots, deepest)
        tokens = (self.memory_limit_bytes - besides) // per_token if per_token else 0
        if tokens < 2 * (deepest + source):
            return None, peak
        return tokens, besides + tokens * per_token

    def peak_of_slots(self, reading: Stage, slots: int, group: int) -> int | None:
        """Peak memory with every slot at its longest: measured where that was measured, cache by closed form beyond it.

        While a group is read the other slots hold their caches, which the reading cell alone did not have.
        """
        longest_input, deepest = self.lengths.longest_input_tokens, self._deepest(reading)
        read = self.peak(reading, group, longest_input)
        peaks = [] if read is None else [read + self._cache(max(slots - group, 0), deepest)]
        for cell in self.cells_of("decode"):
            if cell.peak_memory_bytes is not None and usable(cell) and cell.batch_size <= slots:
                beyond = self._cache(slots, deepest) - self._cache(cell.batch_size, cell.context_tokens or 0)
                peaks.append(cell.peak_memory_bytes + max(beyond, 0))
        if self.entry is not None:
            peaks.append(weight_bytes(self.entry, self._dtype) + self._cache(slots, deepest))
        return max(peaks, default=None)

    def cells_of(self, stage: Stage) -> tuple[Cell, ...]:
        """The cells of one stage."""
        return tuple(cell for cell in self.cells if cell.stage == stage)

    @property
    def _dtype(self) -> Dtype:
        return self.cells[0].dtype

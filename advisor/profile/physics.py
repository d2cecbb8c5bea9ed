"""What one request knows of its device's peaks, and the cells of the request held against them.

How peaks are measured stands in `peaks`, what they mean in `core.sizing.physics`. The one idea: a cell above the peak
says that one of the two is wrong, so the peak of its dtype is measured again before the cell is refused: a peak taken
while others had a core is too low for every cell. Peaks of a disturbed machine refuse nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from advisor.core.hardware import Dtype, PeakFlops, Peaks
from advisor.core.protocol import Event, Measure, Peaked
from advisor.core.sizing.measurement import Cell, Runtime
from advisor.core.sizing.physics import above_peak, refused_above_peak, with_shares

PRODUCTS_OF: tuple[Runtime, ...] = ("torch", "openvino")
"""Runtimes that compute a product of matrices when asked for one alone; of the others no peak can be stated."""
TIMES_AGAIN = 2
"""How often the peak of a dtype is measured again in one request."""
GRACE_S = 5.0
"""What a worker may take beyond its turns: a slow machine has first to start it and to fill its memory."""


def peak_seconds(dtypes: int, runtimes: int) -> float:
    """The longest a worker that measures the peaks of so many dtypes in so many runtimes is waited for."""
    return float(dtypes * runtimes + 1) + GRACE_S * runtimes


class Physics:
    """The peaks of one request's device. `measure` asks a worker for them, `say` tells the parent."""

    def __init__(
        self,
        request: Measure,
        *,
        measure: Callable[[tuple[Dtype, ...], tuple[Runtime, ...]], Peaks | None],
        say: Callable[[Event], None],
    ) -> None:
        self._request, self._measure, self._say = request, measure, say
        self._peaks = request.peaks
        self._again: dict[Dtype, int] = {}
        self._runtimes: tuple[Runtime, ...] = ("torch",)

    def begin(self) -> None:
        """Measure what is not known yet of the dtypes asked for, and what was measured on a disturbed machine alone.

        A runtime whose products are not among those known may do better than them all: then everything is new.
        """
        cells, known = self._request.cells, self._peaks
        self._runtimes = tuple(one for one in PRODUCTS_OF if any(cell.runtime == one for cell in cells)) or ("torch",)
        news = known is None or bool(known.flags) or not set(self._runtimes) <= set(known.runtimes)
        dtypes = dict.fromkeys(cell.dtype for cell in cells if cell.dtype in PeakFlops.model_fields)
        missing = tuple(one for one in dtypes if news or known is None or known.flops_per_s.of(one) is None)
        if self._request.wants_peaks and missing:
            self._learn(missing)

    def judged(self, cell: Cell) -> Cell:
        """The cell with its shares of the peaks, refused where they stay above what can be."""
        if cell.median_s is None:
            return cell
        found = with_shares(cell, self._peaks)
        while (
            above_peak(found) and cell.dtype in PeakFlops.model_fields and self._again.get(cell.dtype, 0) < TIMES_AGAIN
        ):
            self._again[cell.dtype] = self._again.get(cell.dtype, 0) + 1
            self._learn((cell.dtype,))
            found = with_shares(cell, self._peaks)
        disturbed = self._peaks is not None and bool(self._peaks.flags)
        return cell if disturbed and above_peak(found) else refused_above_peak(found)

    def _learn(self, dtypes: tuple[Dtype, ...]) -> None:
        found = self._measure(dtypes, self._runtimes)
        if found is None:
            return
        self._peaks = found if self._peaks is None else self._peaks.better_of(found)
        self._say(Peaked(id=self._request.id, peaks=self._peaks))

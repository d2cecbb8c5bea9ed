"""The same cells measured in several rounds, as one cell each.

The one idea: two rounds are two looks at one machine, minutes apart and in processes of their own. Their samples are
put together, and the interval is as wide as the rounds together reach, because a median that moved between them is not
known better than that.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from advisor.core.sizing.grid import best_cells
from advisor.core.sizing.latency import usable
from advisor.core.sizing.measurement import Cell, CellPlan, Profile
from advisor.core.sizing.statistics import percentile_bound

_SHAPE = (*CellPlan.model_fields, "device", "threads", "origin")
"""What makes two cells one and the same question."""


def merged(rounds: Sequence[Profile]) -> Profile:
    """One profile of those of several rounds, cell by cell. Times between cells are not fitted."""
    alike: dict[tuple[object, ...], list[Cell]] = {}
    for cell in (cell for one in rounds for cell in one.cells):
        alike.setdefault(tuple(getattr(cell, name) for name in _SHAPE), []).append(cell)
    cells = tuple(map(one_of, alike.values()))
    wall_s = sum(one.wall_s for one in rounds)
    return rounds[-1].model_copy(update={"cells": cells, "best": best_cells(cells), "surfaces": (), "wall_s": wall_s})


def one_of(cells: Sequence[Cell]) -> Cell:
    """One cell of those of several rounds; one that failed in a round is left to the others."""
    good = [cell for cell in cells if usable(cell)]
    if len(good) < 2:
        return (good or list(cells))[0]
    samples = tuple(sample for cell in good for sample in cell.samples_s or ())
    middle = median(samples) if samples else median([cell.median_s or 0.0 for cell in good])
    intervals = [cell.ci95_s for cell in good if cell.ci95_s is not None]
    peaks = [cell.peak_memory_bytes for cell in good if cell.peak_memory_bytes is not None]
    ratios = [cell.after_pause_ratio for cell in good if cell.after_pause_ratio is not None]
    found = {
        "processes": sum(cell.processes for cell in good),
        "samples": sum(cell.samples for cell in good),
        "median_s": middle,
        "ci95_s": _hull(intervals, middle) if len(intervals) == len(good) else None,
        "p95_s": percentile_bound(samples, 95) if samples else None,
        "p99_s": percentile_bound(samples, 99) if samples else None,
        "process_samples": tuple(n for cell in good for n in cell.process_samples or (cell.samples,)),
        "process_medians_s": tuple(s for cell in good for s in cell.process_medians_s or (cell.median_s or 0.0,)),
        "mfu": _scaled(good[0], good[0].mfu, middle),
        "mbu": _scaled(good[0], good[0].mbu, middle),
        "throughput_per_s": good[0].workers * good[0].batch_size / middle,
        "peak_memory_bytes": max(peaks, default=None),
        "after_pause_ratio": median(ratios) if ratios else None,
        "outliers": sum(cell.outliers or 0 for cell in good),
        "more_samples": None,  # said of one round's interval
        "flags": tuple(dict.fromkeys(flag for cell in good for flag in cell.flags)),
        "note": next((cell.note for cell in good if cell.note), None),
        "samples_s": samples or None,
    }
    return good[0].model_copy(update=found)


def _scaled(cell: Cell, share: float | None, median_s: float) -> float | None:
    """A share of a peak at another time for the same work."""
    return None if share is None or cell.median_s is None else share * cell.median_s / median_s


def _hull(intervals: Sequence[tuple[float, float]], middle: float) -> tuple[float, float]:
    return min([middle, *(low for low, _ in intervals)]), max([middle, *(high for _, high in intervals)])

"""Rows of times filled up: larger batches at a length measured in smaller ones, steps at depths between the measured.

The one idea: nothing is planned that was not measured, so a row ends where the measured batches do.
"""

from __future__ import annotations

from collections.abc import Sequence

from advisor.core.sizing.decoding import StepTimes
from advisor.core.sizing.latency import Bound, Surface


def lengthened(row: Sequence[float], typical: Sequence[float]) -> tuple[float, ...]:
    """The row of a length, with the batches that were measured at the typical length only.

    Each text of theirs takes as much longer as one alone does: exact for c0 + c1·b·s + c2·b·s² and α + β·b + γ·b·ctx.
    """
    longer_s = row[0] - typical[0]
    unknown = range(len(row), len(typical))
    return (*row[: len(typical)], *(max(typical[index] + (index + 1) * longer_s, row[-1]) for index in unknown))


def limits(surface: Surface, known: int) -> list[int]:
    """The measured batch sizes that can be planned; where a length has none, the largest that is known there."""
    return [batch for batch in surface.batches if batch <= known] or [known]


def step_times(surface: Surface, shortest: int, typical: tuple[int, int], deepest: int, bound: Bound) -> StepTimes:
    """Steps from the shallowest to the deepest cache, at the typical depths and at every one measured in between."""
    contexts = sorted({shortest, *typical, deepest, *(one for one in surface.lengths if shortest < one < deepest)})
    batches = min(len(surface.service_s(context, bound)) for context in typical)
    last = surface.service_s(typical[-1], bound)[:batches]
    columns = [lengthened(surface.service_s(context, bound), last) for context in contexts]
    rows = tuple(tuple(column[batch] for column in columns) for batch in range(batches))
    return StepTimes(tuple(contexts), rows)

"""A request answered from what is known and, for the rest, by the child: each finished cell is saved as it comes.

To its caller this looks like the child alone: one `cell` event for each planned cell, in the caller's numbering, and a
last `finished` or `failed`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from advisor.core.protocol import Event, Finished, Measure, Measured, Reused, Started
from advisor.core.sizing.measurement import Cell
from advisor.store.recorder import Part
from advisor.store.results import now


class Measures(Protocol):
    """What answers a request: the child."""

    def measure(self, request: Measure) -> AsyncIterator[Event]: ...


async def measure(child: Measures, request: Measure, part: Part | None) -> AsyncIterator[Event]:
    """The events of one request. `part` is its place in the store, None where nothing is kept."""
    known = part.reuse() if part is not None else {}
    if known:
        yield _reused(request, known)
    for index, cell in known.items():
        yield Measured(id=request.id, index=index, cell=cell)
    rest = [index for index in range(len(request.cells)) if index not in known]
    if not rest:
        before = part.finished_before() if part is not None else None
        found = before or Finished(id=request.id, parameters=None, wall_s=0.0)
        yield found.model_copy(update={"id": request.id, "cancelled": False, "wall_s": 0.0})
        return
    asked = request.model_copy(update={"cells": tuple(request.cells[index] for index in rest)})
    async for event in child.measure(asked):
        told = _renumbered(event, rest)
        if part is not None and isinstance(told, Measured):
            part.save(told.index, told.cell)
        elif part is not None and isinstance(told, Finished):
            part.finished(told)
        yield told


def _reused(request: Measure, known: dict[int, Cell]) -> Reused:
    times = [cell.measured_at for cell in known.values() if cell.measured_at is not None]
    return Reused(
        id=request.id,
        reused=len(known),
        cells=len(request.cells),
        earliest=min(times),
        latest=max(times),
    )


def _renumbered(event: Event, rest: Sequence[int]) -> Event:
    """The event with the index its cell has in the whole request, and the time it was measured."""
    if isinstance(event, Started):
        return event.model_copy(update={"index": rest[event.index]})
    if isinstance(event, Measured):
        cell = event.cell
        if cell.median_s is not None:
            cell = cell.model_copy(update={"measured_at": now()})
        return event.model_copy(update={"index": rest[event.index], "cell": cell})
    return event

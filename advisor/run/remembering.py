"""A request answered from what is known and, for the rest, by the child: each finished cell is saved as it comes.

To its caller this looks like the child alone: one `cell` event for each planned cell, in the caller's numbering, and a
last `finished` or `failed`. The one idea: the store is asked before the machine, and once more when the machine is
ours, for whoever had it until then may have measured the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Protocol

from advisor.core.protocol import Event, Finished, Measure, Measured, Reused, Started
from advisor.core.sizing.measurement import Cell
from advisor.store.recorder import Part
from advisor.store.results import now

StillWanted = Callable[[], Measure]
"""What is left of a request, asked for once the machine is ours. It may have no cells any more."""


class Measures(Protocol):
    """What answers a request: the child."""

    def measure(self, request: Measure, still_wanted: StillWanted | None = None, /) -> AsyncIterator[Event]: ...


async def measure(child: Measures, request: Measure, part: Part | None) -> AsyncIterator[Event]:
    """The events of one request. `part` is its place in the store, None where nothing is kept."""
    answer = _Answer(request, part)
    asked = answer.still_wanted()
    for event in answer.news():
        yield event
    if not asked.cells:
        yield answer.finished_before()
        return
    async for event in child.measure(asked, answer.still_wanted):
        for news in answer.news():
            yield news
        yield answer.heard(event)


class _Answer:
    """How far a request is answered. `_left` are the cells the store does not know, by their place in the request."""

    def __init__(self, request: Measure, part: Part | None) -> None:
        self._request, self._part = request, part
        self._left = list(range(len(request.cells)))
        self._news: list[Event] = []

    def still_wanted(self) -> Measure:
        """The request for what the store does not know; what it has come to know is news."""
        known = self._part.reuse() if self._part is not None else {}
        new = {index: cell for index, cell in known.items() if index in self._left}
        if new:
            self._news += [_reused(self._request, new), *(self._told(index, cell) for index, cell in new.items())]
        self._left = [index for index in self._left if index not in new]
        return self._request.model_copy(update={"cells": tuple(self._request.cells[index] for index in self._left)})

    def news(self) -> list[Event]:
        """What the store has come to know since this was asked last, as events."""
        told, self._news = self._news, []
        return told

    def finished_before(self) -> Finished:
        """The end of a request that the store answered as a whole."""
        before = self._part.finished_before() if self._part is not None else None
        found = before or Finished(id=self._request.id, parameters=None, wall_s=0.0)
        return found.model_copy(update={"id": self._request.id, "cancelled": False, "wall_s": 0.0})

    def heard(self, event: Event) -> Event:
        """The child's event in the caller's numbering, kept where it is worth it."""
        if isinstance(event, Started):
            return event.model_copy(update={"index": self._left[event.index]})
        if isinstance(event, Measured):
            told = self._told(self._left[event.index], _stamped(event.cell))
            if self._part is not None:
                self._part.save(told.index, told.cell)
            return told
        if isinstance(event, Finished) and not self._left:
            return self.finished_before()
        if isinstance(event, Finished) and self._part is not None:
            self._part.finished(event)
        return event

    def _told(self, index: int, cell: Cell) -> Measured:
        return Measured(id=self._request.id, index=index, cell=cell)


def _stamped(cell: Cell) -> Cell:
    """The cell with the time it was measured, where it was."""
    return cell if cell.median_s is None else cell.model_copy(update={"measured_at": now()})


def _reused(request: Measure, known: dict[int, Cell]) -> Reused:
    times = [cell.measured_at for cell in known.values() if cell.measured_at is not None]
    return Reused(
        id=request.id,
        reused=len(known),
        cells=len(request.cells),
        earliest=min(times),
        latest=max(times),
    )

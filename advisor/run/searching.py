"""A request answered look by look: a little of every way to serve the model, then all of those that may be fastest.

What is looked at and who stays is said in `core.sizing.halving`; here each look is a request of its own to the child.
To its caller this looks like one request: its own numbering, each cell told at most once, one last event. The one idea:
a cell that will be looked at again is told when that is done, the cells of a way that is dropped are told as the look
left them, and those that nobody looked at are never told.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import NamedTuple

from advisor.core.protocol import Event, Finished, Measure, Measured, Peaked, Reused, Started
from advisor.core.sizing.halving import Look, arms_of, left_after, next_look, passed_over, scores_of, survivors
from advisor.core.sizing.measurement import Cell, CellPlan, Effort
from advisor.run import remembering
from advisor.run.remembering import Measures
from advisor.store.recorder import Part


class Seconds(NamedTuple):
    """What a look may take, and the most that one of its cells may."""

    total: float
    per_cell: float


Time = Callable[[Sequence[CellPlan], Effort], Seconds]


async def measure(child: Measures, request: Measure, part: Part | None, time: Time) -> AsyncIterator[Event]:
    """The events of one request. `part` is its place in the store, `time` says what so many cells may take."""
    left, number, wall_s = frozenset(arms_of(request.cells)), 0, 0.0
    seen: dict[int, Cell] = {}
    while True:
        look = next_look(request.cells, left, request.effort, number)
        asked = _asked(request, look, time)
        end: Event | None = None
        async for event in remembering.measure(child, asked, part.within(asked, look.cells) if part else None):
            told = _renumbered(event, look.cells)
            if isinstance(told, Finished):
                wall_s += told.wall_s
                end = told.model_copy(update={"wall_s": wall_s})
            elif isinstance(told, Measured) and not look.last:
                seen[told.index] = told.cell
            elif look.last or not isinstance(told, Reused):  # of a look before the last nobody need know it
                yield told
            if isinstance(told, Peaked):
                request = request.model_copy(update={"peaks": told.peaks})
        stay = survivors(scores_of(seen.values()))
        over = look.last or not isinstance(end, Finished) or end.cancelled or not stay
        dropped = {} if look.last else seen if over else passed_over(seen, stay)
        for index, cell in dropped.items():
            yield Measured(id=request.id, index=index, cell=cell)
        if over:
            if end is not None:
                yield end
            return
        left, number = left_after(left, arms_of(seen.values()), stay), look.number + 1
        seen = {index: cell for index, cell in seen.items() if index not in dropped}


def _asked(request: Measure, look: Look, time: Time) -> Measure:
    """What the child is asked for in one look."""
    cells = tuple(request.cells[index] for index in look.cells)
    seconds = time(cells, look.effort)
    limits = {"seconds_total": seconds.total, "seconds_per_cell": seconds.per_cell}
    return request.model_copy(update={"cells": cells, "effort": look.effort, **limits})


def _renumbered(event: Event, places: Sequence[int]) -> Event:
    """The event with the index that its cell has in the whole request."""
    if isinstance(event, Started | Measured):
        return event.model_copy(update={"index": places[event.index]})
    return event

"""One request answered look by look, by the fake child that knows how fast everything is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from advisor.core.protocol import Event, Finished, Measure, Measured, Started
from advisor.core.sizing.measurement import CellPlan, Effort
from advisor.run import Child
from advisor.run.searching import Seconds, measure
from advisor.store.recorder import Part
from tests.fake_child import fake_command
from tests.measuring import environment, plans, request
from tests.store.recording import begun

WAYS = [
    CellPlan(stage="forward", runtime=runtime, dtype=dtype, batch_size=batch, input_tokens=tokens)
    for tokens in (64, 32)
    for batch in (1, 8)
    for runtime in ("torch", "openvino")
    for dtype in ("float32", "int8")
]
"""Both int8 are three to four times as fast, openvino's a tenth more than torch's."""


def time_for(cells: Sequence[CellPlan], effort: Effort) -> Seconds:
    return Seconds(600.0, 60.0)


class Listening:
    """A child, and what it was asked for."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self.asked: list[Measure] = []

    def measure(self, asked: Measure, *more: Any) -> AsyncIterator[Event]:
        self.asked.append(asked)
        return self._child.measure(asked, *more)


async def answered(
    lock: Path, cells: Sequence[CellPlan] = WAYS, part: Part | None = None, **more: Any
) -> tuple[list[Event], list[Measure]]:
    async with await Child.start(command=fake_command(), lock_path=lock, env=environment()) as child:
        listening = Listening(child)
        asked = request(*cells, **({"effort": "standard"} | more))
        return [event async for event in measure(listening, asked, part, time_for)], listening.asked


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def told(events: list[Event]) -> dict[int, Any]:
    cells = [event for event in events if isinstance(event, Measured)]
    assert len({event.index for event in cells}) == len(cells), "a cell told twice"
    return {event.index: event.cell for event in cells}


async def test_the_fastest_are_measured_to_the_end_and_the_others_looked_at_once(lock: Path) -> None:
    events, asked = await answered(lock)
    assert [one.effort for one in asked] == ["quick", "standard"]
    assert {plan.input_tokens for plan in asked[0].cells} == {64}
    assert {plan.dtype for plan in asked[1].cells} == {"int8"}
    cells = told(events)
    for index, cell in cells.items():
        assert (cell.dtype, cell.batch_size, cell.input_tokens) == (
            WAYS[index].dtype,
            WAYS[index].batch_size,
            WAYS[index].input_tokens,
        )
        assert (cell.processes, "passed-over" in cell.flags) == ((3, False) if cell.dtype == "int8" else (1, True))
    assert len(cells) == 2 * 4 + 2 * 2, "the shorter length of what was passed over is nobody's question"
    assert isinstance(events[-1], Finished)
    assert sum(isinstance(event, Finished) for event in events) == 1


async def test_thorough_looks_twice_where_enough_is_left(lock: Path) -> None:
    alike = {"torch": ("float32", "float16"), "openvino": ("float32", "float16"), "ctranslate2": ("float32", "float16")}
    cells = [
        plan.model_copy(update={"runtime": runtime})
        for runtime, dtypes in alike.items()
        for dtype in dtypes
        for plan in plans(dtype=dtype)
    ]
    _, asked = await answered(lock, cells, effort="thorough")
    assert [one.effort for one in asked] == ["quick", "standard", "thorough"]
    assert [len(one.cells) for one in asked] == [12, 6, 4]


async def test_a_quick_request_is_asked_as_it_is(lock: Path) -> None:
    events, (asked,) = await answered(lock, effort="quick")
    assert asked.cells == tuple(WAYS)
    assert sorted(told(events)) == list(range(len(WAYS)))


async def test_a_cancel_during_a_look_tells_what_was_seen(lock: Path) -> None:
    async with await Child.start(command=fake_command(cell_seconds=0.2), lock_path=lock, env=environment()) as child:
        events = []
        async for event in measure(child, request(*WAYS, effort="standard"), None, time_for):
            events.append(event)
            if isinstance(event, Started) and event.index == 1:
                await child.cancel()
    assert isinstance(events[-1], Finished)
    assert events[-1].cancelled
    assert told(events)[0].median_s is not None


async def test_what_was_searched_once_is_not_measured_again(lock: Path, tmp_path: Path) -> None:
    asked = request(*WAYS, effort="standard")
    for known in (False, True):
        recorder, part = begun(tmp_path / "results.db", wanted=asked)
        _, requests = await answered(lock, part=part)
        recorder.end("done")
        assert (requests == []) == known


async def test_two_ways_are_both_measured_to_the_end(lock: Path) -> None:
    events, (asked,) = await answered(lock, plans() + plans(dtype="bfloat16"))
    assert asked.effort == "standard"
    assert {cell.processes for cell in told(events).values()} == {3}

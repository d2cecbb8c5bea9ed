"""What is known is not measured again, also where it became known while the machine was another's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from advisor.core.protocol import Event, Finished, Measure, Measured, Reused, Started, Waiting
from advisor.run import Child
from advisor.run.remembering import measure
from tests.fake_child import fake_command
from tests.measuring import environment
from tests.store.recording import DRAFT, PLANS, asked, begun, recorded


async def answered(child: Child, store: Path, *, fresh: bool = False) -> list[Event]:
    recorder, part = begun(store, fresh=fresh)
    with recorder:
        events = [event async for event in measure(child, asked(), part)]
        recorder.end("done", [DRAFT])
    return events


async def two_at_once(folder: Path, *, fresh: bool = False) -> list[list[Event]]:
    """What two who ask for the same at once are told; the one who had to wait comes last."""
    started = {"command": fake_command(cell_seconds=0.2), "lock_path": folder / "lock", "env": environment()}
    async with await Child.start(**started) as one, await Child.start(**started) as two:
        told = await asyncio.gather(*(answered(child, folder / "results.db", fresh=fresh) for child in (one, two)))
    return sorted(told, key=lambda events: isinstance(events[0], Waiting))


def measured(events: list[Event]) -> list[int]:
    return [event.index for event in events if isinstance(event, Started)]


async def test_who_waited_for_the_machine_uses_what_was_measured_meanwhile(tmp_path: Path) -> None:
    first, second = await two_at_once(tmp_path)
    assert measured(first) == [0, 1, 2]
    assert measured(second) == []
    assert [type(event) for event in second] == [Waiting, Reused, Measured, Measured, Measured, Finished]
    assert {event.cell.reused_from for event in second if isinstance(event, Measured)} <= {1, 2}
    assert isinstance(second[-1], Finished)
    assert second[-1].parameters == first[-1].parameters  # type: ignore[union-attr]
    assert not second[-1].cancelled


async def test_who_wants_it_fresh_measures_also_after_a_wait(tmp_path: Path) -> None:
    assert [measured(events) for events in await two_at_once(tmp_path, fresh=True)] == [[0, 1, 2], [0, 1, 2]]


class Between:
    """A child that others get ahead of: `meanwhile` happens before the machine is its own."""

    def __init__(self, child: Child, meanwhile: Callable[[], object]) -> None:
        self._child, self._meanwhile = child, meanwhile

    async def measure(self, request: Measure, still_wanted: Callable[[], Measure] | None, /) -> AsyncIterator[Event]:
        self._meanwhile()
        async for event in self._child.measure(request, still_wanted):
            yield event


async def test_what_is_left_after_a_wait_keeps_the_numbers_of_the_whole_request(tmp_path: Path) -> None:
    store = tmp_path / "results.db"
    recorded(store, cells=PLANS[:1])
    _, part = begun(store)
    async with await Child.start(command=fake_command(), lock_path=tmp_path / "lock", env=environment()) as child:
        between = Between(child, lambda: recorded(store, cells=PLANS[2:]))
        events = [event async for event in measure(between, asked(), part)]
    assert [(event.reused, event.cells) for event in events if isinstance(event, Reused)] == [(1, 3), (1, 3)]
    assert measured(events) == [1]
    cells = {event.index: event.cell for event in events if isinstance(event, Measured)}
    assert {index: cell.batch_size for index, cell in cells.items()} == {0: 1, 1: 2, 2: 4}
    assert [cells[index].reused_from is not None for index in range(3)] == [True, False, True]

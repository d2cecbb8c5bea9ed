"""One request in the child, with workers that do as they are told and take no time."""

from __future__ import annotations

import os
from collections.abc import Callable

from advisor.core.protocol import Event, Finished, Measured, Started
from advisor.core.sizing.measurement import Cell, CellPlan, unmeasured
from advisor.profile.inbox import Inbox
from advisor.profile.orders import Built, Job, Order, Outcome, Reply
from advisor.profile.session import Session
from tests.core.model.tiny_models import entry
from tests.fake_child import fake_cell
from tests.measuring import plans, request

Answer = Callable[[Order], Cell]


class Puppet:
    """A worker that has its reply ready at once."""

    def __init__(self, job: Job, answer: Answer) -> None:
        self.job, self._answer = job, answer
        self._pipe = os.pipe()
        self._replies: list[Reply] = []
        self.killed = False
        self._say(Built(parameters=7))

    def _say(self, reply: Reply) -> None:
        self._replies.append(reply)
        os.write(self._pipe[1], b".")

    def fileno(self) -> int:
        return self._pipe[0]

    def reply(self) -> Reply:
        os.read(self._pipe[0], 1)
        return self._replies.pop(0)

    def order(self, order: Order) -> None:
        self._say(Outcome(index=order.index, cell=self._answer(order), first_run_s=0.01))

    def cpu_seconds(self) -> float:
        return 0.0

    def kill(self) -> None:
        self.killed = True
        for end in self._pipe:
            os.close(end)


def heard(answer: Answer, cells: list[CellPlan], **limits: float) -> tuple[list[Event], list[Puppet]]:
    events: list[Event] = []
    puppets: list[Puppet] = []

    def start(job: Job) -> Puppet:
        puppets.append(Puppet(job, answer))
        return puppets[-1]

    silence, _open = os.pipe()
    asked = request(*cells, model=entry("bert"), **limits)
    session = Session(
        asked,
        inbox=Inbox(silence),
        say=events.append,
        start=start,  # type: ignore[arg-type]
        devices=("cpu",),
        pid=os.getpid(),
    )
    session.run()
    os.close(silence)
    os.close(_open)
    return events, puppets


def too_slow(order: Order) -> Cell:
    return unmeasured(order.plan, device="cpu", threads=1, flags=("too-slow",), note="Too slow.")


def cells_of(events: list[Event]) -> dict[int, Cell]:
    told = [event for event in events if isinstance(event, Measured)]
    assert len({event.index for event in told}) == len(told), "a cell told twice"
    return {event.index: event.cell for event in told}


def test_a_model_is_built_once_for_each_dtype() -> None:
    mixed = plans() + plans(dtype="bfloat16") + plans(batches=(4,))
    events, puppets = heard(lambda order: fake_cell(order.plan), mixed)
    assert [puppet.job.dtype for puppet in puppets] == ["float32", "bfloat16"]
    assert [event.index for event in events if isinstance(event, Started)] == [0, 1, 4, 2, 3]
    assert all(puppet.killed for puppet in puppets)
    assert isinstance(events[-1], Finished)
    assert events[-1].parameters == 7


def test_a_slow_cell_is_tried_again_with_what_the_others_left_over() -> None:
    slow, *quick = plans(batches=(8, 1, 1, 1, 1, 1))

    def answer(order: Order) -> Cell:
        return too_slow(order) if order.index == 0 and order.limit_s < 9 else fake_cell(order.plan)

    events, _ = heard(answer, [slow, *quick], seconds_per_cell=10.0, seconds_total=12.0)
    assert cells_of(events)[0].median_s is not None
    assert [event.index for event in events if isinstance(event, Started)] == [0, 1, 2, 3, 4, 5, 0]


def test_a_cell_that_had_all_it_may_have_is_not_tried_again() -> None:
    events, _ = heard(too_slow, plans(batches=(1,)), seconds_per_cell=10.0, seconds_total=60.0)
    assert cells_of(events)[0].flags == ("too-slow",)
    assert len([event for event in events if isinstance(event, Started)]) == 1


def test_a_cell_that_is_too_slow_twice_is_told_once() -> None:
    events, _ = heard(too_slow, plans(batches=(1, 2, 3)), seconds_per_cell=50.0, seconds_total=60.0)
    assert {index: cell.flags for index, cell in cells_of(events).items()} == dict.fromkeys(range(3), ("too-slow",))
    assert len([event for event in events if isinstance(event, Started)]) <= 6


def test_a_second_attempt_in_another_dtype_builds_again() -> None:
    cells = plans(batches=(8,)) + plans(batches=(1,), dtype="bfloat16")
    seen: list[int] = []

    def answer(order: Order) -> Cell:
        seen.append(order.index)
        return too_slow(order) if order.index == 0 and seen.count(0) == 1 else fake_cell(order.plan)

    events, puppets = heard(answer, cells, seconds_per_cell=12.0, seconds_total=12.0)
    assert cells_of(events)[0].median_s is not None
    assert [puppet.job.dtype for puppet in puppets] == ["float32", "bfloat16", "float32"]

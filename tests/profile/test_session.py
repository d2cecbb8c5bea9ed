"""One request in the child, with workers that do as they are told and take no time."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

import pytest

from advisor.core.protocol import Event, Finished, Measured, Started
from advisor.core.sizing.effort import EFFORTS
from advisor.core.sizing.measurement import Cell, CellPlan, Effort, Flag, unmeasured
from advisor.profile.inbox import Inbox
from advisor.profile.orders import Built, Job, More, NotBuiltReply, Order, Outcome, Reply
from advisor.profile.session import Session
from tests.core.model.tiny_models import entry
from tests.fake_child import fake_cell, true_seconds
from tests.measuring import plans, request

Answer = Callable[[Order], Cell]
Unbuilt = Callable[[Job], Reply | None]
"""What the first worker says in place of its model; None where it dies."""
Times = Callable[[Order, int], float]
"""Seconds of one run of an order in the n-th worker."""


class Puppet:
    """A worker that has its reply ready at once."""

    def __init__(self, job: Job, answer: Answer, unbuilt: Unbuilt | None = None) -> None:
        self.job, self._answer = job, answer
        self.orders: list[Order] = []
        self._pipe = os.pipe()
        self._replies: list[Reply | None] = []
        self.killed = False
        self._say(Built(parameters=7) if unbuilt is None else unbuilt(job))

    def _say(self, reply: Reply | None) -> None:
        self._replies.append(reply)
        os.write(self._pipe[1], b".")

    def fileno(self) -> int:
        return self._pipe[0]

    def reply(self) -> Reply | None:
        os.read(self._pipe[0], 1)
        return self._replies.pop(0)

    def order(self, order: Order) -> None:
        self.orders.append(order)
        cell = self._answer(order)
        if order.more and cell.samples_s:
            self._say(More(index=order.index, samples_s=cell.samples_s[: order.more]))
        else:
            spoiled = "crashed" in cell.flags
            self._say(Outcome(index=order.index, cell=cell, first_run_s=0.01, spoiled=spoiled))

    def fate(self) -> tuple[tuple[Flag, ...], str]:
        return ("killed",), "It was killed."

    def cpu_seconds(self) -> float:
        return 0.0

    def kill(self) -> None:
        self.killed = True
        for end in self._pipe:
            os.close(end)


def heard(
    answer: Answer, cells: list[CellPlan], *, unbuilt: Unbuilt | None = None, **limits: Any
) -> tuple[list[Event], list[Puppet]]:
    events: list[Event] = []
    puppets: list[Puppet] = []

    def start(job: Job) -> Puppet:
        puppets.append(Puppet(job, answer, unbuilt if not puppets else None))
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


def of_layers(*counts: int | None, **change: Any) -> list[CellPlan]:
    """A cell of the model cut to each of these numbers of layers."""
    return [plan for layers in counts for plan in plans(layers=layers, batches=(1,), **change)]


def test_a_model_and_its_cuts_are_measured_in_one_process_with_most_layers_standing() -> None:
    cells = of_layers(3, 1, None, 2)
    events, puppets = heard(lambda order: fake_cell(order.plan), cells)
    assert [puppet.job.layers for puppet in puppets] == [None]
    assert [order.plan.layers for order in puppets[0].orders[:4]] == [3, 1, None, 2]
    assert events[-1].parameters == 7  # type: ignore[union-attr]
    events, puppets = heard(lambda order: fake_cell(order.plan), of_layers(1, 3, 2))
    assert [puppet.job.layers for puppet in puppets] == [3]
    assert events[-1].parameters is None, "nobody built the whole model"  # type: ignore[union-attr]


def test_cuts_that_are_turned_into_something_else_each_stand_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("advisor.profile.families._refusal", lambda *_: None)  # whatever is installed
    eight_bits = of_layers(3, 1, dtype="int8")
    _, puppets = heard(lambda order: fake_cell(order.plan), eight_bits)
    assert [puppet.job.layers for puppet in puppets] == [3, 1]


@pytest.mark.parametrize("how", ["refused", "died"])
def test_where_the_largest_cannot_stand_its_cells_alone_are_lost(how: str) -> None:
    cells = of_layers(3, 1, 2, None) + plans(layers=None, batches=(4,))

    def lost(job: Job) -> Reply | None:
        assert job.layers is None
        return NotBuiltReply(flag="out-of-memory", note="no room") if how == "refused" else None

    events, puppets = heard(lambda order: fake_cell(order.plan), cells, unbuilt=lost)
    told = cells_of(events)
    assert [told[index].median_s is not None for index in range(5)] == [True, True, True, False, False]
    assert {told[index].flags for index in (3, 4)} == {("out-of-memory",) if how == "refused" else ("killed",)}
    assert [puppet.job.layers for puppet in puppets] == [None, 3]
    started = [event.index for event in events if isinstance(event, Started)]
    assert sorted(started) == sorted(set(started)), "no cell is begun twice"


def test_a_worker_is_told_how_close_its_dtype_must_come_and_its_part_of_the_threads() -> None:
    shared = [plan.model_copy(update={"workers": 2}) for plan in plans(dtype="bfloat16")]
    limits = {"least_cosine": {"bfloat16": 0.99}, "threads": 4}
    _, puppets = heard(lambda order: fake_cell(order.plan), plans() + shared, **limits)
    jobs = [puppet.job for puppet in puppets]
    assert [(job.least_cosine, job.workers, job.threads) for job in jobs] == [(None, 1, 4), (0.99, 2, 2)]


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


OPEN: dict[str, Any] = {"latency_budget_s": None, "seconds_per_cell": 1e4, "seconds_total": 1e5}
"""No budget that decides: cells are sampled until their interval is narrow."""


def sampled(order: Order, *samples: float) -> Cell:
    """A visit that brought these samples, or the first of them as often as more were ordered."""
    taken = samples if not order.more else (samples * order.more)[: order.more]
    return fake_cell(order.plan).model_copy(update={"samples_s": taken, "median_s": samples[0], "samples": len(taken)})


NOISY = (0.2, 0.6, 0.2, 0.6, 0.2, 0.6)
STEADY = (0.2, 0.2, 0.2, 0.2, 0.2, 0.2)


def test_cells_are_visited_in_the_order_asked_for_and_those_in_doubt_again_in_random_rounds() -> None:
    cells = plans(batches=(1, 2, 3, 4, 5, 6, 7, 8))

    def answer(order: Order) -> Cell:
        return sampled(order, *(STEADY if order.plan.batch_size == 1 else NOISY))

    events, (puppet,) = heard(answer, cells, **OPEN)
    visits = [order.index for order in puppet.orders]
    assert visits[:8] == list(range(8))
    rounds = [visits[8 + 7 * number : 15 + 7 * number] for number in range(5)]
    assert [sorted(one) for one in rounds] == [list(range(1, 8))] * 5, "each in doubt once a round, up to 299"
    assert len({tuple(one) for one in rounds}) > 1, "always the same order"
    assert {cell.samples for index, cell in cells_of(events).items() if index} == {299}
    assert [event.index for event in events if isinstance(event, Started)] == list(range(8))


def test_the_rounds_are_the_same_for_the_same_seed() -> None:
    cells = plans(batches=(1, 2, 3, 4))

    def visits(seed: int) -> list[int]:
        _, (puppet,) = heard(lambda order: sampled(order, *NOISY), cells, **OPEN, seed=seed)
        return [order.index for order in puppet.orders]

    assert visits(1) == visits(1)
    assert visits(1) != visits(2)


def test_a_cell_is_told_as_soon_as_it_has_enough() -> None:
    told: list[int] = []

    def answer(order: Order) -> Cell:
        told.append(order.index)
        return sampled(order, *(NOISY if order.index == 0 else STEADY))

    events, _ = heard(answer, plans(batches=(1, 2)), **OPEN)
    assert [event.index for event in events if isinstance(event, Measured)] == [1, 0]


def test_cells_in_doubt_are_not_visited_beyond_their_time() -> None:
    events, (puppet,) = heard(
        lambda order: sampled(order, *NOISY), plans(batches=(1, 2)), **(OPEN | {"seconds_per_cell": 3.0})
    )
    assert len(puppet.orders) == 2
    for cell in cells_of(events).values():
        assert cell.flags == ("undecided",)
        assert cell.samples == 6


def test_more_effort_measures_in_as_many_fresh_processes_and_tells_each_cell_once() -> None:
    cells = plans() + plans(dtype="bfloat16")
    events, puppets = heard(lambda order: sampled(order, *STEADY), cells, **OPEN, effort="standard")
    assert [puppet.job.dtype for puppet in puppets] == ["float32"] * 3 + ["bfloat16"] * 3
    for cell in cells_of(events).values():
        assert (cell.processes, cell.ci_method) == (3, "student-t")
        assert cell.process_medians_s == (0.2, 0.2, 0.2)
        assert cell.samples >= 59
        assert cell.flags == ()


def test_the_figure_of_several_processes_is_that_of_no_single_one() -> None:
    count: dict[str, int] = {}

    def answer(order: Order) -> Cell:
        if not order.more:
            count[order.plan.dtype] = count.get(order.plan.dtype, 0) + 1
        return sampled(order, 0.2 * (1.0, 1.3, 0.9)[count[order.plan.dtype] - 1])

    def first(order: Order) -> Cell:
        cell = answer(order)
        return cell if order.more else cell.model_copy(update={"samples_s": (cell.median_s,) * 6})

    events, _ = heard(first, plans(batches=(1,)), **OPEN, effort="standard")
    cell = cells_of(events)[0]
    assert cell.process_medians_s == pytest.approx((0.2, 0.26, 0.18))
    assert cell.median_s == pytest.approx(0.2)
    assert cell.flags == ("undecided",)


def test_a_cell_that_crashes_in_a_later_process_keeps_its_samples_and_says_so() -> None:
    visits: list[int] = []

    def answer(order: Order) -> Cell:
        visits.append(order.index)
        if order.index == 1 and visits.count(1) == 2:
            return unmeasured(order.plan, device="cpu", threads=1, flags=("crashed",), note="It fell over.")
        return sampled(order, *(0.5,) * 6)

    events, puppets = heard(answer, plans(batches=(1, 2, 3)), **(OPEN | {"latency_budget_s": 1e-9}), effort="standard")
    cells = cells_of(events)
    assert cells[1].flags == ("crashed", "undecided")
    assert cells[1].process_medians_s == (0.5,)
    assert "It fell over." in (cells[1].note or "")
    assert [cells[index].processes for index in (0, 2)] == [3, 3]
    assert len(puppets) == 4, "one more for the process that ended early"


def test_what_a_process_had_begun_when_it_ended_is_measured_anew_in_the_next() -> None:
    visits: list[int] = []

    def answer(order: Order) -> Cell:
        visits.append(order.index)
        if order.index == 1:
            return unmeasured(order.plan, device="cpu", threads=1, flags=("crashed",), note="It fell over.")
        return sampled(order, *((0.01,) * 6 if visits.count(0) == 1 else (0.3,) * 6))

    events, puppets = heard(answer, plans(batches=(1, 2)), **OPEN)
    assert visits == [0, 1, 0]
    assert len(puppets) == 2
    assert cells_of(events)[0].samples_s == (0.3,) * 6
    assert cells_of(events)[1].flags == ("crashed",)
    assert [event.index for event in events if isinstance(event, Started)] == [0, 1]


class Hands:
    """A clock that moves only when a worker runs."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


def working(clock: Hands, source: random.Random, spread: float) -> Answer:
    """A worker on that clock: a first visit warms up for half a second, each run differs by up to `spread`."""

    def answer(order: Order) -> Cell:
        true_s = 10 * true_seconds(order.plan)
        samples = [true_s * source.uniform(1 - spread, 1 + spread) for _ in range(order.more or 6)]
        idle = 2 * true_s if order.more else max(0.5, 2 * true_s)
        clock.now += idle + sum(samples)
        return sampled(order.model_copy(update={"more": 0}), *samples)

    return answer


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("spread", [0.01, 0.3, 0.9])
def test_the_time_of_a_request_is_kept_and_no_cell_goes_without(
    monkeypatch: pytest.MonkeyPatch, effort: Effort, spread: float
) -> None:
    clock, total = Hands(), 44.0 * EFFORTS[effort].time_factor
    monkeypatch.setattr("advisor.profile.session.time", clock)
    monkeypatch.setattr("advisor.profile.listening.time", clock)
    cells = [plan for tokens in (16, 32, 64) for plan in plans(batches=(1, 4, 8, 16), input_tokens=tokens)]
    limits = {"seconds_per_cell": total / 3, "seconds_total": total, "latency_budget_s": None}
    events, _ = heard(working(clock, random.Random(5), spread), cells, **limits, effort=effort)
    assert clock.now <= total
    for cell in cells_of(events).values():
        assert cell.processes == EFFORTS[effort].processes
        assert ("undecided" in cell.flags) == (cell.more_samples is not None)
    if spread == 0.01:
        assert not any(cell.flags for cell in cells_of(events).values())
    if spread == 0.01 and effort == "thorough":
        assert all(cell.p99_s is not None for cell in cells_of(events).values())

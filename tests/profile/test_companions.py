"""Workers beside the one that is timed: they run while it does, and end with it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psutil
import pytest
import pytest_asyncio

from advisor.core.protocol import Event, Measured, Started
from advisor.core.sizing.measurement import CellPlan
from advisor.run import Child
from tests.core.model.tiny_models import entry
from tests.measuring import children_of, hear, plans, request, wait_until

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def child(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Child]:
    async with await Child.start(lock_path=tmp_path_factory.mktemp("machine") / "lock") as started:
        yield started


def with_two(cells: list[CellPlan]) -> list[CellPlan]:
    return [plan.model_copy(update={"workers": 2}) for plan in cells]


async def test_two_workers_run_at_once_with_half_the_threads_and_serve_for_both(child: Child) -> None:
    beside: list[int] = []

    def look(event: Event) -> None:
        if isinstance(event, Measured) and child.pid is not None:
            beside.extend(len(children_of(worker)) for worker in children_of(child.pid))

    cells = with_two(plans("forward") + plans("embed"))
    heard = await hear(child, request(*cells, threads=2), look)
    for index, plan in enumerate(cells):
        cell = heard.cells[index]
        assert (cell.workers, cell.threads) == (2, 1)
        assert cell.median_s is not None
        assert cell.throughput_per_s == pytest.approx(2 * plan.batch_size / cell.median_s)
    assert beside[0] == 1, "nobody worked beside the worker that was timed"


async def test_steps_of_two_decoders_run_at_once(child: Child) -> None:
    cells = with_two(plans("prefill") + plans("decode", context_tokens=16))
    heard = await hear(child, request(*cells, threads=2, model=entry("gpt2")))
    assert all(heard.cells[index].median_s is not None for index in range(len(cells)))


async def test_whoever_works_beside_a_worker_ends_with_it(child: Child) -> None:
    found: list[int] = []

    def kill(event: Event) -> None:
        if isinstance(event, Started) and event.index == 1 and child.pid is not None:
            (worker,) = children_of(child.pid)
            found.extend(children_of(worker))
            psutil.Process(worker).kill()

    heard = await hear(child, request(*with_two(plans("forward", batches=(1, 2, 3))), threads=2), kill)
    assert len(found) == 1
    wait_until(lambda: not psutil.pid_exists(found[0]), "the end of the one beside")
    assert heard.flags(1) == ("killed",)
    assert heard.cells[2].median_s is not None

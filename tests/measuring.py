"""Requests for children, fake and real, and what came of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from advisor.core.model.entry import ModelEntry
from advisor.core.protocol import Event, Failed, Finished, Measure, Measured, Started, Waiting
from advisor.core.sizing.measurement import Cell, CellPlan
from advisor.run import Child
from tests.core.model.tiny_models import entry

LIVENESS_SECONDS = 60.0
"""No figure: only how long a test waits before it says that something will never happen."""


def plans(
    stage: Any = "forward", *, batches: tuple[int, ...] = (1, 2), dtype: Any = "float32", **more: Any
) -> list[CellPlan]:
    """A cell for each batch size; whole passes read 8 tokens unless told otherwise."""
    lengths = {"input_tokens": None if stage == "decode" else 8} | more
    return [CellPlan(stage=stage, dtype=dtype, batch_size=batch, **lengths) for batch in batches]


def request(*cells: CellPlan, model: ModelEntry | None = None, number: int = 1, **more: Any) -> Measure:
    """A request with limits that a busy machine keeps, one thread that it can spare, and no more samples than six.

    The budget is missed for certain, which ends sampling at the first planned size.
    """
    limits: dict[str, Any] = {
        "seconds_per_cell": 60.0,
        "seconds_total": 600.0,
        "memory_limit_bytes": 16 * 2**30,
        "threads": 1,
        "latency_budget_s": 1e-9,
    }
    return Measure(id=number, model=model or entry("bert"), cells=cells, **(limits | more))


@dataclass
class Heard:
    """Everything one request was answered with."""

    cells: dict[int, Cell] = field(default_factory=dict)
    started: list[int] = field(default_factory=list)
    waited: list[int | None] = field(default_factory=list)
    finished: Finished | None = None
    failed: Failed | None = None

    def flags(self, index: int) -> tuple[str, ...]:
        return self.cells[index].flags

    def note(self, index: int) -> str:
        return self.cells[index].note or ""


async def hear(child: Child, asked: Measure, on_event: Callable[[Event], object] = lambda event: None) -> Heard:
    """Measure, and hold the parent's promises: one event for each cell, the end last and once."""
    heard = Heard()
    async for event in child.measure(asked):
        assert heard.finished is None, "an event after the last one"
        assert heard.failed is None, "an event after a failure"
        if isinstance(event, Measured):
            assert event.index not in heard.cells, "a cell told twice"
            heard.cells[event.index] = event.cell
        elif isinstance(event, Started):
            heard.started.append(event.index)
        elif isinstance(event, Waiting):
            heard.waited.append(event.holder_pid)
        elif isinstance(event, Finished):
            heard.finished = event
        elif isinstance(event, Failed):
            heard.failed = event
        result = on_event(event)
        if hasattr(result, "__await__"):
            await result
    assert (heard.finished is None) != (heard.failed is None)
    if heard.finished is not None:
        assert sorted(heard.cells) == list(range(len(asked.cells)))
    return heard


def children_of(pid: int) -> list[int]:
    """Processes started by a process, as the kernel lists them."""
    words = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(word) for word in words]


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition outside of any event loop."""
    until = time.monotonic() + LIVENESS_SECONDS
    while not condition():
        assert time.monotonic() < until, f"never happened: {what}"
        time.sleep(0.02)


ROOT = Path(__file__).resolve().parents[1]


def environment(**more: str) -> dict[str, str]:
    """This environment, in which `tests` can be imported too."""
    return os.environ | {"PYTHONPATH": str(ROOT)} | more

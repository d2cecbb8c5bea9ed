"""The questionnaire driven without a terminal: real rules and models, a child that measures known functions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from advisor import advise
from advisor.advise import Knowledge
from advisor.core.errors import AdvisorError
from advisor.core.protocol import Finished, Measure, Measured, Ready, Started
from advisor.core.report import Report
from advisor.core.sizing.measurement import unmeasured
from advisor.core.workload import Answers
from advisor.tui.app import AdvisorApp
from advisor.tui.progress import Event
from advisor.tui.reading import Reading
from tests.fake_child import FAKE_MACHINE, fake_cell

LIVENESS_SECONDS = 30.0


@dataclass
class StubChild:
    """A child that lives in this process. It stops before cell `hold_at` until let go or cancelled."""

    hold_at: int | None = None
    refuses: str | None = None
    requests: list[Measure] = field(default_factory=list)
    cancelled: bool = False
    closed: bool = False
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def ready(self) -> Ready:
        if self.refuses:
            raise AdvisorError(self.refuses, fix="pip install 'archadvisor[profile]'")
        return Ready(machine=FAKE_MACHINE, pid=1, forks=True)

    async def measure(self, request: Measure, *_: object) -> AsyncIterator[Event]:
        self.requests.append(request)
        for index, plan in enumerate(request.cells):
            if not self.cancelled:
                yield Started(id=request.id, index=index, plan=plan)
            if index == self.hold_at:
                await self.go.wait()
            cell = fake_cell(plan)
            if self.cancelled:
                cell = unmeasured(plan, device="cpu", threads=2, flags=("cancelled",), note="Cancelled.")
            yield Measured(id=request.id, index=index, cell=cell)
        yield Finished(id=request.id, parameters=None, cancelled=self.cancelled, wall_s=0.1)

    async def cancel(self) -> None:
        self.cancelled = True
        self.go.set()

    async def close(self) -> None:
        self.closed = True


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    return advise.load_knowledge()


TICKETS = Answers(
    task="text-classification", requests_per_second=200.0, latency_budget_ms=50.0, labelled_examples=20000
)


@pytest.fixture(scope="session")
def report(knowledge: Knowledge) -> Report:
    """A whole report, made once from the known functions."""
    advised = advise.recommendation(TICKETS, knowledge)
    made = asyncio.run(advise.measure_and_plan(advised, knowledge, StubChild()))
    # How long this took is the one figure of the stub that is not known beforehand.
    return made.model_copy(update={"profiles": tuple(one.model_copy(update={"wall_s": 3.0}) for one in made.profiles)})


@dataclass
class Opened:
    """An open app, its pilot and its child."""

    app: AdvisorApp
    pilot: Pilot[int]
    child: StubChild

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        await self.pilot.press(*text)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for a condition. The time is only there so that a test that cannot pass ends."""
        ends = time.monotonic() + LIVENESS_SECONDS
        while not condition():
            assert time.monotonic() < ends, f"never came true on {self.app.screen}"
            await self.pilot.pause(0.02)

    async def show(self, screen: type[object]) -> None:
        await self.until(lambda: isinstance(self.app.screen, screen) and self.app.screen.is_mounted)
        await self.pilot.pause()

    def words(self) -> str:
        """Everything the screen could show, scrolled or not, as one text without line breaks."""
        texts = [
            widget.written(widget.content_size.width or 60).plain
            for widget in self.app.screen.query(Reading)
            if widget.display
        ]
        texts += [str(widget.render()) for widget in self.app.screen.query(Static) if widget.display]
        return " ".join(" ".join(texts).split())

    def painted(self) -> list[str]:
        """The screen as a terminal shows it, line by line."""
        size = self.app.size
        return ["".join(segment.text for segment in strip) for strip in self.app.screen._compositor.render_strips(size)]


Open = Callable[..., AbstractAsyncContextManager[Opened]]


@pytest.fixture
def opened(knowledge: Knowledge) -> Open:
    """Open the app: `async with opened(answers, child=…, size=…) as it`."""

    @asynccontextmanager
    async def go(
        answers: Answers | None = None,
        *,
        child: StubChild | None = None,
        size: tuple[int, int] = (80, 24),
        knows: Knowledge = knowledge,
    ) -> AsyncIterator[Opened]:
        made = child or StubChild()

        async def start() -> StubChild:
            return made

        app = AdvisorApp(knows, answers, start)  # type: ignore[arg-type]
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            yield Opened(app, pilot, made)

    return go

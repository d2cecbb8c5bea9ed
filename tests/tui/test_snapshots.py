"""Looks. The child is a stub of known functions, so no real figure is in a picture."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from advisor.advise import Knowledge
from advisor.core.report import Report
from advisor.core.workload import Answers
from advisor.tui.app import AdvisorApp
from advisor.tui.describe import DescribeScreen
from advisor.tui.theme import LIGHT
from advisor.tui.topbar import TopBar
from advisor.tui.verdict import VerdictScreen
from tests.tui.conftest import TICKETS, StubChild

Compare = Callable[..., bool]
SMALL, LARGE = (80, 24), (120, 36)


@pytest.fixture
def app(knowledge: Knowledge) -> Callable[[Answers | None], AdvisorApp]:
    def made(answers: Answers | None = TICKETS) -> AdvisorApp:
        async def start() -> Any:
            return StubChild()

        return AdvisorApp(knowledge, answers, start)

    return made


def ready(*, light: bool = False, report: Report | None = None) -> Callable[[Pilot[int]], Awaitable[None]]:
    """Wait for the child, then go to the screen that is looked at."""

    async def go(pilot: Pilot[int]) -> None:
        app = pilot.app
        if light:
            app.theme = LIGHT.name
        describe = next((screen for screen in app.screen_stack if isinstance(screen, DescribeScreen)), None)
        while describe is None or describe.query_one(TopBar)._status[0] != "ready to measure":
            await pilot.pause(0.02)
            describe = next((screen for screen in app.screen_stack if isinstance(screen, DescribeScreen)), None)
        if report is not None:
            app.push_screen(VerdictScreen(report))
        await pilot.pause()

    return go


def test_the_tasks_in_the_dark(snap_compare: Compare, app: Callable[..., AdvisorApp]) -> None:
    assert snap_compare(app(None), terminal_size=SMALL, run_before=ready())


def test_the_questions_in_the_dark(snap_compare: Compare, app: Callable[..., AdvisorApp]) -> None:
    assert snap_compare(app(), terminal_size=SMALL, run_before=ready())


def test_the_questions_in_the_light(snap_compare: Compare, app: Callable[..., AdvisorApp]) -> None:
    assert snap_compare(app(), terminal_size=LARGE, run_before=ready(light=True))


def test_the_questions_on_the_smallest_screen(snap_compare: Compare, app: Callable[..., AdvisorApp]) -> None:
    assert snap_compare(app(), terminal_size=(60, 20), run_before=ready())


def test_the_verdict_in_the_dark(snap_compare: Compare, app: Callable[..., AdvisorApp], report: Report) -> None:
    assert snap_compare(app(), terminal_size=SMALL, run_before=ready(report=report))


def test_the_verdict_in_the_light(snap_compare: Compare, app: Callable[..., AdvisorApp], report: Report) -> None:
    assert snap_compare(app(), terminal_size=LARGE, run_before=ready(light=True, report=report))


def test_the_verdict_without_colour(
    snap_compare: Compare, app: Callable[..., AdvisorApp], report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(app(), terminal_size=SMALL, run_before=ready(report=report))

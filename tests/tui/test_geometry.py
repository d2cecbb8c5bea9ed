"""Nothing is out of reach and nothing is cut, from 60×20 upwards, and after every resize."""

from __future__ import annotations

import pytest
from textual.geometry import Region, Size
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from advisor.core.report import Report
from advisor.core.workload import Answers
from advisor.tui.chart import Chart
from advisor.tui.describe import DescribeScreen, Row
from advisor.tui.fields import ChoiceField
from advisor.tui.help import HelpScreen
from advisor.tui.measure import MeasureScreen
from advisor.tui.reading import Pane, Reading
from advisor.tui.save import SaveScreen
from advisor.tui.task import TaskScreen
from advisor.tui.verdict import VerdictScreen
from tests.tui.conftest import TICKETS, Open, Opened, StubChild

SIZES = [(60, 20), (80, 24), (120, 36)]
EVERYTHING = Answers(
    task="translation",
    requests_per_second=5.0,
    latency_budget_ms=500.0,
    first_token_budget_ms=100.0,
    input_tokens_max=512,
    output_tokens_max=256,
    labelled_examples=10,
    memory_limit_gib=8.0,
    replica_cost_per_hour=1.5,
)


def screen_region(it: Opened) -> Region:
    return Region(0, 0, *it.app.size)


async def assert_footer_is_whole(it: Opened) -> None:
    """All keys in view. Textual takes them away and puts them back whenever other keys count."""

    def whole() -> bool:
        keys = list(it.app.screen.query_one(Footer).query(FooterKey))
        return bool(keys) and all(key.region in screen_region(it) for key in keys)

    await it.until(whole)


@pytest.mark.parametrize("size", SIZES)
async def test_every_question_can_be_reached_and_read(opened: Open, size: tuple[int, int]) -> None:
    async with opened(EVERYTHING, size=size) as it:
        rows = [row for row in it.app.screen.query(Row) if row.display]
        assert len(rows) > 15
        for row in rows:
            row.field.focus()
            pane = it.app.screen.query_one("#questions", Pane)
            await it.until(lambda row=row, pane=pane: row.field.region in pane.region)
            field = row.field.region
            if isinstance(row.field, ChoiceField):
                assert row.field.content_size.width >= row.field.get_content_width(Size(*size), Size(*size))
            else:
                assert field.width >= 12
        await assert_footer_is_whole(it)


@pytest.mark.parametrize("size", SIZES)
async def test_all_of_the_advice_can_be_scrolled_to(opened: Open, size: tuple[int, int]) -> None:
    async with opened(TICKETS, size=size) as it:
        reading = it.app.screen.query_one("#advice-text", Reading)
        reading.focus()
        await it.pilot.pause()
        await assert_scrolls_through(it, reading)


@pytest.mark.parametrize("size", SIZES)
async def test_all_of_the_verdict_can_be_scrolled_to(opened: Open, report: Report, size: tuple[int, int]) -> None:
    async with opened(TICKETS, size=size) as it:
        it.app.push_screen(VerdictScreen(report))
        await it.show(VerdictScreen)
        await assert_scrolls_through(it, it.app.screen.query_one("#report", Reading))
        await assert_footer_is_whole(it)


@pytest.mark.parametrize("size", SIZES)
async def test_all_of_the_measurement_can_be_scrolled_to(opened: Open, size: tuple[int, int]) -> None:
    async with opened(TICKETS, size=size, child=StubChild(hold_at=11)) as it:
        it.app.screen.query_one("#measure").focus()
        await it.press("m")
        await it.show(MeasureScreen)
        await it.until(lambda: it.app.screen.query_one(Chart).display)
        pane, chart = it.app.screen.query_one("#measuring", Pane), it.app.screen.query_one(Chart)
        for _ in range(40):
            await it.press("down")
        await it.until(lambda: pane.scroll_offset.y == pane.max_scroll_y)
        assert chart.region.bottom <= pane.region.bottom
        await assert_footer_is_whole(it)
        it.child.go.set()
        await it.show(VerdictScreen)


@pytest.mark.parametrize("size", SIZES)
async def test_every_dialog_fits(opened: Open, report: Report, size: tuple[int, int]) -> None:
    async with opened(TICKETS, size=size) as it:
        for screen in (TaskScreen("chat"), HelpScreen([("q", "Quit")] * 20), SaveScreen(report)):
            it.app.push_screen(screen)
            await it.show(type(screen))
            for widget in screen.children:
                assert widget.region in screen_region(it)
            await assert_footer_is_whole(it)
            it.app.pop_screen()
            await it.pilot.pause()


async def test_all_tasks_can_be_reached_on_the_smallest_screen(opened: Open) -> None:
    async with opened(size=(60, 20)) as it:
        await it.show(TaskScreen)
        for _ in range(18):
            await it.press("down")
        await it.until(lambda: any("retrieval-augmented-generation" in line for line in it.painted()))
        await it.press("enter")
        await it.show(DescribeScreen)
        await it.until(lambda: it.app.screen.checked.answers is not None)
        assert it.app.screen.checked.answers.task == "retrieval-augmented-generation"


async def test_a_resize_keeps_answers_focus_and_everything_in_view(opened: Open) -> None:
    async with opened(EVERYTHING, size=(120, 36)) as it:
        field = it.app.screen.query_one("#row-input_tokens", Row).field
        field.focus()
        for size in ((60, 20), (200, 60), (80, 24)):
            await it.pilot.resize_terminal(*size)
            await it.until(lambda: field.region in it.app.screen.query_one("#questions", Pane).region)
            assert it.app.focused is field
            assert it.app.screen.checked.answers == EVERYTHING
            assert it.app.screen.query_one("#advice-text").region.width > 20


async def test_a_tiny_terminal_does_not_end_the_app(opened: Open) -> None:
    async with opened(EVERYTHING, size=(80, 24)) as it:
        for size in ((1, 1), (10, 3), (30, 8), (80, 24)):
            await it.pilot.resize_terminal(*size)
            await it.pilot.pause()
        assert it.app.screen.checked.answers == EVERYTHING


async def assert_scrolls_through(it: Opened, reading: Reading) -> None:
    """By arrows alone, from the first line to the last, each line painted at its full length."""
    lines = reading.written(reading.content_size.width).plain.split("\n")
    assert all(len(line) <= reading.content_size.width for line in lines)
    pane = next(node for node in reading.ancestors if isinstance(node, Pane))
    seen = "".join(it.painted())
    while pane.scroll_offset.y < pane.max_scroll_y:
        before = pane.scroll_offset.y
        await it.press("right")
        await it.until(lambda before=before: pane.scroll_offset.y > before)
        await it.pilot.pause()
        seen += "".join(it.painted())
    for line in lines:
        assert line.strip() in seen

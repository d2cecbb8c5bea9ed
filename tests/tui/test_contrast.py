"""Every painted word has a contrast of at least 4.5 : 1 on its ground, in both themes; NO_COLOR paints no colour."""

from __future__ import annotations

import pytest
from rich.segment import Segment
from textual.color import Color

from advisor.core.report import Report
from advisor.tui.chart import Chart
from advisor.tui.describe import DescribeScreen, Row
from advisor.tui.help import HelpScreen
from advisor.tui.measure import MeasureScreen
from advisor.tui.save import SaveScreen
from advisor.tui.task import TaskScreen
from advisor.tui.theme import THEMES
from advisor.tui.verdict import VerdictScreen
from tests.tui.conftest import TICKETS, Open, Opened, StubChild
from tests.tui.test_verdict import missing_budget

LEAST = 4.5


def segments(it: Opened) -> list[Segment]:
    strips = it.app.screen._compositor.render_strips(it.app.size)
    return [segment for strip in strips for segment in strip]


def contrast(one: Color, other: Color) -> float:
    """The ratio of relative luminances. Source: WCAG 2.2."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: Color) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color.normalized]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def faint(it: Opened) -> list[str]:
    """Words painted with too little contrast. Lines of boxes and scrollbars are no words."""
    found = []
    for segment in segments(it):
        words = "".join(char for char in segment.text if char.isalnum() or char in "✓✗!?·•[]")
        if not words or segment.style is None or segment.style.color is None or segment.style.bgcolor is None:
            continue
        ink, ground = Color.from_rich_color(segment.style.color), Color.from_rich_color(segment.style.bgcolor)
        if segment.style.dim:
            ink = ink.blend(ground, 0.5)
        if contrast(ink, ground) < LEAST:
            found.append(f"{segment.text.strip()!r}: {ink.hex} on {ground.hex}")
    return found


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
async def test_every_word_on_every_screen_can_be_read(opened: Open, report: Report, theme: str) -> None:
    async with opened(TICKETS, child=StubChild(hold_at=7)) as it:
        it.app.theme = theme
        it.app.screen.query_one("#row-input_tokens", Row).field.focus()
        await it.type("1x")
        await it.pilot.pause()
        assert isinstance(it.app.screen, DescribeScreen)
        assert faint(it) == []
        for row in it.app.screen.query(Row):
            if row.display:
                row.field.focus()
                await it.pilot.pause()
                assert faint(it) == []
        it.app.screen.query_one("#row-input_tokens", Row).field.value = ""
        it.app.screen.query_one("#measure").focus()
        await it.pilot.pause()
        assert faint(it) == []
        await it.press("m")
        await it.show(MeasureScreen)
        await it.until(lambda: it.app.screen.query_one(Chart).display)
        await it.pilot.pause()
        assert faint(it) == []
        it.child.go.set()
        await it.show(VerdictScreen)
        assert faint(it) == []
        for screen in (
            VerdictScreen(missing_budget(report)), TaskScreen("chat"), SaveScreen(report), HelpScreen([("q", "Quit")]),
        ):  # fmt: skip
            it.app.push_screen(screen)
            await it.show(type(screen))
            assert faint(it) == []
            it.app.pop_screen()
            await it.pilot.pause()


def test_the_measure_of_contrast_is_the_one_of_the_accessibility_guidelines() -> None:
    white = Color.parse("#ffffff")
    assert contrast(Color.parse("#000000"), white) == pytest.approx(21.0)
    assert contrast(Color.parse("#777777"), white) == pytest.approx(4.478, abs=0.001)


async def test_no_color_paints_in_the_terminals_own_two_colours(
    opened: Open, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(TICKETS) as it:
        it.app.push_screen(VerdictScreen(report))
        await it.show(VerdictScreen)
        from textual.filter import NoColor

        active = it.app.get_line_filters()
        assert any(isinstance(one, NoColor) for one in active)
        for segment in segments(it):
            if segment.style is not None:
                assert segment.style.color is None or segment.style.color.is_default, segment
                assert segment.style.bgcolor is None or segment.style.bgcolor.is_default, segment


async def test_without_colour_the_focus_can_still_be_seen(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(TICKETS) as it:
        for answer in ("task", "requests_per_second", "priority"):
            if not it.app.screen.query_one(f"#row-{answer}", Row).display:
                continue
            it.app.screen.query_one(f"#row-{answer}", Row).field.focus()
            await it.pilot.pause()
            assert any(segment.style is not None and segment.style.reverse for segment in segments(it)), answer

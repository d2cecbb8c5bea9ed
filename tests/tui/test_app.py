"""The application: ways out, help, themes, and a child that comes and goes."""

from __future__ import annotations

import pytest

from advisor.core.errors import EXIT_DONE, EXIT_INTERRUPTED
from advisor.tui.describe import DescribeScreen, Row
from advisor.tui.help import HelpScreen
from advisor.tui.measure import MeasureScreen
from advisor.tui.task import TaskScreen
from advisor.tui.topbar import TopBar
from advisor.tui.verdict import VerdictScreen
from tests.tui.conftest import TICKETS, Open, Opened, StubChild


def footer(it: Opened) -> str:
    return it.painted()[-1]


async def leave_field(it: Opened) -> None:
    it.app.screen.query_one("#measure").focus()
    await it.pilot.pause()


@pytest.mark.parametrize(("key", "code"), [("q", EXIT_DONE), ("ctrl+c", EXIT_INTERRUPTED)])
async def test_both_ways_out_end_the_child_and_give_their_code(opened: Open, key: str, code: int) -> None:
    async with opened(TICKETS) as it:
        await leave_field(it)
        await it.press(key)
        await it.until(lambda: it.child.closed)
        await it.until(lambda: it.app.return_value == code)


async def test_ctrl_c_leaves_from_inside_a_field(opened: Open) -> None:
    async with opened(TICKETS) as it:
        it.app.screen.query_one("#row-input_tokens", Row).field.focus()
        await it.pilot.pause()
        await it.until(lambda: "^c Quit" in footer(it))
        await it.press("q")
        assert it.app.screen.query_one("#row-input_tokens", Row).field.said == "q"
        await it.press("ctrl+c")
        await it.until(lambda: it.app.return_value == EXIT_INTERRUPTED)


async def test_ctrl_c_while_measuring_stops_the_measurement_first(opened: Open) -> None:
    async with opened(TICKETS, child=StubChild(hold_at=2)) as it:
        await leave_field(it)
        await it.press("m")
        await it.show(MeasureScreen)
        await it.until(lambda: "2 cells measured" in it.words())
        await it.press("ctrl+c")
        await it.until(lambda: it.app.return_value == EXIT_INTERRUPTED)
        assert it.child.cancelled
        assert it.child.closed
        assert it.app.unseen is not None
        cells = [cell for profile in it.app.unseen.profiles for cell in profile.cells]
        assert sum(cell.median_s is not None for cell in cells) == 2


class Deaf(StubChild):
    """A child that is told to stop and does not."""

    async def cancel(self) -> None:
        self.cancelled = True


async def test_a_second_ctrl_c_waits_for_nothing(opened: Open) -> None:
    async with opened(TICKETS, child=Deaf(hold_at=2)) as it:
        await leave_field(it)
        await it.press("m")
        await it.show(MeasureScreen)
        await it.press("ctrl+c")
        await it.until(lambda: it.child.cancelled)
        assert it.app.return_value is None
        await it.press("ctrl+c")
        await it.until(lambda: it.app.return_value == EXIT_INTERRUPTED)


async def test_ctrl_c_under_help_shows_that_the_measurement_stops(opened: Open) -> None:
    async with opened(TICKETS, child=Deaf(hold_at=2)) as it:
        await leave_field(it)
        await it.press("m")
        await it.show(MeasureScreen)
        await it.press("question_mark")
        await it.show(HelpScreen)
        await it.press("ctrl+c")
        await it.until(lambda: "Stopping; what is measured stays." in it.words())
        await it.press("ctrl+c")
        await it.until(lambda: it.app.return_value == EXIT_INTERRUPTED)


async def test_the_way_out_is_on_every_screen(opened: Open) -> None:
    async with opened(child=StubChild(hold_at=1)) as it:
        await it.show(TaskScreen)
        await it.until(lambda: "Quit" in footer(it))
        await it.press("enter")
        await it.show(DescribeScreen)
        await it.pilot.pause()
        await it.until(lambda: "Quit" in footer(it))
        await leave_field(it)
        await it.until(lambda: "Quit" in footer(it))
        await it.press("question_mark")
        await it.show(HelpScreen)
        await it.until(lambda: "Quit" in footer(it))
        await it.press("escape")
        await it.show(DescribeScreen)
        await it.press("m")
        await it.show(MeasureScreen)
        await it.until(lambda: "Quit" in footer(it))
        await it.press("escape")
        await it.show(VerdictScreen)
        await it.until(lambda: "Quit" in footer(it))
        await it.press("s")
        await it.pilot.pause()
        await it.until(lambda: "Quit" in footer(it))


async def test_help_tells_every_live_key_of_the_screen_it_was_asked_on(opened: Open) -> None:
    async with opened(TICKETS) as it:
        await leave_field(it)
        live = {active.binding.description for active in it.app.screen.active_bindings.values() if active.binding.id}
        await it.press("question_mark")
        await it.show(HelpScreen)
        assert {"Measure", "Help", "Quit", "Light or dark"} <= live
        assert all(description in it.words() for description in live)
        await it.press("question_mark")
        await it.show(DescribeScreen)


async def test_our_bindings_are_letters_and_plain_keys_with_ids_and_few_in_the_footer(opened: Open) -> None:
    plain = {"enter", "escape", "tab", "shift+tab", "up", "down", "left", "right", "question_mark", "ctrl+c"}
    async with opened(TICKETS) as it:
        for number, screen in enumerate([it.app.screen, HelpScreen([]), TaskScreen("")]):
            if number:
                it.app.push_screen(screen)
                await it.pilot.pause()
            ours = [active.binding for active in screen.active_bindings.values() if active.binding.id]
            assert all(len(binding.key) == 1 or binding.key in plain for binding in ours)
            shown = [active.binding for active in screen.active_bindings.values() if active.binding.show]
            assert 1 <= len(shown) <= 5
            assert all(binding.id for binding in shown)


async def test_the_theme_is_changed_with_a_key(opened: Open) -> None:
    async with opened(TICKETS) as it:
        await leave_field(it)
        assert it.app.current_theme.dark
        await it.press("t")
        assert not it.app.current_theme.dark
        await it.press("t")
        assert it.app.current_theme.dark


async def test_nothing_is_animated(opened: Open) -> None:
    async with opened(TICKETS) as it:
        assert it.app.animation_level == "none"


async def test_the_palette_offers_what_the_keys_do(opened: Open) -> None:
    async with opened(TICKETS) as it:
        titles = {command.title for command in it.app.get_system_commands(it.app.screen)}
        assert titles == {"Light or dark", "Help", "Quit", "Measure"}
        await leave_field(it)
        await it.press("p")
        await it.until(lambda: type(it.app.screen).__name__ == "CommandPalette")


async def test_the_child_is_started_with_the_app_and_its_readiness_is_shown(opened: Open) -> None:
    async with opened(TICKETS) as it:
        await it.until(lambda: "ready to measure" in it.painted()[0])


async def test_a_child_that_cannot_be_started_is_a_sentence_not_a_traceback(opened: Open) -> None:
    class Exploding(StubChild):
        async def ready(self):
            raise RuntimeError("no [red]such[/red] thing")

    async with opened(TICKETS, child=Exploding()) as it:
        await it.until(lambda: it.app.child_problem)
        await it.pilot.pause()
        assert "no [red]such[/red] thing" in it.words()
        assert it.app.screen.query_one(TopBar).display
        assert it.app.return_code is None


async def test_measuring_before_the_child_is_warm_waits_for_it(opened: Open) -> None:
    import asyncio

    warm = asyncio.Event()

    class Slow(StubChild):
        async def ready(self):
            await warm.wait()
            return await super().ready()

    async with opened(TICKETS, child=Slow()) as it:
        await leave_field(it)
        await it.press("m")
        await it.show(MeasureScreen)
        assert it.child.requests == []
        assert "starting" in it.words()
        warm.set()
        await it.show(VerdictScreen)
        assert it.child.requests

"""Rules, models and messages are data: whatever stands in them is shown, never obeyed."""

from __future__ import annotations

from typing import Any

from advisor import advise
from advisor.advise import Knowledge
from advisor.core.guide.recommendation import Recommendation
from advisor.core.report import Report
from advisor.tui.verdict import VerdictScreen
from tests.tui.conftest import TICKETS, Open, Opened, StubChild

HOSTILE = (
    "[red]R[/red] [link=http://e.example]L[/link] [@click=app.quit]C[/] \x1b]52;c;aGk=\x07\x9b31m \u202eB\u2066 [/nope"
)
ACTING = {"\x1b", "\x07", "\x9b", "\u202e", "\u2066"}


def poisoned(value: Any) -> Any:
    """A document with a hostile tail on every sentence in it."""
    if isinstance(value, dict):
        return {key: f"{item} {HOSTILE}" if key in _WORDS and item else poisoned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [poisoned(item) for item in value]
    return value


_WORDS = {"says", "unless", "note", "rule", "needed", "first_thing_to_change", "reproduce", "cpu", "undecided", "model"}


def assert_harmless(it: Opened) -> None:
    painted = "".join(it.painted())
    assert not ACTING & set(painted)
    styles = [segment.style for strip in it.app.screen._compositor.render_strips(it.app.size) for segment in strip]
    assert not any(style is not None and style.link for style in styles)
    assert not any("@click" in str(style.meta) and "quit" in str(style.meta) for style in styles if style is not None)


async def test_hostile_words_in_a_report_are_shown_as_they_are(opened: Open, report: Report) -> None:
    document = poisoned(report.model_dump(mode="json", by_alias=True, exclude={"profiles"}) | {"profiles": []})
    hostile = Report.model_validate(document)
    async with opened(TICKETS) as it:
        it.app.push_screen(VerdictScreen(hostile))
        await it.show(VerdictScreen)
        words = "".join(it.words().split())
        assert words.count("[@click=app.quit]C[/]") > 10
        for _ in range(40):
            assert_harmless(it)
            before = it.painted()
            await it.press("right")
            await it.pilot.pause()
            if it.painted() == before:
                break
        assert it.app.is_running


async def test_hostile_words_in_rules_are_shown_as_they_are(
    opened: Open, knowledge: Knowledge, monkeypatch: Any
) -> None:
    good = advise.recommendation(TICKETS, knowledge)
    document = poisoned(good.model_dump(mode="json", by_alias=True, exclude={"components"}))
    document["components"] = good.model_dump(mode="json")["components"]
    hostile = Recommendation.model_validate(document)
    monkeypatch.setattr("advisor.tui.app.recommendation", lambda answers, knowledge: hostile)
    async with opened(TICKETS, size=(80, 60)) as it:
        assert "[@click=app.quit]C[/]" in "".join(it.words().split())
        assert_harmless(it)


async def test_hostile_words_of_the_child_are_shown_as_they_are(opened: Open) -> None:
    async with opened(TICKETS, child=StubChild(refuses=HOSTILE)) as it:
        await it.until(lambda: it.app.child_problem)
        await it.pilot.pause()
        assert "[@click=app.quit]C[/]" in "".join(it.words().split())
        assert_harmless(it)
        await it.press("m")
        await it.show(VerdictScreen)
        assert_harmless(it)

"""Describe: the questions that still matter, checked as they are answered, the advice beside them."""

from __future__ import annotations

import pytest
from textual.containers import ScrollableContainer, VerticalScroll
from textual.events import Key, Paste
from textual.widgets import Input, OptionList

from advisor import advise
from advisor.core.errors import AdvisorError
from advisor.core.task import TASKS
from advisor.core.workload import Answers
from advisor.store.answers import read_answers
from advisor.tui.describe import DescribeScreen, Row
from advisor.tui.measure import MeasureScreen
from advisor.tui.reading import Pane
from advisor.tui.task import TaskScreen
from advisor.tui.verdict import VerdictScreen
from tests.tui.conftest import TICKETS, Open, Opened, StubChild


def row(it: Opened, answer: str) -> Row:
    return it.app.screen.query_one(f"#row-{answer}", Row)


def asked(it: Opened) -> set[str]:
    return {one.asked.answer for one in it.app.screen.query(Row) if one.display}


def advice(it: Opened) -> str:
    recommendation = describe(it).recommendation
    return recommendation.architecture if recommendation else ""


def describe(it: Opened) -> DescribeScreen:
    screen = it.app.screen
    assert isinstance(screen, DescribeScreen)
    return screen


async def go_to(it: Opened, answer: str) -> None:
    row(it, answer).field.focus()
    await it.pilot.pause()


async def test_without_answers_the_task_is_asked_first_and_nothing_else(opened: Open) -> None:
    async with opened() as it:
        await it.show(TaskScreen)
        assert [option.id for option in it.app.screen.query_one(OptionList).options] == list(TASKS)
        await it.press("escape")
        await it.show(DescribeScreen)
        assert asked(it) == {"task"}
        assert "as soon as there is a task" in it.words()


async def test_a_task_brings_advice_and_the_questions_that_matter(opened: Open) -> None:
    async with opened() as it:
        await it.show(TaskScreen)
        await it.press("down", "down", "down", "enter")
        await it.show(DescribeScreen)
        await it.until(lambda: describe(it).checked.answers is not None)
        assert describe(it).checked.answers == Answers(task="question-answering")
        assert advice(it) == "encoder-only"
        assert {"requests_per_second", "latency_budget_ms", "input_tokens"} <= asked(it)
        assert not {"output_tokens", "structured_source_target", "latency_percentile"} & asked(it)


async def test_the_advice_follows_every_change(opened: Open) -> None:
    async with opened(Answers(task="text-classification", requests_per_second=5.0, priority="accuracy")) as it:
        assert advice(it) == "decoder-only"
        await go_to(it, "requests_per_second")
        await it.type("200")
        await it.until(lambda: advice(it) == "encoder-only")
        assert "strong" in it.words()
        assert "requests_per_second 200 → < 10" in it.words()


async def test_it_says_what_open_questions_could_still_change(opened: Open) -> None:
    async with opened(Answers(task="text-classification")) as it:
        assert "open questions could still make it decoder-only" in it.words()
        await go_to(it, "requests_per_second")
        await it.type("200")
        await it.until(lambda: "settled: no open question leads elsewhere" in it.words())


async def test_reasons_name_their_rule_and_their_sources(opened: Open) -> None:
    async with opened(TICKETS) as it:
        recommendation = describe(it).recommendation
        assert recommendation is not None
        words = it.words()
        for reason in recommendation.reasons:
            assert " ".join(reason.says.split()) in words
            assert reason.rule in words
            assert all(source.id in words for source in reason.source)


async def test_a_wrong_answer_is_told_where_it_stands_and_loses_nothing(opened: Open) -> None:
    async with opened(TICKETS) as it:
        await go_to(it, "input_tokens")
        await it.type("12k")
        await it.until(lambda: "input_tokens" in describe(it).checked.problems)
        complaint = str(row(it, "input_tokens").query_one(".problem").render())
        assert 'must be a whole number, got "12k"' in complaint
        assert row(it, "input_tokens").field.said == "12k"
        assert row(it, "requests_per_second").field.said == "200"
        assert advice(it) == "encoder-only"
        await it.press("escape", "m")
        assert isinstance(it.app.screen, DescribeScreen)
        assert it.app.focused is row(it, "input_tokens").field
        await it.press("end", "backspace")
        await it.until(lambda: not describe(it).checked.problems)
        assert not row(it, "input_tokens").query_one(".problem").display


async def test_an_emptied_field_is_an_answer_taken_back(opened: Open) -> None:
    async with opened(TICKETS) as it:
        await go_to(it, "latency_budget_ms")
        await it.press("ctrl+u")
        await it.until(lambda: row(it, "latency_budget_ms").field.said == "")
        await it.until(lambda: describe(it).checked.answers == TICKETS.model_copy(update={"latency_budget_ms": None}))
        recommendation = describe(it).recommendation
        assert recommendation is not None
        assert "latency_budget_ms" in recommendation.defaulted
        assert "latency_percentile" not in asked(it)


async def test_answers_from_a_file_fill_the_fields(opened: Open) -> None:
    async with opened(TICKETS) as it:
        assert row(it, "task").field.said == "text-classification"
        assert row(it, "requests_per_second").field.said == "200"
        assert row(it, "labelled_examples").field.said == "20000"
        assert describe(it).checked.answers == TICKETS
        assert describe(it).checked.answers.model_fields_set == TICKETS.model_fields_set


async def test_answers_given_without_a_task_wait_for_it(opened: Open) -> None:
    async with opened(read_answers(None, ["latency_budget_ms=900"], task_is_asked=True)) as it:
        await it.show(TaskScreen)
        await it.press("enter")
        await it.show(DescribeScreen)
        await it.until(lambda: describe(it).checked.answers is not None)
        assert describe(it).checked.answers == Answers(task=TASKS[0], latency_budget_ms=900)


async def test_a_question_that_stopped_mattering_keeps_its_answer(opened: Open) -> None:
    async with opened(TICKETS) as it:
        await go_to(it, "requests_per_second")
        await it.press("ctrl+u")
        await it.until(lambda: "requests_per_day" in asked(it))
        await go_to(it, "requests_per_day")
        await it.type("864000")
        await it.until(lambda: "peak_factor" in asked(it))
        assert "requests_per_second" not in asked(it)
        recommendation = describe(it).recommendation
        assert recommendation is not None
        assert recommendation.workload.requests_per_second == 30.0


async def test_two_rates_that_clash_are_both_shown(opened: Open) -> None:
    async with opened(Answers(task="chat", requests_per_day=1000.0)) as it:
        row(it, "requests_per_second").field.fill("3")
        describe(it).renew()
        await it.pilot.pause()
        assert {"requests_per_second", "requests_per_day"} <= asked(it)
        assert "both given" in describe(it).checked.problems["requests_per_day"]


async def test_words_are_chosen_with_arrows_and_taken_back_with_x(opened: Open) -> None:
    async with opened(Answers(task="text-classification")) as it:
        await go_to(it, "priority")
        field = row(it, "priority").field
        assert field.said == ""
        await it.press("right")
        assert field.said == "accuracy"
        await it.press("right")
        assert field.said == "accuracy"
        await it.press("left", "left")
        assert field.said == "cost"
        await it.press("x")
        assert field.said == ""
        await it.until(lambda: describe(it).checked.answers == Answers(task="text-classification"))


async def test_a_word_is_chosen_with_the_mouse(opened: Open) -> None:
    async with opened(Answers(task="text-classification"), size=(120, 60)) as it:
        field = row(it, "priority").field
        for word, left in (("cost", 2), ("balanced", 8), ("accuracy", 18)):
            await it.pilot.click(field, offset=(left, 0))
            await it.until(lambda word=word: field.said == word)


async def test_a_word_in_the_last_line_in_view_is_chosen_although_the_view_moves_under_the_mouse(opened: Open) -> None:
    async with opened(TICKETS, size=(60, 20)) as it:
        field, pane = row(it, "priority").field, it.app.screen.query_one("#questions", Pane)
        pane.scroll_to(y=field.virtual_region.y + row(it, "priority").virtual_region.y, animate=False)
        await it.pilot.pause()
        pane.scroll_relative(y=field.region.y - pane.content_region.bottom + 1, animate=False)
        await it.pilot.pause()
        assert field.region.y == pane.content_region.bottom - 1
        await it.pilot.mouse_down(field, offset=(20, 0))
        await it.pilot.pause()
        await it.pilot.mouse_up(offset=(field.region.x + 20, pane.content_region.bottom - 1))
        await it.pilot.pause()
        assert field.said == "accuracy"


async def test_the_task_is_changed_with_the_mouse(opened: Open) -> None:
    async with opened(TICKETS) as it:
        await it.pilot.click(row(it, "task").field)
        await it.show(TaskScreen)
        await it.pilot.click(OptionList, offset=(4, 10))
        await it.show(DescribeScreen)
        await it.until(lambda: row(it, "task").field.said == "translation")
        assert row(it, "requests_per_second").field.said == "200"
        assert advice(it) == "encoder-decoder"


async def test_what_is_typed_behind_a_tab_in_one_burst_reaches_the_next_field(opened: Open) -> None:
    async with opened(Answers(task="text-classification")) as it:
        await go_to(it, "requests_per_second")
        await it.press("3", "0", "tab", "4", "0", "enter", "5", "down", "6", "4")
        await it.until(lambda: "64" in [one.field.said for one in it.app.screen.query(Row)])
        said = {one.asked.answer: one.field.said for one in it.app.screen.query(Row) if one.field.said}
        assert said["requests_per_second"] == "30"
        assert said["latency_budget_ms"] == "40"


async def test_editing_keys_and_letters_in_one_burst_act_in_their_order(opened: Open) -> None:
    async with opened(TICKETS) as it:
        field = row(it, "requests_per_second").field
        await go_to(it, "requests_per_second")
        for key in ("end", "ctrl+u", "4", "5", "backspace", "7", "home", "1"):
            character = key if len(key) == 1 else None
            it.app.post_message(Key(key, character))
        await it.until(lambda: field.said == "147")


async def test_a_paste_is_read_like_typing(opened: Open) -> None:
    async with opened(Answers(task="chat")) as it:
        await go_to(it, "requests_per_second")
        it.app.screen.focused.post_message(Paste("1e3\nrm -rf"))
        await it.until(lambda: row(it, "requests_per_second").field.said == "1e3")
        assert isinstance(it.app.focused, Input)


@pytest.mark.parametrize("pasted", ["9" * 5000, "[red]1[/red]", "\u202e12", "\x1b[31m5"], ids=range(4))
async def test_a_hostile_paste_is_a_wrong_number_and_nothing_more(opened: Open, pasted: str) -> None:
    async with opened(Answers(task="chat")) as it:
        await go_to(it, "requests_per_second")
        it.app.screen.focused.post_message(Paste(pasted))
        await it.until(lambda: "requests_per_second" in describe(it).checked.problems)
        await it.pilot.pause()
        painted = "\n".join(it.painted())
        assert "\x1b" not in painted
        assert "\u202e" not in painted


async def test_answers_that_no_rule_decides_are_told_and_can_be_changed(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(answers: Answers, knowledge: object) -> object:
        if answers.priority == "cost":
            raise AdvisorError("no rule of the table family decides: priority cost [red]![/red]")
        return advise.recommendation(answers, knowledge)

    monkeypatch.setattr("advisor.tui.app.recommendation", refuse)
    async with opened(Answers(task="text-classification", priority="cost")) as it:
        assert "no rule of the table family decides: priority cost [red]![/red]" in it.words()
        it.app.screen.query_one("#measure").focus()
        await it.press("m")
        assert isinstance(it.app.screen, DescribeScreen)
        await go_to(it, "priority")
        await it.press("right")
        await it.until(lambda: advice(it) == "encoder-only")


async def test_without_a_model_that_stands_for_the_advice_the_verdict_says_why(opened: Open) -> None:
    async with opened(Answers(task="text-classification", input_tokens=4000, languages="many")) as it:
        recommendation = describe(it).recommendation
        assert recommendation is not None
        assert recommendation.components[0].model is None
        await it.press("m")
        await it.show(VerdictScreen)
        assert "? undecided" in it.words()
        assert it.child.requests == []


async def test_an_api_gets_the_advice_and_no_measurement(opened: Open) -> None:
    async with opened(Answers(task="chat", hosting="api")) as it:
        assert "API cannot be measured" in it.words()
        await it.press("m")
        await it.show(VerdictScreen)
        assert "undecided" in it.words()
        assert "recommendation stands" in it.words()
        assert it.child.requests == []


async def test_without_a_measuring_child_the_advice_stands_and_one_sentence_says_what_to_install(opened: Open) -> None:
    child = StubChild(refuses="PyTorch is not installed.")
    async with opened(TICKETS, child=child) as it:
        await it.until(lambda: it.app.child_problem)
        assert "PyTorch is not installed. pip install 'archadvisor[profile]'" in it.words()
        assert advice(it) == "encoder-only"
        await it.press("m")
        await it.show(VerdictScreen)
        assert "PyTorch is not installed" in it.words()


async def test_the_whole_way_with_the_keyboard_alone(opened: Open) -> None:
    async with opened() as it:
        await it.show(TaskScreen)
        await it.press("enter")
        await it.show(DescribeScreen)
        await it.until(lambda: it.app.focused is row(it, "requests_per_second").field)
        await it.type("200")
        await it.press("enter")
        await it.type("50")
        await it.press("escape", "enter")
        await it.until(lambda: isinstance(it.app.screen, MeasureScreen | VerdictScreen))
        await it.show(VerdictScreen)
        assert "✓ meets" in it.words()


async def test_every_control_is_reached_with_tab_and_no_scrolling_container_is(opened: Open) -> None:
    async with opened(TICKETS) as it:
        first = it.app.focused
        seen = []
        for _ in range(60):
            seen.append(it.app.focused)
            await it.press("tab")
            if it.app.focused is first:
                break
        assert {one.field for one in it.app.screen.query(Row) if one.display} <= set(seen)
        assert it.app.screen.query_one("#advice-text") in seen
        assert not [widget for widget in seen if type(widget) in (ScrollableContainer, VerticalScroll, Pane)]

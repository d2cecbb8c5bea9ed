"""Measure: what is measured now, cells as they arrive, and a way to stop that keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.advise import Knowledge
from advisor.core.workload import Answers
from advisor.run import Child
from advisor.store.history import past_runs
from advisor.tui.app import AdvisorApp
from advisor.tui.chart import Chart
from advisor.tui.describe import DescribeScreen
from advisor.tui.measure import MeasureScreen
from advisor.tui.verdict import VerdictScreen
from tests.fake_child import fake_command
from tests.tui.conftest import TICKETS, Open, Opened, StubChild


async def test_it_says_what_is_measured_now_and_shows_cells_as_they_come(opened: Open) -> None:
    async with opened(TICKETS, child=StubChild(hold_at=5)) as it:
        await it.press("escape", "m")
        await it.show(MeasureScreen)
        await it.until(lambda: "5 cells measured" in it.words())
        assert "Measuring bert-base: forward in" in it.words()
        assert "gone by" in it.words()
        assert "batch tokens median" in it.words()
        await it.until(lambda: it.app.screen.query_one(Chart).display)
        assert "sequences per second by batch size" in it.words()
        it.child.go.set()
        await it.show(VerdictScreen)
        assert "meets" in it.words()


async def test_cancelling_keeps_what_was_measured_and_goes_to_the_verdict(opened: Open) -> None:
    async with opened(TICKETS, child=StubChild(hold_at=3)) as it:
        await it.press("m")
        await it.show(MeasureScreen)
        await it.until(lambda: "3 cells measured" in it.words())
        await it.press("escape")
        await it.show(VerdictScreen)
        report = it.app.screen.report
        measured = [cell for profile in report.profiles for cell in profile.cells if cell.median_s is not None]
        assert len(measured) == 3
        assert it.child.cancelled


@pytest.mark.parametrize("key", ["question_mark", "p"])
async def test_the_verdict_comes_up_whatever_was_opened_over_the_measurement(opened: Open, key: str) -> None:
    async with opened(TICKETS, child=StubChild(hold_at=3)) as it:
        await it.press("m")
        await it.show(MeasureScreen)
        await it.press(key)
        await it.until(lambda: not isinstance(it.app.screen, MeasureScreen))
        it.child.go.set()
        await it.show(VerdictScreen)
        assert "✓ meets" in it.words()
        await it.press("d")
        await it.show(DescribeScreen)


@pytest.mark.parametrize("end", ["kill", "crash", "exit-137", "garbage"])
async def test_a_child_that_dies_leaves_a_sentence_and_a_verdict(
    knowledge: Knowledge, tmp_path: Path, end: str
) -> None:
    async def start() -> Child:
        return await Child.start(command=fake_command(after=4, then=end), lock_path=tmp_path / "lock")

    app = AdvisorApp(knowledge, TICKETS, start)
    async with app.run_test(size=(80, 24)) as pilot:
        it = Opened(app, pilot, StubChild())
        await it.press("m")
        await it.show(VerdictScreen)
        cells = [cell for profile in it.app.screen.report.profiles for cell in profile.cells]
        assert sum(cell.median_s is not None for cell in cells) >= 4
        notes = [cell.note for cell in cells if cell.note]
        assert all(" ".join(note.split()) in it.words() for note in notes)
        assert bool(notes) == (end != "garbage")
        assert "Traceback" not in it.words()


async def test_after_a_cancelled_run_the_next_one_measures_again(opened: Open) -> None:
    async with opened(TICKETS, child=StubChild(hold_at=3)) as it:
        await it.press("m")
        await it.show(MeasureScreen)
        await it.press("escape")
        await it.show(VerdictScreen)
        await it.press("d")
        await it.show(DescribeScreen)
        it.child.cancelled, it.child.hold_at = False, None
        await it.press("m")
        await it.show(VerdictScreen)
        assert len(it.child.requests) == 2
        cells = [cell for profile in it.app.screen.report.profiles for cell in profile.cells]
        assert all(cell.median_s is not None for cell in cells)


async def test_what_an_earlier_run_measured_is_reused_and_said_so(opened: Open) -> None:
    for expected in ([None], [1]):
        async with opened(TICKETS) as it:
            await it.press("m")
            await it.show(VerdictScreen)
            cells = [cell for profile in it.app.screen.report.profiles for cell in profile.cells]
            assert sorted({cell.reused_from for cell in cells}, key=str) == expected
            assert ("12 of 12 cells reused from" in it.words()) == (expected == [1])
            assert len(it.child.requests) == (expected == [None])
    assert [(run.command, run.state, run.cells_reused) for run in past_runs()] == [
        ("advise", "done", 12),
        ("advise", "done", 0),
    ]


async def test_fresh_reuses_nothing(knowledge: Knowledge) -> None:
    children = [StubChild(), StubChild()]
    for child in children:

        async def start(child: StubChild = child) -> StubChild:
            return child

        app = AdvisorApp(knowledge, TICKETS, start, fresh=True)  # type: ignore[arg-type]
        async with app.run_test(size=(80, 24)) as pilot:
            it = Opened(app, pilot, child)
            await it.press("m")
            await it.show(VerdictScreen)
    assert [len(child.requests) for child in children] == [1, 1]


async def test_after_a_cancelled_run_only_the_rest_is_measured(opened: Open) -> None:
    async with opened(TICKETS, child=StubChild(hold_at=3)) as it:
        await it.press("m")
        await it.show(MeasureScreen)
        await it.until(lambda: "3 cells measured" in it.words())
        await it.press("escape")
        await it.show(VerdictScreen)
    async with opened(TICKETS, child=StubChild(hold_at=2)) as it:
        await it.press("m")
        await it.show(MeasureScreen)
        await it.until(lambda: "5 cells measured" in it.words())
        assert "3 of 12 cells reused from" in it.words()
        assert any(line.rstrip().endswith(" reused") for line in it.painted())
        it.child.go.set()
        await it.show(VerdictScreen)
    assert len(it.child.requests[0].cells) == 9


async def test_a_store_that_fails_is_said_and_the_measurement_goes_on(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/dev/null")
    async with opened(TICKETS, child=StubChild(hold_at=3)) as it:
        await it.press("m")
        await it.show(MeasureScreen)
        await it.until(lambda: "is not kept for later" in it.words())
        it.child.go.set()
        await it.show(VerdictScreen)
        assert "✓ meets" in it.words()


async def test_however_fast_cells_come_the_screen_draws_on_its_own_clock(opened: Open) -> None:
    async with opened(TICKETS, child=StubChild(hold_at=11)) as it:
        await it.press("m")
        await it.show(MeasureScreen)
        screen = it.app.screen
        drawn: list[int] = []
        draw = screen.query_one(Chart).draw
        screen.query_one(Chart).draw = lambda lines: (drawn.append(len(screen.progress.cells)), draw(lines))
        await it.until(lambda: "11 cells measured" in it.words())
        assert len(drawn) <= 2
        it.child.go.set()
        await it.show(VerdictScreen)


async def test_a_run_in_which_nothing_could_be_measured_is_told_in_a_sentence(opened: Open) -> None:
    class Refusing(StubChild):
        async def measure(self, request, *_):
            from advisor.core.protocol import Failed

            yield Failed(id=request.id, says="There is no such device here.", fix="Leave --device out.")

    async with opened(TICKETS, child=Refusing()) as it:
        await it.press("m")
        await it.show(VerdictScreen)
        assert "? undecided" in it.words()
        assert "There is no such device here" in it.words()


async def test_a_mistake_of_ours_ends_in_a_sentence_and_the_answers_stay(opened: Open) -> None:
    class Broken(StubChild):
        async def measure(self, request, *_):
            async for event in super().measure(request):
                yield event
                raise ZeroDivisionError("by [red]nought[/red]")

    async with opened(TICKETS, child=Broken()) as it:
        await it.press("m")
        await it.show(VerdictScreen)
        assert "something went wrong inside archadvisor" in it.words()
        assert "by [red]nought[/red]" in it.words()
        assert "Traceback" not in it.words()
        await it.press("d")
        await it.show(DescribeScreen)
        assert it.app.screen.checked.answers == TICKETS


async def test_every_part_of_a_pipeline_that_has_a_model_is_measured(opened: Open) -> None:
    answers = Answers(task="retrieval-augmented-generation", input_tokens=256, output_tokens=16)
    async with opened(answers) as it:
        await it.press("m")
        await it.show(VerdictScreen)
        assert len(it.child.requests) == 3
        assert "undecided" in it.words()
        assert "index" in it.words()
        parts = {"retriever", "index", "reranker", "generator"}
        assert {stage.role for stage in it.app.screen.report.plan.stages} == parts

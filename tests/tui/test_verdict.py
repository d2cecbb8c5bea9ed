"""Verdict: meets or misses first, the same figures as every face, saved and copied."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from advisor.core.report import Report
from advisor.core.workload import Workload
from advisor.report.blocks import Bullets, Command, Heading, Paragraph
from advisor.report.outline import report_blocks
from advisor.tui.describe import DescribeScreen
from advisor.tui.save import SaveScreen
from advisor.tui.topbar import TopBar
from advisor.tui.verdict import VerdictScreen
from tests.tui.conftest import TICKETS, Open, Opened


async def show(it: Opened, report: Report) -> VerdictScreen:
    screen = VerdictScreen(report)
    it.app.push_screen(screen)
    await it.show(VerdictScreen)
    return screen


def missing_budget(report: Report) -> Report:
    """The same report for a budget nothing meets."""
    assert report.plan is not None
    plan = report.plan.model_copy(
        update={
            "verdict": "misses",
            "meets_latency": False,
            "replicas": None,
            "utilisation": None,
            "binding": "latency",
        }
    )
    said = report.recommendation.workload.model_dump() | {"latency_budget_ms": 0.5}
    advised = report.recommendation.model_copy(update={"workload": Workload.model_validate(said)})
    return report.model_copy(update={"plan": plan, "recommendation": advised})


async def test_the_verdict_is_the_first_line_and_stays_in_the_bar(opened: Open, report: Report) -> None:
    async with opened(TICKETS) as it:
        await show(it, report)
        painted = it.painted()
        assert painted[0].rstrip().endswith("✓ meets")
        assert painted[1].strip().startswith("✓ meets: 1 replica")
        await it.press("right", "right", "right")
        await it.pilot.pause()
        assert it.painted()[0].rstrip().endswith("✓ meets")
        assert not it.painted()[1].strip().startswith("✓ meets")


async def test_a_missed_budget_says_so_in_symbol_word_and_picture(opened: Open, report: Report) -> None:
    async with opened(TICKETS) as it:
        await show(it, missing_budget(report))
        assert it.painted()[1].strip().startswith("✗ misses")
        assert "no number of replicas" in it.words()
        assert "p95 ✗" in it.words()
        assert "over." in it.words()


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 36)])
async def test_every_word_of_the_report_is_on_the_screen(opened: Open, report: Report, size: tuple[int, int]) -> None:
    async with opened(TICKETS, size=size) as it:
        await show(it, report)
        words = "".join(it.words().split())
        for block in report_blocks(report):
            match block:
                case Heading(text) | Paragraph(text) | Command(text):
                    assert "".join(text.split()) in words
                case Bullets(items):
                    plain = words.replace("•", "").replace("–", "")
                    for item, below in items:
                        for said in (item, *below):
                            assert "".join(said.split()).replace("•", "").replace("–", "") in plain


async def test_the_command_is_copied_and_can_be_read(opened: Open, report: Report) -> None:
    assert report.plan is not None
    async with opened(TICKETS) as it:
        await show(it, report)
        await it.press("c")
        await it.until(lambda: it.app.clipboard == report.plan.reproduce)
        assert "advisor advise --set task=text-classification" in it.words()


async def test_a_saved_json_is_the_report_every_other_face_gives(opened: Open, report: Report, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    async with opened(TICKETS) as it:
        await show(it, report)
        await save_as(it, path)
        await it.until(path.exists)
        await it.show(VerdictScreen)
    document = json.loads(path.read_text())
    assert document["kind"] == "report"
    saved = Report.model_validate(document)
    assert (saved.plan, saved.recommendation) == (report.plan, report.recommendation)
    timed = [cell.model_copy(update={"samples_s": None}) for profile in report.profiles for cell in profile.cells]
    assert [cell for profile in saved.profiles for cell in profile.cells] == timed
    assert document["recommendation"]["alternatives"][0]["flip"][0]["from"] == 200


async def test_a_saved_markdown_begins_with_the_verdict(opened: Open, report: Report, tmp_path: Path) -> None:
    path = tmp_path / "plan.md"
    async with opened(TICKETS) as it:
        await show(it, report)
        await save_as(it, path)
        await it.until(path.exists)
    assert path.read_text().startswith("# ✓ meets")


async def test_a_file_that_is_there_is_replaced_only_when_asked_twice(
    opened: Open, report: Report, tmp_path: Path
) -> None:
    path = tmp_path / "plan.md"
    path.write_text("precious")
    async with opened(TICKETS) as it:
        await show(it, report)
        await save_as(it, path)
        await it.until(lambda: "already" in it.words())
        assert path.read_text() == "precious"
        await it.press("enter")
        await it.show(VerdictScreen)
    assert path.read_text().startswith("# ✓ meets")


@pytest.mark.parametrize("name", ["plan.txt", "plan", "no/such/folder/plan.md", "", ".", "~nobody-at-all/plan.md"])
async def test_what_cannot_be_saved_is_said_and_asked_again(
    opened: Open, report: Report, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened(TICKETS) as it:
        await show(it, report)
        await save_as(it, name)
        await it.until(lambda: "✗" in it.words())
        assert isinstance(it.app.screen, SaveScreen)
        await it.press("escape")
        await it.show(VerdictScreen)
    assert list(tmp_path.iterdir()) == []


async def test_back_to_the_answers_as_they_were(opened: Open, report: Report) -> None:
    async with opened(TICKETS) as it:
        await show(it, report)
        await it.press("d")
        await it.show(DescribeScreen)
        assert it.app.screen.checked.answers == TICKETS


async def test_without_a_plan_there_is_no_command_to_copy(opened: Open, report: Report) -> None:
    bare = Report(recommendation=report.recommendation, profiles=(), plan=None, undecided="nothing was measured")
    async with opened(TICKETS) as it:
        await show(it, bare)
        assert "undecided" in it.painted()[0]
        assert "c" not in it.app.screen.active_bindings
        assert it.app.screen.query_one(TopBar).display


async def save_as(it: Opened, path: Path | str) -> None:
    await it.press("s")
    await it.show(SaveScreen)
    await it.press("ctrl+u")
    await it.type(str(path))
    await it.press("enter")

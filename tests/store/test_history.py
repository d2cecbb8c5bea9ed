"""Past runs come out of the store as they went in, whole or broken off, and go when they are told to."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from advisor.core.errors import AdvisorError
from advisor.core.history import HistoryDocument
from advisor.core.report import Report
from advisor.core.sizing.measurement import Profile
from advisor.report.history import history_blocks
from advisor.report.text import render
from advisor.store.history import delete_runs, past_document, past_runs
from advisor.store.process import process_began, still_lives
from advisor.store.recorder import Recorder
from advisor.store.results import open_to_read
from tests.fake_child import fake_cell
from tests.store.recording import DRAFT, PLANS, asked, begun, recorded


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "results.sqlite3"


def count(path: Path, table: str) -> int:
    store = open_to_read(path)
    assert store is not None
    (found,) = store.execute(f"SELECT count(*) FROM {table}").fetchone()
    store.close()
    return int(found)


def test_runs_are_listed_newest_first(path: Path) -> None:
    for _ in range(3):
        recorded(path)
    runs = past_runs(path)
    assert [run.id for run in runs] == [3, 2, 1]
    assert {(run.command, run.subject, run.models, run.state) for run in runs} == {
        ("profile", "tiny", ("tiny",), "done")
    }
    assert all(run.cells == run.cells_measured == 3 for run in runs)


def test_a_run_in_hand_is_running_and_may_not_be_deleted(path: Path) -> None:
    recorder, part = begun(path)
    part.save(0, fake_cell(PLANS[0]))
    assert [run.state for run in past_runs(path)] == ["running"]
    with pytest.raises(AdvisorError, match="is being measured"):
        delete_runs([1], path)
    recorder.end("done", [DRAFT])
    delete_runs([1], path)
    assert past_runs(path) == ()


def test_a_process_is_known_by_its_number_and_its_beginning() -> None:
    began = process_began(os.getpid())
    assert began is not None
    assert still_lives(os.getpid(), began)
    assert not still_lives(os.getpid(), began - 3600)
    assert not still_lives(2**22 + 1, began)


def test_a_report_that_was_broken_off_has_its_cells_and_no_plan(path: Path) -> None:
    from advisor import advise
    from advisor.core.workload import Answers

    advice = advise.recommendation(Answers(task="text-classification"), advise.load_knowledge())
    recorder = Recorder("advise", "text-classification", recommendation=advice, path=path)
    recorder.part("model", asked(), DRAFT).save(1, fake_cell(PLANS[1]))
    report = past_document(1, path)
    assert isinstance(report, Report)
    assert report.plan is None
    assert "before it could plan" in str(report.undecided)
    assert report.recommendation == advice
    (profile,) = report.profiles
    assert [cell.batch_size for cell in profile.cells] == [2]
    assert [best.stage for best in profile.best] == ["forward"]


def test_deleting_a_run_takes_what_no_other_run_rests_on(path: Path) -> None:
    first = recorded(path, cells=PLANS[:2])
    recorder, part = begun(path)
    for index, cell in part.reuse().items():
        assert cell.reused_from == first, index
    part.save(2, fake_cell(PLANS[2]))
    recorder.end("done", [DRAFT])
    delete_runs([first], path)
    assert (count(path, "runs"), count(path, "cells")) == (1, 3)
    document = past_document(2, path)
    assert isinstance(document, Profile)
    assert len(document.cells) == 3
    _, part = begun(path)
    assert {cell.reused_from for cell in part.reuse().values()} == {2}
    delete_runs([2], path)


def test_the_id_of_a_deleted_run_is_never_given_again(path: Path) -> None:
    recorded(path)
    delete_runs([1], path)
    assert count(path, "cells") == count(path, "run_cells") == count(path, "parts") == 0
    assert recorded(path) == 2


def test_of_several_runs_to_delete_all_must_be_there(path: Path) -> None:
    recorded(path)
    with pytest.raises(AdvisorError, match="there is no run 7"):
        delete_runs([1, 7], path)
    assert [run.id for run in past_runs(path)] == [1]


def test_a_run_that_is_not_there_is_the_callers_mistake(path: Path) -> None:
    for look in (lambda: past_document(1, path), lambda: delete_runs([1], path)):
        with pytest.raises(AdvisorError, match="there is no run 1") as caught:
            look()
        assert caught.value.exit_code == 2
        assert caught.value.problems[0].fix == "see: advisor history list"


def test_a_run_of_another_version_is_listed_and_not_shown(path: Path) -> None:
    recorded(path)
    with sqlite3.connect(path) as store:
        store.execute('UPDATE cells SET cell = \'{"shape": "old"}\'')
    assert len(past_runs(path)) == 1
    with pytest.raises(AdvisorError, match="another version") as caught:
        past_document(1, path)
    assert caught.value.exit_code == 4


def test_the_list_in_words_has_a_line_for_each_run(path: Path) -> None:
    recorded(path)
    words = render(history_blocks(HistoryDocument(runs=past_runs(path), deleted=(9,))))
    assert "deleted: 9" in words
    assert "3 of 3" in words
    assert "No runs" in render(history_blocks(HistoryDocument(runs=())))

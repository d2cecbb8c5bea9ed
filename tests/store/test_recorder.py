"""What is measured is saved at once, found again, and survives the death of whoever wrote it."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from advisor.core.protocol import Finished
from advisor.core.sizing.measurement import Profile
from advisor.store.history import past_document, past_runs
from advisor.store.recorder import Recorder
from tests.fake_child import fake_cell
from tests.measuring import ROOT, environment, plans
from tests.store.recording import DRAFT, PLANS, asked, begun, recorded

WRITE = (
    "import sys; from pathlib import Path; from tests.store.recording import asked, begun; "
    "from tests.fake_child import fake_cell; from tests.measuring import plans\n"
    "cells = plans(batches=range(1, 5000))\n"
    "recorder, part = begun(Path(sys.argv[1]), wanted=asked(cells), warn=lambda words: print(words, file=sys.stderr))\n"
    "print('begun', flush=True)\n"
    "for index, plan in enumerate(cells[:int(sys.argv[2])]):\n"
    "    part.save(index, fake_cell(plan)); print(index, flush=True)\n"
    "recorder.end('done', [])\n"
)


def writer(path: Path, cells: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITE, str(path), str(cells)]
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=ROOT, env=environment(), **pipes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "results.sqlite3"


def test_a_cell_is_there_as_soon_as_it_is_saved(path: Path) -> None:
    _, part = begun(path)
    part.save(0, fake_cell(PLANS[0]))
    document = past_document(1, path)
    assert isinstance(document, Profile)
    assert [cell.samples_s for cell in document.cells] == [fake_cell(PLANS[0]).samples_s]


def test_the_next_run_finds_it_and_says_from_where(path: Path) -> None:
    first = recorded(path, cells=PLANS[:2])
    recorder, part = begun(path)
    known = part.reuse()
    assert sorted(known) == [0, 1]
    assert {cell.reused_from for cell in known.values()} == {first}
    recorder.end("done", [DRAFT])
    assert [(run.id, run.cells_reused) for run in past_runs(path)] == [(2, 2), (1, 0)]


def test_whoever_wants_it_fresh_gets_nothing_old_and_leaves_something_new(path: Path) -> None:
    recorded(path)
    _, part = begun(path, fresh=True)
    assert part.reuse() == {}
    second = recorded(path, fresh=True)
    _, part = begun(path)
    assert {cell.reused_from for cell in part.reuse().values()} == {second}


@pytest.mark.parametrize("flag", ["other-load", "throttled", "not-steady", "undecided"])
def test_what_was_disturbed_is_measured_again(path: Path, flag: str) -> None:
    recorded(path, flags=(flag,))
    _, part = begun(path)
    assert part.reuse() == {}


@pytest.mark.parametrize("more", [{"threads": 2}, {"seed": 1}, {"device": "cuda:0"}])
def test_another_request_finds_nothing(path: Path, more: dict[str, Any]) -> None:
    recorded(path)
    _, part = begun(path, wanted=asked(**more))
    assert part.reuse() == {}


def test_another_version_or_another_machine_finds_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(path)
    for change in ({"fingerprint": "another"}, {"versions": {"torch": "9"}}):
        draft = DRAFT.model_copy(update={"machine": DRAFT.machine.model_copy(update=change)})
        assert Recorder("profile", "tiny", path=path).part("model", asked(), draft).reuse() == {}
    monkeypatch.setattr("advisor.store.recorder.measuring_code", lambda: "edited")
    assert begun(path)[1].reuse() == {}


def test_what_its_own_run_has_measured_again_is_not_used_again(path: Path) -> None:
    recorder, part = begun(path)
    part.save(0, fake_cell(PLANS[0]))
    part.save(0, fake_cell(PLANS[0]).model_copy(update={"flags": ("other-load",)}))
    recorder.end("done", [DRAFT])
    assert begun(path)[1].reuse() == {}


def test_how_a_request_ended_comes_back_with_its_cells(path: Path) -> None:
    recorder, part = begun(path)
    for index, plan in enumerate(PLANS):
        part.save(index, fake_cell(plan))
    part.finished(Finished(id=1, parameters=7, wall_s=1.0))
    recorder.end("done", [DRAFT])
    _, again = begun(path)
    assert again.finished_before() is None
    again.reuse()
    assert again.finished_before() == Finished(id=1, parameters=7, wall_s=1.0)


def test_a_cell_of_a_shape_nobody_knows_any_more_is_measured_again(path: Path) -> None:
    recorded(path)
    with sqlite3.connect(path) as store:
        store.execute('UPDATE cells SET cell = \'{"shape": "old"}\'')
    _, part = begun(path)
    assert part.reuse() == {}


def test_a_run_that_measured_nothing_and_was_stopped_leaves_nothing(path: Path) -> None:
    recorder, _ = begun(path)
    recorder.end("interrupted")
    assert recorder.run is None
    assert past_runs(path) == ()


@pytest.mark.parametrize(("error", "state"), [(KeyboardInterrupt, "interrupted"), (ValueError, "failed")])
def test_whoever_leaves_early_is_noted_as_that(path: Path, error: type[BaseException], state: str) -> None:
    def leave() -> None:
        with Recorder("profile", "tiny", path=path) as recorder:
            recorder.part("model", asked(), DRAFT).save(0, fake_cell(PLANS[0]))
            raise error

    with pytest.raises(error):
        leave()
    assert [run.state for run in past_runs(path)] == [state]


def test_killed_in_the_middle_of_writing_ten_times_nothing_acknowledged_is_lost(path: Path) -> None:
    told: list[int] = []
    for moment in range(10):
        with writer(path, 5000) as process:
            assert process.stdout is not None
            last = -1
            assert process.stdout.readline() == "begun\n"
            for _ in range(3 + 17 * moment):
                last = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
            words = process.stdout.read().split()
            told.append(int(words[-1]) if words else last)
    runs = past_runs(path)
    assert [run.state for run in runs] == ["broken-off"] * 10
    for run, last in zip(reversed(runs), told, strict=True):
        assert last + 1 <= run.cells_measured <= last + 2
    warned: list[str] = []
    _, part = begun(path, wanted=asked(plans(batches=tuple(range(1, 200)))), warn=warned.append)
    known = part.reuse()
    assert warned == []
    assert len(known) == min(199, max(run.cells_measured for run in runs))


def test_two_processes_write_at_once_and_neither_loses_a_cell(path: Path) -> None:
    writers = [writer(path, 150) for _ in range(3)]
    for process in writers:
        out, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (0, "")
        assert out.split()[-1] == "149"
    runs = past_runs(path)
    assert [(run.state, run.cells_measured) for run in runs] == [("done", 150)] * 3


def test_times_are_kept_in_utc(path: Path) -> None:
    began = datetime(2026, 11, 22, 10, 12, tzinfo=UTC)
    moments = (began + timedelta(seconds=number) for number in range(100))
    recorded(path, clock=lambda: next(moments))
    (run,) = past_runs(path)
    assert run.started_at == began
    assert run.ended_at is not None
    assert run.ended_at > began

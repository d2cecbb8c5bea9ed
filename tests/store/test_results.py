"""The file of results, whatever is wrong with it: a measurement goes on, and one sentence says what is lost."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from advisor.core.errors import AdvisorError
from advisor.core.protocol import Finished
from advisor.store.history import past_runs
from advisor.store.results import APPLICATION, SCHEMA, StoreTrouble, open_to_read, open_to_write
from tests.fake_child import fake_cell
from tests.measuring import ROOT, environment, plans
from tests.store.recording import DRAFT, PLANS, asked, begun, recorded

OPEN = (
    "import sys; from pathlib import Path; from advisor.store.results import open_to_write\n"
    "sys.stdin.readline(); store, aside = open_to_write(Path(sys.argv[1])); store.close(); print(aside)"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "results.sqlite3"


def warned(path: Path) -> str:
    """What a run says that meets this file, and that it came to its end all the same."""
    words: list[str] = []
    recorder, part = begun(path, warn=words.append)
    assert part.reuse() == {}
    for index, plan in enumerate(PLANS):
        part.save(index, fake_cell(plan))
    recorder.end("done")
    assert len(words) == 1, words
    assert "\n" not in words[0]
    return words[0]


def test_the_file_is_its_owners_alone(path: Path) -> None:
    _, part = begun(path)
    part.save(0, fake_cell(PLANS[0]))
    files = list(path.parent.iterdir())
    assert len(files) == 3  # the write-ahead log is as private as the file
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_nothing_was_saved_yet_is_no_mistake(path: Path) -> None:
    assert open_to_read(path) is None
    assert past_runs(path) == ()
    assert not path.exists()
    path.parent.mkdir()
    path.touch()
    assert past_runs(path) == ()


def test_a_store_that_there_was_no_room_to_make_has_no_runs_yet(path: Path) -> None:
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as store:
        store.execute("PRAGMA journal_mode = WAL").fetchone()
    assert path.stat().st_size > 0
    assert past_runs(path) == ()
    recorded(path)
    assert len(past_runs(path)) == 1


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to be read as one" * 40, b"\0" * 5000])
def test_a_damaged_file_is_moved_aside_and_said_so(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(AdvisorError) as caught:
        past_runs(path)
    assert "damaged" in caught.value.problems[0].message
    assert path.read_bytes() == content  # who only looks moves nothing
    words = warned(path)
    (aside,) = path.parent.glob("results-damaged-*.sqlite3")
    assert aside.name in words
    assert aside.read_bytes() == content
    assert len(past_runs(path)) == 1


def test_damage_in_the_middle_of_a_store_is_found(path: Path) -> None:
    for _ in range(20):
        recorded(path, fresh=True)
    whole = bytearray(path.read_bytes())
    for page in range(2, len(whole) // 4096):
        whole[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(whole)
    assert "damaged" in warned(path)
    (aside,) = path.parent.glob("results-damaged-*.sqlite3")
    assert aside.read_bytes() == bytes(whole)


def test_a_file_cut_short_is_found(path: Path) -> None:
    for _ in range(20):
        recorded(path, fresh=True)
    os.truncate(path, path.stat().st_size // 2)
    assert "damaged" in warned(path)


def test_two_who_find_it_damaged_at_once_move_it_once(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"x" * 10_000)
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", OPEN, str(path)]
    openers = [subprocess.Popen(command, cwd=ROOT, env=environment(), **pipes) for _ in range(4)]
    told = []
    for process in openers:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in openers:
        out, err = process.communicate(timeout=60)
        assert err == ""
        told.append(out.strip())
    assert sorted(word == "None" for word in told) == [False, True, True, True]
    assert len(list(path.parent.glob("results-damaged-*"))) == 1
    recorded(path)


def test_many_who_find_it_missing_at_once_make_one(path: Path) -> None:
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", OPEN, str(path)]
    openers = [subprocess.Popen(command, cwd=ROOT, env=environment(), **pipes) for _ in range(6)]
    for process in openers:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60) for process in openers] == [("None\n", "")] * 6


@pytest.mark.parametrize(("version", "words"), [(SCHEMA + 1, "newer archadvisor"), (SCHEMA - 1, "older archadvisor")])
def test_a_store_of_another_version_is_left_as_it_is(path: Path, version: int, words: str) -> None:
    recorded(path)
    with sqlite3.connect(path) as store:
        store.execute(f"PRAGMA user_version = {version}")
    before = path.read_bytes()
    said = warned(path)
    assert words in said
    assert "measuring goes on" in said
    with pytest.raises(AdvisorError) as caught:
        past_runs(path)
    assert words in caught.value.problems[0].message
    assert caught.value.problems[0].fix
    assert path.read_bytes() == before


def test_somebody_elses_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as store:
        store.execute("CREATE TABLE precious (thing)")
    store.close()
    assert "none of archadvisor's" in warned(path)
    with sqlite3.connect(path) as store:
        assert store.execute("SELECT name FROM sqlite_schema").fetchall() == [("precious",)]


def test_a_disk_that_fills_up_costs_the_store_not_the_run(path: Path) -> None:
    recorded(path)
    code = "import sys; from pathlib import Path; from tests.store.test_results import fill; fill(Path(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], cwd=ROOT, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    assert "is not kept for later" in done.stdout
    assert past_runs(path)  # what was saved before is whole


def fill(path: Path) -> None:
    """Run in a process whose files may not grow beyond a megabyte, as on a disk with so much left."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
    cells = plans(batches=tuple(range(1, 3000)))
    recorder, part = begun(path, wanted=asked(cells), warn=print)
    for index, plan in enumerate(cells):
        part.save(index, fake_cell(plan))
    recorder.end("done")
    assert recorder.run is None


@pytest.mark.parametrize("folder", ["/proc/nowhere/data", "/dev/null/data"])
def test_a_place_where_nothing_can_be_made_is_said(folder: str) -> None:
    words = warned(Path(folder) / "results.sqlite3")
    assert folder in words
    assert "measuring goes on" in words


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_store_can_still_be_looked_at(path: Path) -> None:
    recorded(path)
    path.parent.chmod(0o500)
    try:
        assert "may not be written" in warned(path)
        assert len(past_runs(path)) == 1
    finally:
        path.parent.chmod(0o700)


def test_whoever_holds_it_too_long_is_not_waited_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(path)
    monkeypatch.setattr("advisor.store.results.BUSY_SECONDS", 0.05)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert "another process held it" in warned(path)
    holder.execute("ROLLBACK")
    holder.close()


def test_a_short_write_of_another_is_waited_for(path: Path) -> None:
    recorded(path)
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    threading.Timer(0.2, lambda: holder.execute("ROLLBACK")).start()
    words: list[str] = []
    recorder, part = begun(path, warn=words.append)
    part.save(0, fake_cell(PLANS[0]))
    recorder.end("done")
    assert words == []


def test_what_a_long_write_of_another_keeps_out_is_brought_in_after_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(path)
    monkeypatch.setattr("advisor.store.results.BUSY_SECONDS", 0.05)
    monkeypatch.setattr("advisor.store.recorder.LAST_ATTEMPTS", 500)
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    words: list[str] = []
    recorder, part = begun(path, warn=words.append)
    assert part.reuse() == {}
    part.save(0, fake_cell(PLANS[0]))
    assert recorder.run is None
    holder.execute("ROLLBACK")
    part.save(1, fake_cell(PLANS[1]))
    assert recorder.run == 2
    holder.execute("BEGIN IMMEDIATE")
    part.finished(Finished(id=1, parameters=7, wall_s=1.0))
    threading.Timer(0.12, lambda: holder.execute("ROLLBACK")).start()
    recorder.end("done", [DRAFT])
    assert words == []
    assert [(run.state, run.cells_measured) for run in past_runs(path)] == [("done", 2), ("done", len(PLANS))]


def test_the_file_says_whose_it_is(path: Path) -> None:
    store, aside = open_to_write(path)
    assert aside is None
    assert store.execute("PRAGMA application_id").fetchone() == (APPLICATION,)
    assert store.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()


def test_trouble_is_a_clause_with_a_way_out() -> None:
    with pytest.raises(StoreTrouble) as caught:
        open_to_write(Path("/dev/null/data/results.sqlite3"))
    assert caught.value.fix

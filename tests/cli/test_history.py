"""`advisor history`, and what a command given again does with what the last one measured."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.measuring import ROOT, environment, wait_until

TICKETS = str(ROOT / "examples" / "ticket-routing.yaml")
PROFILE = ["profile", "bert-base", "--batch", "1,4,8", "--input-tokens", "32,64", "--dtype", "float32"]
SLOW = (
    "import sys, advisor.run.child\n"
    "from advisor.cli import main\n"
    "from tests.fake_child import fake_command\n"
    "advisor.run.child.COMMAND = tuple(fake_command(cell_seconds=0.3))\n"
    "sys.exit(main(sys.argv[1:]))\n"
)


def started(data: Path, *arguments: str) -> subprocess.Popen[str]:
    """A real process, with a store of its own, whose cells take a while."""
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    env = environment(XDG_DATA_HOME=str(data))
    return subprocess.Popen([sys.executable, "-c", SLOW, *arguments], cwd=ROOT, env=env, **pipes)


def cells_of(document: Any) -> list[Any]:
    return list(document["cells"] if document["kind"] == "profile" else document["profiles"][0]["cells"])


def reused(document: Any) -> list[int | None]:
    return [cell["reused_from"] for cell in cells_of(document)]


def test_the_same_command_again_measures_nothing_and_says_so(run: Run) -> None:
    first = run(*PROFILE, "--json").document
    assert set(reused(first)) == {None}
    assert all(cell["measured_at"].endswith("Z") for cell in cells_of(first))
    again = run(*PROFILE)
    assert f"6 of 6 cells reused from {cells_of(first)[0]['measured_at'][:16].replace('T', ' ')}" in again.out
    assert "--fresh measures again" in again.out
    assert again.out.count("  reused\n") == 6
    assert "random weights; measured before" in again.out
    assert set(reused(run(*PROFILE, "--json").document)) == {1}


def test_figures_that_are_reused_are_the_figures_that_were_measured(run: Run) -> None:
    first, again = (cells_of(run(*PROFILE, "--json", "--samples").document) for _ in range(2))
    for cell in (*first, *again):
        cell.pop("reused_from")
    assert again == first


def test_fresh_measures_everything(run: Run) -> None:
    run(*PROFILE)
    assert set(reused(run(*PROFILE, "--fresh", "--json").document)) == {None}


def test_only_what_is_missing_is_measured(run: Run) -> None:
    run("profile", "bert-base", "--batch", "4", "--input-tokens", "32,64", "--dtype", "float32")
    cells = cells_of(run(*PROFILE, "--json").document)
    assert {cell["batch_size"]: cell["reused_from"] for cell in cells} == {1: None, 4: 1, 8: None}


def test_a_plan_from_reused_cells_is_the_plan_from_measured_ones(run: Run) -> None:
    first, again = (run("advise", TICKETS, "--json").document for _ in range(2))
    assert set(reused(again)) == {1}
    assert again["plan"] == first["plan"]


def test_the_list_names_every_run(run: Run) -> None:
    assert "No runs are kept" in run("history").out
    run(*PROFILE)
    verdict = run("advise", TICKETS, "--json").document["plan"]["verdict"]
    document = run("history", "list", "--json").document
    assert [(one["id"], one["command"], one["subject"], one["verdict"]) for one in document["runs"]] == [
        (2, "advise", "text-classification", verdict),
        (1, "profile", "bert-base", None),
    ]
    assert "text-classification" in run("history").out


@pytest.mark.parametrize("command", [PROFILE, ["advise", TICKETS]])
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_run_is_shown_as_its_command_printed_it(run: Run, command: list[str], form: list[str]) -> None:
    printed = run(*command, *form)
    shown = run("history", "show", "1", *form)
    assert shown.code == 0
    assert shown.out == printed.out


def test_samples_are_shown_on_request_and_always_exported(run: Run, tmp_path: Path) -> None:
    run(*PROFILE)
    assert cells_of(run("history", "show", "1", "--json").document)[0]["samples_s"] is None
    assert cells_of(run("history", "show", "1", "--json", "--samples").document)[0]["samples_s"]
    file = tmp_path / "profile.json"
    assert str(file) in run("history", "export", "1", str(file)).out
    exported = json.loads(file.read_text())
    assert all(len(cell["samples_s"]) == cell["samples"] for cell in cells_of(exported))
    assert run("history", "export", "1", "-").document == exported


def test_an_exported_run_is_enough_to_plan_from(run: Run, tmp_path: Path) -> None:
    plan = run("advise", TICKETS, "--json").document["plan"]
    run("history", "export", "1", str(tmp_path / "report.json"))
    elsewhere = run("advise", TICKETS, "--profile", str(tmp_path / "report.json"), "--json").document["plan"]
    assert elsewhere["replicas"] == plan["replicas"]
    assert elsewhere["latency_ms"] == plan["latency_ms"]


def test_a_run_is_written_to_a_file_like_any_output(run: Run, tmp_path: Path) -> None:
    words = run("advise", TICKETS, "--output", str(tmp_path / "first.md"))
    assert run("history", "show", "1", "--output", str(tmp_path / "again.md")).out == words.out
    assert (tmp_path / "again.md").read_text() == (tmp_path / "first.md").read_text()


def test_deleted_runs_are_gone_and_are_not_reused(run: Run) -> None:
    for _ in range(3):
        run(*PROFILE, "--fresh")
    document = run("history", "delete", "1", "3", "--json").document
    assert ([one["id"] for one in document["runs"]], document["deleted"]) == ([2], [1, 3])
    assert "deleted: 2" in run("history", "delete", "--all").out
    assert run("history", "list", "--json").document["runs"] == []
    assert set(reused(run(*PROFILE, "--json").document)) == {None}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "7"], "there is no run 7"),
        (["show", "x\x1b[31m"], "there is no run"),
        (["show", "9" * 40], "there is no run"),
        (["show", "-1"], "there is no run"),
        (["delete"], "name the runs to delete"),
        (["delete", "1", "--all"], "name the runs to delete"),
        (["delete", "7"], "there is no run 7"),
        (["export", "7", "-"], "there is no run 7"),
        (["export", "1", "run.md"], "not supported"),
        (["export", "1", "nowhere/run.json"], "no folder"),
        (["forget"], "invalid choice"),
    ],
)
def test_a_mistake_ends_with_2_and_a_way_out(run: Run, arguments: list[str], words: str) -> None:
    done = run("history", *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert "→" in done.err
    assert "\x1b" not in done.err


def test_a_store_that_cannot_be_read_is_said(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "archadvisor"
    folder.mkdir(parents=True)
    (folder / "results.sqlite3").write_bytes(b"x" * 5000)
    done = run("history", "list", "--json")
    assert (done.code, done.out) == (4, "")
    assert "damaged" in done.error["problems"][0]["message"]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_store_that_cannot_be_used_costs_a_warning_and_no_figure(run: Run, tmp_path: Path, form: list[str]) -> None:
    (tmp_path / "data").write_text("in the way")
    done = run(*PROFILE, *form)
    assert done.code == 0
    assert done.err.startswith("advisor: warning: what is measured is not kept for later: ")
    assert done.err.count("\n") == 1
    assert run(*PROFILE, "--quiet").err == done.err


def test_killed_at_any_moment_the_same_command_measures_only_the_rest(tmp_path: Path) -> None:
    with started(tmp_path, *PROFILE, "--json") as process:
        wait_until(lambda: _measured(tmp_path) >= 3, "three cells saved")
        process.send_signal(signal.SIGKILL)
    saved = _measured(tmp_path)
    (broken,) = _history(tmp_path)["runs"]
    assert (broken["state"], broken["ended_at"]) == ("broken-off", None)
    with started(tmp_path, *PROFILE, "--json") as again:
        out, _ = again.communicate(timeout=60)
    assert again.returncode == 0
    assert reused(json.loads(out)).count(1) == saved
    assert reused(json.loads(out)).count(None) == 6 - saved


def test_an_interrupted_run_names_its_id_and_the_next_one_goes_on(tmp_path: Path) -> None:
    with started(tmp_path, "advise", TICKETS) as process:
        wait_until(lambda: _measured(tmp_path) >= 2, "two cells saved")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "what was measured so far is saved: advisor history show 1" in err
    assert not list((tmp_path / "archadvisor").glob("*.json"))
    (interrupted,) = _history(tmp_path)["runs"]
    assert interrupted["state"] == "interrupted"
    shown = _advisor(tmp_path, "history", "show", "1", "--json")
    measured = [cell for cell in cells_of(shown) if cell["median_s"] is not None]
    assert len(measured) == interrupted["cells_measured"] >= 2
    assert shown["plan"] is not None
    with started(tmp_path, "advise", TICKETS, "--json") as again:
        out, _ = again.communicate(timeout=60)
    assert reused(json.loads(out)).count(1) == len(measured)


def test_where_the_store_fails_an_interrupted_run_leaves_a_file(tmp_path: Path) -> None:
    (tmp_path / "archadvisor").mkdir()
    (tmp_path / "archadvisor" / "results.sqlite3").mkdir()
    script = SLOW.replace("cell_seconds=0.3", "after=2, then='hang'").replace(
        "sys.exit",
        "import advisor.cli.progress as progress\n"
        "first = progress.Progress.__call__\n"
        "def call(self, role, event):\n"
        "    first(self, role, event)\n"
        "    if event.event == 'started' and event.index == 2: print('third', flush=True)\n"
        "progress.Progress.__call__ = call\n"
        "sys.exit",
    )
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    env = os.environ | {"PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", script, *PROFILE, "--json"], cwd=ROOT, env=env, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "third\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    interrupted, warning = json.loads(err)["problems"]
    assert "not kept for later" in warning["message"]
    kept = json.loads(Path(interrupted["file"]).read_text())
    assert Path(interrupted["file"]).parent == tmp_path / "archadvisor"
    assert sum(cell["median_s"] is not None for cell in cells_of(kept)) == 2


def test_two_at_once_keep_both(tmp_path: Path) -> None:
    both = [started(tmp_path, *PROFILE, "--fresh", "--json") for _ in range(2)]
    for process in both:
        _, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (0, "")
    assert [(one["state"], one["cells_measured"]) for one in _history(tmp_path)["runs"]] == [("done", 6)] * 2


def _advisor(data: Path, *arguments: str) -> Any:
    command = [sys.executable, "-m", "advisor", *arguments]
    env = environment(XDG_DATA_HOME=str(data))
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _history(data: Path) -> Any:
    return _advisor(data, "history", "list", "--json")


def _measured(data: Path) -> int:
    return sum(one["cells_measured"] for one in _history(data)["runs"])

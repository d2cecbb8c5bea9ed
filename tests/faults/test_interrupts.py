"""Ctrl-C, a closed terminal, a suspended run: at any moment, an exit code of the contract and nothing left behind."""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from advisor.core.problems import ErrorDocument
from advisor.core.report import Report
from advisor.store.lock import MachineLock
from tests.faults.running import SCRIPT, TICKETS, Run, left_behind, own_environment, state
from tests.measuring import ROOT, children_of, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

VERDICTS = (0, 1, 4)
MOMENTS = [random.Random(number).random() for number in range(10)]
"""Parts of a whole run, the same in every test run."""


@pytest.fixture(scope="module")
def whole_run_seconds(tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long a run takes that nobody interrupts: only there to spread the moments over all of it."""
    folder = tmp_path_factory.mktemp("whole")
    begun = time.monotonic()
    code, out, _ = Run(folder, "advise", TICKETS, "--json", cell_seconds=0.05).ended()
    assert code in VERDICTS
    assert Report.model_validate_json(out).plan is not None
    return time.monotonic() - begun


def assert_nothing_is_left(folder: Path) -> None:
    wait_until(lambda: not left_behind(folder), "the end of every process of the run")
    assert MachineLock(folder / "lock").acquire()


@pytest.mark.parametrize("moment", MOMENTS)
def test_ctrl_c_at_any_moment_ends_with_130_and_tears_nothing(
    tmp_path: Path, whole_run_seconds: float, moment: float
) -> None:
    run = Run(tmp_path, "advise", TICKETS, "--json", "--output", str(tmp_path / "kept.json"), cell_seconds=0.05)
    time.sleep(moment * whole_run_seconds)
    run.signal_group(signal.SIGINT)
    code, out, err = run.ended()
    assert code in (130, *VERDICTS), err
    assert "Traceback" not in err
    if out:
        Report.model_validate_json(out)
    if code == 130:
        assert ErrorDocument.model_validate_json(err).exit_code == 130
    else:
        assert out
    kept = tmp_path / "kept.json"
    if kept.exists():
        Report.model_validate_json(kept.read_text())
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert_nothing_is_left(tmp_path)


def test_a_second_ctrl_c_does_no_harm(tmp_path: Path) -> None:
    run = Run(tmp_path, "advise", TICKETS, "--json", cell_seconds=0.3)
    wait_until(lambda: held(tmp_path), "a measurement")
    for _ in range(3):
        run.signal_group(signal.SIGINT)
    code, out, err = run.ended()
    assert (code, out) == (130, "")
    assert "Traceback" not in err
    assert_nothing_is_left(tmp_path)


def held(folder: Path) -> bool:
    """Whether a run in this folder measures now."""
    path = folder / "lock"
    return path.exists() and not MachineLock(path).acquire()


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_ctrl_c_while_a_slow_reader_takes_the_report_tears_nothing(tmp_path: Path, unbuffered: str) -> None:
    """The report fills the pipe and waits for its reader; the interrupt comes just then."""
    small_pipe = "import fcntl; fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 4096)"
    run = Run(tmp_path, "rules", "list", "--json", before=small_pipe, unbuffered=unbuffered)
    assert run.process.stdout is not None
    wait_until(lambda: waits_to_write(run.process.pid), "a full pipe")
    run.signal_group(signal.SIGINT)
    code, out, err = run.ended()
    assert code == 130
    assert json.loads(out)["kind"] == "rules"
    assert "Traceback" not in err


def waits_to_write(pid: int) -> bool:
    try:
        return "pipe" in Path(f"/proc/{pid}/wchan").read_text()
    except OSError:
        return True


def test_a_terminal_that_is_closed_ends_the_run_and_keeps_what_was_measured(tmp_path: Path) -> None:
    window, terminal = os.openpty()
    kept = tmp_path / "kept.json"
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, "advise", TICKETS, "--output", str(kept)],
        cwd=ROOT,
        env=own_environment(tmp_path, cell_seconds=0.2),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(terminal)
    shown = b""
    while b"batch 4" not in shown:
        shown += os.read(window, 4096)
    os.close(window)  # the kernel hangs up on the run, and what it writes from here on goes nowhere
    assert process.wait(timeout=120) == 130
    report = Report.model_validate_json(kept.read_text())
    assert any(cell.median_s is not None for cell in report.profiles[0].cells)
    assert_nothing_is_left(tmp_path)


@pytest.mark.parametrize("also_the_child", [False, True])
def test_a_run_that_is_suspended_and_resumed_ends_well(tmp_path: Path, also_the_child: bool) -> None:
    run = Run(tmp_path, "advise", TICKETS, "--json", cell_seconds=0.1)
    wait_until(lambda: held(tmp_path), "a measurement")
    stopped = [run.process.pid, *(children_of(run.process.pid) if also_the_child else ())]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: all(state(pid) == "T" for pid in stopped), "a stop")
    time.sleep(1)  # the child goes on, or stands still as well: both must end in the same report
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    code, out, err = run.ended()
    assert code in VERDICTS, err
    (profile,) = Report.model_validate_json(out).profiles
    assert all(cell.median_s is not None for cell in profile.cells if "unsupported" not in cell.flags)
    assert_nothing_is_left(tmp_path)

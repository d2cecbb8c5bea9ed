"""The machine-wide lock: exclusive, let go by death, harmless on hostile files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from advisor.core.errors import AdvisorError
from advisor.store.lock import MachineLock

HOLD = (
    "import sys, time; from pathlib import Path; from advisor.store.lock import MachineLock;"
    "lock = MachineLock(Path(sys.argv[1])); print(lock.acquire(), flush=True); time.sleep(60)"
)


def test_only_one_holds_it(tmp_path: Path) -> None:
    first, second = MachineLock(tmp_path / "lock"), MachineLock(tmp_path / "lock")
    assert first.acquire()
    assert first.acquire()  # asking twice is not waiting for oneself
    assert not second.acquire()
    assert second.holder_pid() == os.getpid()
    first.release()
    assert second.acquire()


def test_a_holder_killed_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "True"
        lock = MachineLock(path)
        assert not lock.acquire()
        assert lock.holder_pid() == holder.pid
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert lock.acquire()


def test_a_started_process_does_not_inherit_it(tmp_path: Path) -> None:
    lock = MachineLock(tmp_path / "lock")
    assert lock.acquire()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], close_fds=False) as sleeper:
        lock.release()
        other, until = MachineLock(tmp_path / "lock"), time.monotonic() + 30
        while not other.acquire():  # the kernel lets go a moment after the new program has begun
            assert sleeper.poll() is None
            assert time.monotonic() < until
        sleeper.kill()


def test_everybody_may_use_the_file(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        MachineLock(tmp_path / "lock").acquire()
    finally:
        os.umask(before)
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o666


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "lock").symlink_to(victim)
    with pytest.raises(AdvisorError, match="cannot be opened") as caught:
        MachineLock(tmp_path / "lock").acquire()
    assert caught.value.problems[0].fix
    assert victim.read_text() == "precious"


def test_a_hard_link_to_a_file_of_ours_keeps_its_content(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    os.link(victim, tmp_path / "lock")
    assert MachineLock(tmp_path / "lock").acquire()
    assert victim.read_text() == "precious"


def test_a_folder_or_a_pipe_in_its_place_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    begun = time.monotonic()
    for name in ("folder", "pipe"):
        with pytest.raises(AdvisorError):
            MachineLock(tmp_path / name).acquire()
    assert time.monotonic() - begun < 30


def test_nonsense_inside_is_nobodys_number(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("\x1b[31m rm -rf")
    assert MachineLock(tmp_path / "lock").holder_pid() is None
    assert MachineLock(tmp_path / "missing").holder_pid() is None

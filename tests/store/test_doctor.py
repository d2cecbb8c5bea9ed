"""What the doctor gathers, from files a test has written and from the real machine."""

from __future__ import annotations

import fcntl
import os
import platform
import tempfile
from pathlib import Path

import pytest

from advisor.core.hardware import GIB
from advisor.store import doctor, nvml
from advisor.store.doctor import examine, nameless
from advisor.store.lock import is_held
from advisor.store.versions import release_pins
from tests.profile.fake_card import FakeNvml
from tests.store.test_machine import Kernel


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 3})
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(doctor, "WATCH_SECONDS", 0.0)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return Kernel(tmp_path / "root")


def test_two_threads_of_a_core_are_why_half_of_the_cpus_are_used(kernel: Kernel) -> None:
    found = examine(terminal_is_utf8=True, root=kernel.root)
    assert (found.cores.installed, found.cores.affinity, found.cores.physical) == (4, 4, 2)
    assert (found.cores_usable, found.cores.bound_by) == (2, "physical cores")


def test_a_quota_below_the_cores_is_what_binds(kernel: Kernel) -> None:
    kernel.cgroup_v2()
    kernel.write("sys/fs/cgroup/a/b/cpu.max", "100000 100000")
    found = examine(terminal_is_utf8=True, root=kernel.root)
    assert (found.cores.quota, found.cores_usable, found.cores.bound_by) == (1.0, 1, "quota")
    assert "DOC-009" in {one.id for one in found.diagnoses}


def test_an_affinity_below_the_cores_is_what_binds(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {1})
    found = examine(terminal_is_utf8=True, root=kernel.root)
    assert (found.cores.affinity, found.cores_usable, found.cores.bound_by) == (1, 1, "affinity")


def test_memory_is_told_with_its_cgroup_and_swap(kernel: Kernel) -> None:
    kernel.write("proc/meminfo", f"MemTotal: {16 * 2**20} kB\nMemAvailable: 1 kB\nSwapTotal: 8 kB\nSwapFree: 5 kB\n")
    assert examine(terminal_is_utf8=True, root=kernel.root).memory.cgroup_limit_bytes is None
    kernel.cgroup_v2()
    kernel.write("sys/fs/cgroup/a/memory.max", str(3 * GIB))
    found = examine(terminal_is_utf8=True, root=kernel.root)
    assert (found.memory_limit_bytes, found.memory.cgroup_limit_bytes) == (3 * GIB, 3 * GIB)
    assert (found.memory.swap_bytes, found.memory.swap_used_bytes) == (8 * 1024, 3 * 1024)


def test_a_limit_above_what_is_installed_is_none(kernel: Kernel) -> None:
    kernel.cgroup_v1()
    kernel.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712")
    assert examine(terminal_is_utf8=True, root=kernel.root).memory.cgroup_limit_bytes is None


def test_cards_are_listed_by_their_driver_and_counted_in_the_fingerprint(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = examine(terminal_is_utf8=True, root=kernel.root)
    monkeypatch.setattr(nvml.Driver, "load", classmethod(lambda cls: nvml.Driver(FakeNvml())))
    kernel.write("proc/driver/nvidia/gpus/0000:01:00.0/information", "Model: \t\t Fake H1\nIRQ: 7\n")
    found = examine(terminal_is_utf8=True, root=kernel.root)
    (card,) = found.device_details
    assert (card.device, card.name, card.driver, card.compute_capability) == ("cuda:0", "Fake H1", "600.1", "9.0")
    assert found.fingerprint != without.fingerprint


def test_a_held_lock_is_seen_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_held(path)
    assert not path.exists(), "to look must not make the file"
    with path.open("w") as file:
        file.write("4711")
        file.flush()
        assert not is_held(path)
        fcntl.flock(file, fcntl.LOCK_EX)
        assert is_held(path)
        found = doctor._lock(path)
    assert (found.held, found.holder_pid) == (True, 4711)
    assert path.read_text() == "4711"


def test_a_path_is_told_without_home_user_or_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", classmethod(lambda cls: Path("/homes/alice")))
    monkeypatch.setattr(platform, "node", lambda: "wonderland")
    monkeypatch.setattr("getpass.getuser", lambda: "alice")
    assert nameless(Path("/homes/alice/.local/x")) == "~/.local/x"
    assert nameless(Path("/data/alice/wonderland/x")) == "/data/…/…/x"


def test_a_user_without_a_home_of_his_own_is_not_named_by_a_path_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "alice")
    for found in ("/", None):
        monkeypatch.setattr("os.path.expanduser", lambda path, found=found: found or path)
        assert nameless(Path("/data/alice/x")) == "/data/…/x"


def test_a_data_folder_that_may_not_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert doctor._store().writable
    assert list(tmp_path.iterdir()) == [], "to look must leave nothing behind"

    def refuse(**place: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert not doctor._store().writable
    assert "DOC-004" in {one.id for one in examine(terminal_is_utf8=True).diagnoses}


def test_a_file_where_the_data_folder_should_be_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").write_text("in the way")
    for place in ("data", "data/deeper"):
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / place))
        assert not doctor._store().writable


def test_a_damaged_store_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    file = tmp_path / "archadvisor" / "results.sqlite3"
    file.parent.mkdir()
    file.write_text("this is no database " * 500)
    found = doctor._store()
    assert found.trouble
    assert not found.readable


def test_the_versions_of_the_release_are_its_pins(tmp_path: Path) -> None:
    assert {"torch", "transformers", "openvino", "ctranslate2", "torchao"} <= set(release_pins())
    (tmp_path / "constraints.txt").write_text("# pins\ntorch==9.9\nother==1\n")
    assert release_pins(tmp_path) == {"torch": "9.9"}
    assert release_pins(tmp_path / "nowhere") == {}

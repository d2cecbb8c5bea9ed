"""What the kernel says of a machine, read from files a test has written, and from the real ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from advisor.core.hardware import GIB
from advisor.store import machine

UNLIMITED_V1 = "9223372036854771712"


class Kernel:
    """A root folder with /proc and /sys as one wants them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("proc/meminfo", f"MemTotal: {16 * 2**20} kB\nMemAvailable: {12 * 2**20} kB\n")
        self.write("proc/cpuinfo", "processor : 0\nmodel name  :  Very   Fast CPU \n")
        for cpu in range(4):  # two cores of two threads
            self.write(f"sys/devices/system/cpu/cpu{cpu}/topology/core_id", str(cpu // 2))
            self.write(f"sys/devices/system/cpu/cpu{cpu}/topology/physical_package_id", "0")

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def cgroup_v2(self, group: str = "/a/b", *, inside: str = "/") -> None:
        self.write("proc/self/cgroup", f"0::{group}\n")
        self.write("proc/self/mountinfo", f"31 23 0:28 {inside} /sys/fs/cgroup rw - cgroup2 cgroup rw\n")

    def cgroup_v1(self, group: str = "/a/b") -> None:
        self.write("proc/self/cgroup", f"4:memory:{group}\n2:cpu,cpuacct:{group}\n0::/\n")
        self.write(
            "proc/self/mountinfo",
            "33 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
            "34 31 0:33 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
            "35 31 0:34 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
        )


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 3})
    return Kernel(tmp_path)


def test_installed_memory_is_the_limit_without_control_groups(kernel: Kernel) -> None:
    assert machine.memory_limit_bytes(kernel.root) == 16 * GIB


def test_a_limit_on_an_ancestor_binds(kernel: Kernel) -> None:
    kernel.cgroup_v2()
    kernel.write("sys/fs/cgroup/a/memory.max", str(3 * GIB))
    kernel.write("sys/fs/cgroup/a/b/memory.max", "max")
    assert machine.memory_limit_bytes(kernel.root) == 3 * GIB


def test_the_tightest_level_of_several_binds(kernel: Kernel) -> None:
    kernel.cgroup_v2()
    kernel.write("sys/fs/cgroup/a/memory.max", str(3 * GIB))
    kernel.write("sys/fs/cgroup/a/b/memory.max", str(2 * GIB))
    assert machine.memory_limit_bytes(kernel.root) == 2 * GIB


def test_version_1_limits_are_read_and_its_unlimited_is_none(kernel: Kernel) -> None:
    kernel.cgroup_v1()
    kernel.write("sys/fs/cgroup/memory/memory.limit_in_bytes", UNLIMITED_V1)
    kernel.write("sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", UNLIMITED_V1)
    assert machine.memory_limit_bytes(kernel.root) == 16 * GIB
    kernel.write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", str(GIB))
    assert machine.memory_limit_bytes(kernel.root) == GIB


def test_a_container_that_sees_only_its_own_part_of_the_tree_finds_its_limit(kernel: Kernel) -> None:
    kernel.cgroup_v2("/docker/abc", inside="/docker/abc")
    kernel.write("sys/fs/cgroup/memory.max", str(GIB))
    assert machine.memory_limit_bytes(kernel.root) == GIB


def test_a_group_outside_of_what_is_mounted_falls_back_to_the_mount(kernel: Kernel) -> None:
    kernel.cgroup_v2("/../elsewhere")
    kernel.write("sys/fs/cgroup/memory.max", str(2 * GIB))
    assert machine.memory_limit_bytes(kernel.root) == 2 * GIB


def test_a_limit_above_what_is_installed_gives_no_memory(kernel: Kernel) -> None:
    kernel.cgroup_v2()
    kernel.write("sys/fs/cgroup/memory.max", str(64 * GIB))
    assert machine.memory_limit_bytes(kernel.root) == 16 * GIB


def test_available_memory_is_what_the_tightest_group_has_left(kernel: Kernel) -> None:
    kernel.cgroup_v2()
    kernel.write("sys/fs/cgroup/a/memory.max", str(4 * GIB))
    kernel.write("sys/fs/cgroup/a/memory.current", str(3 * GIB))
    kernel.write("sys/fs/cgroup/a/memory.stat", f"anon 1\ninactive_file {GIB}\n")
    assert machine.memory_available_bytes(kernel.root) == 2 * GIB


def test_available_memory_without_groups_is_the_kernels_figure(kernel: Kernel) -> None:
    assert machine.memory_available_bytes(kernel.root) == 12 * GIB


def test_two_threads_of_one_core_count_once(kernel: Kernel) -> None:
    assert machine.cores_usable(kernel.root) == 2


def test_affinity_to_one_core_leaves_one(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {2, 3})
    assert machine.cores_usable(kernel.root) == 1


@pytest.mark.parametrize(("quota", "cores"), [("50000 100000", 1), ("150000 100000", 2), ("max 100000", 2)])
def test_a_quota_is_rounded_up_and_unlimited_is_none(kernel: Kernel, quota: str, cores: int) -> None:
    kernel.cgroup_v2()
    kernel.write("sys/fs/cgroup/a/b/cpu.max", quota)
    assert machine.cores_usable(kernel.root) == cores


@pytest.mark.parametrize(("quota", "expected"), [("50000", 0.5), ("-1", None)])
def test_a_version_1_quota_is_read(kernel: Kernel, quota: str, expected: float | None) -> None:
    kernel.cgroup_v1()
    kernel.write("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", quota)
    kernel.write("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000")
    assert machine.cpu_quota(kernel.root) == expected


def test_cores_without_any_topology_are_the_affinity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2})
    assert machine.cores_usable(tmp_path) == 3


def test_the_name_of_the_cpu_is_tidied(kernel: Kernel) -> None:
    assert machine.cpu_name(kernel.root) == "Very Fast CPU"


def test_the_last_level_cache_is_the_one_of_the_highest_level(kernel: Kernel) -> None:
    assert machine.last_level_cache_bytes(kernel.root) is None
    for index, (level, size) in enumerate([("1", "48K"), ("1", "32K"), ("2", "1M"), ("3", "32768K")]):
        kernel.write(f"sys/devices/system/cpu/cpu0/cache/index{index}/level", level)
        kernel.write(f"sys/devices/system/cpu/cpu0/cache/index{index}/size", size)
    assert machine.last_level_cache_bytes(kernel.root) == 32 * 2**20


def test_load_counts_only_the_cpus_we_may_use(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {1})
    monkeypatch.setattr(os, "sysconf", lambda name: 100)
    line = "cpu{} 100 0 100 5000 0 0 0 50 0 0\n"
    kernel.write("proc/stat", "cpu 9 9 9 9 9 9 9 9\n" + line.format(0).replace("100", "99900") + line.format(1))
    kernel.write("proc/vmstat", "pswpin 3\npswpout 4\noom_kill 2\n")
    load = machine.load(kernel.root)
    assert (load.busy_s, load.stolen_s, load.swapped_pages, load.out_of_memory_kills) == (2.0, 0.5, 7, 2)


@pytest.mark.parametrize(("name", "text"), [("throttled_usec", "2500000"), ("throttled_time", "2500000000")])
def test_throttling_is_read_from_both_versions(kernel: Kernel, name: str, text: str) -> None:
    kernel.cgroup_v2()
    kernel.write("sys/fs/cgroup/a/cpu.stat", f"nr_throttled 3\n{name} {text}\n")
    assert machine.load(kernel.root).throttled_s == 2.5


def test_a_silent_kernel_has_no_counters(tmp_path: Path) -> None:
    assert machine.load(tmp_path) == machine.Load(None, None, None, None, None)


def test_the_fingerprint_is_stable_and_moves_with_the_machine(kernel: Kernel) -> None:
    first = machine.this_machine(root=kernel.root)
    assert first == machine.this_machine(root=kernel.root)
    assert first.fingerprint == machine.this_machine(root=kernel.root, versions={"torch": "9"}).fingerprint
    kernel.write("proc/cpuinfo", "model name : Another CPU\n")
    assert first.fingerprint != machine.this_machine(root=kernel.root).fingerprint


def test_a_few_megabytes_more_or_less_are_the_same_machine() -> None:
    one = machine.fingerprint("cpu", 2, 16 * GIB - 30 * 2**20, None)
    assert one == machine.fingerprint("cpu", 2, 16 * GIB - 90 * 2**20, None)
    assert one != machine.fingerprint("cpu", 2, 32 * GIB, None)


def test_the_fingerprint_holds_no_name_of_host_or_user() -> None:
    here = machine.this_machine()
    text = here.model_dump_json()
    for name in {os.uname().nodename, os.environ.get("USER", "")} - {"", "root", "localhost"}:
        assert name not in text


def test_this_machine_has_cores_and_memory() -> None:
    here = machine.this_machine()
    assert here.cores_usable >= 1
    assert here.memory_limit_bytes > 2**28
    assert 0 < machine.memory_available_bytes() <= here.memory_limit_bytes


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere psutil has to tell")
def test_the_memory_limit_is_read_without_psutil_or_numpy() -> None:
    code = (
        "import sys; from advisor.store.machine import memory_limit_bytes; memory_limit_bytes();"
        "print(sorted({'psutil', 'numpy', 'torch', 'asyncio'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"

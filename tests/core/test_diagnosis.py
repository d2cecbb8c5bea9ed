"""Each thing that would be slow or wrong is said where it is so, and not where it is not."""

from __future__ import annotations

from typing import Any

import pytest

from advisor.core.diagnosis import diagnoses
from advisor.core.hardware import GIB, DeviceDetail
from advisor.core.machine_report import Cores, Load, Lock, MachineReport, Memory, ResultStore, Surroundings

CARD = DeviceDetail(device="cuda:0", name="Fake H1", memory_bytes=GIB, memory_limit_bytes=GIB)


def healthy(**changed: Any) -> MachineReport:
    """A machine with nothing to say about, changed in the parts of the same name."""
    facts: dict[str, Any] = {
        "cpu": "Fast CPU",
        "cpu_features": ("avx2", "avx512_bf16"),
        "cores_usable": 4,
        "cores": Cores(installed=4, affinity=4, physical=4, quota=None, bound_by="physical cores"),
        "memory_limit_bytes": 16 * GIB,
        "memory": memory(),
        "last_level_cache_bytes": None,
        "devices": ("cpu",),
        "device_details": (),
        "versions": {"python": "3.12.1", "torch": "2.13.0+cpu", "transformers": "5.23.0"},
        "tested_versions": {"torch": "2.13.0", "transformers": "5.23.0"},
        "tested_pythons": ("3.11", "3.12"),
        "fingerprint": "0" * 12,
        "surroundings": surroundings(),
        "load": load(),
        "lock": Lock(held=False, holder_pid=None),
        "store": store(),
    }
    return MachineReport(**(facts | changed))


def memory(**changed: Any) -> Memory:
    facts: dict[str, Any] = {
        "installed_bytes": 16 * GIB,
        "cgroup_limit_bytes": None,
        "available_bytes": 12 * GIB,
        "swap_bytes": GIB,
        "swap_used_bytes": 0,
    }
    return Memory(**(facts | changed))


def load(**changed: Any) -> Load:
    facts: dict[str, Any] = {"watched_s": 0.3, "others_share": 0.05, "stolen_share": 0.0, "throttled_s": 0.0}
    return Load(**(facts | changed))


def surroundings(**changed: Any) -> Surroundings:
    facts: dict[str, Any] = {
        "system": "Linux",
        "architecture": "x86_64",
        "virtual": False,
        "emulated": False,
        "container": False,
        "terminal_is_utf8": True,
    }
    return Surroundings(**(facts | changed))


def store(**changed: Any) -> ResultStore:
    facts: dict[str, Any] = {"path": "~/results", "size_bytes": None, "readable": True, "writable": True}
    return ResultStore(**(facts | changed))


def cores(**changed: Any) -> Cores:
    facts: dict[str, Any] = {"installed": 8, "affinity": 8, "physical": 8, "quota": None, "bound_by": "physical cores"}
    return Cores(**(facts | changed))


def test_a_healthy_machine_has_nothing_to_say() -> None:
    assert diagnoses(healthy()) == ()


@pytest.mark.parametrize(
    ("number", "level", "word", "changed"),
    [
        ("001", "wrong", "torch is not installed", {"versions": {"torch": None, "transformers": "5.23.0"}}),
        ("001", "wrong", "torch and transformers are not", {"versions": {"torch": None, "transformers": None}}),
        ("002", "wrong", "4.57.1", {"versions": {"transformers": "4.57.1", "torch": "2.13.0"}, "tested_versions": {}}),
        ("003", "slow", "Fake H1", {"device_details": (CARD,)}),
        ("004", "wrong", "cannot be written", {"store": store(writable=False)}),
        ("004", "wrong", "it is damaged", {"store": store(trouble="it is damaged")}),
        ("005", "wrong", "Windows", {"surroundings": surroundings(system="Windows")}),
        ("006", "note", "process 4711", {"lock": Lock(held=True, holder_pid=4711)}),
        ("006", "note", "another process", {"lock": Lock(held=True, holder_pid=None)}),
        ("007", "note", "3.10", {"tested_pythons": ("3.10",)}),
        ("008", "note", "2.13.0+cpu (2.12.0)", {"tested_versions": {"torch": "2.12.0"}}),
        ("009", "slow", "grants 1.5 of 8", {"cores": cores(quota=1.5, bound_by="quota"), "cores_usable": 2}),
        ("009", "slow", "1 core is used", {"cores": cores(affinity=1, bound_by="affinity"), "cores_usable": 1}),
        ("009", "note", "8 CPUs are threads of 4", {"cores": cores(physical=4), "cores_usable": 4}),
        ("010", "slow", "bfloat16", {"cpu_features": ("avx2",)}),
        ("011", "slow", "leave 1 GiB of 16 GiB", {"memory": memory(available_bytes=GIB)}),
        ("012", "note", "grants 8 of 16", {"memory": memory(cgroup_limit_bytes=8 * GIB)}),
        ("013", "slow", "0.5 GiB are swapped", {"memory": memory(swap_used_bytes=GIB // 2)}),
        ("014", "slow", "50%", {"load": load(others_share=0.5)}),
        ("015", "slow", "3 s", {"load": load(throttled_s=3.0)}),
        ("016", "slow", "10%", {"load": load(stolen_share=0.1)}),
        ("017", "slow", "emulated", {"surroundings": surroundings(emulated=True, virtual=True)}),
        ("018", "note", "virtual", {"surroundings": surroundings(virtual=True)}),
        ("019", "note", "UTF-8", {"surroundings": surroundings(terminal_is_utf8=False)}),
        ("020", "slow", "may map 2 GiB", {"memory": memory(address_space_bytes=2 * GIB)}),
    ],
)
def test_what_is_not_as_it_should_be_is_said_with_its_figure(
    number: str, level: str, word: str, changed: dict[str, Any]
) -> None:
    told = diagnoses(healthy(**changed))
    assert [(one.id, one.level) for one in told] == [(f"DOC-{number}", level)]
    assert word in told[0].says


def test_what_nobody_can_tell_accuses_nobody() -> None:
    silent = healthy(
        cpu_features=(),
        memory=memory(swap_bytes=None, swap_used_bytes=None),
        load=load(others_share=None, stolen_share=None, throttled_s=None),
        surroundings=surroundings(virtual=None, terminal_is_utf8=None),
        tested_versions={},
        tested_pythons=(),
    )
    assert diagnoses(silent) == ()


def test_a_card_that_torch_can_use_is_no_news() -> None:
    assert diagnoses(healthy(devices=("cpu", "cuda:0"), device_details=(CARD,))) == ()


def test_what_does_not_work_comes_first() -> None:
    told = diagnoses(healthy(lock=Lock(held=True, holder_pid=1), cpu_features=("avx2",), store=store(writable=False)))
    assert [one.level for one in told] == ["wrong", "slow", "note"]

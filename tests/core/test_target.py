"""Which device a word means on a machine, and what may be taken there."""

from __future__ import annotations

import pytest

from advisor.core.errors import EXIT_UNDECIDED, AdvisorError
from advisor.core.hardware import GIB, DeviceDetail, Machine, device_for
from advisor.core.target import Target, target_on

OLD = DeviceDetail(
    device="cuda:0", name="Old", memory_bytes=16 * GIB, memory_limit_bytes=15 * GIB, dtypes=("float32", "float16")
)
NEW = OLD.model_copy(update={"device": "cuda:1", "name": "New", "dtypes": ("float32", "bfloat16", "float16")})


def machine(*details: DeviceDetail, versions: dict[str, str] | None = None) -> Machine:
    return Machine(
        cpu="CPU",
        cores_usable=2,
        memory_limit_bytes=4 * GIB,
        devices=("cpu", *(one.device for one in details)),
        device_details=details,
        versions=versions or {"torch": "2.13.0", "cuda": "13.0"},
        fingerprint="0" * 12,
    )


@pytest.mark.parametrize(
    ("asked", "devices", "meant"),
    [
        ("auto", ("cpu",), "cpu"),
        ("auto", ("cpu", "mps"), "mps"),
        ("auto", ("cpu", "mps", "cuda:0"), "cuda:0"),
        ("cuda", ("cpu", "cuda:0", "cuda:1"), "cuda:0"),
        ("cuda:1", ("cpu", "cuda:0", "cuda:1"), "cuda:1"),
        ("cuda:2", ("cpu", "cuda:0", "cuda:1"), None),
        ("cuda", ("cpu",), None),
        ("mps", ("cpu", "cuda:0"), None),
        ("cpu", ("cpu", "cuda:0"), "cpu"),
    ],
)
def test_a_word_means_the_best_device_of_its_kind(asked: str, devices: tuple[str, ...], meant: str | None) -> None:
    assert device_for(asked, devices) == meant


def test_the_processor_keeps_to_the_machines_memory_and_a_card_to_its_own() -> None:
    assert target_on(machine(OLD), "cpu") == Target("cpu", None, ("float32", "bfloat16"))
    assert target_on(machine(OLD), "auto") == Target("cuda:0", 15 * GIB, ("float32", "float16"))
    assert target_on(machine(OLD, NEW), "cuda:1").dtypes == ("float32", "bfloat16")


@pytest.mark.parametrize(
    ("there", "asked", "mend"),
    [
        (machine(versions={"torch": "2.13.0+cpu"}), "cuda", "without CUDA"),
        (machine(), "cuda", "no card answers"),
        (machine(OLD), "cuda:7", "name one of the cards"),
        (machine(), "mps", None),
    ],
)
def test_a_device_that_is_not_there_is_refused_with_what_is_there(there: Machine, asked: str, mend: str | None) -> None:
    with pytest.raises(AdvisorError) as refused:
        target_on(there, asked)
    (problem,) = refused.value.problems
    assert refused.value.exit_code == EXIT_UNDECIDED
    assert "it has cpu" in problem.message
    assert problem.fix is None if mend is None else mend in (problem.fix or "")

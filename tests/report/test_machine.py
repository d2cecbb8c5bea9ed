"""What is said of a machine and of a card, in words."""

from __future__ import annotations

from advisor.core.diagnosis import diagnoses
from advisor.core.hardware import GIB, DeviceDetail
from advisor.core.sizing.measurement import Profile, ProfiledModel
from advisor.report import text
from advisor.report.machine import machine_blocks
from advisor.report.outline import profile_blocks
from tests.core.test_diagnosis import healthy, store
from tests.fake_child import FAKE_MACHINE, fake_cell
from tests.measuring import plans

CARD = DeviceDetail(
    device="cuda:0",
    name="Fake H1",
    memory_bytes=80 * GIB,
    memory_limit_bytes=70 * GIB,
    driver="600.1",
    compute_capability="9.0",
)


def said(**changed: object) -> str:
    machine = healthy(**changed)
    return text.render(machine_blocks(machine.model_copy(update={"diagnoses": diagnoses(machine)})), width=200)


def test_a_healthy_machine_is_ready_and_says_what_was_not_measured() -> None:
    words = said()
    assert words.startswith("✓ ready to measure")
    assert "What would be slow" not in words
    assert "Peaks: not measured yet" in words
    assert "nothing kept yet" in words


def test_a_card_is_told_with_its_memory_and_driver() -> None:
    words = said(devices=("cpu", "cuda:0"), device_details=(CARD,))
    assert "cuda:0: Fake H1, 70 GiB of 80 GiB free, compute capability 9.0, driver 600.1" in words


def test_the_headline_is_as_bad_as_the_worst_thing_below_it() -> None:
    assert said(cpu_features=("avx2",)).startswith("! ready to measure")
    assert said(cpu_features=("avx2",), store=store(writable=False)).startswith("✗ 1 thing below must")


def test_a_cell_that_waits_for_launches_says_so_and_one_that_works_does_not() -> None:
    waiting, working = (fake_cell(plan, device="cuda:0") for plan in plans(batches=(1, 8)))
    cells = (
        waiting.model_copy(update={"launch_overhead_s": 0.4 * (waiting.median_s or 0.0)}),
        working.model_copy(update={"launch_overhead_s": 0.1 * (working.median_s or 0.0)}),
    )
    model = ProfiledModel(id="bert-base", architecture="encoder-only", parameters=1, weights="random")
    profile = Profile(machine=FAKE_MACHINE, model=model, cells=cells, best=(), wall_s=1.0)
    words = text.render(profile_blocks(profile), width=200)
    assert "batch 1, 8 tokens: 40 % of the time is launching and waiting" in words
    assert words.count("launching") == 1

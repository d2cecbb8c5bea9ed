"""Timed budgets: judged by intervals, on the testbed, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from advisor.check import timing
from advisor.check.judging import judge
from advisor.check.means import Means
from advisor.core.hardware import Machine
from advisor.core.model.entry import ModelEntry
from advisor.core.review.document import CheckDocument
from advisor.core.sizing.measurement import CellPlan, Profile
from advisor.run import Child
from advisor.store.architecture_file import read_architecture
from tests.check.declaring import LABELS, TODAY, component, knowledge, only, reviewed, written
from tests.core.sizing.known_model import cell, profile
from tests.fake_child import FAKE_MACHINE, fake_command

TESTBED = "testbed00000"
MINILM: ModelEntry = knowledge().catalog.get("minilm-l6")
WIDTH = 0.02


def measured(seconds: float = 0.1, *, width: float = WIDTH, flags: Any = (), machine: str = TESTBED) -> Profile:
    """A pass over one text takes `seconds`, whatever the batch."""
    shapes = [CellPlan(stage="forward", dtype="float32", batch_size=batch, input_tokens=128) for batch in (1, 4)]
    cells = [cell(shape, seconds, width=width, flags=flags) for shape in shapes]
    made = profile(MINILM, cells)
    return made.model_copy(update={"machine": made.machine.model_copy(update={"fingerprint": machine})})


def held(folder: Path, profiles: Sequence[Profile], **budgets: float) -> CheckDocument:
    """The review of a component with these budgets and profiles."""
    for number, one in enumerate(profiles):
        (folder / f"{number}.json").write_text(one.model_dump_json(), encoding="utf-8")
    names = [f"{number}.json" for number in range(len(profiles))]
    declared = component(
        "tickets", LABELS, "encoder-only", model="minilm-l6", budgets=budgets, testbed=TESTBED, measured=names
    )
    return reviewed(written(folder, declared))


@pytest.mark.parametrize(
    ("budget", "outcome"),
    [(150.0, "pass"), (103.0, "pass"), (101.0, "inconclusive"), (99.0, "inconclusive"), (97.0, "fail"), (50.0, "fail")],
)
def test_latency_is_held_by_its_interval(tmp_path: Path, budget: float, outcome: str) -> None:
    found = only(held(tmp_path, [measured()], p95_ms=budget), "BUD-201")
    assert found.outcome == outcome
    assert found.figure is not None
    assert (found.figure.low, found.figure.mid, found.figure.high) == pytest.approx((98, 100, 102))


def test_a_measurement_that_no_budget_needs_is_said_to_be_unread(tmp_path: Path) -> None:
    made = held(tmp_path, [measured()], parameters=50e6)
    found = only(made, "BUD-200")
    assert (found.outcome, "0.json, which measured names, was not read" in found.message) == ("not-checked", True)
    assert not any(one.check == "BUD-200" for one in held(tmp_path, [measured()], p95_ms=150).results)


def test_an_inconclusive_budget_ends_in_four_and_a_missed_one_in_one(tmp_path: Path) -> None:
    assert held(tmp_path, [measured()], p95_ms=101).exit_code == 4
    assert held(tmp_path, [measured()], p95_ms=50).exit_code == 1


@pytest.mark.parametrize(("budget", "outcome"), [(1.0, "pass"), (1e6, "fail")])
def test_throughput_is_a_floor(tmp_path: Path, budget: float, outcome: str) -> None:
    assert only(held(tmp_path, [measured()], throughput_per_s=budget), "BUD-202").outcome == outcome


@pytest.mark.parametrize(("budget", "outcome"), [(1.1, "pass"), (1.01, "inconclusive"), (0.9, "fail")])
def test_peak_memory_is_held_with_what_two_processes_differ_by(tmp_path: Path, budget: float, outcome: str) -> None:
    assert only(held(tmp_path, [measured()], peak_memory_gib=budget), "BUD-203").outcome == outcome


def test_a_budget_nearer_than_two_runs_of_the_machine_is_refused_with_that_reason(tmp_path: Path) -> None:
    found = only(held(tmp_path, [measured(0.1), measured(0.12)], p95_ms=110), "BUD-201")
    assert found.outcome == "inconclusive"
    assert "runs of it on this machine differ by up to 20 %" in found.message
    assert only(held(tmp_path, [measured(0.1), measured(0.12)], p95_ms=130), "BUD-201").outcome == "pass"


def test_a_busy_machine_fails_nobody(tmp_path: Path) -> None:
    busy = [measured(flags=("other-load",))]
    found = only(held(tmp_path, busy, p95_ms=50), "BUD-201")
    assert (found.outcome, "only adds time" in found.message) == ("inconclusive", True)
    assert only(held(tmp_path, busy, p95_ms=150), "BUD-201").outcome == "pass"


def test_a_length_that_was_not_measured_passes_nothing(tmp_path: Path) -> None:
    longer = component("tickets", LABELS | {"input_tokens": 256}, "encoder-only", model="minilm-l6",
                       budgets={"p95_ms": 500.0}, testbed=TESTBED, measured="0.json")  # fmt: skip
    (tmp_path / "0.json").write_text(measured().model_dump_json())
    found = only(reviewed(written(tmp_path, longer)), "BUD-201")
    assert (found.outcome, "the least it takes" in found.message) == ("inconclusive", True)


@pytest.mark.parametrize(
    ("profiles", "words"),
    [
        ([measured(machine="another00000")], "measured on another00000"),
        ([], "nothing measured is named"),
    ],
)
def test_what_was_not_measured_on_the_testbed_is_not_checked(
    tmp_path: Path, profiles: list[Profile], words: str
) -> None:
    made = held(tmp_path, profiles, p95_ms=150)
    assert (only(made, "BUD-201").outcome, made.exit_code) == ("not-checked", 0)
    assert words in only(made, "BUD-201").message
    assert "is not the testbed" in only(made, "BUD-201").message


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("", "the file is empty", 1),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "Git LFS", 1),
        ('{"schema_version": 1,\n "kind": "report"}', "holds no profile", 1),
        ('{"schema_version": 1,\n "kind": "recommendation"}', 'kind "recommendation"', 2),
        ("\x00", "not allowed", 1),
        (None, "no such file", None),
    ],
)
def test_a_measurement_that_cannot_be_read_is_not_checked_and_says_why_at_its_place(
    tmp_path: Path, text: str | None, words: str, line: int | None
) -> None:
    held(tmp_path, [measured()], p95_ms=150)
    (tmp_path / "0.json").unlink()
    if text is not None:
        (tmp_path / "0.json").write_text(text)
    made = reviewed(tmp_path / "architecture.yaml")
    budget, file = only(made, "BUD-201"), only(made, "BUD-200")
    assert (budget.outcome, "0.json: " in budget.message) == ("not-checked", True)
    assert (file.outcome, words in file.message, bool(file.fix)) == ("not-checked", True, True)
    assert file.location.file == str(tmp_path / ("architecture.yaml" if line is None else "0.json"))
    if line is not None:
        assert (file.location.line, file.pointer) == (line, None)


def test_of_a_list_the_file_that_is_of_no_use_is_named_and_the_others_count(tmp_path: Path) -> None:
    elsewhere = measured(machine="another00000")
    made = held(tmp_path, [measured(), elsewhere, measured()], p95_ms=150)
    assert only(made, "BUD-201").outcome == "pass"
    assert "from 0.json and 2.json" in only(made, "BUD-201").message
    found = only(made, "BUD-200")
    assert found.message.startswith("1.json, which measured names, is of no use: it was measured on another00000")
    assert found.pointer == "/components/0/measured/1"


def test_a_profile_of_another_model_speaks_for_nobody(tmp_path: Path) -> None:
    other = measured()
    other = other.model_copy(update={"model": other.model.model_copy(update={"parameters": 1})})
    found = only(held(tmp_path, [other], p95_ms=150), "BUD-201")
    assert (found.outcome, "is not the declared model" in found.message) == ("not-checked", True)


def test_without_a_testbed_nothing_timed_is_checked(tmp_path: Path) -> None:
    declared = component("tickets", LABELS, "encoder-only", model="minilm-l6", budgets={"p95_ms": 1.0})
    found = only(reviewed(written(tmp_path, declared)), "BUD-201")
    assert (found.outcome, "no testbed is named" in found.message) == ("not-checked", True)


def test_on_the_testbed_itself_the_model_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def here() -> Machine:
        return FAKE_MACHINE

    start = Child.start

    async def alone() -> Child:  # with a lock of its own: others may be measuring on this machine
        return await start(command=fake_command(), lock_path=tmp_path / "lock")

    monkeypatch.setattr(timing, "this_machine", here)
    monkeypatch.setattr(Child, "start", alone)
    budgets = {"p95_ms": 1000.0, "throughput_per_s": 1e9}
    testbed = FAKE_MACHINE.fingerprint
    declared = component("tickets", LABELS, "encoder-only", model="minilm-l6", budgets=budgets, testbed=testbed)
    made = reviewed(written(tmp_path, declared))
    assert (only(made, "BUD-201").outcome, only(made, "BUD-202").outcome) == ("pass", "fail")
    assert "measured now" in only(made, "BUD-201").message
    (tmp_path / "0.json").write_text("{}")
    made = reviewed(written(tmp_path, declared | {"measured": "0.json"}))
    assert "measured now" in only(made, "BUD-201").message
    assert (only(made, "BUD-200").outcome, made.summary.not_checked) == ("not-checked", 1), "and the file is told"


def test_what_was_committed_is_measured_again_where_it_settles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "this_machine", lambda: FAKE_MACHINE.model_copy(update={"fingerprint": TESTBED}))

    def outcome(budget: float) -> tuple[str, bool]:
        held(tmp_path, [measured()], p95_ms=budget)
        read = read_architecture(tmp_path / "architecture.yaml", knowledge().rulebook, TODAY)
        means = Means(lambda *_: [measured(width=0.001)])
        found = next(one for one in judge(read, knowledge(), TODAY, means).results if one.check == "BUD-201")
        return found.outcome, "measured now" in found.message

    assert outcome(150.0) == ("pass", False)
    assert outcome(101.0) == ("pass", True)


def test_what_a_quick_look_leaves_open_gets_a_longer_one_and_no_third(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    testbed = FAKE_MACHINE.fingerprint
    monkeypatch.setattr(timing, "this_machine", lambda: FAKE_MACHINE)
    asked: list[str] = []

    def measure(advice: Any, case: Any, read: Any, known: Any, effort: str) -> list[Profile]:
        asked.append(effort)
        return [measured(width=0.02 if effort == "quick" else 0.001, machine=testbed)]

    def outcome(budget: float) -> str:
        asked.clear()
        file = written(tmp_path, component("tickets", LABELS, "encoder-only", model="minilm-l6", testbed=testbed,
                                           budgets={"p95_ms": budget}))  # fmt: skip
        read = read_architecture(file, knowledge().rulebook, TODAY)
        results = judge(read, knowledge(), TODAY, Means(measure)).results
        return next(one.outcome for one in results if one.check == "BUD-201")

    assert (outcome(150.0), asked) == ("pass", ["quick"])
    assert (outcome(101.0), asked) == ("pass", ["quick", "standard"])
    assert (outcome(100.0), asked) == ("inconclusive", ["quick", "standard"])


def test_a_profile_without_its_samples_passes_no_latency(tmp_path: Path) -> None:
    whole = measured()
    bare = whole.model_copy(update={"cells": tuple(one.model_copy(update={"samples_s": None}) for one in whole.cells)})
    found = only(held(tmp_path, [bare], p95_ms=150.0), "BUD-201")
    assert (found.outcome, "keeps no samples" in found.message) == ("inconclusive", True)
    assert only(held(tmp_path, [bare], p95_ms=50.0), "BUD-201").outcome == "fail", "its median is too slow already"


@pytest.mark.parametrize("budget", [{"p95_ms": 50.0}, {"throughput_per_s": 900.0}, {"peak_memory_gib": 0.01}])
def test_the_budget_that_a_miss_suggests_passes(tmp_path: Path, budget: dict[str, float]) -> None:
    ((name, _),) = budget.items()
    check = {"p95_ms": "BUD-201", "throughput_per_s": "BUD-202", "peak_memory_gib": "BUD-203"}[name]
    missed = only(held(tmp_path, [measured(width=0.1)], **budget), check)
    assert missed.outcome == "fail"
    suggested = float((missed.fix or "").partition("a budget of ")[2].split()[0].replace(",", ""))
    assert only(held(tmp_path, [measured(width=0.1)], **{name: suggested}), check).outcome == "pass"

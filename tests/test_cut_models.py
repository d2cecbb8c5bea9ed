"""The whole story of a model that does not fit: cut, measured, told from its cuts, planned, kept and shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from advisor.advise import load_knowledge, measure_and_plan, profile_model, recommendation
from advisor.core.errors import AdvisorError
from advisor.core.hardware import GIB
from advisor.core.model.entry import ModelEntry
from advisor.core.protocol import Event, Finished, Measure, Measured, Ready
from advisor.core.sizing.measurement import ProcedureCheck, Profile
from advisor.core.workload import Answers
from advisor.measuring import Measuring
from advisor.report import markdown, text
from advisor.report.outline import profile_blocks, report_blocks
from advisor.store.checks import procedure_check
from advisor.store.history import past_document
from advisor.store.recorder import Recorder
from tests.fake_child import FAKE_MACHINE, fake_cell, true_seconds

KNOWLEDGE = load_knowledge()


@pytest.fixture(autouse=True)
def on_24_gib(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test machine has is of no account."""
    monkeypatch.setattr("advisor.advise.memory_limit_bytes", lambda: 24 * GIB)
    monkeypatch.setattr("advisor.measuring.memory_available_bytes", lambda: 22 * GIB)


class Child:
    """A child that measures known functions at once; `asked` is what it was told to measure."""

    def __init__(self) -> None:
        self.asked: list[Measure] = []

    async def ready(self) -> Ready:
        return Ready(machine=FAKE_MACHINE, pid=1, forks=True)

    async def measure(self, request: Measure, *_: object) -> AsyncIterator[Event]:
        self.asked.append(request)
        for index, plan in enumerate(request.cells):
            yield Measured(id=request.id, index=index, cell=fake_cell(plan, device=request.device))
        yield Finished(id=request.id, parameters=None, wall_s=0.0)


def model(id_: str) -> ModelEntry:
    return KNOWLEDGE.catalog.get(id_)


async def test_gpt_3_gives_a_profile_on_24_gib() -> None:
    child = Child()
    profile = await profile_model(model("gpt3-175b"), child, Measuring(input_tokens=(32, 64, 128, 256)))
    assert {plan.layers for plan in child.asked[0].cells} == {1, 2, 3}
    assert {cell.dtype for cell in profile.cells} == {"bfloat16"}
    assert profile.model.parameters == 174_604_259_328
    told = [cell for cell in profile.cells if cell.layers is None]
    assert len(told) == len(profile.extrapolations) == 2 * 4
    assert {cell.batch_size for cell in told} == {1}
    for cell in told:
        plan = (
            child.asked[0]
            .cells[0]
            .model_copy(
                update=cell.model_dump(include={"stage", "batch_size", "input_tokens", "context_tokens"})
                | {"layers": None}
            )
        )
        assert cell.origin == "extrapolated"
        assert cell.median_s == pytest.approx(1e-3 + 96 / 12 * true_seconds(plan), rel=1e-6)
        assert cell.memory_origin == "formula"
        assert (cell.peak_memory_bytes or 0) > 300 * GIB
    assert {(one.stage, bool(one.coefficients)) for one in profile.surfaces} == {("prefill", True), ("decode", True)}
    assert {profile.cells[best.latency_cell].layers for best in profile.best} == {None}


@pytest.mark.parametrize("id_", ["gpt3-175b", "llama-2-70b"])
async def test_a_plan_for_a_model_that_does_not_fit_is_labelled_and_says_what_it_takes(id_: str) -> None:
    answers = Answers(task="chat", input_tokens=64, output_tokens=8, requests_per_second=0.01)
    measuring = Measuring(model=id_)
    child = Child()
    report = await measure_and_plan(recommendation(answers, KNOWLEDGE, measuring), KNOWLEDGE, child, measuring)
    assert all(plan.layers is not None for plan in child.asked[0].cells)
    assert report.plan is not None
    assert report.plan.verdict == "misses"
    assert report.plan.binding == "memory"
    assert report.plan.origin == "extrapolated"
    assert {stage.origin for stage in report.plan.stages} == {"extrapolated"}
    words = text.render(report_blocks(report))
    assert "extrapolated, memory formula" in words
    assert "How far off this procedure is has not been measured on this machine" in " ".join(words.split())


async def test_a_model_that_fits_in_some_dtype_is_measured_whole() -> None:
    child = Child()
    profile = await profile_model(model("llama-2-7b"), child, Measuring())
    assert {plan.layers for plan in child.asked[0].cells} == {None}
    assert {cell.dtype for cell in profile.cells} == {"bfloat16"}


async def test_batches_that_are_asked_for_are_measured_in_cuts_too() -> None:
    profile = await profile_model(model("gpt3-175b"), Child(), Measuring(batch_sizes=(1, 4)))
    assert {cell.batch_size for cell in profile.cells} == {1, 4}


async def test_in_a_dtype_that_does_not_fit_the_same_model_is_cut() -> None:
    child = Child()
    profile = await profile_model(model("llama-2-7b"), child, Measuring(dtypes=("float32",)))
    assert len({plan.layers for plan in child.asked[0].cells} - {None}) == 3
    assert {cell.origin for cell in profile.cells if cell.layers is None} == {"extrapolated"}


async def test_a_dtype_without_three_cuts_is_refused_with_the_sums() -> None:
    profile = await profile_model(model("gpt3-175b"), Child(), Measuring(dtypes=("float32",)))
    assert any("three cuts are needed" in note and "14.4 GiB" in note for note in profile.model.notes)
    assert "14.4 GiB" in markdown.render(profile_blocks(profile))


async def test_cuts_asked_for_are_held_against_the_whole_model_and_remembered(tmp_path: Path) -> None:
    store = tmp_path / "results.sqlite3"
    asked = Measuring(layers=(2, 4, 8), batch_sizes=(1,), dtypes=("bfloat16",))
    recorder = Recorder("profile", "gpt2", path=store)
    with recorder:
        profile = await profile_model(model("gpt2"), Child(), asked, recorder=recorder)
    assert len(profile.extrapolations) == sum(cell.layers is None for cell in profile.cells) == 6
    assert {cell.origin for cell in profile.cells} == {"measured"}
    for line in profile.extrapolations:
        assert line.error_pct == pytest.approx(100 * 1e-3 / (line.measured_s or 0.0), rel=1e-3)  # the fake's rest
    assert "extrapolated against measured" in text.render(profile_blocks(profile), width=1000)
    kept = past_document(recorder.run or 0, store)
    assert isinstance(kept, Profile)
    assert kept.extrapolations == profile.extrapolations
    check = procedure_check(FAKE_MACHINE.fingerprint, store)
    assert check is not None
    assert check.model == "gpt2"
    assert check.errors_pct == tuple(line.error_pct for line in profile.extrapolations)
    assert procedure_check("another machine", store) is None
    assert procedure_check(FAKE_MACHINE.fingerprint, tmp_path / "nowhere") is None


async def test_a_check_on_a_disturbed_machine_is_shown_and_checks_nothing(tmp_path: Path) -> None:
    class Busy(Child):
        async def measure(self, request: Measure, *_: object) -> AsyncIterator[Event]:
            async for event in super().measure(request):
                if isinstance(event, Measured):
                    event = event.model_copy(update={"cell": event.cell.model_copy(update={"flags": ("other-load",)})})
                yield event

    store = tmp_path / "results.sqlite3"
    asked = Measuring(layers=(2, 4, 8), batch_sizes=(1,), dtypes=("bfloat16",))
    recorder = Recorder("profile", "gpt2", path=store)
    with recorder:
        profile = await profile_model(model("gpt2"), Busy(), asked, recorder=recorder)
    assert "6 of these rest on flagged cells" in text.render(profile_blocks(profile), width=1000)
    assert procedure_check(FAKE_MACHINE.fingerprint, store) is None


async def test_what_the_procedure_was_off_is_shown_where_nothing_can_be_held_against(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    check = ProcedureCheck(model="gpt2-xl", errors_pct=(2.0, 5.0))
    monkeypatch.setattr("advisor.store.checks.procedure_check", lambda fingerprint: check)
    recorder = Recorder("profile", "gpt3-175b", path=tmp_path / "results.sqlite3")
    with recorder:
        profile = await profile_model(model("gpt3-175b"), Child(), Measuring(batch_sizes=(1,)), recorder=recorder)
    assert profile.procedure_check == check
    words = " ".join(text.render(profile_blocks(profile)).split())
    assert "The same procedure on gpt2-xl here was 3.5 % (median of 2; 5 % at worst) off." in words
    told = next(cell for cell in profile.cells if cell.median_s is not None and cell.layers is None)
    assert told.ci95_s is not None
    assert told.ci95_s[1] >= (told.median_s or 0.0) * 1.05


async def test_history_shows_what_was_told_from_cuts(tmp_path: Path) -> None:
    store = tmp_path / "results.sqlite3"
    recorder = Recorder("profile", "gpt3-175b", path=store)
    with recorder:
        profile = await profile_model(model("gpt3-175b"), Child(), Measuring(batch_sizes=(1,)), recorder=recorder)
    kept = past_document(recorder.run or 0, store)
    assert isinstance(kept, Profile)
    assert [cell.median_s for cell in kept.cells] == [cell.median_s for cell in profile.cells]
    assert [cell.origin for cell in kept.cells] == [cell.origin for cell in profile.cells]
    assert kept.best == profile.best


async def test_layers_that_a_model_does_not_have_are_a_mistake() -> None:
    with pytest.raises(AdvisorError, match="12 layers"):
        await profile_model(model("gpt2"), Child(), Measuring(layers=(4, 8, 12)))


async def test_in_a_design_of_several_models_one_must_be_named() -> None:
    rag = Answers(task="retrieval-augmented-generation", input_tokens=64, output_tokens=8)
    asked = Measuring(layers=(1, 2, 3))
    with pytest.raises(AdvisorError, match="models"):
        await measure_and_plan(recommendation(rag, KNOWLEDGE, asked), KNOWLEDGE, Child(), asked)

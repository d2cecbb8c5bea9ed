"""Which measured cells may stand for ones asked for now: only equal ones, and only those measured properly."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from advisor.core.model.source import ModelSource
from advisor.core.protocol import Measure
from advisor.core.sizing.effort import EFFORTS
from advisor.core.sizing.measurement import Cell, CellPlan, Flag
from advisor.core.sizing.reuse import conditions, reusable
from advisor.core.sizing.sampling import Terms, pooled
from tests.core.model.tiny_models import entry
from tests.fake_child import FAKE_MACHINE, fake_cell
from tests.measuring import request

PLAN = CellPlan(stage="forward", dtype="float32", batch_size=1, input_tokens=8)
SOURCE = ModelSource(folder="/somewhere/model", name="model", config={}, weights=("a.safetensors",), weights_sha256="1")


def facts(
    asked: Measure | None = None, plan: CellPlan = PLAN, machine: Any = FAKE_MACHINE, code: str = "1"
) -> dict[str, Any]:
    return conditions(asked or request(PLAN), machine, plan, measured_by=code)


def changed(model: dict[str, Any]) -> Measure:
    return request(PLAN, model=entry("bert").model_copy(update=model))


@pytest.mark.parametrize(
    "other",
    [
        facts(plan=PLAN.model_copy(update={"dtype": "bfloat16"})),
        facts(plan=PLAN.model_copy(update={"batch_size": 2})),
        facts(plan=PLAN.model_copy(update={"input_tokens": 9})),
        facts(plan=PLAN.model_copy(update={"stage": "embed"})),
        facts(machine=FAKE_MACHINE.model_copy(update={"fingerprint": "another"})),
        facts(machine=FAKE_MACHINE.model_copy(update={"versions": {"torch": "0.1"}})),
        facts(machine=FAKE_MACHINE.model_copy(update={"versions": {"torch": "0.0", "numpy": "2"}})),
        facts(code="2"),
        facts(request(PLAN, threads=2)),
        facts(request(PLAN, seed=1)),
        facts(request(PLAN, device="cuda:0")),
        facts(request(PLAN, source=SOURCE)),
        facts(changed({"config": entry("bert").config | {"num_hidden_layers": 3}})),
        facts(changed({"transformers_class": "BertForMaskedLM"})),
    ],
)
def test_another_condition_is_another_cell(other: dict[str, Any]) -> None:
    assert other != facts()


@pytest.mark.parametrize(
    "asked",
    [
        request(PLAN, number=2),
        request(PLAN, PLAN.model_copy(update={"batch_size": 8})),
        request(PLAN, seconds_per_cell=1.0, seconds_total=1.0, memory_limit_bytes=2**40),
        request(PLAN, latency_budget_s=1.0),
        request(PLAN, settled_below_s=1.0),
        request(PLAN, effort="thorough"),
        changed({"title": "Another title", "license": "none", "source": "hearsay", "id": "renamed"}),
    ],
)
def test_what_leaves_a_figure_alone_is_no_condition(asked: Measure) -> None:
    assert facts(asked) == facts()


def test_threads_that_were_left_to_the_machine_are_its_cores() -> None:
    assert facts(request(PLAN, threads=None)) == facts(request(PLAN, threads=FAKE_MACHINE.cores_usable))


def test_a_folder_counts_by_what_is_in_it_not_by_where_it_lies() -> None:
    moved = SOURCE.model_copy(update={"folder": "/elsewhere", "name": "copy"})
    other = SOURCE.model_copy(update={"weights_sha256": "2"})
    assert facts(request(PLAN, source=moved)) == facts(request(PLAN, source=SOURCE))
    assert facts(request(PLAN, source=other)) != facts(request(PLAN, source=SOURCE))


def good(cell: Any, budget: float | None = None, **asked: Any) -> bool:
    return reusable(cell, request(PLAN, latency_budget_s=budget, **asked))


def test_a_cell_measured_properly_is_used_again_whatever_the_budget() -> None:
    assert good(fake_cell(PLAN), budget=0.5)
    assert good(fake_cell(PLAN))


def in_processes(*medians: float) -> Cell:
    by_process = [[one * (1 + 0.001 * step) for step in range(-15, 16)] for one in medians]
    return pooled(fake_cell(PLAN), by_process, Terms())


def test_more_effort_serves_a_request_for_less_and_never_the_other_way() -> None:
    three, five = in_processes(1.0, 1.001, 0.999), in_processes(1.0, 1.001, 0.999, 1.0, 1.0)
    assert [good(fake_cell(PLAN), effort=effort) for effort in EFFORTS] == [True, False, False]
    assert [good(three, effort=effort) for effort in EFFORTS] == [True, True, False]
    assert [good(five, effort=effort) for effort in EFFORTS] == [True, True, True]


def test_processes_that_disagree_are_no_answer_for_less_effort_either() -> None:
    assert not good(in_processes(1.0, 1.3, 0.8))


def test_the_start_of_a_service_is_used_again_although_it_happens_once() -> None:
    start = {"stage": "load", "samples": 1, "median_s": 2.0, "samples_s": (2.0,), "ci95_s": None}
    assert good(fake_cell(PLAN).model_copy(update=start))


def test_a_cell_without_a_figure_is_measured_again() -> None:
    assert not good(fake_cell(PLAN).model_copy(update={"median_s": None}))


@pytest.mark.parametrize("flag", sorted(set(get_args(Flag)) - {"fits-in-cache"}))
def test_a_cell_that_was_disturbed_or_not_settled_is_measured_again(flag: Any) -> None:
    assert not good(fake_cell(PLAN).model_copy(update={"flags": (flag,)}))


def test_a_flag_that_only_describes_the_cell_does_not_matter() -> None:
    assert good(fake_cell(PLAN).model_copy(update={"flags": ("fits-in-cache",)}))


def test_a_cell_whose_sampling_a_verdict_ended_is_good_while_that_verdict_stands() -> None:
    wide = fake_cell(PLAN).model_copy(update={"samples_s": (1.0, 2.0, 3.0, 4.0, 5.0, 6.0), "median_s": 3.5})
    assert good(wide, budget=0.5)
    assert good(wide, budget=0.9)
    assert not good(wide, budget=1.5)
    assert not good(wide)
    assert good(wide, settled_below_s=6.0)
    assert not good(wide, settled_below_s=5.9)

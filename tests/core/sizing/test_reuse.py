"""Which measured cells may stand for ones asked for now: only equal ones, and only those measured properly."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from advisor.core.model.source import ModelSource
from advisor.core.protocol import Measure
from advisor.core.sizing.measurement import CellPlan, Flag
from advisor.core.sizing.reuse import conditions, reusable
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


def good(cell: Any, then: float | None = None, now: float | None = None) -> bool:
    return reusable(cell, effort="quick", budget_then_s=then, budget_now_s=now)


def test_a_cell_measured_properly_is_used_again_whatever_the_budget() -> None:
    assert good(fake_cell(PLAN), then=0.001, now=0.5)
    assert good(fake_cell(PLAN), then=None, now=0.5)


def test_a_cell_without_a_figure_is_measured_again() -> None:
    assert not good(fake_cell(PLAN).model_copy(update={"median_s": None}))


@pytest.mark.parametrize("flag", sorted(set(get_args(Flag)) - {"fits-in-cache"}))
def test_a_cell_that_was_disturbed_or_not_settled_is_measured_again(flag: Any) -> None:
    assert not good(fake_cell(PLAN).model_copy(update={"flags": (flag,)}))


def test_a_flag_that_only_describes_the_cell_does_not_matter() -> None:
    assert good(fake_cell(PLAN).model_copy(update={"flags": ("fits-in-cache",)}))


def test_a_cell_whose_sampling_a_budget_ended_is_good_for_that_budget_alone() -> None:
    wide = fake_cell(PLAN).model_copy(update={"samples_s": (1.0, 2.0, 3.0, 4.0, 5.0, 6.0), "median_s": 3.5})
    assert good(wide, then=0.5, now=0.5)
    assert not good(wide, then=0.5, now=0.4)
    assert not good(wide, then=0.5, now=None)

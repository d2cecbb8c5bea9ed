"""What cuts say of the whole model: a line where times are linear, and nothing where they are not."""

from __future__ import annotations

from typing import Any

import pytest

from advisor.core.model.cost import stage_flops
from advisor.core.model.memory import peak_memory_estimate_bytes
from advisor.core.sizing.latency import usable
from advisor.core.sizing.layers import told_from_cuts
from advisor.core.sizing.measurement import Cell, CellPlan, Flag, ProcedureCheck
from advisor.store.catalog import load_catalog
from advisor.store.paths import shipped
from tests.core.sizing.known_model import cell

GPT3 = load_catalog(shipped("models")).entries["gpt3-175b"]
PLAN = CellPlan(stage="prefill", dtype="bfloat16", batch_size=1, input_tokens=128)


def cuts(*seconds: float | None, plan: CellPlan = PLAN, width: float = 0.0, **more: Any) -> list[Cell]:
    counts = (1, 2, 3)
    plans = [plan.model_copy(update={"layers": count}) for count in counts]
    return [cell(one, took, width=width, **more) for one, took in zip(plans, seconds, strict=True)]


def whole(*seconds: float | None, **more: Any) -> Cell:
    found, _ = told_from_cuts(cuts(*seconds, **more), GPT3)
    return found[0]


def test_a_line_is_followed_to_the_whole_depth() -> None:
    told = whole(1.5, 2.5, 3.5)
    assert told.median_s == pytest.approx(0.5 + 96)
    assert told.origin == "extrapolated"
    assert told.layers is None
    assert told.ci_method == "from-layers"
    assert told.throughput_per_s == pytest.approx(1 / 96.5)
    assert told.flops == stage_flops(GPT3, PLAN)
    assert "Told from 1, 2 and 3 of 96 layers: 1e+03 ms a layer and 500 ms besides" in (told.note or "")


def test_the_cuts_stand_beside_what_they_say() -> None:
    measured = cuts(1.5, 2.5, 3.5)
    cells, (line,) = told_from_cuts(measured, GPT3)
    assert cells[1:] == tuple(measured)
    assert (line.layers, line.of_layers) == ((1, 2, 3), 96)
    assert line.seconds_per_layer == pytest.approx(1.0)
    assert line.rest_s == pytest.approx(0.5)
    assert line.third_off_pct == pytest.approx(0.0)
    assert line.predicted_s == cells[0].median_s
    assert (line.measured_s, line.error_pct) == (None, None)


def test_memory_nobody_has_seen_is_a_formula_and_is_held_against_a_measured_peak() -> None:
    told = whole(1.5, 2.5, 3.5, peak_memory_bytes=13 * 2**30)
    assert told.peak_memory_bytes == peak_memory_estimate_bytes(GPT3, PLAN)
    assert told.memory_origin == "formula"
    assert "of 3 layers it says" in (told.note or "")
    assert "13 GiB was measured" in (told.note or "")


def test_the_interval_is_that_of_the_slowest_and_the_fastest_line() -> None:
    told = whole(1.5, 2.5, 3.5, width=0.02)
    low, high = told.ci95_s or (0.0, 0.0)
    assert high == pytest.approx(3.5 * 1.02 + 46.5 * (3.5 * 1.02 - 1.5 * 0.98))
    assert low == pytest.approx(3.5 * 0.98 + 46.5 * (3.5 * 0.98 - 1.5 * 1.02))
    assert low < 96.5 < high


def test_how_far_the_third_lies_off_the_line_widens_the_interval() -> None:
    straight, bent = whole(1.5, 2.5, 3.5), whole(1.5, 2.4, 3.5)
    assert straight.ci95_s == pytest.approx((96.5, 96.5))
    off = abs(2.5 / 2.4 - 1)
    assert bent.ci95_s == pytest.approx((96.5 * (1 - off), 96.5 * (1 + off)))


def test_what_the_procedure_is_known_to_be_off_widens_the_interval_too() -> None:
    check = ProcedureCheck(model="gpt2-xl", errors_pct=(2.0, 8.0))
    cells, _ = told_from_cuts(cuts(1.5, 2.5, 3.5), GPT3, check)
    assert cells[0].ci95_s == pytest.approx((96.5 * 0.92, 96.5 * 1.08))


def test_times_that_are_no_line_say_nothing_of_the_whole_model() -> None:
    told = whole(1.5, 3.4, 3.5)
    assert not usable(told)
    assert told.median_s is None
    assert told.flags == ("not-linear",)
    assert "nothing is told of 96" in (told.note or "")


def test_a_third_whose_own_interval_holds_the_line_is_noise_and_not_a_bend() -> None:
    assert usable(whole(1.5, 2.9, 3.5, width=0.2))
    assert not usable(whole(1.5, 2.9, 3.5, width=0.01))


def test_more_layers_that_took_less_time_are_no_line() -> None:
    assert whole(3.5, 2.5, 1.5).flags == ("not-linear",)


@pytest.mark.parametrize("flag", ["swapping", "throttled", "clock-drop"])
def test_a_cut_that_swapped_or_slowed_down_is_refused(flag: Flag) -> None:
    told = whole(1.5, 2.5, 3.5, flags=(flag,))
    assert told.median_s is None
    assert told.flags == (flag,)


def test_other_disturbance_is_handed_on() -> None:
    assert whole(1.5, 2.5, 3.5, flags=("other-load", "fits-in-cache")).flags == ("other-load",)


def test_a_cut_without_a_figure_says_why_there_is_none_of_the_whole() -> None:
    measured = cuts(1.5, 2.5, 3.5)
    found = {"median_s": None, "ci95_s": None, "flags": ("too-slow",), "note": "Too slow for its time."}
    measured[2] = measured[2].model_copy(update=found)
    cells, lines = told_from_cuts(measured, GPT3)
    assert lines == ()
    assert cells[0].flags == ("too-slow",)
    assert cells[0].note == "Not extrapolated from its cuts: of 3 layers, Too slow for its time."


def test_where_the_whole_was_measured_it_stands_and_the_error_is_shown() -> None:
    measured = [*cuts(1.5, 2.5, 3.5), cell(PLAN, 100.0)]
    cells, (line,) = told_from_cuts(measured, GPT3)
    assert cells == tuple(measured)
    assert line.measured_s == 100.0
    assert line.error_pct == pytest.approx(3.5)


def test_a_whole_model_in_two_workers_at_once_checks_no_cuts_that_ran_alone() -> None:
    beside = cell(PLAN.model_copy(update={"workers": 2}), 50.0)
    _, (line,) = told_from_cuts([*cuts(1.5, 2.5, 3.5), beside], GPT3)
    assert line.measured_s is None


def test_cells_of_different_shape_are_told_apart() -> None:
    deeper = PLAN.model_copy(update={"batch_size": 4})
    cells, lines = told_from_cuts([*cuts(1.5, 2.5, 3.5), *cuts(3.0, 5.0, 7.0, plan=deeper)], GPT3)
    assert [(one.batch_size, one.predicted_s) for one in lines] == [(1, pytest.approx(96.5)), (4, pytest.approx(193.0))]
    assert [one.batch_size for one in cells[:2]] == [1, 4]


def test_a_tokenizer_beside_a_cut_is_nobodys_layer() -> None:
    plan = PLAN.model_copy(update={"stage": "tokenize", "layers": 1})
    cells, lines = told_from_cuts([cell(plan, 0.001)], GPT3)
    assert [one.layers for one in cells] == [None]
    assert lines == ()


def test_cells_of_whole_models_are_left_as_they_are() -> None:
    measured = [cell(PLAN, 1.0)]
    assert told_from_cuts(measured, GPT3) == (tuple(measured), ())

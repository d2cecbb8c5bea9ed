"""What a plan says beside its verdict, and when it keeps quiet."""

from __future__ import annotations

import pytest

from advisor.core.sizing.measurement import Cell, CellPlan
from advisor.core.sizing.plan import Finding, Plan
from tests.core.sizing.known_model import (
    CHAT,
    ONE_DECODER,
    ONE_ENCODER,
    ONE_SEQ2SEQ,
    TICKETS,
    TRANSLATION,
    chat,
    decoder,
    encoder,
    planned,
    seq2seq,
    tickets,
)

pytestmark = pytest.mark.usefixtures("short_queues")

MANY = tuple([1.0] * 30)


def told(plan: Plan, number: str) -> Finding | None:
    return next((finding for finding in plan.findings if finding.id == f"PLAN-{number}"), None)


def test_a_budget_below_the_serial_steps_is_said_to_be_out_of_reach_with_its_source() -> None:
    finding = told(chat(latency_budget_ms=500), "061")
    assert finding is not None
    assert [(source.id, source.section) for source in finding.source] == [("G61", "ours")]
    assert "63 decode steps" in finding.says
    assert "22.1 ms" in finding.says


def test_a_budget_above_the_serial_steps_is_not() -> None:
    assert told(chat(), "061") is None
    assert told(tickets(latency_budget_ms=1), "061") is None


def test_the_bandwidth_explains_the_step_where_it_was_measured() -> None:
    from tests.core.sizing import known_model

    known = known_model.MACHINE
    try:
        known_model.MACHINE = known.model_copy(update={"peak_bytes_per_s": 10e9})
        finding = told(planned({**CHAT, "latency_budget_ms": 500}, ONE_DECODER, {"model": decoder}), "061")
    finally:
        known_model.MACHINE = known
    assert finding is not None
    assert "10.0 GB/s" in finding.says


def test_a_replica_planned_above_four_fifths_of_its_saturation_is_warned_of() -> None:
    plan = tickets(latency_budget_ms=100_000, requests_per_second=1000)
    finding = told(plan, "001")
    assert plan.utilisation is not None
    assert plan.utilisation > 0.8
    assert finding is not None
    assert "would bring it to 80%" in finding.says


def test_a_replica_below_it_is_not() -> None:
    assert told(tickets(latency_budget_ms=30), "001") is None


def test_a_tail_that_rests_on_few_runs_is_said_to() -> None:
    assert told(tickets(), "002") is not None
    assert told(planned(TICKETS, ONE_ENCODER, {"model": encoder}, noise=MANY), "002") is None


def test_the_99th_percentile_needs_more_runs_than_the_95th() -> None:
    seconds = {"model": encoder}
    assert told(planned({**TICKETS, "latency_percentile": 99}, ONE_ENCODER, seconds, noise=MANY), "002") is not None


def test_a_first_token_budget_of_a_model_that_writes_nothing_is_said_not_to_apply() -> None:
    plan = tickets(first_token_budget_ms=1)
    assert plan.verdict == "meets"
    assert told(plan, "003") is not None
    assert told(chat(first_token_budget_ms=500), "003") is None


def test_the_longest_request_is_held_against_the_budget() -> None:
    within = told(tickets(input_tokens_max=400), "004")
    assert within is not None
    assert "within the budget" in within.says
    assert "22.5 ms" in within.says
    over = told(tickets(input_tokens_max=400, latency_budget_ms=20), "004")
    assert over is not None
    assert "over the budget" in over.says
    assert told(tickets(), "004") is None


def test_a_longest_request_that_was_not_measured_is_said_to_be_a_floor() -> None:
    def refused(each: Cell) -> Cell:
        unread = {"median_s": None, "ci95_s": None, "flags": ("unsupported",), "note": "It reads at most 512 tokens."}
        return each.model_copy(update=unread) if (each.input_tokens or 0) > 512 else each

    answers = TRANSLATION | {"input_tokens_max": 4000}
    finding = told(planned(answers, ONE_SEQ2SEQ, {"model": seq2seq}, alter=refused), "004")
    assert finding is not None
    assert "at least" in finding.says


@pytest.mark.parametrize("flag", ["not-steady", "other-load", "throttled"])
def test_disturbed_cells_behind_the_figures_are_counted(flag: str) -> None:
    def disturbed(each: Cell) -> Cell:
        return each.model_copy(update={"flags": (flag,)}) if each.batch_size == 8 else each

    finding = told(planned(TICKETS, ONE_ENCODER, {"model": encoder}, alter=disturbed), "005")
    assert finding is not None
    assert "2 of the cells" in finding.says
    assert flag in finding.says


def test_shapes_that_a_dead_process_left_without_a_figure_are_told_though_others_have_one() -> None:
    def lost(each: Cell) -> Cell:
        gone = {"median_s": None, "samples_s": None, "samples": 0, "flags": ("killed",), "note": "It was killed."}
        return each.model_copy(update=gone) if each.batch_size == 8 else each

    finding = told(planned(TICKETS, ONE_ENCODER, {"model": encoder}, alter=lost), "011")
    assert finding is not None
    assert finding.says == "model: 2 of 6 shapes have no figure. It was killed."
    assert told(tickets(), "011") is None


def test_every_finding_has_a_source() -> None:
    plans = [tickets(), chat(latency_budget_ms=500, first_token_budget_ms=1), tickets(input_tokens_max=400)]
    assert all(finding.source for plan in plans for finding in plan.findings)


def test_steps_that_a_larger_batch_beats_are_planned_filled_up_and_that_is_said() -> None:
    def three_are_slow(shape: CellPlan) -> float:
        return 0.070 if shape.stage == "decode" and shape.batch_size == 3 else decoder(shape)

    plan = planned({**CHAT, "requests_per_second": 20}, ONE_DECODER, {"model": three_are_slow})
    assert plan.stages[-1].serving is not None
    assert plan.stages[-1].serving.padded_steps == ((3, 4),)
    finding = told(plan, "012")
    assert finding is not None
    assert "decode steps of 3 (70.0 ms) up to 4 (28.5 ms)" in finding.says
    assert told(chat(), "012") is None

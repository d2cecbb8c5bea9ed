"""The whole chain, from cells of known service time to a verdict, for every kind of design and for absurd answers."""

from __future__ import annotations

import math

import pytest

from advisor.core.sizing.capacity import Demand, capacity
from advisor.core.sizing.measurement import Cell, CellPlan
from advisor.core.sizing.serving import Batcher
from tests.core.sizing.known_model import (
    ANSWERS,
    CHAT,
    GIB,
    ONE_DECODER,
    ONE_ENCODER,
    RAG,
    TICKETS,
    WHOLE_RAG,
    answers,
    chat,
    decoder,
    encoder,
    mid,
    planned,
    reranked,
    search,
    slower,
    tickets,
    translation,
)


def test_replicas_come_from_the_simulated_capacity_of_the_true_service_time() -> None:
    plan = tickets()
    times = tuple(0.010 + 0.004 * batch for batch in range(1, 9))
    truth = max(capacity([Batcher(times[:batch])], Demand(95, 0.080))[0] for batch in (1, 4, 8))
    assert plan.verdict == "meets"
    assert plan.meets_latency is True
    assert plan.capacity_per_replica_rps is not None
    assert plan.capacity_per_replica_rps.mid == pytest.approx(truth)
    assert mid(plan) == math.ceil(200 / truth)
    assert plan.latency_ms is not None
    assert plan.latency_ms.p95 is not None
    assert plan.latency_ms.p95 <= 80
    assert plan.judged_latency_ms == plan.latency_ms.p95


def test_more_replicas_are_planned_than_dividing_by_the_throughput_would() -> None:
    throughput = 8 / (0.010 + 0.004 * 8)
    assert mid(tickets(latency_budget_ms=40)) > math.ceil(200 / throughput)


def test_an_uncertain_measurement_gives_an_interval_of_replicas() -> None:
    plan = planned({**TICKETS, "requests_per_second": 5000}, ONE_ENCODER, {"model": encoder}, width=0.1)
    assert plan.replicas is not None
    assert plan.capacity_per_replica_rps is not None
    assert plan.replicas.low < plan.replicas.mid < plan.replicas.high
    assert plan.capacity_per_replica_rps.low < plan.capacity_per_replica_rps.mid < plan.capacity_per_replica_rps.high
    assert math.ceil(5000 / plan.capacity_per_replica_rps.low) == plan.replicas.high


def test_the_spread_of_single_runs_costs_replicas() -> None:
    calm = planned(TICKETS, ONE_ENCODER, {"model": encoder})
    spread = planned(TICKETS, ONE_ENCODER, {"model": encoder}, noise=(0.9, 1.0, 1.0, 1.0, 2.5))
    assert mid(spread) > mid(calm)


def test_the_dtype_that_carries_most_within_the_budget_is_served() -> None:
    def by_dtype(shape: CellPlan) -> float:
        return encoder(shape) * (0.5 if shape.dtype == "bfloat16" else 1.0)

    plan = planned(TICKETS, ONE_ENCODER, {"model": by_dtype}, dtypes=("float32", "bfloat16"))
    assert plan.stages[0].serving is not None
    assert plan.stages[0].serving.dtype == "bfloat16"


def test_a_dtype_that_could_not_be_measured_leaves_the_plan_to_the_other() -> None:
    def spoilt(each: Cell) -> Cell:
        return each.model_copy(update={"median_s": None, "flags": ("crashed",)}) if each.dtype == "float32" else each

    plan = planned(TICKETS, ONE_ENCODER, {"model": encoder}, dtypes=("float32", "bfloat16"), alter=spoilt)
    assert plan.verdict == "meets"
    assert plan.stages[0].serving is not None
    assert plan.stages[0].serving.dtype == "bfloat16"


def test_a_small_batch_is_chosen_where_large_ones_do_not_pay() -> None:
    """Eight at once take eight times as long and more: taking them together only delays the first."""
    plan = planned(TICKETS, ONE_ENCODER, {"model": lambda shape: 0.004 * shape.batch_size**1.2})
    assert plan.stages[0].serving is not None
    assert plan.stages[0].serving.max_batch_size == 1


def test_without_a_budget_there_is_no_latency_verdict_and_throughput_binds() -> None:
    plan = tickets(latency_budget_ms=None)
    assert plan.verdict == "meets"
    assert plan.meets_latency is None
    assert plan.binding == "throughput"
    assert plan.utilisation is not None
    assert plan.utilisation <= 0.8
    assert "UTILISATION_LIMIT" in {assumed.name for assumed in plan.assumptions}


def test_a_budget_below_a_lone_pass_misses_and_has_no_replicas() -> None:
    plan = tickets(latency_budget_ms=13)
    assert plan.verdict == "misses"
    assert plan.meets_latency is False
    assert plan.replicas is None
    assert plan.utilisation is None
    assert plan.cost_per_million_requests is None
    assert plan.binding == "latency"
    assert plan.capacity_per_replica_rps is not None
    assert plan.capacity_per_replica_rps.high == 0.0
    assert plan.latency_ms is not None
    assert plan.latency_ms.p50 == pytest.approx(14.0)
    assert plan.stages[0].replicas is None


def test_a_budget_inside_the_interval_of_the_measurement_is_undecided() -> None:
    plan = planned({**TICKETS, "latency_budget_ms": 14.2}, ONE_ENCODER, {"model": encoder}, width=0.1)
    assert plan.verdict == "undecided"
    assert plan.meets_latency is None
    assert plan.replicas is None
    assert "PLAN-006" in {finding.id for finding in plan.findings}


def test_a_model_larger_than_memory_misses_and_memory_binds() -> None:
    plan = planned(TICKETS, ONE_ENCODER, {"model": encoder}, memory_limit_bytes=GIB // 2)
    assert plan.verdict == "misses"
    assert plan.binding == "memory"
    assert plan.replicas is None
    assert plan.nearest is not None
    assert plan.nearest.answer == "memory_limit_gib"
    assert plan.nearest.to == pytest.approx(1.0)


def test_a_batch_that_does_not_fit_is_left_out_and_memory_binds() -> None:
    def grows(each: Cell) -> Cell:
        return each.model_copy(update={"peak_memory_bytes": each.batch_size * GIB})

    answers_ = {**TICKETS, "latency_budget_ms": None}
    plan = planned(answers_, ONE_ENCODER, {"model": encoder}, memory_limit_bytes=5 * GIB, alter=grows)
    assert plan.verdict == "meets"
    assert plan.binding == "memory"
    assert plan.stages[0].serving is not None
    assert plan.stages[0].serving.max_batch_size == 4
    assert plan.stages[0].peak_memory_bytes == 4 * GIB


def test_the_cache_of_the_longest_answers_counts_as_memory() -> None:
    short = chat().stages[0].peak_memory_bytes
    long = chat(output_tokens_max=4000).stages[0].peak_memory_bytes
    assert short is not None
    assert long is not None
    assert long > short


def test_cells_that_failed_leave_the_part_without_a_figure_and_their_note_is_told() -> None:
    def failed(each: Cell) -> Cell:
        return each.model_copy(
            update={"median_s": None, "ci95_s": None, "samples_s": None, "flags": ("killed",), "note": "It was killed."}
        )

    plan = planned(TICKETS, ONE_ENCODER, {"model": encoder}, alter=failed)
    assert plan.verdict == "undecided"
    assert plan.replicas is None
    assert plan.latency_ms is None
    assert plan.stages[0].note is not None
    assert plan.stages[0].note == "forward has no figure: It was killed"
    assert plan.first_thing_to_change == "Measure known-encoder again: forward has no figure: It was killed."
    assert [finding.says for finding in plan.findings] == [
        "model cannot be planned: forward has no figure: It was killed."
    ]
    assert plan.stages[0].origin is None


def test_a_decoder_without_a_measured_step_is_undecided_and_names_the_stage() -> None:
    def no_steps(each: Cell) -> Cell:
        return each.model_copy(update={"median_s": None, "note": "Too slow."}) if each.stage == "decode" else each

    plan = planned(CHAT, ONE_DECODER, {"model": decoder}, alter=no_steps)
    assert plan.verdict == "undecided"
    assert "decode has no figure: Too slow" in {stage.note for stage in plan.stages}


def test_a_part_nobody_measured_is_undecided_not_a_crash() -> None:
    plan = planned(TICKETS, ONE_ENCODER, {})
    assert plan.verdict == "undecided"
    assert plan.stages[0].note == "known-encoder was not measured"


def test_a_longer_input_than_any_measured_is_a_floor_that_can_miss_but_never_meet() -> None:
    def short_only(each: Cell) -> Cell:
        return each.model_copy(update={"median_s": None}) if each.input_tokens == 128 else each

    loose = planned(TICKETS, ONE_ENCODER, {"model": encoder}, alter=short_only)
    tight = planned({**TICKETS, "latency_budget_ms": 5}, ONE_ENCODER, {"model": encoder}, alter=short_only)
    assert (loose.verdict, tight.verdict) == ("undecided", "misses")
    assert loose.origin == "extrapolated"
    assert "PLAN-008" in {finding.id for finding in loose.findings}


def test_texts_of_which_the_longest_was_not_measured_never_meet() -> None:
    def refused(each: Cell) -> Cell:
        return each.model_copy(update={"median_s": None}) if (each.input_tokens or 0) > 128 else each

    said = {**TICKETS, "input_tokens_max": 400}
    assert planned(said, ONE_ENCODER, {"model": encoder}).verdict == "meets"
    plan = planned(said, ONE_ENCODER, {"model": encoder}, alter=refused)
    assert plan.verdict == "undecided"
    assert plan.first_thing_to_change is not None
    assert "400 are planned" in plan.first_thing_to_change


def test_a_generated_answer_has_two_stages_served_by_the_same_replicas() -> None:
    plan = chat(first_token_budget_ms=500)
    assert [stage.stage for stage in plan.stages] == ["prefill", "decode"]
    assert plan.stages[0].replicas == plan.stages[1].replicas == plan.replicas
    assert plan.origin == "interpolated"
    assert plan.first_token_ms is not None
    assert plan.judged_first_token_ms is not None
    assert plan.judged_first_token_ms <= 500
    assert plan.per_output_token_ms is not None
    assert plan.per_output_token_ms >= 22


def test_an_encoder_decoder_encodes_then_decodes() -> None:
    plan = translation()
    assert [stage.stage for stage in plan.stages] == ["encode", "decode"]
    assert plan.verdict == "meets"


def test_a_tight_first_token_budget_needs_more_replicas() -> None:
    assert mid(chat(first_token_budget_ms=40)) > mid(chat())


def test_an_impossible_first_token_budget_misses_and_names_it() -> None:
    plan = chat(first_token_budget_ms=10)
    assert plan.verdict == "misses"
    assert plan.nearest is not None
    assert plan.nearest.answer in ("first_token_budget_ms", "input_tokens")


@pytest.mark.parametrize("per_cent", [50, 90, 95, 99])
def test_the_budget_is_judged_at_the_percentile_of_the_workload(per_cent: int) -> None:
    plan = tickets(latency_percentile=per_cent)
    assert plan.judged_latency_ms is not None
    assert plan.judged_latency_ms <= 80
    key = {50: "p50", 95: "p95", 99: "p99"}.get(per_cent)
    if key and plan.latency_ms is not None:
        assert getattr(plan.latency_ms, key) == plan.judged_latency_ms


def test_rag_parts_without_a_figure_are_named_and_leave_it_undecided() -> None:
    plan = answers()
    assert plan.verdict == "undecided"
    assert [stage.role for stage in plan.stages] == ["retriever", "index", "reranker", "generator", "generator"]
    assert plan.meets_latency is None
    told = " ".join(finding.says for finding in plan.findings if finding.id == "PLAN-007")
    assert "index" in told
    assert "reranker" in told
    assert plan.first_thing_to_change is not None
    assert "index" in plan.first_thing_to_change


def test_a_reranker_that_was_measured_leaves_the_index_alone_without_a_figure() -> None:
    plan = reranked()
    assert plan.verdict == "undecided"
    missing = [finding.says for finding in plan.findings if finding.id == "PLAN-007"]
    assert len(missing) == 1
    assert missing[0].startswith("index cannot be planned")
    assert (plan.first_thing_to_change or "").startswith("Find a figure for the index")
    reranker = plan.stages[2]
    assert (reranker.role, reranker.stage, reranker.origin) == ("reranker", "rerank", "measured")
    assert reranker.replicas is not None
    assert reranker.serving is not None
    assert reranker.serving.max_batch_size == 50
    assumed = {one.name: one.value for one in plan.assumptions}
    assert (assumed["RERANK_PAIRS"], assumed["RERANK_PAIR_TOKENS"], assumed["RAG_QUERY_TOKENS"]) == (50, 256, 32)


def test_reranking_takes_its_time_from_every_request() -> None:
    plain, whole = answers(), reranked()
    assert plain.latency_ms is not None
    assert whole.latency_ms is not None
    lone_ms = 1000 * (0.010 + 0.004 * 50 * 2)  # fifty pairs of 256 tokens in one pass
    assert (whole.latency_ms.p50 or 0.0) - (plain.latency_ms.p50 or 0.0) > 0.8 * lone_ms


def test_a_reranker_too_slow_for_the_budget_misses_whatever_the_index_takes() -> None:
    seconds = {"retriever": encoder, "reranker": slower(encoder, 50.0), "generator": decoder}
    plan = planned(ANSWERS, WHOLE_RAG, seconds)
    assert plan.verdict == "misses"
    assert plan.binding_stage == "reranker"


def test_rag_whose_measured_parts_are_too_slow_misses() -> None:
    plan = answers(latency_budget_ms=500)
    assert plan.verdict == "misses"
    assert plan.binding_stage == "generator"


def test_the_stages_of_rag_are_simulated_together_not_added() -> None:
    plan = answers(latency_percentile=99)
    retriever, generator = plan.stages[0].latency_ms, plan.stages[4].latency_ms
    prefill = plan.stages[3].latency_ms
    assert plan.latency_ms is not None
    parts = (retriever, prefill, generator)
    added = sum(part.p99 or 0.0 for part in parts if part is not None)
    assert 0 < (plan.latency_ms.p99 or 0.0) < added


def test_a_slow_retriever_takes_its_time_from_the_generator() -> None:
    seconds = {"retriever": slower(encoder, 300.0), "generator": decoder}
    slow = planned(ANSWERS, RAG, seconds)
    quick = answers()
    generator = [plan.stages[-1].replicas for plan in (quick, slow)]
    assert generator[0] is not None
    assert generator[1] is not None
    assert generator[1].mid > generator[0].mid


def test_retrieval_sizes_the_retriever_and_names_the_index() -> None:
    plan = search()
    assert plan.verdict == "undecided"
    assert [(stage.role, stage.origin) for stage in plan.stages] == [("retriever", "measured"), ("index", "formula")]


def test_a_larger_corpus_never_costs_less_and_a_huge_one_costs_more() -> None:
    costs = [
        search(corpus_documents=documents, replica_cost_per_hour=1.0).cost_per_million_requests
        for documents in (1_000, 100_000, 10_000_000, 10**9, 10**12)
    ]
    known = [cost for cost in costs if cost is not None]
    assert len(known) == 5
    assert known == sorted(known)
    assert known[-1] > known[0]


def test_cost_is_the_price_of_the_replicas_while_a_million_requests_come() -> None:
    plan = tickets(replica_cost_per_hour=2.0)
    assert plan.cost_per_million_requests == pytest.approx(mid(plan) * 2.0 / 3600 * 1e6 / 200)


def test_cost_of_a_daily_volume_counts_the_idle_hours() -> None:
    plan = planned(
        {"task": "text-classification", "requests_per_day": 864_000, "peak_factor": 20, "replica_cost_per_hour": 2.0},
        ONE_ENCODER,
        {"model": encoder},
    )
    assert plan.cost_per_million_requests == pytest.approx(mid(plan) * 2.0 / 3600 * 1e6 / 10)


def test_the_same_measurement_gives_the_same_plan() -> None:
    assert tickets() == tickets()


def test_a_miss_on_a_disturbed_machine_is_undecided_and_says_so() -> None:
    def disturbed(each: Cell) -> Cell:
        return each.model_copy(update={"flags": ("other-load",)})

    answers = TICKETS | {"latency_budget_ms": 0.5}
    assert planned(answers, ONE_ENCODER, {"model": encoder}).verdict == "misses"
    plan = planned(answers, ONE_ENCODER, {"model": encoder}, alter=disturbed)
    assert (plan.verdict, plan.meets_latency, plan.nearest) == ("undecided", None, None)
    assert "idle machine" in (plan.first_thing_to_change or "")


def test_a_budget_met_on_a_disturbed_machine_is_met() -> None:
    def disturbed(each: Cell) -> Cell:
        return each.model_copy(update={"flags": ("other-load",)})

    assert planned(TICKETS, ONE_ENCODER, {"model": encoder}, alter=disturbed).verdict == "meets"

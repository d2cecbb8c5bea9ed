"""Which cells are chosen: around the workload, in the order in which they matter, within what the model can read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.core.hardware import Dtype
from advisor.core.lengths import Lengths
from advisor.core.model.entry import ModelEntry
from advisor.core.sizing.grid import best_cells, cells_for, default_cells
from advisor.core.sizing.measurement import CellPlan
from tests.core.sizing.known_model import DECODER, ENCODER, RERANKER, SEQ2SEQ, cell

BOTH: tuple[Dtype, ...] = ("float32", "bfloat16")
PAIRS = Lengths(input_tokens=256, input_tokens_max=None, output_tokens=0, output_tokens_max=None, texts=50)
TICKET = Lengths(input_tokens=128, input_tokens_max=None, output_tokens=0, output_tokens_max=None)


def shapes(cells: Sequence[CellPlan]) -> set[tuple[str, int, int | None, int | None]]:
    return {(each.stage, each.batch_size, each.input_tokens, each.context_tokens) for each in cells}


def test_tickets_of_128_tokens_give_twelve_cells_around_them() -> None:
    cells = cells_for(ENCODER, TICKET, role="model", dtypes=BOTH)
    assert len(cells) == 12
    assert shapes(cells) == {("forward", batch, tokens, None) for batch in (1, 4, 8) for tokens in (64, 128)}


def test_one_request_of_the_planned_shape_comes_first_in_every_dtype_then_larger_batches_of_it() -> None:
    cells = cells_for(ENCODER, TICKET, role="model", dtypes=BOTH)
    assert [(each.batch_size, each.input_tokens, each.dtype) for each in cells[:2]] == [
        (1, 128, "float32"),
        (1, 128, "bfloat16"),
    ]
    assert all(each.input_tokens == 128 for each in cells[:6])
    assert all(each.input_tokens == 64 for each in cells[6:])


def test_the_longest_input_is_measured_one_request_at_a_time() -> None:
    lengths = Lengths(input_tokens=128, input_tokens_max=400, output_tokens=0, output_tokens_max=None)
    cells = cells_for(ENCODER, lengths, role="model", dtypes=("float32",))
    assert [each.batch_size for each in cells if each.input_tokens == 400] == [1]


def test_the_longest_request_comes_before_the_batches_that_cost_more_and_after_the_planned_one() -> None:
    lengths = Lengths(input_tokens=128, input_tokens_max=400, output_tokens=0, output_tokens_max=None)
    cells = cells_for(ENCODER, lengths, role="model", dtypes=BOTH)
    assert [(each.batch_size, each.input_tokens) for each in cells if each.dtype == "float32"][:4] == [
        (1, 128),
        (1, 400),
        (4, 128),
        (8, 128),
    ]
    assert {(each.batch_size, each.input_tokens) for each in cells[:2]} == {(1, 128)}


def test_the_longest_answer_is_measured_where_it_ends_one_request_at_a_time() -> None:
    cells = cells_for(DECODER, Lengths(128, 300, 200, 500), role="model", dtypes=("float32",))
    deepest = {(each.batch_size, each.context_tokens) for each in cells if (each.context_tokens or 0) > 327}
    assert deepest == {(1, 300 + 499)}
    same_prompt = cells_for(DECODER, Lengths(128, None, 200, 500), role="model", dtypes=("float32",))
    assert {each.context_tokens for each in same_prompt if each.stage == "decode"} == {128, 327, 627}
    fixed = cells_for(DECODER, Lengths(128, None, 200, 500), role="model", dtypes=("float32",), input_tokens=(64,))
    assert {each.context_tokens for each in fixed if each.stage == "decode"} == {64, 263, 563}


def test_an_encoder_decoder_writes_its_longest_answer_with_the_typical_source_in_sight() -> None:
    cells = cells_for(SEQ2SEQ, Lengths(100, None, 64, 200), role="model", dtypes=("float32",))
    assert {(each.input_tokens, each.context_tokens) for each in cells if each.batch_size == 1} == {
        (100, None),
        (100, 1),
        (100, 64),
        (100, 200),
    }


def test_a_retriever_embeds() -> None:
    cells = cells_for(ENCODER, Lengths(32, None, 0, None), role="retriever", dtypes=("float32",))
    assert {each.stage for each in cells} == {"embed"}


def test_a_decoder_is_measured_at_its_prompt_and_at_its_first_and_last_step() -> None:
    cells = cells_for(DECODER, Lengths(128, None, 200, None), role="model", dtypes=("float32",))
    assert {each.input_tokens for each in cells if each.stage == "prefill"} == {128}
    assert {each.context_tokens for each in cells if each.stage == "decode"} == {128, 327}
    assert {each.batch_size for each in cells if each.stage == "prefill"} == {1, 4, 8}
    assert {each.stage for each in cells[:3]} == {"prefill", "decode"}
    assert {each.batch_size for each in cells[:3]} == {1}


def test_steps_of_a_few_answers_together_are_measured_unless_the_batches_are_given() -> None:
    def batches(depth: int, **given: Any) -> set[int]:
        cells = cells_for(DECODER, Lengths(128, None, 200, None), role="model", dtypes=("float32",), **given)
        return {each.batch_size for each in cells if each.stage == "decode" and each.context_tokens == depth}

    assert batches(128) == batches(327) == {1, 2, 3, 4, 8}
    assert batches(327, batch_sizes=(1, 8)) == {1, 8}


def test_an_encoder_decoder_decodes_with_its_source_in_sight() -> None:
    cells = cells_for(SEQ2SEQ, Lengths(100, None, 64, None), role="model", dtypes=("float32",))
    steps = [each for each in cells if each.stage == "decode"]
    assert {(each.input_tokens, each.context_tokens) for each in steps} == {(100, 1), (100, 64)}
    assert {each.stage for each in cells} == {"encode", "decode"}


def test_an_answer_of_one_token_needs_no_step_of_a_decoder() -> None:
    cells = cells_for(DECODER, Lengths(128, None, 1, None), role="model", dtypes=("float32",))
    assert {each.stage for each in cells} == {"prefill"}


def test_what_the_caller_asks_for_replaces_what_would_be_chosen() -> None:
    cells = cells_for(ENCODER, TICKET, role="model", dtypes=("float32",), batch_sizes=(2, 16), input_tokens=(10, 20))
    assert shapes(cells) == {("forward", batch, tokens, None) for batch in (2, 16) for tokens in (10, 20)}


def test_a_stated_output_replaces_that_of_the_workload() -> None:
    cells = cells_for(DECODER, Lengths(128, None, 200, None), role="model", dtypes=("float32",), output_tokens=33)
    assert {each.context_tokens for each in cells if each.stage == "decode"} == {128, 160}


def test_without_a_workload_small_batches_and_short_texts_are_measured() -> None:
    cells = default_cells(ENCODER, dtypes=("float32",))
    assert shapes(cells) == {("forward", batch, tokens, None) for batch in (1, 4, 8) for tokens in (32, 64, 128)}


@pytest.mark.parametrize("model", [ENCODER, DECODER, SEQ2SEQ])
@given(
    tokens=st.integers(1, 10_000_000),
    longest=st.integers(0, 10_000_000),
    output=st.integers(0, 10_000_000),
    batches=st.none() | st.lists(st.integers(1, 64), min_size=1, max_size=5),
)
def test_no_cell_is_chosen_twice_and_no_length_is_swapped_for_another(
    model: ModelEntry, tokens: int, longest: int, output: int, batches: list[int] | None
) -> None:
    lengths = Lengths(tokens, tokens + longest, output, None)
    cells = cells_for(model, lengths, role="model", dtypes=BOTH, batch_sizes=batches)
    assert cells
    assert len(cells) == len(set(cells))
    read = {each.input_tokens for each in cells if each.stage != "decode"}
    assert {tokens, tokens + longest} <= read <= {tokens, tokens + longest, tokens // 2}


def test_the_best_cells_are_the_most_per_second_and_the_shortest_run_of_each_stage() -> None:
    cells = [
        cell(CellPlan(stage="forward", dtype="float32", batch_size=1, input_tokens=8), 1.0),
        cell(CellPlan(stage="forward", dtype="float32", batch_size=8, input_tokens=8), 2.0),
        cell(CellPlan(stage="forward", dtype="float32", batch_size=64, input_tokens=8), None),
        cell(CellPlan(stage="prefill", dtype="float32", batch_size=1, input_tokens=8), None),
    ]
    assert [(best.stage, best.throughput_cell, best.latency_cell) for best in best_cells(cells)] == [("forward", 1, 0)]


def test_fifty_pairs_are_reranked_in_one_pass_first_and_then_in_five() -> None:
    cells = cells_for(RERANKER, PAIRS, role="reranker", dtypes=BOTH)
    assert [(each.stage, each.batch_size, each.input_tokens, each.dtype) for each in cells] == [
        ("rerank", 50, 256, "float32"),
        ("rerank", 50, 256, "bfloat16"),
        ("rerank", 10, 256, "float32"),
        ("rerank", 10, 256, "bfloat16"),
    ]


def test_batches_that_are_named_replace_those_of_a_reranker_and_the_largest_comes_first() -> None:
    cells = cells_for(RERANKER, PAIRS, role="reranker", dtypes=("float32",), batch_sizes=(4, 25))
    assert [each.batch_size for each in cells] == [25, 4]


def test_a_cross_encoder_that_is_the_whole_answer_is_measured_like_any_encoder() -> None:
    assert shapes(cells_for(RERANKER, TICKET, role="model", dtypes=BOTH)) == shapes(
        cells_for(ENCODER, TICKET, role="model", dtypes=BOTH)
    )


def test_an_encoder_that_scores_nothing_is_measured_in_the_pass_it_has() -> None:
    assert {each.stage for each in cells_for(ENCODER, PAIRS, role="reranker", dtypes=BOTH)} == {"forward"}

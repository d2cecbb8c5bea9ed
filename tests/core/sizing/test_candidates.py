"""From a profile to servers: which cells are used, what is a floor, and how much memory a configuration takes."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import pytest

from advisor.core.hardware import Dtype
from advisor.core.lengths import Lengths
from advisor.core.model.cost import kv_cache_bytes, weight_bytes
from advisor.core.sizing.candidates import Part, part_of
from advisor.core.sizing.decoding import Decoder
from advisor.core.sizing.grid import cells_for
from advisor.core.sizing.groups import writer_of
from advisor.core.sizing.measurement import Cell, CellPlan, Profile
from advisor.core.sizing.serving import Batcher
from tests.core.sizing.known_model import (
    DECODER,
    ENCODER,
    GIB,
    RERANKER,
    SEQ2SEQ,
    cell,
    decoder,
    encoder,
    profile,
    seq2seq,
)

TEXT = Lengths(128, None, 0, None)
PAIRS = Lengths(256, None, 0, None, texts=50)
ANSWER = Lengths(100, None, 50, None)
BOTH: tuple[Dtype, ...] = ("float32", "bfloat16")


def encoded(lengths: Lengths = TEXT, *, measured: Lengths = TEXT, dtypes: Sequence[Dtype] = ("float32",)) -> Part:
    shapes = cells_for(ENCODER, measured, role="model", dtypes=dtypes)
    return part_of("model", profile(ENCODER, [cell(each, encoder(each)) for each in shapes]), ENCODER, lengths)


def decoded(lengths: Lengths = ANSWER, *, measured: Lengths = ANSWER) -> Part:
    shapes = cells_for(DECODER, measured, role="model", dtypes=("float32",))
    return part_of("model", profile(DECODER, [cell(each, decoder(each)) for each in shapes]), DECODER, lengths)


def test_every_measured_dtype_and_batch_is_a_candidate() -> None:
    part = encoded(dtypes=BOTH)
    served = {(one.serving.dtype, one.serving.max_batch_size) for one in part.candidates}
    assert served == {(dtype, batch) for dtype in BOTH for batch in (1, 4, 8)}


def test_a_batcher_takes_as_long_as_its_cells_say() -> None:
    server = encoded().candidates[-1].servers["mid"]
    assert isinstance(server, Batcher)
    assert server.service_s == pytest.approx([0.010 + 0.004 * batch for batch in range(1, 9)])


def paused(one: Cell, ratio: float | None) -> Cell:
    return one.model_copy(update={"after_pause_ratio": ratio})


def test_what_a_pass_takes_longer_on_an_idle_replica_is_the_median_of_what_the_cells_of_its_stage_say() -> None:
    shapes = cells_for(ENCODER, Lengths(128, 400, 0, None), role="model", dtypes=BOTH)
    ratios = iter((1.05, 1.2, 1.1, 1.3))
    cells = [
        paused(cell(each, encoder(each)), next(ratios) if each.batch_size == 1 and each.dtype == "float32" else None)
        for each in shapes
    ]
    told = sorted(one.after_pause_ratio for one in cells if one.after_pause_ratio is not None)
    broken = paused(cell(shapes[0], 0.01, flags=("not-finite",)), 9.0)
    for lengths in (TEXT, PAIRS):
        part = part_of("model", profile(ENCODER, [*cells, broken]), ENCODER, lengths)
        for one in part.candidates:
            expected = median(told) if one.serving.dtype == "float32" and lengths is TEXT else 1.0
            servers = [server for server in one.servers.values() if isinstance(server, Batcher)]
            assert [server.after_pause for server in servers] == [expected] * 3


@pytest.mark.parametrize("runtime", ["torch", "ctranslate2"])
def test_a_writer_reads_its_prompt_more_slowly_after_a_pause(runtime: str) -> None:
    cells = [
        paused(cell(each, decoder(each)), 1.2 if each.stage == "prefill" and each.batch_size == 1 else None).model_copy(
            update={"runtime": runtime}
        )
        for each in cells_for(DECODER, ANSWER, role="model", dtypes=("float32",))
    ]
    part = part_of("model", profile(DECODER, cells), DECODER, ANSWER)
    writers = [writer_of(server) for one in part.candidates for server in one.servers.values()]
    assert {writer.after_pause for writer in writers if writer is not None} == {1.2}


def test_an_input_between_measured_ones_is_interpolated_and_says_so() -> None:
    part = encoded(Lengths(96, None, 0, None))
    assert {fact.origin for one in part.candidates for fact in one.stages} == {"interpolated"}
    assert part.candidates[0].servers["mid"].lone_s == pytest.approx(0.010 + 0.004 * 96 / 128)


def test_an_input_beyond_the_longest_is_a_floor() -> None:
    part = encoded(Lengths(300, None, 0, None))
    assert {fact.origin for one in part.candidates for fact in one.stages} == {"extrapolated"}
    assert part.candidates[0].floors == (
        "forward was measured with inputs of up to 128 tokens, 300 are planned: its times are a floor",
    )


def test_the_longest_text_must_have_been_measured_too() -> None:
    spread = Lengths(128, 400, 0, None)
    assert encoded(spread, measured=spread).candidates[0].floors == ()
    (floor,) = encoded(spread).candidates[0].floors
    assert "inputs of up to 128 tokens, 400 are planned" in floor


def test_the_longest_answer_must_have_been_measured_too() -> None:
    spread = Lengths(100, 200, 50, 300)
    assert decoded(spread, measured=spread).candidates[0].floors == ()
    (floor,) = decoded(spread, measured=Lengths(100, 200, 50, None)).candidates[0].floors
    assert "caches of up to 249 tokens, 498 are planned" in floor


def test_a_decoder_reads_once_and_then_steps_from_its_prompt_on() -> None:
    server = decoded().candidates[0].servers["mid"]
    assert isinstance(server, Decoder)
    assert (server.first_context, server.steps, server.output_steps) == (100, 49, 49)
    assert server.reading_s[0] == pytest.approx(0.005 + 0.0002 * 100)
    assert server.times.at(1, 100) == pytest.approx(0.022 + 1e-6 * 100)
    assert server.times.at(1, 148) == pytest.approx(0.022 + 1e-6 * 148)


def test_answers_deeper_than_any_measured_cache_are_a_floor() -> None:
    part = decoded(Lengths(100, None, 500, None))
    assert len(part.candidates[0].floors) == 1
    assert "caches of up to 149 tokens" in part.candidates[0].floors[0]


def test_an_encoder_decoder_steps_with_the_cells_of_its_source() -> None:
    lengths = Lengths(100, 200, 50, None)
    shapes = cells_for(SEQ2SEQ, lengths, role="model", dtypes=("float32",))

    def seconds(shape: CellPlan) -> float:
        return seq2seq(shape) * (3.0 if shape.stage == "decode" and shape.input_tokens == 200 else 1.0)

    cells = [cell(each, seconds(each)) for each in shapes]
    short = part_of("model", profile(SEQ2SEQ, cells), SEQ2SEQ, lengths).candidates[0]
    long = part_of("model", profile(SEQ2SEQ, cells), SEQ2SEQ, Lengths(200, None, 50, None)).candidates[0]
    assert short.step_s is not None
    assert long.step_s == pytest.approx(3 * short.step_s)
    beyond = part_of("model", profile(SEQ2SEQ, cells), SEQ2SEQ, Lengths(400, None, 50, None)).candidates[0]
    assert any("sources of up to 200 tokens, 400 are planned" in floor for floor in beyond.floors)
    assert any("inputs of up to 200 tokens, 400 are planned" in floor for floor in beyond.floors)


def test_a_decoder_whose_prompt_and_steps_were_measured_in_different_dtypes_has_no_figure() -> None:
    cells = [
        cell(CellPlan(stage="prefill", dtype="float32", batch_size=1, input_tokens=100), 0.1),
        cell(CellPlan(stage="decode", dtype="bfloat16", batch_size=1, context_tokens=100), 0.1),
    ]
    part = part_of("model", profile(DECODER, cells), DECODER, ANSWER)
    assert part.candidates == ()
    assert part.missing == "no configuration was measured in all of prefill, decode"


def test_cells_of_a_few_layers_are_not_the_model() -> None:
    shape = CellPlan(stage="forward", dtype="float32", batch_size=1, input_tokens=128)
    few = cell(shape, 0.001).model_copy(update={"layers": 2})
    part = part_of("model", profile(ENCODER, [few]), ENCODER, TEXT)
    assert part.candidates == ()


def test_a_profile_made_without_a_role_serves_a_retriever_too() -> None:
    shapes = cells_for(ENCODER, TEXT, role="model", dtypes=("float32",))
    made = profile(ENCODER, [cell(each, encoder(each)) for each in shapes])
    assert part_of("retriever", made, ENCODER, TEXT).stages == ("forward",)


def peaks(memory: dict[tuple[str, int], int], lengths: Lengths = ANSWER) -> dict[int, int | None]:
    """Peak memory by slots, of cells whose peaks are given by stage and batch."""

    def spoilt(each: CellPlan) -> Cell:
        return cell(each, decoder(each), peak_memory_bytes=memory.get((each.stage, each.batch_size)))

    shapes = cells_for(DECODER, ANSWER, role="model", dtypes=("float32",))
    part = part_of("model", profile(DECODER, [spoilt(each) for each in shapes]), DECODER, lengths)
    return {one.serving.max_batch_size: one.peak_memory_bytes for one in part.candidates}


def test_the_peak_of_slots_is_the_largest_measured_one() -> None:
    memory = {(stage, batch): batch * GIB for stage in ("prefill", "decode") for batch in (1, 4, 8)}
    found = peaks(memory)
    assert found[1] is not None
    assert found[8] is not None
    assert found[1] >= GIB
    assert found[8] >= 8 * GIB
    assert found[8] < 8.1 * GIB


def test_longer_answers_than_measured_add_their_cache_by_closed_form() -> None:
    memory = {(stage, batch): GIB for stage in ("prefill", "decode") for batch in (1, 4, 8)}
    short, long = peaks(memory)[8], peaks(memory, Lengths(100, None, 50, 1050))[8]
    more = kv_cache_bytes(DECODER, dtype="float32", batch_size=8, context_tokens=1000)
    assert short is not None
    assert long is not None
    assert long - short == pytest.approx(more, rel=0.01)


def test_without_any_measured_peak_weights_and_cache_are_counted() -> None:
    found = peaks({})[4]
    cache = kv_cache_bytes(DECODER, dtype="float32", batch_size=4, context_tokens=150)
    assert found is not None
    assert found >= weight_bytes(DECODER, "float32") + cache


def test_a_larger_batch_without_a_measured_peak_is_not_taken_for_a_small_one() -> None:
    def only_alone(each: CellPlan) -> Cell:
        return cell(each, encoder(each), peak_memory_bytes=1000 if each.batch_size == 1 else None)

    shapes = cells_for(ENCODER, TEXT, role="model", dtypes=("float32",))
    part = part_of("model", profile(ENCODER, [only_alone(each) for each in shapes]), ENCODER, TEXT)
    by_batch = {one.serving.max_batch_size: one.peak_memory_bytes or 0 for one in part.candidates}
    assert by_batch[1] == 1000
    assert by_batch[8] > weight_bytes(ENCODER, "float32")


def test_a_shape_between_measured_ones_takes_no_less_than_the_closed_form_and_no_more_than_a_larger_one() -> None:
    def at(batch: int, tokens: int, peak: int) -> Cell:
        shape = CellPlan(stage="forward", dtype="float32", batch_size=batch, input_tokens=tokens)
        return cell(shape, encoder(shape), peak_memory_bytes=peak)

    def of_four(largest: int) -> int | None:
        made = profile(ENCODER, [at(1, 64, 1000), at(4, 64, 2000), at(8, 256, largest)])
        part = part_of("model", made, ENCODER, Lengths(128, None, 0, None))
        return {one.serving.max_batch_size: one.peak_memory_bytes for one in part.candidates}[4]

    assert of_four(3000) == 3000
    by_form = of_four(900 * GIB)
    assert by_form is not None
    assert weight_bytes(ENCODER, "float32") < by_form < GIB


def test_a_profile_without_samples_still_plans_with_no_spread() -> None:
    shapes = cells_for(ENCODER, TEXT, role="model", dtypes=("float32",))
    cells = [cell(each, encoder(each)).model_copy(update={"samples_s": None}) for each in shapes]
    made: Profile = profile(ENCODER, cells)
    candidate = part_of("model", made, ENCODER, TEXT).candidates[0]
    assert candidate.samples == 0
    assert isinstance(candidate.servers["mid"], Batcher)
    assert candidate.servers["mid"].residuals == (1.0,)


def test_the_spread_of_runs_is_that_of_the_planned_length() -> None:
    """A disturbed cell of another length says nothing about the runs that are planned."""

    def disturbed(each: CellPlan) -> Cell:
        return cell(each, encoder(each), noise=(0.5, 1.0, 9.0) if each.input_tokens == 64 else (1.0, 1.0))

    shapes = cells_for(ENCODER, TEXT, role="model", dtypes=("float32",))
    candidate = part_of("model", profile(ENCODER, [disturbed(each) for each in shapes]), ENCODER, TEXT).candidates[0]
    assert isinstance(candidate.servers["mid"], Batcher)
    assert set(candidate.servers["mid"].residuals) == {1.0}
    assert candidate.samples == 6


def reranker_part(*batches: int) -> Part:
    shapes = cells_for(RERANKER, PAIRS, role="reranker", dtypes=("float32",), batch_sizes=batches or None)
    cells = [cell(each, encoder(each)) for each in shapes]
    return part_of("reranker", profile(RERANKER, cells), RERANKER, PAIRS)


def test_a_reranked_request_is_served_alone_in_one_pass_or_in_as_many_as_its_pairs_need() -> None:
    in_five, in_one = reranker_part().candidates
    assert (in_five.serving.max_batch_size, in_one.serving.max_batch_size) == (10, 50)
    assert in_one.servers["mid"].lone_s == pytest.approx(0.010 + 0.008 * 50)
    assert in_five.servers["mid"].lone_s == pytest.approx(5 * (0.010 + 0.008 * 10))
    for one in (in_five, in_one):
        assert one.servers["mid"].saturation_rps == pytest.approx(1 / one.servers["mid"].lone_s)
    assert [one.stages[0].origin for one in (in_five, in_one)] == ["interpolated", "measured"]


def test_the_last_pass_of_a_reranked_request_may_be_smaller() -> None:
    (part,) = reranker_part(20).candidates
    assert part.servers["mid"].lone_s >= 2 * (0.010 + 0.008 * 20) + 0.010
    assert part.stages[0].origin == "interpolated"


def test_passes_of_one_request_are_noisy_each_by_itself() -> None:
    shapes = cells_for(RERANKER, PAIRS, role="reranker", dtypes=("float32",))
    cells = [cell(each, encoder(each), noise=(0.5, 1.0, 1.0, 1.5)) for each in shapes]
    part = part_of("reranker", profile(RERANKER, cells), RERANKER, PAIRS)
    in_five, in_one = (one.servers["mid"] for one in part.candidates)
    assert isinstance(in_five, Batcher)
    assert isinstance(in_one, Batcher)
    assert max(in_one.residuals) == pytest.approx(1.5)
    assert sum(in_five.residuals) / len(in_five.residuals) == pytest.approx(1.0, abs=0.03)
    spread = [max(each.residuals) - min(each.residuals) for each in (in_five, in_one)]
    assert spread[0] < spread[1]


def test_a_pass_larger_than_the_request_is_never_planned() -> None:
    part = reranker_part(10, 64)
    assert [one.serving.max_batch_size for one in part.candidates] == [10, 50]
    assert {one.stages[0].origin for one in part.candidates} == {"interpolated"}


def test_texts_as_long_as_the_longest_stated_are_served_among_the_typical_ones() -> None:
    lengths = Lengths(128, 256, 0, None)
    server = encoded(lengths, measured=lengths).candidates[-1].servers["mid"]
    assert isinstance(server, Batcher)
    assert server.passes is not None
    assert server.service_s == pytest.approx([0.010 + 0.004 * batch for batch in range(1, 9)])
    longest = server.passes.rows[-1]
    assert longest[0] == pytest.approx(0.010 + 0.008)
    assert longest[-1] == pytest.approx(0.010 + 8 * 0.008)
    assert {fact.origin for one in encoded(lengths, measured=lengths).candidates for fact in one.stages} == {
        "interpolated"
    }


def test_answers_of_several_lengths_step_from_the_shortest_prompt_to_the_deepest_cache() -> None:
    lengths = Lengths(100, 200, 50, 80)
    server = decoded(lengths, measured=lengths).candidates[-1].servers["mid"]
    assert isinstance(server, Decoder)
    assert server.mix is not None
    assert (server.mix.contexts[-1], server.mix.steps[-1]) == (200, 79)
    assert (server.times.contexts[0], server.times.contexts[-1]) == (server.mix.contexts[0], 278)
    assert server.slots == 8
    deepest = [row[-1] for row in server.times.step_s]
    assert deepest == sorted(deepest)


def test_where_memory_has_no_room_for_every_slot_the_cache_is_limited_and_the_slots_are_not() -> None:
    shapes = cells_for(DECODER, ANSWER, role="model", dtypes=("float32",))
    made = profile(DECODER, [cell(each, decoder(each), peak_memory_bytes=None) for each in shapes])
    weights = weight_bytes(DECODER, "float32")
    wide = part_of("model", made, DECODER, ANSWER).candidates[-1]
    one_answer = kv_cache_bytes(DECODER, dtype="float32", batch_size=1, context_tokens=150)
    limit = (wide.peak_memory_bytes or 0) - 3 * one_answer
    narrow = part_of("model", made, DECODER, ANSWER, limit).candidates[-1]
    server = narrow.servers["mid"]
    assert isinstance(server, Decoder)
    assert server.slots == 8
    assert server.cache_tokens == pytest.approx(5 * 150, abs=2)
    assert weights < (narrow.peak_memory_bytes or 0) <= limit
    assert server.saturation_rps < wide.servers["mid"].saturation_rps


def test_a_limit_that_leaves_no_room_for_two_answers_is_left_to_fewer_slots() -> None:
    shapes = cells_for(DECODER, ANSWER, role="model", dtypes=("float32",))
    made = profile(DECODER, [cell(each, decoder(each), peak_memory_bytes=None) for each in shapes])
    limit = weight_bytes(DECODER, "float32")
    for one in part_of("model", made, DECODER, ANSWER, limit).candidates:
        assert isinstance(one.servers["mid"], Decoder)
        assert one.servers["mid"].cache_tokens is None

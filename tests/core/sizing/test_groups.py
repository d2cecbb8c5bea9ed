"""Groups of answers written to their end, against the continuous writer where both agree and against plain sums."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.core.lengths import Lengths
from advisor.core.sizing.candidates import part_of
from advisor.core.sizing.capacity import Demand, capacity
from advisor.core.sizing.grid import cells_for
from advisor.core.sizing.groups import Groups, writer_of
from advisor.core.sizing.measurement import Cell
from advisor.core.sizing.workers import Workers
from tests.core.sizing.known_model import DECODER, ENTRIES, cell, profile
from tests.core.sizing.known_model import decoder as step_s
from tests.core.sizing.test_decoding import decoder, mixed, untied_gaps

WRITER = DECODER.id


@settings(deadline=None, max_examples=60)
@given(
    gaps=untied_gaps(25),
    steps=st.integers(0, 20),
    yields_token=st.booleans(),
    replicas=st.integers(1, 3),
    after_pause=st.sampled_from((1.0, 1.1)),
)
def test_one_at_a_time_both_disciplines_are_the_same(
    gaps: list[float], steps: int, yields_token: bool, replicas: int, after_pause: float
) -> None:
    writer = replace(decoder(1, max(steps, 1), yields_token=yields_token), after_pause=after_pause)
    arrivals = np.cumsum(gaps)
    one, other = Groups(writer).serve(arrivals, 0, replicas), writer.serve(arrivals, 0, replicas)
    assert one.first_token_s is not None
    assert other.first_token_s is not None
    assert one.done_s == pytest.approx(other.done_s)
    assert one.first_token_s == pytest.approx(other.first_token_s)
    assert Groups(writer).saturation_rps == pytest.approx(writer.saturation_rps)


def test_a_group_that_finds_the_replica_idle_is_read_more_slowly_and_one_right_after_another_is_not() -> None:
    writer = mixed(decoder(4, 10))
    groups, slower = Groups(writer), Groups(replace(writer, after_pause=1.2))
    arrivals = 100.0 * np.arange(40)
    read_s = writer.lengths.reading.alone_s(writer.lengths.drawn(40, 0)[0])
    assert slower.serve(arrivals, 0).done_s - groups.serve(arrivals, 0).done_s == pytest.approx(0.2 * read_s)
    assert slower.alone(40, 0).done_s == pytest.approx(slower.serve(arrivals, 0).done_s - arrivals)
    assert slower.saturation_rps == groups.saturation_rps
    later_s = slower.serve(np.zeros(40), 0).done_s - groups.serve(np.zeros(40), 0).done_s
    assert later_s == pytest.approx([later_s[0]] * 40)
    assert later_s[0] > 0


def test_who_comes_a_step_too_late_waits_for_the_whole_group() -> None:
    writer = decoder(4, 10)
    lone_s = writer.lone_s
    served = Groups(writer).serve(np.asarray([0.0, 0.001]), 0)
    assert served.done_s == pytest.approx([lone_s, 2 * lone_s])
    assert writer.serve(np.asarray([0.0, 0.001]), 0).done_s[1] < 1.8 * lone_s


def test_a_group_is_answered_when_its_longest_answer_ends_and_shorter_ones_leave_the_steps() -> None:
    writer = mixed(decoder(2, 8))
    requests = range(40)
    prompts, answers = (levels.tolist() for levels in writer.lengths.drawn(len(requests), 0))
    rows, times = writer.lengths.reading.rows, writer.times
    now = 0.0
    expected: list[float] = []
    for first in requests[::2]:
        pair = [first, first + 1]
        now += rows[max(prompts[one] for one in pair)][1]
        contexts = {one: writer.lengths.contexts[prompts[one]] for one in pair}
        left = {one: writer.lengths.steps[answers[one]] for one in pair}
        done = 0
        while left:
            now += times.at(len(left), sum(contexts[one] + done for one in left) / len(left))
            done += 1
            left = {one: steps for one, steps in left.items() if steps > done}
        expected += [now, now]
    assert Groups(writer).serve(np.zeros(40), 0).done_s == pytest.approx(expected)


def test_no_more_are_taken_than_there_is_cache_for() -> None:
    writer = decoder(4, 10)
    kept = writer.reserved(writer.first_context, writer.steps)
    two = Groups(replace(writer, cache_tokens=2 * kept + 1))
    together_s = writer.reading_s[1] + writer.times.total(2, writer.first_context, writer.steps)
    assert two.serve(np.zeros(4), 0).done_s == pytest.approx([together_s] * 2 + [2 * together_s] * 2)
    assert two.saturation_rps == pytest.approx(2 / together_s)


def test_at_saturation_full_groups_follow_each_other_and_the_continuous_writer_is_no_slower() -> None:
    writer = mixed(decoder(4, 12))
    groups = Groups(writer)
    served = groups.serve(np.zeros(8000), 1)
    assert 8000 / served.done_s[-1] == pytest.approx(groups.saturation_rps, rel=0.05)
    assert groups.saturation_rps < writer.saturation_rps


def test_a_plan_by_groups_carries_less_within_a_budget() -> None:
    writer = replace(decoder(4, 20), requests=3000)
    budget = Demand(95, 2.5 * writer.lone_s)
    assert capacity([Groups(writer)], budget)[0] < capacity([writer], budget)[0]


def test_whatever_takes_the_requests_the_writer_is_found() -> None:
    writer = decoder()
    for server in (writer, Groups(writer), Workers(Groups(writer), 2)):
        assert writer_of(server) is writer


@pytest.mark.parametrize(("runtime", "kind"), [("torch", "Decoder"), ("ctranslate2", "Groups")])
def test_a_runtime_that_takes_nobody_into_a_batch_is_planned_by_groups(runtime: str, kind: str) -> None:
    def served(one: Cell) -> Cell:
        return one.model_copy(update={"runtime": runtime})

    shapes = cells_for(ENTRIES[WRITER], Lengths(64, None, 32, None), role="model", dtypes=("float32",))
    known = profile(ENTRIES[WRITER], [served(cell(one, step_s(one))) for one in shapes])
    part = part_of("model", known, ENTRIES[WRITER], Lengths(64, None, 32, None))
    assert {type(one.servers["mid"]).__name__ for one in part.candidates} == {kind}

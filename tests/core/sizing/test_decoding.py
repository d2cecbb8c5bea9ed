"""Continuous batching against a token-by-token reference and against cases known in advance."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from advisor.core.sizing.capacity import Demand, alone, capacity, simulate
from advisor.core.sizing.decoding import Decoder, Mix, StepTimes
from advisor.core.sizing.serving import Passes


def untied_gaps(most: int) -> st.SearchStrategy[list[float]]:
    """Gaps between arrivals that never end with a step, whose times are whole microseconds."""
    return st.lists(st.integers(10, 4500).map(lambda count: count * math.pi * 1e-4), min_size=1, max_size=most)


def linear_times(slots: int, first: int, last: int, per_answer: float = 0.002, per_token: float = 1e-6) -> StepTimes:
    """0.02 s a step, more with each answer and with each cached token of each answer."""
    rows = tuple(
        tuple(0.02 + batch * (per_answer + per_token * context) for context in (first, last))
        for batch in range(1, slots + 1)
    )
    return StepTimes((first, last), rows)


def decoder(slots: int = 4, steps: int = 20, *, yields_token: bool = True, first: int = 50) -> Decoder:
    return Decoder(
        reading_s=tuple(0.1 + 0.05 * batch for batch in range(slots)),
        times=linear_times(slots, first, first + steps),
        slots=slots,
        first_context=first,
        steps=steps,
        reading_yields_token=yields_token,
    )


def step_by_step(server: Decoder, arrivals: list[float], replicas: int = 1) -> tuple[list[float], list[float]]:
    """The same discipline, one decode step at a time: slow and plain."""
    done, first_token = [0.0] * len(arrivals), [0.0] * len(arrivals)
    prompts, answers = (levels.tolist() for levels in server.lengths.drawn(len(arrivals), 0))
    contexts = [server.lengths.contexts[level] for level in prompts]
    steps = [server.lengths.steps[level] for level in answers]
    kept = [server.reserved(*lengths) for lengths in zip(contexts, steps, strict=True)]
    rows = server.lengths.reading.rows
    waiting = list(range(len(arrivals)))
    clocks = [0.0] * replicas
    active: list[dict[int, int]] = [{} for _ in range(replicas)]

    shut = [False] * replicas
    """A replica whose cache has no room for the next request looks again when one of its answers has ended."""

    def full(number: int, request: int, *group: int) -> bool:
        held = [kept[each] for each in (*active[number], *group)]
        return server.cache_tokens is not None and bool(held) and sum(held) + kept[request] > server.cache_tokens

    def group_of(number: int) -> list[int]:
        group: list[int] = []
        for request in waiting[: min(server.slots - len(active[number]), len(server.reading_s))]:
            if shut[number] or arrivals[request] > clocks[number] or full(number, request, *group):
                break
            group.append(request)
        return group

    while waiting or any(active):
        number = min((one for one in range(replicas) if waiting or active[one]), key=lambda one: (clocks[one], one))
        mine = active[number]
        if not mine and arrivals[waiting[0]] > clocks[number]:
            clocks[number] = arrivals[waiting[0]]
            continue
        if group := group_of(number):
            del waiting[: len(group)]
            clocks[number] += rows[max(prompts[request] for request in group)][len(group) - 1]
            for request in group:
                first_token[request] = clocks[number]
                if steps[request]:
                    mine[request] = 0
                else:
                    done[request] = clocks[number]
            continue
        shut[number] = shut[number] or (bool(waiting) and full(number, waiting[0]))
        clocks[number] += server.times.at(len(mine), sum(contexts[one] + mine[one] for one in mine) / len(mine))
        for request in list(mine):
            mine[request] += 1
            if mine[request] == 1 and not server.reading_yields_token:
                first_token[request] = clocks[number]
            if mine[request] == steps[request]:
                done[request] = clocks[number]
                shut[number] = False
                del mine[request]
    return done, first_token


def mixed(server: Decoder) -> Decoder:
    """The same with prompts and answers of several lengths."""
    longer = tuple(1.5 * seconds for seconds in server.reading_s)
    reading = Passes((server.reading_s, longer), (0.7, 0.3))
    first, steps = server.first_context, server.steps
    return replace(
        server,
        times=linear_times(server.slots, first, first + 40 + 2 * steps),
        mix=Mix(reading, (first, first + 40), (2, steps, 2 * steps), (0.2, 0.5, 0.3)),
    )


@settings(deadline=None, max_examples=60)
@given(
    gaps=st.lists(st.floats(0, 1.5), min_size=1, max_size=25),
    slots=st.integers(1, 5),
    steps=st.integers(0, 30),
    yields_token=st.booleans(),
)
def test_summing_steps_between_events_gives_the_same_times_as_taking_each_step(
    gaps: list[float], slots: int, steps: int, yields_token: bool
) -> None:
    if not yields_token and steps == 0:
        steps = 1
    server = decoder(slots, steps, yields_token=yields_token)
    arrivals = np.cumsum(gaps)
    served = server.serve(arrivals, seed=0)
    done, first_token = step_by_step(server, arrivals.tolist())
    assert served.done_s == pytest.approx(done, rel=1e-9)
    assert served.first_token_s == pytest.approx(first_token, rel=1e-9)


@settings(deadline=None, max_examples=60)
@given(
    gaps=untied_gaps(25),
    slots=st.integers(1, 4),
    steps=st.integers(2, 20),
    room=st.none() | st.integers(150, 400),
    replicas=st.integers(1, 3),
    yields_token=st.booleans(),
)
@example(  # the request that found no room is taken by another replica, and the one behind it would fit
    gaps=[gap * math.pi * 1e-4 for gap in (10, 10, 233, 10, 10, 10, 10)],
    slots=2,
    steps=2,
    room=150,
    replicas=3,
    yields_token=False,
)
def test_answers_of_several_lengths_share_slots_cache_and_queue_as_if_each_step_were_taken(
    gaps: list[float], slots: int, steps: int, room: int | None, replicas: int, yields_token: bool
) -> None:
    server = replace(mixed(decoder(slots, steps, yields_token=yields_token)), cache_tokens=room)
    arrivals = np.cumsum(gaps)
    served = server.serve(arrivals, 0, replicas)
    done, first_token = step_by_step(server, arrivals.tolist(), replicas)
    assert served.done_s == pytest.approx(done, rel=1e-9)
    assert served.first_token_s == pytest.approx(first_token, rel=1e-9)


def test_a_cache_with_room_for_two_answers_is_as_good_as_two_slots() -> None:
    short = replace(decoder(slots=4, steps=20), requests=800, cache_tokens=2 * 70 + 69)
    two = replace(decoder(slots=4, steps=20), slots=2, requests=800)
    assert simulate(short, 1.0).latency_s == pytest.approx(simulate(two, 1.0).latency_s, rel=0.2)
    assert short.saturation_rps == pytest.approx(two.saturation_rps)


def test_more_cache_never_carries_less() -> None:
    carried = [
        capacity([replace(mixed(decoder()), requests=1500, cache_tokens=tokens)], Demand(95, 4.0))[0]
        for tokens in (150, 250, 400, None)
    ]
    assert carried == sorted(carried)


def test_saturation_of_several_lengths_is_what_full_slots_can_do() -> None:
    server = replace(mixed(decoder(slots=4, steps=100)), requests=2000)
    done = server.serve(np.zeros(2000), seed=0).done_s
    assert 2000 / done.max() == pytest.approx(server.saturation_rps, rel=0.1)


def test_answers_of_several_lengths_alone_take_what_each_takes() -> None:
    server = mixed(decoder(steps=20))
    served = server.alone(400, seed=0)
    whole = {
        round(read + server.times.total(1, context, steps), 6)
        for read, context in ((0.1, 50), (0.15, 90))
        for steps in (2, 20, 40)
    }
    assert {round(seconds, 6) for seconds in served.done_s.tolist()} == whole


def test_an_answer_alone_takes_its_prompt_and_all_its_steps() -> None:
    server = decoder(steps=20)
    steps_s = sum(server.times.at(1, 50 + step) for step in range(20))
    served = server.alone(10, seed=0)
    assert served.done_s == pytest.approx([0.1 + steps_s] * 10)
    assert served.first_token_s == pytest.approx([0.1] * 10)
    assert server.lone_s == pytest.approx(0.1 + steps_s)


def test_an_encoder_decoder_has_its_first_token_only_after_a_step() -> None:
    server = decoder(steps=20, yields_token=False)
    served = server.alone(10, seed=0)
    assert served.first_token_s == pytest.approx([0.1 + server.times.at(1, 50)] * 10)
    assert server.output_steps == 19


def test_an_answer_of_one_token_is_done_when_the_prompt_is_read() -> None:
    served = decoder(steps=0).serve(np.asarray([0.0, 5.0]), seed=0)
    assert served.done_s == pytest.approx([0.1, 5.1])


def test_no_more_answers_are_written_at_once_than_there_are_slots() -> None:
    """Five requests at once on four slots: the fifth starts when the first four have ended."""
    server = decoder(slots=4, steps=10)
    served = server.serve(np.zeros(5), seed=0)
    assert served.first_token_s is not None
    assert served.first_token_s[4] > served.done_s[3]


def test_reading_a_new_prompt_holds_up_the_answers_in_progress() -> None:
    server = decoder(slots=2, steps=10)
    lone = server.serve(np.asarray([0.0]), seed=0).done_s[0]
    disturbed = server.serve(np.asarray([0.0, 0.2]), seed=0).done_s[0]
    assert disturbed >= lone + server.reading_s[0]


def test_requests_that_rarely_meet_take_what_they_take_alone() -> None:
    server = replace(decoder(), requests=500)
    times = simulate(server, 0.01).latency_s
    assert np.mean(np.isclose(times, server.lone_s)) > 0.95
    assert times.min() >= server.lone_s - 1e-9


@pytest.mark.parametrize("yields_token", [True, False])
@pytest.mark.parametrize("replicas", [1, 3])
def test_a_prompt_that_finds_the_replica_idle_takes_longer_to_read_and_its_answer_no_longer_to_write(
    yields_token: bool, replicas: int
) -> None:
    server = mixed(decoder(yields_token=yields_token))
    slower, arrivals = replace(server, after_pause=1.2), 100.0 * np.arange(40)
    read_s = server.lengths.reading.alone_s(server.lengths.drawn(40, 0)[0])
    before, after = server.serve(arrivals, 0, replicas), slower.serve(arrivals, 0, replicas)
    assert after.done_s - before.done_s == pytest.approx(0.2 * read_s)
    assert before.first_token_s is not None
    assert after.first_token_s is not None
    assert after.first_token_s - before.first_token_s == pytest.approx(0.2 * read_s)
    assert after.done_s - arrivals == pytest.approx(slower.alone(40, 0).done_s)
    assert slower.lone_s - server.lone_s == pytest.approx(0.2 * 0.1)


def test_at_saturation_only_the_first_prompts_find_the_replica_idle() -> None:
    server = decoder(slots=4, steps=10)
    slower = replace(server, after_pause=1.2)
    assert slower.saturation_rps == server.saturation_rps
    later_s = slower.serve(np.zeros(40), 0).done_s - server.serve(np.zeros(40), 0).done_s
    assert later_s == pytest.approx([0.2 * server.reading_s[3]] * 40)


def test_a_prompt_that_is_read_while_an_answer_is_in_progress_finds_no_idle_replica() -> None:
    server = replace(decoder(slots=2, steps=1000), after_pause=2.0)
    first_token = server.serve(np.asarray([0.0, 5.0]), 0).first_token_s
    assert first_token is not None
    assert first_token[0] == pytest.approx(2 * 0.1)
    assert 5.0 + 0.1 <= first_token[1] <= 5.0 + 0.1 + server.times.at(1, 1050)


def test_a_step_is_linear_between_measured_depths_and_level_outside() -> None:
    times = StepTimes((10, 20, 40), ((1.0, 2.0, 6.0),))
    assert [times.at(1, context) for context in (0, 10, 15, 20, 30, 40, 99)] == [1.0, 1.0, 1.5, 2.0, 4.0, 6.0, 6.0]


@given(context=st.floats(0, 60), steps=st.integers(1, 80))
def test_the_sum_of_steps_is_the_sum_of_each_of_them(context: float, steps: int) -> None:
    """Up to the share of the one step in which a measured depth is crossed."""
    times = StepTimes((10, 20, 40), ((1.0, 2.0, 6.0),))
    each = sum(times.at(1, context + step) for step in range(steps))
    assert times.total(1, context, steps) == pytest.approx(each, abs=0.5)


def test_ten_million_tokens_are_summed_as_fast_as_ten() -> None:
    server = replace(decoder(steps=10_000_000), requests=200)
    outcome = simulate(server, 1e-6)
    assert np.isfinite(outcome.latency_s).all()
    assert outcome.latency_s.min() >= 10_000_000 * 0.02


def test_noise_of_single_steps_averages_out_over_an_answer() -> None:
    calm = decoder(steps=400)
    noisy = replace(calm, step_residuals=(0.8, 1.0, 1.0, 1.2))
    spread = np.std(alone(noisy).latency_s) / np.mean(alone(noisy).latency_s)
    assert 0 < spread < 0.14 / np.sqrt(400) * 1.5
    assert np.mean(alone(noisy).latency_s) == pytest.approx(calm.lone_s, rel=0.01)


def test_noise_with_a_slow_tail_makes_answers_longer() -> None:
    noisy = replace(decoder(), step_residuals=(1.0, 1.0, 1.0, 2.0))
    assert np.mean(alone(noisy).latency_s) == pytest.approx(0.1 + (decoder().lone_s - 0.1) * 1.25, rel=0.02)


@settings(deadline=None, max_examples=15)
@given(
    slower=st.floats(1.02, 2.0),
    budget=st.floats(0.7, 4.0),
    slots=st.integers(1, 4),
)
def test_a_slower_decoder_never_carries_more(slower: float, budget: float, slots: int) -> None:
    quick = replace(decoder(slots), requests=1500)
    rows = tuple(tuple(seconds * slower for seconds in row) for row in quick.times.step_s)
    slow = replace(quick, times=StepTimes(quick.times.contexts, rows))
    demand = Demand(95, budget)
    assert capacity([slow], demand)[0] <= capacity([quick], demand)[0]


def test_a_first_token_budget_alone_limits_the_rate() -> None:
    server = replace(decoder(), requests=2000)
    tight, loose = (capacity([server], Demand(95, None, budget))[0] for budget in (0.15, 1.0))
    assert 0 < tight < loose < server.saturation_rps


def test_saturation_is_what_full_slots_can_do() -> None:
    """Offered far more than it can do, the server answers at that rate (groups read together are a little faster)."""
    server = replace(decoder(slots=4, steps=200), requests=2000)
    done = server.serve(np.zeros(2000), seed=0).done_s
    assert 2000 / done[-1] == pytest.approx(server.saturation_rps, rel=0.1)
    assert 2000 / done[-1] >= server.saturation_rps

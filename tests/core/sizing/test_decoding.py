"""Continuous batching against a token-by-token reference and against cases known in advance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.core.sizing.capacity import Demand, alone, capacity, simulate
from advisor.core.sizing.decoding import Decoder, StepTimes


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


def step_by_step(server: Decoder, arrivals: list[float]) -> tuple[list[float], list[float]]:
    """The same discipline, one decode step at a time: slow and plain."""
    done, first_token = [0.0] * len(arrivals), [0.0] * len(arrivals)
    waiting, active = list(range(len(arrivals))), {}
    now = 0.0
    while waiting or active:
        if not active and arrivals[waiting[0]] > now:
            now = arrivals[waiting[0]]
        room = min(server.slots - len(active), len(server.reading_s))
        group = [request for request in waiting[:room] if arrivals[request] <= now]
        if group:
            waiting = waiting[len(group) :]
            now += server.reading_s[len(group) - 1]
            for request in group:
                first_token[request] = now
                if server.steps == 0:
                    done[request] = now
                else:
                    active[request] = 0
            continue
        context = server.first_context + sum(active.values()) / len(active)
        now += server.times.at(len(active), context)
        for request in list(active):
            active[request] += 1
            if active[request] == 1 and not server.reading_yields_token:
                first_token[request] = now
            if active[request] == server.steps:
                done[request] = now
                del active[request]
    return done, first_token


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

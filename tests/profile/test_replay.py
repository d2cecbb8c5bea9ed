"""Serving a schedule: the same discipline as the simulation, on a clock that only the work moves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from advisor.core.sizing.decoding import Decoder
from advisor.core.sizing.groups import Groups
from advisor.core.sizing.replaying import ReplayPlan
from advisor.core.sizing.serving import Batcher, Passes
from advisor.profile.replay import LEAD_S, replayed
from tests.core.sizing.test_decoding import decoder, mixed, untied_gaps

KNOWN = Batcher((1.0, 1.5, 1.75))


@dataclass
class Clock:
    """Time that passes only when somebody works or sleeps."""

    seconds: float = 100.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Reads:
    """One-pass work of known time."""

    clock: Clock
    passes: Passes
    levels: list[int]

    def read(self, requests: range) -> None:
        self.clock.seconds += self.passes.seconds(self.levels)(requests.start, requests.stop)

    def step(self, answers: int, context: float) -> None:
        raise AssertionError("nothing is written in one pass")


@dataclass
class Writes(Reads):
    """Reading and writing of known time."""

    server: Decoder

    def step(self, answers: int, context: float) -> None:
        self.clock.seconds += self.server.times.at(answers, context)


def plan_of(arrivals: list[float], **more: object) -> ReplayPlan:
    count = len(arrivals)
    known: dict[str, object] = {
        "stages": ("forward",),
        "runtime": "torch",
        "dtype": "float32",
        "threads": 1,
        "max_batch_size": 3,
        "arrivals_s": tuple(arrivals),
        "input_tokens": (8,) * count,
        "first_context": (0,) * count,
        "steps": (0,) * count,
        "seconds": 1000.0,
        "seconds_limit": 1e9,
    }
    return ReplayPlan.model_validate(known | more)


@given(gaps=st.lists(st.floats(0.0, 3.0), min_size=1, max_size=30))
def test_passes_are_batched_as_the_simulation_batches_them(gaps: list[float]) -> None:
    arrivals = np.cumsum(gaps)
    expected = KNOWN.serve(arrivals, 0).done_s
    assume(np.abs(np.subtract.outer(arrivals, expected)).min() > 1e-6)  # nobody can say who of two was first
    clock = Clock()
    works = Reads(clock, Passes((KNOWN.service_s,), (1.0,)), [0] * len(gaps))
    served = replayed(plan_of(arrivals.tolist()), works, clock)
    assert served.done_s == pytest.approx(expected.tolist(), abs=1e-6)


@settings(deadline=None, max_examples=60)
@given(
    gaps=untied_gaps(20),
    slots=st.integers(1, 4),
    room=st.none() | st.integers(150, 400),
    yields_token=st.booleans(),
    in_groups=st.booleans(),
)
def test_answers_take_slots_and_cache_as_in_the_simulation(
    gaps: list[float], slots: int, room: int | None, yields_token: bool, in_groups: bool
) -> None:
    server = replace(mixed(decoder(slots, 8, yields_token=yields_token)), cache_tokens=room)
    arrivals = np.cumsum(gaps)
    prompts, answers = (levels.tolist() for levels in server.lengths.drawn(len(gaps), 0))
    plan = plan_of(
        arrivals.tolist(),
        stages=("prefill" if yields_token else "encode", "decode"),
        max_batch_size=slots,
        first_context=tuple(server.lengths.contexts[level] for level in prompts),
        steps=tuple(server.lengths.steps[level] for level in answers),
        cache_tokens=room,
        in_groups=in_groups,
    )
    clock = Clock()
    served = replayed(plan, Writes(clock, server.lengths.reading, prompts, server), clock)
    expected = (Groups(server) if in_groups else server).serve(arrivals, 0)
    assert expected.first_token_s is not None
    assert served.done_s == pytest.approx(expected.done_s.tolist(), abs=1e-6)
    assert served.first_token_s == pytest.approx(expected.first_token_s.tolist(), abs=1e-6)


def test_a_server_that_falls_behind_is_stopped_and_what_it_left_has_no_time() -> None:
    clock = Clock()
    slow = Reads(clock, Passes(((10.0,),), (1.0,)), [0] * 5)
    served = replayed(plan_of([0.0] * 5, max_batch_size=1, seconds_limit=25.0), slow, clock)
    assert served.done_s == pytest.approx([10.0, 20.0, 30.0, None, None])


def test_a_request_of_many_texts_is_served_alone() -> None:
    clock = Clock()
    one = Reads(clock, Passes(((2.0,),), (1.0,)), [0, 0])
    served = replayed(plan_of([0.0, 0.0], texts=50, max_batch_size=10), one, clock)
    assert served.done_s == pytest.approx([2.0, 4.0])


def test_nothing_comes_before_the_clock_has_started() -> None:
    clock = Clock()
    replayed(plan_of([0.0]), Reads(clock, Passes(((1.0,),), (1.0,)), [0]), clock)
    assert clock.seconds == pytest.approx(100.0 + LEAD_S + 1.0)

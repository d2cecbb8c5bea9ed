"""A plan checked by serving it: what is asked of a replica, and how what came of it is judged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from advisor.core.architecture import Role
from advisor.core.lengths import component_lengths
from advisor.core.sizing.grid import cells_for
from advisor.core.sizing.measurement import Flag, Profile
from advisor.core.sizing.pipeline import SizedPart, Sizing
from advisor.core.sizing.planning import sizing_of
from advisor.core.sizing.replaying import ReplayResult
from advisor.core.sizing.verification import SECONDS, UTILISATION_MOST, replay_plan, verification
from tests.core.sizing.known_model import (
    CHAT,
    ENTRIES,
    GIB,
    ONE_DECODER,
    ONE_ENCODER,
    TICKETS,
    cell,
    decoder,
    encoder,
    profile,
    recommendation,
)

NOISE = (0.95, 1.0, 1.0, 1.1)


def sized(answers: dict[str, Any], *, noise: tuple[float, ...] = NOISE, **changed: Any) -> tuple[Sizing, SizedPart]:
    writes = answers["task"] == "chat"
    parts, seconds = (ONE_DECODER, decoder) if writes else (ONE_ENCODER, encoder)
    advice = recommendation({**answers, **changed}, parts)
    entry = ENTRIES[parts[0].model or ""]
    lengths = component_lengths(advice.workload, architecture=entry.architecture, role="model")
    shapes = cells_for(entry, lengths, role="model", dtypes=("float32",))
    profiles: dict[Role, Profile] = {"model": profile(entry, [cell(one, seconds(one), noise=noise) for one in shapes])}
    sizing = sizing_of(advice, profiles, ENTRIES, memory_limit_bytes=16 * GIB)
    assert sizing is not None
    return sizing, sizing.parts[0]


def as_predicted(part: SizedPart, rate: float, slower: float = 1.0, *, flags: tuple[Flag, ...] = ()) -> Any:
    """What comes of a replay on a machine `slower` times as slow as the one that was measured."""
    plan = replay_plan(part, rate)
    served = part.candidate.servers["mid"].serve(np.asarray(plan.arrivals_s) / slower, seed=77)
    first = served.first_token_s
    result = ReplayResult(
        done_s=tuple((served.done_s * slower).tolist()),
        first_token_s=None if first is None else tuple((first * slower).tolist()),
        flags=flags,
    )
    return verification(part, rate, plan, result)


def test_the_schedule_is_made_before_the_run_at_the_planned_rate() -> None:
    _, part = sized(TICKETS)
    plan = replay_plan(part, 100.0)
    assert len(plan.arrivals_s) == pytest.approx(100 * SECONDS, rel=0.05)
    assert list(plan.arrivals_s) == sorted(plan.arrivals_s)
    assert plan.arrivals_s[-1] < SECONDS
    assert plan.arrivals_s == replay_plan(part, 100.0).arrivals_s
    assert set(plan.input_tokens) == {128}
    assert plan.max_batch_size == part.candidate.serving.max_batch_size


def test_a_rate_near_saturation_is_replayed_at_a_utilisation_a_minute_can_tell_about() -> None:
    _, part = sized(TICKETS)
    saturation = part.candidate.servers["mid"].saturation_rps
    found = as_predicted(part, 0.95 * saturation)
    assert found.utilisation == pytest.approx(UTILISATION_MOST, rel=0.05)
    assert found.planned_rps == pytest.approx(0.95 * saturation)


@pytest.mark.parametrize("answers", [TICKETS, CHAT])
def test_a_machine_that_is_as_fast_as_measured_agrees(answers: dict[str, Any]) -> None:
    _, part = sized(answers)
    found = as_predicted(part, 0.6 * part.candidate.servers["mid"].saturation_rps)
    assert found.ratio == pytest.approx(1.0, abs=0.1)
    assert found.agrees is True
    assert found.answered == found.requests
    assert (found.observed_first_token_ms is not None) == (answers is CHAT)


def test_a_machine_that_is_half_as_slow_again_does_not_agree() -> None:
    _, part = sized(TICKETS)
    found = as_predicted(part, 100.0, slower=1.5)
    assert found.ratio is not None
    assert found.ratio > 1.4
    assert found.agrees is False


def test_on_a_disturbed_machine_slower_is_no_answer_and_as_fast_is() -> None:
    _, part = sized(TICKETS)
    assert as_predicted(part, 100.0, slower=1.5, flags=("other-load",)).agrees is None
    assert as_predicted(part, 100.0, flags=("other-load",)).agrees is True
    assert as_predicted(part, 100.0, slower=0.5, flags=("other-load",)).agrees is False


def test_requests_that_were_never_answered_are_counted_and_do_not_agree() -> None:
    _, part = sized(TICKETS)
    plan = replay_plan(part, 100.0)
    done = part.candidate.servers["mid"].serve(np.asarray(plan.arrivals_s), 0).done_s.tolist()
    half = len(done) // 2
    found = verification(part, 100.0, plan, ReplayResult(done_s=(*done[:half], *[None] * (len(done) - half))))
    assert found.answered == half
    assert found.delivered_rps == pytest.approx((found.requested_rps or 0) / 2, rel=0.01)
    assert found.agrees is False


def test_a_handful_of_requests_tells_no_95th_percentile() -> None:
    _, part = sized(TICKETS)
    found = as_predicted(part, 0.3)
    assert found.requests < 59
    assert found.observed_ms.p95 is None
    assert found.observed_ms.p50 is not None
    assert found.ratio is not None


def test_lengths_that_are_spread_are_replayed_as_the_simulation_draws_them() -> None:
    _, part = sized(TICKETS, input_tokens_max=256)
    plan = replay_plan(part, 100.0)
    assert max(plan.input_tokens) == 256
    assert float(np.median(plan.input_tokens)) == pytest.approx(128, rel=0.1)
    _, writer = sized(CHAT, output_tokens_max=128)
    written = replay_plan(writer, 1.0)
    assert len(set(written.steps)) > 5
    assert set(written.first_context) == {64}


def test_answers_that_take_seconds_are_not_taken_for_a_rate_that_was_missed() -> None:
    """The last answers end well after the last request came, on the machine that was measured as on any other."""
    _, part = sized(CHAT, output_tokens=400, latency_budget_ms=60_000)
    rate = 0.6 * part.candidate.servers["mid"].saturation_rps
    found = as_predicted(part, rate)
    assert found.observed_ms is not None
    assert found.observed_ms.p50 is not None
    assert found.observed_ms.p50 > 0.08 * 1000 * SECONDS
    assert found.delivered_rps == pytest.approx(found.requested_rps, rel=0.05)
    assert found.agrees is True
    assert as_predicted(part, rate, slower=1.5).agrees is False


@pytest.mark.parametrize(
    ("answers", "longest"), [(TICKETS, {"input_tokens_max": 500}), (CHAT, {"output_tokens_max": 500})]
)
def test_it_predicts_the_very_requests_that_were_served(answers: dict[str, Any], longest: dict[str, int]) -> None:
    """Without noise nothing is left to differ in: long texts stand where they stood in the schedule."""
    _, part = sized(answers, noise=(1.0,), **longest)
    plan = replay_plan(part, 0.5 * part.candidate.servers["mid"].saturation_rps, seed=5)
    done = part.candidate.servers["mid"].serve(np.asarray(plan.arrivals_s), 77, lengths_seed=5).done_s.tolist()
    found = verification(part, 1.0, plan, ReplayResult(done_s=tuple(done)), seed=5)
    assert len(set(plan.input_tokens) | set(plan.steps)) > 2
    assert found.ratio == pytest.approx(1.0, abs=1e-12)

"""Whether one replica does what the plan says: a schedule for it, and what came of it beside what was predicted.

The one idea: prediction and observation are of the very same requests at the very same times. So a difference is the
model's speed in a queue or the simulation, and never the luck of the arrivals.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from advisor.core.sizing.capacity import percentile
from advisor.core.sizing.groups import Groups, writer_of
from advisor.core.sizing.pipeline import SizedPart
from advisor.core.sizing.plan import Percentiles
from advisor.core.sizing.replaying import ReplayPlan, ReplayResult, Verification
from advisor.core.sizing.serving import Batcher, FloatArray, Server, unit_arrivals
from advisor.core.sizing.statistics import samples_to_bound

SECONDS = 60.0
"""How long requests come."""
UTILISATION_MOST = 0.7
"""Share of its saturation that a replica is given at most: above it an hour's queue depends on a minute's luck."""
REQUESTS_MOST = 50_000
"""A quick model is given its requests in less time."""
WITHIN = 0.2
"""How far the observed 95th percentile may be from the predicted one."""
KEEPING_UP = 0.95
"""Share of the requested rate that must be delivered."""
_LATE_FACTOR = 2.0
"""Times the schedule's length after which what was not answered is left."""
_LATE_REQUESTS = 10
"""Lone requests that are waited for beyond that."""
_NOISES = 20
"""Draws of the noise of single runs that the prediction is made of."""
_LEAST_REQUESTS = 6


def replay_plan(sized: SizedPart, planned_rps: float, *, seed: int = 0, seconds: float = SECONDS) -> ReplayPlan:
    """The requests for one replica of a part at its planned rate, or at the most that a minute can tell about."""
    server = sized.candidate.servers["mid"]
    rate = min(planned_rps, UTILISATION_MOST * server.saturation_rps)
    seconds = min(seconds, REQUESTS_MOST / rate)
    unit = unit_arrivals(int(2 * rate * seconds) + _LEAST_REQUESTS, seed)
    arrivals = [each for each in (unit / rate).tolist() if each < seconds] or [0.0]
    inputs, contexts, steps = _lengths(sized, len(arrivals), seed)
    serving, lengths = sized.candidate.serving, sized.part.lengths
    writer = writer_of(server)
    return ReplayPlan(
        stages=sized.part.stages,
        runtime=serving.runtime,
        dtype=serving.dtype,
        threads=serving.threads,
        max_batch_size=serving.max_batch_size,
        arrivals_s=tuple(arrivals),
        input_tokens=tuple(inputs),
        first_context=tuple(contexts),
        steps=tuple(steps),
        texts=lengths.texts,
        cache_tokens=writer.cache_tokens if writer else None,
        source_tokens=writer.source_tokens if writer else 0,
        tokenizes=sized.candidate.tokenizing_s is not None,
        padded_steps=serving.padded_steps,
        in_groups=isinstance(server, Groups),
        seconds=seconds,
        seconds_limit=_LATE_FACTOR * seconds + _LATE_REQUESTS * server.lone_s,
    )


def verification(
    sized: SizedPart, planned_rps: float, plan: ReplayPlan, result: ReplayResult, *, seed: int = 0
) -> Verification:
    """What was observed beside what the simulation says of the same schedule, which `seed` was given to draw."""
    server = sized.candidate.servers["mid"]
    arrivals = np.asarray(plan.arrivals_s)
    latency, first, end_s = _predicted(server, arrivals, seed)
    answered = [number for number, done in enumerate(result.done_s) if done is not None]
    seen = _since(arrivals, result.done_s, answered)
    seen_first = _since(arrivals, result.first_token_s, answered) if result.first_token_s else None
    predicted, observed = _percentiles(latency, len(arrivals)), _percentiles(seen, len(seen))
    last_s = max((done for done in result.done_s if done is not None), default=0.0)
    # answers that come after the last request were due by the schedule: only what came later than that is lateness
    duration = plan.seconds + max(0.0, last_s - max(end_s, plan.seconds))
    requested = len(arrivals) / plan.seconds
    ratio = _ratio(predicted, observed)
    delivered = len(answered) / duration
    return _without_figures(sized, planned_rps).model_copy(
        update={
            "requested_rps": requested,
            "delivered_rps": delivered,
            "utilisation": requested / server.saturation_rps,
            "seconds": duration,
            "requests": len(arrivals),
            "answered": len(answered),
            "predicted_ms": predicted,
            "observed_ms": observed,
            "predicted_first_token_ms": _percentiles(first, len(arrivals)) if first is not None else None,
            "observed_first_token_ms": _percentiles(seen_first, len(answered)) if seen_first is not None else None,
            "ratio": ratio,
            "agrees": _agrees(ratio, delivered / requested, disturbed=bool(result.flags)),
            "flags": result.flags,
        }
    )


def not_verified(sized: SizedPart, planned_rps: float | None, why: str) -> Verification:
    """A part that was not replayed, with the reason."""
    return _without_figures(sized, planned_rps).model_copy(update={"note": why})


def _without_figures(sized: SizedPart, planned_rps: float | None) -> Verification:
    return Verification(
        role=sized.part.role, model=sized.part.model, serving=sized.candidate.serving, planned_rps=planned_rps
    )


def _lengths(sized: SizedPart, requests: int, seed: int) -> tuple[list[int], list[int], list[int]]:
    """Tokens that each request reads, that its cache then holds, and its decode steps: as the simulation draws them."""
    server, tokens = sized.candidate.servers["mid"], sized.part.lengths.input_tokens
    writer = writer_of(server)
    if writer is not None:
        mix = writer.lengths
        prompts, answers = mix.drawn(requests, seed)
        inputs = np.asarray(sized.candidate.input_levels or (tokens,))[prompts].tolist()
        return inputs, np.asarray(mix.contexts)[prompts].tolist(), np.asarray(mix.steps)[answers].tolist()
    if isinstance(server, Batcher) and server.passes is not None:
        levels = server.passes.levels(requests, seed)
        return np.asarray(sized.candidate.input_levels)[levels].tolist(), [0] * requests, [0] * requests
    return [tokens] * requests, [0] * requests, [0] * requests


def _predicted(server: Server, arrivals: FloatArray, seed: int) -> tuple[FloatArray, FloatArray | None, float]:
    """Latencies and first tokens of the schedule under several draws of the noise, and when the last answer is due."""
    runs = [server.serve(arrivals, noise, lengths_seed=seed) for noise in range(_NOISES)]
    latency: FloatArray = np.concatenate([run.done_s - arrivals for run in runs])
    firsts = [run.first_token_s - arrivals for run in runs if run.first_token_s is not None]
    end_s = float(np.median([run.done_s.max() for run in runs]))
    return latency, np.concatenate(firsts) if firsts else None, end_s


def _since(arrivals: FloatArray, times: Sequence[float | None], answered: Sequence[int]) -> FloatArray:
    reached = [(number, times[number]) for number in answered]
    return np.asarray([at - float(arrivals[number]) for number, at in reached if at is not None])


def _percentiles(times_s: FloatArray, requests: int) -> Percentiles:
    """Milliseconds; a percentile is given where so many requests can tell it."""

    def at(per_cent: int, least: int) -> float | None:
        return percentile(times_s, per_cent) * 1000 if requests >= least and len(times_s) else None

    return Percentiles(p50=at(50, _LEAST_REQUESTS), p95=at(95, samples_to_bound(95)), p99=at(99, samples_to_bound(99)))


def _agrees(ratio: float | None, delivered: float, *, disturbed: bool) -> bool | None:
    """Whether prediction and observation agree. Others on the machine only ever add time: slower is then no answer."""
    if ratio is None:
        return None
    if disturbed and (ratio > 1 + WITHIN or delivered < KEEPING_UP):
        return None
    return abs(ratio - 1) <= WITHIN and delivered >= KEEPING_UP


def _ratio(predicted: Percentiles, observed: Percentiles) -> float | None:
    """Observed over predicted, at the highest of the two percentiles that both have."""
    for seen, said in ((observed.p95, predicted.p95), (observed.p50, predicted.p50)):
        if seen is not None and said:
            return seen / said
    return None

"""One schedule served by a model built for it, from the request to the answer.

The one idea: everything that happens once (building, first calls of every shape) is over before the clock starts, as
it is in a service that has been running; what the machine does beside it is flagged and not corrected.
"""

from __future__ import annotations

import os
import time

import torch

from advisor.core.protocol import NotReplayed, Replay, Replayed
from advisor.core.sizing.replaying import ReplayPlan, ReplayResult
from advisor.profile.accelerator import Accelerator, accelerator
from advisor.profile.build import NotBuilt
from advisor.profile.complaints import first_line
from advisor.profile.disturbance import disturbances, meanwhile
from advisor.profile.orders import Job
from advisor.profile.replay import Works, replayed
from advisor.profile.replay_groups import GroupWorks
from advisor.profile.replay_tasks import ModelWorks
from advisor.profile.runtimes.ctranslate2_engine import Engine
from advisor.profile.standing import Standing, stand
from advisor.store import machine

WARM_UP_SECONDS_MOST = 20.0


class WallClock:
    """Seconds of a clock that never goes back."""

    def now(self) -> float:
        return time.perf_counter()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def answer(request: Replay) -> Replayed | NotReplayed:
    """Serve the schedule, or say in one sentence why that cannot be done."""
    plan = request.plan
    torch.set_num_threads(plan.threads)
    torch.set_num_interop_threads(1)
    try:
        with torch.inference_mode():
            return Replayed(id=request.id, result=_served(request))
    except (NotBuilt, ValueError, MemoryError, RuntimeError) as error:
        return NotReplayed(id=request.id, says=f"The model could not be served here: {first_line(error)}.")


def _served(request: Replay) -> ReplayResult:
    plan = request.plan
    device = accelerator(request.device)
    standing = stand(_job(request), device)
    works = _works(plan, standing, device)
    _warm_up(plan, works)
    device.synchronise()
    before, cpu_before, begun = machine.load(), machine.own_cpu_seconds(), time.perf_counter()
    served = replayed(plan, works, WallClock())
    elapsed_s, own_cpu_s = time.perf_counter() - begun, machine.own_cpu_seconds() - cpu_before
    seen = meanwhile(before, machine.load(), own_cpu_s=own_cpu_s, elapsed_s=elapsed_s)
    writes = plan.stages[-1] == "decode"
    return ReplayResult(
        done_s=tuple(served.done_s),
        first_token_s=tuple(served.first_token_s) if writes else None,
        flags=disturbances(seen, cores=plan.threads),
    )


def _works(plan: ReplayPlan, standing: Standing, device: Accelerator) -> Works:
    """What does the work: a library that writes groups does it by itself."""
    if not plan.in_groups:
        return ModelWorks(plan, standing, device)
    if not isinstance(standing.served, Engine):
        raise ValueError("this runtime cannot be held between two steps")
    return GroupWorks(plan, standing, standing.served)


def _job(request: Replay) -> Job:
    return Job(
        model=request.model,
        runtime=request.plan.runtime,
        dtype=request.plan.dtype,
        device=request.device,
        threads=request.plan.threads,
        seed=request.seed,
        file_backed_bytes=None,
        parent_pid=os.getppid(),
        source=request.source,
    )


def _warm_up(plan: ReplayPlan, works: Works) -> None:
    """Every batch size twice, the largest first: a replica that runs has met them all."""
    until = time.perf_counter() + WARM_UP_SECONDS_MOST
    most = min(1 if plan.texts > 1 else plan.max_batch_size, len(plan.arrivals_s))
    for size in [*range(most, 0, -1)] * 2:
        if time.perf_counter() < until:
            works.read(range(size))
            works.step(size, plan.first_context[0] + plan.steps[0] / 2)

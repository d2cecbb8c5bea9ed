"""Check a plan by serving it: `advise --verify`, one replica of each measured part for a minute.

The plan's own measurements and simulation predict what a schedule of requests gets; a fresh process with the same model
in the same configuration is given that schedule. A part that cannot be served says why and stops nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from advisor.advise import Knowledge, memory_limit
from advisor.core.errors import AdvisorError
from advisor.core.protocol import Replay
from advisor.core.report import Report
from advisor.core.sizing.verification import not_verified, replay_plan, verification
from advisor.core.target import target_on
from advisor.run.replay import replay

if TYPE_CHECKING:
    from advisor.core.architecture import Role
    from advisor.core.sizing.measurement import Profile
    from advisor.core.sizing.pipeline import SizedPart, Sizing
    from advisor.core.sizing.replaying import ReplayResult, Verification

SEED = 1
"""Not the seed of the plan: its arrivals are those that its rate was chosen by."""

Serve = Callable[[Replay], "Awaitable[ReplayResult]"]
Say = Callable[[str], object]


async def verified(
    report: Report, knowledge: Knowledge, *, say: Say = lambda words: None, serve: Serve | None = None
) -> Report:
    """The report with what one replica of each part did beside what was predicted of it.

    `say` is told what is served and for how long. Nothing is added where there is no plan to check.
    """
    plan = report.plan
    sizing = await asyncio.to_thread(_sizing, report, knowledge) if plan is not None and report.profiles else None
    if sizing is None:
        return report
    served_by = serve or partial(replay, say=say)
    found = [await _verified(one, report, knowledge, sizing, say, served_by) for one in sizing.parts]
    return report.model_copy(update={"verification": tuple(found)})


def profiles_by_role(report: Report) -> dict[Role, Profile]:
    """The profiles of a report under the parts they were measured for: they stand in the order of the parts."""
    roles = [part.role for part in report.recommendation.components if part.model is not None]
    return dict(zip(roles, report.profiles, strict=False))


def _sizing(report: Report, knowledge: Knowledge) -> Sizing | None:
    from advisor.core.sizing.planning import sizing_of

    profiles = profiles_by_role(report)
    entries = {one.model.id: knowledge.catalog.get(one.model.id) for one in profiles.values()}
    return sizing_of(report.recommendation, profiles, entries, memory_limit_bytes=_limit(report, profiles))


def _limit(report: Report, profiles: Mapping[Role, Profile]) -> int:
    """What a replica may take, as the plan had it."""
    profile = next(iter(profiles.values()))
    device = next((cell.device for cell in profile.cells if cell.stage != "tokenize"), "cpu")
    return memory_limit(report.recommendation.workload, target_on(profile.machine, device).memory_limit_bytes)


async def _verified(
    sized: SizedPart, report: Report, knowledge: Knowledge, sizing: Sizing, say: Say, serve: Serve
) -> Verification:
    count = sized.replicas["mid"]
    if sizing.replicas is None or count is None:
        return not_verified(sized, None, "no number of replicas was found for it, so there is nothing to serve")
    serving, model = sized.candidate.serving, sized.part.model or ""
    planned_rps = report.recommendation.workload.requests_per_second / count
    if serving.workers > 1:
        why = f"{serving.workers} workers on one machine are not served here: what is checked is served by one process"
        return not_verified(sized, planned_rps, why)
    plan = replay_plan(sized, planned_rps, seed=SEED)
    rate = f"{len(plan.arrivals_s):,} requests in {plan.seconds:.3g} s"
    say(f"{sized.part.role}: serving {rate} to one replica ({model}, {serving.dtype})")
    entry = knowledge.catalog.get(model)
    request = Replay(
        id=time.monotonic_ns() % 1_000_000_000,
        model=entry,
        source=knowledge.sources.get(model),
        device=serving.device,
        plan=plan,
    )
    try:
        return verification(sized, planned_rps, plan, await serve(request), seed=SEED)
    except AdvisorError as error:
        return not_verified(sized, planned_rps, error.problems[0].message)

"""The declared models of a component measured on this machine, by the same straight story as every advice.

Only where the machine is the testbed; whether it is, and what the figures mean, is judged in `timing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from advisor.advise import Knowledge
from advisor.check.means import Measure, Say
from advisor.core.architecture import Role
from advisor.core.guide.recommendation import Component, Recommendation
from advisor.core.review.case import Case
from advisor.store.architecture_file import ReadFile

if TYPE_CHECKING:  # a review without timed budgets must not pay for what only a measurement needs
    from advisor.core.protocol import Event
    from advisor.core.sizing.measurement import Effort, Profile


def measurer(say: Say) -> Measure:
    """Measures the declared models in a child, each of a folder with its own weights."""

    def heard(_: Role, event: Event) -> None:
        if event.event == "waiting":
            say("waiting: another process is measuring on this machine")

    def measure(
        advice: Recommendation, case: Case, read: ReadFile, knowledge: Knowledge, effort: Effort
    ) -> list[Profile]:
        import asyncio

        from advisor.advise import measure_and_plan
        from advisor.measuring import Measuring
        from advisor.run import Child

        asked, known = _as_named_here(advice, case, read, knowledge)

        async def job() -> list[Profile]:
            async with await Child.start() as child:
                return list((await measure_and_plan(asked, known, child, Measuring(effort=effort), heard)).profiles)

        return asyncio.run(job())

    return measure


def _as_named_here(
    advice: Recommendation, case: Case, read: ReadFile, knowledge: Knowledge
) -> tuple[Recommendation, Knowledge]:
    """The same design with its folders read whole, weights and all, and their ids told apart from the catalogue's."""
    from advisor.store.named_model import named_model

    names: dict[str, str] = {}
    for part in case.parts():
        entry = part.found.entry if part.found else None
        if part.said.model is None or entry is None or entry is knowledge.catalog.entries.get(entry.id):
            continue
        named = named_model(str(read.repository.folder / part.said.model), knowledge.catalog)
        knowledge = knowledge.with_model(named.entry, named.source)
        names[entry.id] = named.entry.id
    components = tuple(_renamed(one, names) for one in advice.components)
    return advice.model_copy(update={"components": components}), knowledge


def _renamed(part: Component, names: Mapping[str, str]) -> Component:
    return part if part.model is None else part.model_copy(update={"model": names.get(part.model, part.model)})

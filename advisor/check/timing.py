"""Timed budgets: what was measured on the testbed and committed, or measured now where this machine is the testbed.

Elsewhere nothing is timed, and torch is not even looked for. A committed profile counts only where its machine is the
testbed and its model is the one that is declared.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.advise import Knowledge
from advisor.check.means import Means, Measure, Say
from advisor.core.architecture import ROLES, Role
from advisor.core.errors import AdvisorError
from advisor.core.guide.recommend import component_rules, recommend
from advisor.core.guide.recommendation import Because, Component, Recommendation
from advisor.core.guide.vocabulary import design_facts
from advisor.core.model.entry import ModelEntry
from advisor.core.review.case import WHOLE, Case
from advisor.core.review.design_kinds import BUDGETS, TIMED
from advisor.core.review.document import Outcome, Result
from advisor.core.workload import fill_defaults
from advisor.store.architecture_file import ReadFile
from advisor.store.machine import this_machine
from advisor.store.repository import is_plain_file

if TYPE_CHECKING:  # a review without timed budgets must not pay for what only a measurement needs
    from advisor.core.protocol import Event
    from advisor.core.review.timed import Testbed
    from advisor.core.sizing.measurement import Effort, Profile


EFFORTS: tuple[Effort, ...] = ("quick", "standard")
"""How much is measured here: more where the first look settles nothing, and no more than the last."""


class _UnjudgedError(Exception):
    """Why no timed budget of a component can be judged here."""

    def __init__(self, why: str, fix: str | None = None) -> None:
        super().__init__(why)
        self.why, self.fix = why, fix


def timed_results(case: Case, read: ReadFile, knowledge: Knowledge, means: Means) -> Iterator[Result]:
    """The timed budgets of a component, each with an outcome."""
    if not any(getattr(case.component.budgets, name) is not None for name in TIMED):
        return
    try:
        yield from _judged(case, read, knowledge, means)
    except _UnjudgedError as reason:
        yield from _all(case, "not-checked", reason.why, reason.fix)
    except AdvisorError as error:
        yield from _all(case, "inconclusive", error.problems[0].message.rstrip("."), error.problems[0].fix)


def _judged(case: Case, read: ReadFile, knowledge: Knowledge, means: Means) -> list[Result]:
    """The timed budgets against what was measured; what a quick look here leaves open gets a longer one.

    Raises _UnjudgedError where there is nothing to judge by.
    """
    advice = _declared_advice(case, knowledge)
    for effort in EFFORTS:
        testbed = _testbed(case, read, knowledge, means, advice, effort)
        from advisor.core.review.timed import review_timed  # it draws queues, which takes numpy

        results = list(review_timed(case, testbed))
        if not testbed.fresh or all(one.outcome != "inconclusive" for one in results):
            break
    return results


def _all(case: Case, outcome: Outcome, why: str, fix: str | None) -> Iterator[Result]:
    """Every timed budget, with one outcome for one reason."""
    how = "was not checked" if outcome == "not-checked" else "did not settle"
    for name in TIMED:
        if getattr(case.component.budgets, name) is not None:
            yield case.result(BUDGETS[name], outcome, f"{name} {how}: {why}.", at=("budgets", name), fix=fix)


def _declared_advice(case: Case, knowledge: Knowledge) -> Recommendation:
    """The declared design in the shape of a recommendation, which is what plans are made from."""
    if case.workload.hosting == "api":
        raise _UnjudgedError("hosting is api, and somebody's API is no machine of yours")
    if case.component.testbed is None:
        raise _UnjudgedError("no testbed is named", "name its fingerprint under testbed (see: advisor doctor)")
    workload, defaulted = fill_defaults(case.component.workload)
    architecture = case.component.choice.architecture
    facts = design_facts(workload, architecture=architecture)
    components: list[Component] = []
    for rule in component_rules(facts, case.rulebook):
        role: Role = next(one for one in ROLES if one == rule.then)
        entry = _entry(case, role)
        if rule.architecture is not None and entry is None and _is_needed(case, role):
            raise _UnjudgedError(f"the model of the {role} is not known here")
        if rule.architecture is None or entry is not None:
            because = (Because(says=rule.because, source=case.rulebook.sources(rule.source)),)
            components.append(
                Component(
                    role=role,
                    architecture=entry.architecture if entry else None,
                    model=entry.id if entry else None,
                    because=because,
                )
            )
    advice = recommend(workload, defaulted, knowledge.rulebook, knowledge.catalog, None)
    return advice.model_copy(update={"architecture": architecture, "components": tuple(components)})


def _is_needed(case: Case, role: Role) -> bool:
    """Whether a part must be there: a team may go without a re-ranker."""
    return role != "reranker" or "reranker" in {part.name for part in case.parts()}


def _entry(case: Case, role: Role) -> ModelEntry | None:
    """The model of a role; of a design that is no pipeline, the one model there is."""
    name = role if case.component.choice.architecture == "retrieval-augmented-generation" else WHOLE
    found = case.found.get(name)
    return found.entry if found is not None and role != "index" else None


def _testbed(
    case: Case, read: ReadFile, knowledge: Knowledge, means: Means, advice: Recommendation, effort: Effort
) -> Testbed:
    """What was measured on the testbed. Raises _UnjudgedError where there is nothing."""
    profiles, words, why_not = _committed(case, read)
    by_role = _by_role(case, advice, profiles) if profiles else {}
    fresh = not by_role
    if fresh:
        if profiles:
            why_not = f"what was measured {words} is not the declared model"
        profiles, words = _measured_now(case, read, knowledge, means, advice, effort, why_not)
        by_role = _by_role(case, advice, profiles)
    if not by_role:
        raise _UnjudgedError("what was measured is not the declared model", "measure the model that is declared")
    from advisor.core.review.timed import Testbed
    from advisor.core.sizing.given import memory_limit_of

    chosen = {role: found[0] for role, found in by_role.items()}
    return Testbed(
        advice=advice,
        profiles=chosen,
        others=by_role,
        entries={entry.id: entry for part in case.found.values() if (entry := part.entry) is not None},
        memory_limit_bytes=memory_limit_of(list(chosen.values()), case.workload.memory_limit_gib),
        words=words,
        fresh=fresh,
    )


def _committed(case: Case, read: ReadFile) -> tuple[list[Profile], str, str]:
    """The committed profiles of the testbed, where they stand, and why there are none where there are none."""
    names = case.component.measured
    if not names:
        return [], "", "nothing measured is named"
    from advisor.store.given_profiles import read_profiles

    files = [str(read.repository.folder / name) for name in names]
    for name, file in zip(names, files, strict=True):
        if os.path.lexists(file) and not is_plain_file(Path(file)):
            return [], "", f"{name} is no plain file"
    try:
        profiles = [one.profile for one in read_profiles(files)]
    except AdvisorError as error:
        return [], "", f"{' and '.join(names)}: {error.problems[0].message}"
    here = [one for one in profiles if one.machine.fingerprint == case.component.testbed]
    others = ", ".join(sorted({one.machine.fingerprint for one in profiles}))
    return here, f"from {' and '.join(names)}", f"{' and '.join(names)} was measured on {others}, not on the testbed"


def _by_role(case: Case, advice: Recommendation, profiles: Sequence[Profile]) -> dict[Role, list[Profile]]:
    """For each part the profiles that are of its very model: by id, architecture and number of parameters."""
    found: dict[Role, list[Profile]] = {}
    for part in advice.components:
        entry = _entry(case, part.role)
        if entry is not None:
            same = [one for one in profiles if _is_of(one, entry)]
            found |= {part.role: same} if same else {}
    return found


def _is_of(profile: Profile, entry: ModelEntry) -> bool:
    model = profile.model
    return (
        model.id.removeprefix("folder-") == entry.id.removeprefix("folder-")
        and model.architecture == entry.architecture
        and model.parameters == entry.parameters
    )


def _measured_now(
    case: Case,
    read: ReadFile,
    knowledge: Knowledge,
    means: Means,
    advice: Recommendation,
    effort: Effort,
    why_not: str,
) -> tuple[list[Profile], str]:
    """Profiles made on this machine, where it is the testbed and can measure. Raises _UnjudgedError."""
    here = this_machine().fingerprint
    if here != case.component.testbed:
        fix = "run it there, or commit a profile made there: advisor profile MODEL --samples --output FILE.json"
        raise _UnjudgedError(f"{why_not}, and this machine ({here}) is not the testbed", fix)
    if means.measure is None:
        raise _UnjudgedError(f"{why_not}, and nothing is measured for an earlier state")
    if find_spec("torch") is None:
        raise _UnjudgedError("this is the testbed, but torch is not installed", 'pip install "archadvisor[profile]"')
    means.say(f"{case.component.name}: this machine is the testbed, measuring ({effort})")
    return means.measure(advice, case, read, knowledge, effort), "measured now"


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

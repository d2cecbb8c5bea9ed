"""Timed budgets: what was measured on the testbed and committed, or measured now where this machine is the testbed.

Elsewhere nothing is timed, and torch is not even looked for. What was committed is asked first; where that leaves a
budget open and this machine is the testbed, it measures. Which committed profiles count is said in `committed`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from advisor.advise import Knowledge
from advisor.check.committed import Committed, committed, unread_results, useless_results
from advisor.check.means import Means
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

if TYPE_CHECKING:  # a review without timed budgets must not pay for what only a measurement needs
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
    """The timed budgets of a component, each with an outcome, and the files under `measured` that are of no use."""
    if not any(getattr(case.component.budgets, name) is not None for name in TIMED):
        yield from unread_results(case)
        return
    try:
        advice = _declared_advice(case, knowledge)
        found = committed(case, read, lambda profile: _is_declared(case, advice, profile))
        yield from useless_results(case, found)
        yield from _judged(case, _testbeds(case, read, knowledge, means, advice, found))
    except _UnjudgedError as reason:
        yield from _all(case, "not-checked", reason.why, reason.fix)
    except AdvisorError as error:
        yield from _all(case, "inconclusive", error.problems[0].message.rstrip("."), error.problems[0].fix)


def _judged(case: Case, testbeds: Iterator[Testbed]) -> list[Result]:
    """The timed budgets against the first of what is at hand that settles all of them, else against the last."""
    results: list[Result] = []
    try:
        for testbed in testbeds:
            from advisor.core.review.timed import review_timed  # it draws queues, which takes numpy

            results = list(review_timed(case, testbed))
            if all(one.outcome != "inconclusive" for one in results):
                break
    except (AdvisorError, _UnjudgedError):
        if not results:
            raise
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
            raise _no_sizes(case, role)
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


def _no_sizes(case: Case, role: Role) -> _UnjudgedError:
    """Why nothing can be timed of a part whose model has no sizes here: none is named, or they are not known."""
    whose = "its model" if role == WHOLE else f"the model of the {role}"
    if not any(part.name == role and part.said.model for part in case.parts()):
        return _UnjudgedError(f"{whose} is not named", "name the model under choice")
    return _UnjudgedError(f"{whose} is none whose sizes are known here")


def _is_needed(case: Case, role: Role) -> bool:
    """Whether a part must be there: a team may go without a re-ranker."""
    return role != "reranker" or "reranker" in {part.name for part in case.parts()}


def _entry(case: Case, role: Role) -> ModelEntry | None:
    """The model of a role; of a design that is no pipeline, the one model there is."""
    name = role if case.component.choice.architecture == "retrieval-augmented-generation" else WHOLE
    found = case.found.get(name)
    return found.entry if found is not None and role != "index" and not found.quantised else None


def _testbeds(
    case: Case, read: ReadFile, knowledge: Knowledge, means: Means, advice: Recommendation, found: Committed
) -> Iterator[Testbed]:
    """What was committed, then what is measured here with more and more effort, where this machine is the testbed.

    Raises _UnjudgedError where there is nothing.
    """
    refused = _why_not_here(case, means, found)
    if found.profiles and (refused or _covers(case, advice, found.profiles)):
        yield _testbed(case, advice, found.profiles, found.words)
    if refused is not None and not found.profiles:
        raise refused
    if refused is not None or means.measure is None:
        return
    for effort in EFFORTS:
        means.say(f"{case.component.name}: this machine is the testbed, measuring ({effort})")
        yield _testbed(case, advice, means.measure(advice, case, read, knowledge, effort), "measured now")


def _why_not_here(case: Case, means: Means, found: Committed) -> _UnjudgedError | None:
    """Why nothing is measured on this machine; None where it is the testbed and can measure."""
    here = this_machine().fingerprint
    if here != case.component.testbed:
        fix = "run it there, or commit a profile made there: advisor profile MODEL --samples --output FILE.json"
        return _UnjudgedError(f"{found.why_not}, and this machine ({here}) is not the testbed", fix)
    if means.measure is None:
        return _UnjudgedError(f"{found.why_not}, and nothing is measured for an earlier state")
    if find_spec("torch") is None:
        return _UnjudgedError("this is the testbed, but torch is not installed", 'pip install "archadvisor[profile]"')
    return None


def _testbed(case: Case, advice: Recommendation, profiles: Sequence[Profile], words: str) -> Testbed:
    """What these profiles say of each part. Raises _UnjudgedError where that is nothing."""
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
    )


def _covers(case: Case, advice: Recommendation, profiles: Sequence[Profile]) -> bool:
    """Whether every part with a model has a profile among these."""
    known = _by_role(case, advice, profiles)
    return all(part.role in known for part in advice.components if part.model is not None)


def _is_declared(case: Case, advice: Recommendation, profile: Profile) -> bool:
    """Whether a profile is of a model of the component."""
    return bool(_by_role(case, advice, [profile]))


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

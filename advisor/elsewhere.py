"""Plan here what was measured elsewhere: `advise --profile FILE`, which starts no child and needs no torch.

The same story as `advise` without its middle: the measurement comes out of files. The one idea: everything that depends
on a machine is taken from the profiles, the memory limit too, and the report names where they come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from advisor.advise import Knowledge, reproduce_command
from advisor.core.errors import AdvisorError
from advisor.core.guide.recommend import recommend
from advisor.core.report import MeasuredOn, Report
from advisor.core.sizing.design import Design
from advisor.core.sizing.given import assigned, device_of, memory_limit_of, to_measure, with_given_models
from advisor.core.sizing.planning import plan
from advisor.core.workload import Answers, fill_defaults
from advisor.measuring import Measuring
from advisor.store.given_profiles import Given, read_profiles
from advisor.store.machine import this_machine

if TYPE_CHECKING:
    from advisor.core.architecture import Role
    from advisor.core.guide.recommendation import Recommendation

SEED = 0


def plan_from_files(answers: Answers, knowledge: Knowledge, files: Sequence[str]) -> Report:
    """The report of profiles in files. Raises AdvisorError where one cannot be read or stands for no part."""
    given = read_profiles(files)
    workload, defaulted = fill_defaults(answers)
    limit = memory_limit_of([one.profile for one in given], workload.memory_limit_gib)
    advice = recommend(workload, defaulted, knowledge.rulebook, knowledge.catalog, limit)
    parts = _parts(advice, knowledge, given)
    advice = with_given_models(advice, {role: one.profile.model.id for role, one in parts.items()})
    measured_on = tuple(_measured_on(role, one) for role, one in parts.items())
    profiles = {role: one.profile for role, one in parts.items()}
    if workload.hosting == "api":
        reason = "hosting is api: what was measured on a machine says nothing of somebody's API"
        return Report(recommendation=advice, profiles=(), plan=None, undecided=reason)
    models = {part.model for part in advice.components}
    entries = {id_: entry for id_, entry in knowledge.catalog.entries.items() if id_ in models}
    return Report(
        recommendation=advice,
        profiles=tuple(profiles.values()),
        plan=plan(
            advice,
            profiles,
            entries,
            memory_limit_bytes=limit,
            reproduce=reproduce_command(advice, knowledge, Measuring(), files),
            seed=SEED,
        ),
        measured_on=measured_on,
        to_measure=to_measure(Design(advice, profiles, entries, limit, SEED), _of_models(knowledge.folders)),
    )


def _of_models(folders: Sequence[str]) -> Sequence[str]:
    """What of these words names the folder of models: to measure asks no rules."""
    place = folders.index("--models") if "--models" in folders else len(folders)
    return folders[place : place + 2]


def _parts(advice: Recommendation, knowledge: Knowledge, given: Sequence[Given]) -> dict[Role, Given]:
    """The given profiles by the part they stand for, in the order of the parts."""
    taken, misfits = assigned(advice, [one.profile for one in given], knowledge.catalog.entries)
    if misfits:
        raise AdvisorError([given[one.profile].problem(one.path, one.says, one.fix) for one in misfits])
    return {part.role: given[taken[part.role]] for part in advice.components if part.role in taken}


def _measured_on(role: Role, given: Given) -> MeasuredOn:
    machine, device = given.profile.machine, device_of(given.profile)
    detail = machine.detail(device)
    return MeasuredOn(
        role=role,
        model=given.profile.model.id,
        file=given.file,
        machine=machine.cpu if detail is None else detail.name,
        device=device,
        fingerprint=machine.fingerprint,
        this_machine=machine.fingerprint == this_machine().fingerprint,
    )

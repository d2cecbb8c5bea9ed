"""The report: recommendation, profiles and plan in one document (contract: `report`)."""

from __future__ import annotations

from typing import Literal, TypeVar

from advisor.core.architecture import Role
from advisor.core.guide.recommendation import Recommendation
from advisor.core.sizing.measurement import Profile
from advisor.core.sizing.plan import Plan
from advisor.core.sizing.replaying import Verification
from advisor.core.values import Document, Value


class MeasuredOn(Value):
    """Where a part that was planned from a given profile was measured; `this_machine` as far as fingerprints tell."""

    role: Role
    model: str
    file: str
    machine: str
    device: str
    fingerprint: str
    this_machine: bool


class Report(Document):
    """The answer to `advise`. `plan` is None where nothing was to be measured; `undecided` then says why.

    `measured_on` names the machines of given profiles and is empty where this run measured. `to_measure` holds the
    commands that would close the gaps which given profiles left. `verification` is None where the plan was not served.
    """

    kind: Literal["report"] = "report"
    recommendation: Recommendation
    profiles: tuple[Profile, ...]
    plan: Plan | None
    undecided: str | None = None
    measured_on: tuple[MeasuredOn, ...] = ()
    to_measure: tuple[str, ...] = ()
    verification: tuple[Verification, ...] | None = None


D = TypeVar("D", bound=Profile | Report)


def without_samples(document: D) -> D:
    """The document as it is printed where nobody asked for single samples."""
    if isinstance(document, Profile):
        cells = tuple(cell.model_copy(update={"samples_s": None}) for cell in document.cells)
        return document.model_copy(update={"cells": cells})
    profiles = tuple(without_samples(profile) for profile in document.profiles)
    return document.model_copy(update={"profiles": profiles})

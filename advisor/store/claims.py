"""The claims of the guide as its file writes them, and what may be wrong with one.

A claim is what a comparison is held against: a ratio between two architectures, or something that no measurement shows.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from advisor.core.architecture import Architecture
from advisor.core.errors import Problem
from advisor.core.guide.rulebook import Claim, ClaimedRatio, Quantity
from advisor.core.task import Task
from advisor.core.workload import Count
from advisor.store.yaml import Parsed, Steps

_Words = Annotated[str, Field(strict=True, min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class _WrittenRatio(_Strict):
    quantity: Quantity
    dearer: Architecture
    cheaper: Architecture
    at_least: Annotated[float, Field(strict=True, gt=0)]
    made_for_parameters: Count | None = None


class WrittenClaim(_Strict):
    """A claim as it stands in the file."""

    id: Annotated[str, Field(strict=True, pattern=r"^[A-Z][0-9A-Za-z.-]*$")]
    tasks: Annotated[list[Task], Field(min_length=1)]
    says: _Words
    source: Annotated[list[_Words], Field(min_length=1)]
    ratio: _WrittenRatio | None = None
    about: _Words | None = None


def claim_of(one: WrittenClaim) -> Claim:
    """The claim as the rulebook holds it."""
    ratio = None if one.ratio is None else ClaimedRatio(**one.ratio.model_dump())
    return Claim(one.id, tuple(one.tasks), " ".join(one.says.split()), tuple(one.source), ratio, one.about)


def claim_problems(parsed: Parsed, number: int, claim: WrittenClaim) -> list[Problem]:
    """What no single key shows: a claim has figures or names what is not measured, and is about two architectures."""
    at: Steps = ("claims", number)
    problems: list[Problem] = []
    if (claim.ratio is None) == (claim.about is None):
        words = f"{claim.id} needs either a ratio or about: what it speaks of that is not measured"
        problems.append(parsed.problem((*at, "id"), words, "say one of the two"))
    if claim.ratio is not None and claim.ratio.dearer == claim.ratio.cheaper:
        words = f"{claim.id} compares {claim.ratio.dearer} with itself"
        problems.append(parsed.problem((*at, "ratio", "cheaper"), words, "name two architectures"))
    if len(set(claim.tasks)) < len(claim.tasks):
        problems.append(parsed.problem((*at, "tasks"), f"{claim.id} names a task twice", "name each task once"))
    return problems

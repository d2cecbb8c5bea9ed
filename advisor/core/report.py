"""The report: recommendation, profiles and plan in one document (contract: `report`)."""

from __future__ import annotations

from typing import Literal

from advisor.core.guide.recommendation import Recommendation
from advisor.core.sizing.measurement import Profile
from advisor.core.sizing.plan import Plan
from advisor.core.values import Document


class Report(Document):
    """The answer to `advise`. `plan` is None where nothing was to be measured; `undecided` then says why."""

    kind: Literal["report"] = "report"
    recommendation: Recommendation
    profiles: tuple[Profile, ...]
    plan: Plan | None
    undecided: str | None = None

"""The outcome of a review as a document of the contract (`check`): what was checked, what was found, who waived what.

Values only. A result says what it looked at and where; every report (text, SARIF, JUnit …) is made from this alone.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import ConfigDict, Field

from advisor.core.guide.recommendation import Change, Level, Source
from advisor.core.values import Document, Value

Outcome = Literal["pass", "fail", "waived", "inconclusive", "not-checked"]
OUTCOMES: tuple[Outcome, ...] = ("fail", "inconclusive", "waived", "not-checked", "pass")
"""What needs eyes first, first."""
WaiverState = Literal["active", "expiring", "expired", "unused"]
ChangeKind = Literal[
    "new-finding",
    "new-waiver",
    "loosened-budget",
    "loosened-horizon",
    "changed-answer",
    "changed-choice",
    "new-component",
    "removed-component",
    "less-checked",
]
"""`less-checked`: code or a measurement that is no longer read, or another machine that timed budgets hold on."""


class Location(Value):
    """Where something stands: the path as it was given or found, 1-based line and column (null for the whole file).

    `width` is how many columns a caret underlines.
    """

    file: str
    line: int | None = None
    column: int | None = None
    width: int = 1


class AppliedWaiver(Value):
    """The waiver that speaks of a result; where it has expired the result fails all the same.

    `ceiling` is the value of a budget up to which it holds.
    """

    reason: str
    owner: str
    created: date
    expires: date
    state: WaiverState
    ceiling: float | None = None
    location: Location


class Figure(Value):
    """What a budget is held against: the interval that was found, in `unit`; a closed form has no width."""

    budget: float
    low: float
    mid: float
    high: float
    unit: str
    origin: Literal["formula", "measured"]


class Result(Value):
    """One check of one component.

    `level` is how bad a failure of it is, whatever the outcome. `pointer` is the JSON pointer (RFC 6901) to what the
    result speaks of in the architecture file, None where it speaks of another file; `location` may be in another file.
    `flip` is the smallest change of answers that would make a choice right. `baseline` compares with an earlier state,
    where one was given.
    """

    check: str
    component: str | None
    outcome: Outcome
    level: Level
    message: str
    fix: str | None
    source: tuple[Source, ...]
    location: Location
    pointer: str | None = None
    flip: tuple[Change, ...] = ()
    figure: Figure | None = None
    waiver: AppliedWaiver | None = None
    baseline: Literal["new", "known"] | None = None


class CheckHelp(Value):
    """A check that occurs among the results: what it looks for and why, for reports that explain themselves."""

    id: str
    title: str
    level: Level
    says: str
    because: str
    remedy: str | None
    unless: str | None
    source: tuple[Source, ...]


class WaiverLine(Value):
    """A waiver of a file and what has become of it."""

    check: str
    component: str | None
    state: WaiverState
    reason: str
    owner: str
    created: date
    expires: date
    ceiling: float | None
    location: Location


class Introduced(Value):
    """One thing that this change brought in, in words."""

    kind: ChangeKind
    component: str | None
    check: str | None
    says: str
    location: Location


class Base(Value):
    """The comparison with an earlier state of the files. `notes` say what of that state could not be compared."""

    ref: str
    introduced: tuple[Introduced, ...]
    notes: tuple[str, ...] = ()


class Summary(Value):
    """How many results had which outcome."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    pass_: int = Field(default=0, alias="pass")
    fail: int = 0
    waived: int = 0
    inconclusive: int = 0
    not_checked: int = Field(default=0, alias="not-checked")

    @property
    def total(self) -> int:
        """All results."""
        return self.pass_ + self.fail + self.waived + self.inconclusive + self.not_checked


class CheckDocument(Document):
    """A review of one or more architecture files (contract: `check`).

    `exit_code` is what the command ends with. `today` is the day that waivers were held against. `empty` are folders
    that were named to be reviewed and hold no architecture file.
    """

    kind: Literal["check"] = "check"
    files: tuple[str, ...]
    empty: tuple[str, ...] = ()
    components: int
    results: tuple[Result, ...]
    summary: Summary
    checks: tuple[CheckHelp, ...]
    waivers: tuple[WaiverLine, ...] = ()
    base: Base | None = None
    today: date
    fail_level: Level
    strict: bool
    exit_code: int
    rules_version: str
    rules_sha256: str

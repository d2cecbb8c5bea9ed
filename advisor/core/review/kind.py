"""What a check is: the words that hold for every finding of it.

The kinds stand by subject in `design_kinds` and `code_kinds`, all of them by id in `kinds`. Mistakes of a design are
rules of the rules folder and need no entry here. Ids are stable: waivers name them.
"""

from __future__ import annotations

from typing import NamedTuple

from advisor.core.guide.recommendation import Level


class CheckKind(NamedTuple):
    """One check: what it looks for, why that matters, what to do instead, when it does not hold, and on what grounds.

    `level` is how bad a failure is, `example` what fails in a line or a few, `since` the version that brought it.
    """

    id: str
    title: str
    level: Level
    says: str
    because: str
    remedy: str
    source: tuple[str, ...] = ("ours",)
    unless: str | None = None
    example: str | None = None
    since: str = "0.1.0"

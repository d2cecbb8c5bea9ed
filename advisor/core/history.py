"""Past runs as a document of the contract (`history`): which there were, what became of them, what they rest on."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from advisor.core.sizing.plan import Verdict
from advisor.core.values import Document, Value

RunCommand = Literal["profile", "advise"]
RunState = Literal["running", "done", "interrupted", "failed", "broken-off"]
"""`interrupted` ended in order with what it had; `failed` could not measure; `broken-off` was killed or crashed."""


class HistoryRun(Value):
    """One run. `subject` is the model of a profile, the task of an advice; times are UTC.

    `cells_measured` have a figure; `cells_reused` of them were measured by an earlier run.
    """

    id: int
    command: RunCommand
    subject: str
    models: tuple[str, ...]
    state: RunState
    started_at: datetime
    ended_at: datetime | None
    cells: int
    cells_measured: int
    cells_reused: int
    verdict: Verdict | None
    fingerprint: str | None


class HistoryDocument(Document):
    """The runs that are kept, newest first, and those that this command deleted."""

    kind: Literal["history"] = "history"
    runs: tuple[HistoryRun, ...]
    deleted: tuple[int, ...] = ()

"""What the warm child and its workers say to each other: one JSON object per line, orders down, replies up.

A worker belongs to one family: one model in one dtype. It builds once and then takes one order after the other, so that
the child, which alone knows the time left, can decide before each cell.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from advisor.core.hardware import Dtype
from advisor.core.model.entry import ModelEntry
from advisor.core.model.source import ModelSource, Weights
from advisor.core.sizing.measurement import Cell, CellPlan, Flag
from advisor.core.values import Value


class Job(Value):
    """What a worker is for. `file_backed_bytes` are those its parent has resident, None for a fresh process.

    `identity` is what the driver calls the card, empty where there is none.
    """

    model: ModelEntry
    dtype: Dtype
    device: str
    threads: int
    seed: int
    tolerance: float
    latency_budget_s: float | None
    file_backed_bytes: int | None
    identity: str = ""
    parent_pid: int
    source: ModelSource | None = None


class Order(Value):
    """Measure one cell within these limits, counted from its start."""

    index: int
    plan: CellPlan
    share_s: float
    limit_s: float


class Built(Value):
    """The model stands, with so many parameters. `notes` say what of its files did not match."""

    reply: Literal["built"] = "built"
    parameters: int
    weights: Weights = "random"
    notes: tuple[str, ...] = ()


class NotBuiltReply(Value):
    """The model cannot be built; no order will be taken."""

    reply: Literal["not-built"] = "not-built"
    flag: Flag
    note: str


class Outcome(Value):
    """The ordered cell. `spoiled` says that the worker ends now, because its state is not to be trusted any more."""

    reply: Literal["outcome"] = "outcome"
    index: int
    cell: Cell
    first_run_s: float | None
    spoiled: bool = False


Reply = Built | NotBuiltReply | Outcome
REPLIES: TypeAdapter[Reply] = TypeAdapter(Annotated[Reply, Field(discriminator="reply")])

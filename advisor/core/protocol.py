"""What parent and child say to each other: one JSON object per line, requests down stdin, events up stdout.

The parent (`advisor.run`) never imports torch; the child (`advisor.profile`) never sees answers or plans. The child
ends at the end of its stdin.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from advisor.core.attention import Look, StackName
from advisor.core.hardware import Dtype, Machine, Peaks
from advisor.core.inspection import Cosine
from advisor.core.model.entry import ModelEntry
from advisor.core.model.source import ModelSource, Weights
from advisor.core.sizing.measurement import Cell, CellPlan, Effort
from advisor.core.sizing.replaying import ReplayPlan, ReplayResult
from advisor.core.values import Value


class Measure(Value):
    """Measure these cells of one model: dtype by dtype (a built model is used up before the next), else in this order.

    `threads` None lets the child choose (the protocol's minimum). `seconds_per_cell` caps one cell's warm-up and
    samples, `seconds_total` the whole request: cells not begun by then are flagged `undecided`. `memory_limit_bytes` is
    what model and run may take; what does not fit is refused before allocation. A cell whose median is certain to miss
    `latency_budget_s` is not sampled further, nor is one of which every sample lies below `settled_below_s`: there the
    caller knows that nothing would change. `source` holds the files of a model that is no catalogue entry. With
    `wants_peaks` cells are held against the device's peaks: `peaks` are those known, the others are measured first.
    Outputs in a dtype that `least_cosine` names must come so close to float32, or no time of theirs counts.
    """

    request: Literal["measure"] = "measure"
    id: int
    model: ModelEntry
    cells: tuple[CellPlan, ...]
    device: str = "cpu"
    threads: int | None = None
    effort: Effort = "quick"
    seconds_per_cell: float
    seconds_total: float
    memory_limit_bytes: int
    latency_budget_s: float | None = None
    settled_below_s: float | None = None
    seed: int = 0
    source: ModelSource | None = None
    wants_peaks: bool = False
    peaks: Peaks | None = None
    least_cosine: dict[Dtype, float] = Field(default_factory=dict)


class Cancel(Value):
    """Stop the request in hand: the running worker is killed, finished cells stand."""

    request: Literal["cancel"] = "cancel"
    id: int


class Inspect(Value):
    """Build this model, from its files where it has any, and see what its attention does. For `--inspect` alone.

    `texts` are embedded where the weights are real, to see how far apart the model puts them. `half` says that the
    class of the model is one stack alone of what its closed forms count.
    """

    request: Literal["inspect"] = "inspect"
    id: int
    model: ModelEntry
    source: ModelSource
    memory_limit_bytes: int
    texts: tuple[str, ...] = ()
    half: StackName | None = None
    seed: int = 0


Request = Measure | Cancel
REQUESTS: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="request")])


class Replay(Value):
    """Build this model, from its files where it has any, and serve it a schedule of requests. For `--replay` alone."""

    request: Literal["replay"] = "replay"
    id: int
    model: ModelEntry
    source: ModelSource | None = None
    device: str = "cpu"
    plan: ReplayPlan
    seed: int = 0


class Ready(Value):
    """The child has imported torch and transformers and can fork (or not) workers."""

    event: Literal["ready"] = "ready"
    machine: Machine
    pid: int
    forks: bool


class Waiting(Value):
    """Another measurement holds this machine; made by the parent."""

    event: Literal["waiting"] = "waiting"
    holder_pid: int | None


class Reused(Value):
    """So many of the request's cells are known from earlier runs; their `cell` events follow. Made by the parent."""

    event: Literal["reused"] = "reused"
    id: int
    reused: int
    cells: int
    earliest: datetime
    latest: datetime


class Peaked(Value):
    """The device's peaks were measured: for the first time, or again because a cell came out above them."""

    event: Literal["peaks"] = "peaks"
    id: int
    peaks: Peaks


class Started(Value):
    """Cell `index` of request `id` is being warmed up and timed, in the first or a later one of its processes."""

    event: Literal["started"] = "started"
    id: int
    index: int
    plan: CellPlan
    process: int = 1
    processes: int = 1


class Measured(Value):
    """Cell `index` is finished: measured, or flagged with a note that says why not."""

    event: Literal["cell"] = "cell"
    id: int
    index: int
    cell: Cell


class Finished(Value):
    """Every cell of the request has had its `cell` event. `parameters` were counted in the built module.

    `weights` says what was in it, `notes` what of a model's files did not match; None where nothing was built.
    """

    event: Literal["finished"] = "finished"
    id: int
    parameters: int | None
    weights: Weights | None = None
    notes: tuple[str, ...] = ()
    cancelled: bool = False
    wall_s: float


class Failed(Value):
    """The child cannot serve the request (or serve at all): one sentence for a person."""

    event: Literal["failed"] = "failed"
    id: int | None = None
    says: str
    fix: str | None = None


class Inspected(Value):
    """What was seen of a model that read `tokens` tokens; `window` is the narrowest its built config speaks of.

    `cosine` is None where no texts were embedded, and a note says why where that is not for want of real weights.
    """

    event: Literal["inspected"] = "inspected"
    id: int
    parameters: int
    weights: Weights
    notes: tuple[str, ...] = ()
    tokens: int
    window: int | None
    looks: tuple[Look, ...]
    cosine: Cosine | None = None


class NotInspected(Value):
    """A model that cannot be inspected here, and why, in one sentence."""

    event: Literal["not-inspected"] = "not-inspected"
    id: int
    says: str
    fix: str | None = None


class Replayed(Value):
    """A schedule was served, or as much of it as time allowed."""

    event: Literal["replayed"] = "replayed"
    id: int
    result: ReplayResult


class NotReplayed(Value):
    """A schedule that cannot be served here, and why, in one sentence."""

    event: Literal["not-replayed"] = "not-replayed"
    id: int
    says: str
    fix: str | None = None


Event = Ready | Waiting | Reused | Peaked | Started | Measured | Finished | Failed
Answer = Inspected | NotInspected | Replayed | NotReplayed
"""What a child started with `--inspect` or `--replay` says; one that measures never does."""
EVENTS: TypeAdapter[Event | Answer] = TypeAdapter(Annotated[Event | Answer, Field(discriminator="event")])

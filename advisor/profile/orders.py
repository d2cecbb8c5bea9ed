"""What the warm child and its workers say to each other: one JSON object per line, orders down, replies up.

A worker belongs to one family: one model, and cuts of it, in one runtime and dtype. It builds once and then takes one
order after the other, so that the child, which alone knows the time left, can decide before each cell.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from advisor.core.hardware import Dtype, Peaks
from advisor.core.model.entry import ModelEntry
from advisor.core.model.source import ModelSource, Weights
from advisor.core.sizing.measurement import Cell, CellPlan, Flag, Runtime
from advisor.core.values import Value
from advisor.profile.disturbance import Meanwhile


class Job(Value):
    """What a worker is for. `file_backed_bytes` are those its parent has resident, None for a fresh process.

    `model` is cut to so many `layers` already, None is a whole one. `identity` is what the driver calls the card, empty
    where there is none. With `peaks_of` it builds nothing: it measures the device's peaks in these dtypes, by the
    products of `peaks_by`, says them and ends. An output that does not come as close to float32 as `least_cosine` asks
    for is another model's, and no time of it counts. It is one of so many `workers`, each with `threads` of its own,
    and starts the others.
    """

    model: ModelEntry
    layers: int | None = None
    runtime: Runtime = "torch"
    dtype: Dtype
    device: str
    threads: int
    workers: int = 1
    seed: int
    file_backed_bytes: int | None
    identity: str = ""
    parent_pid: int
    source: ModelSource | None = None
    peaks_of: tuple[Dtype, ...] | None = None
    peaks_by: tuple[Runtime, ...] = ("torch",)
    least_cosine: float | None = None


class Order(Value):
    """Visit one cell within these limits, counted from the visit's start.

    On the first visit (`more` is 0) it is warmed up, its memory is taken and its first samples; on a later one so many
    `more` samples, each the mean of `runs` runs.
    """

    index: int
    plan: CellPlan
    share_s: float
    limit_s: float
    more: int = 0
    runs: int = 1


class Rest(Value):
    """Stop what runs, and wait; the first one says to build. For those that run beside a worker alone."""

    order: Literal["rest"] = "rest"


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


class Running(Value):
    """What was ordered runs, again and again, until it is told to rest."""

    reply: Literal["running"] = "running"


class PeaksReply(Value):
    """What the device did at most."""

    reply: Literal["peaks"] = "peaks"
    peaks: Peaks


class Outcome(Value):
    """The ordered cell after its first visit, or why a visit to it failed.

    Its samples are the mean of `runs` runs, taken when times were level if `warmed`. `setup_s` went by before the first
    run, `seen` is what else the machine did. `spoiled` says that the worker ends now, because its state is not to be
    trusted any more.
    """

    reply: Literal["outcome"] = "outcome"
    index: int
    cell: Cell
    first_run_s: float | None
    runs: int = 1
    warmed: bool = True
    setup_s: float = 0.0
    seen: Meanwhile = Meanwhile()
    spoiled: bool = False


class More(Value):
    """More samples of a cell, which are fewer than ordered where the limit came first, and what went on meanwhile."""

    reply: Literal["more"] = "more"
    index: int
    samples_s: tuple[float, ...]
    flags: tuple[Flag, ...] = ()
    seen: Meanwhile = Meanwhile()


Reply = Built | NotBuiltReply | PeaksReply | Running | Outcome | More
REPLIES: TypeAdapter[Reply] = TypeAdapter(Annotated[Reply, Field(discriminator="reply")])

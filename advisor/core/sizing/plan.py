"""The shape of a plan: what the volume needs on machines like the measured one (contract: `report`, key `plan`).

Values only; `planning` makes them from measured cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import ConfigDict, Field

from advisor.core.architecture import Role
from advisor.core.guide.recommendation import Answer, Change, Source
from advisor.core.hardware import Dtype
from advisor.core.sizing.measurement import Origin, Runtime, Stage
from advisor.core.values import Value

Verdict = Literal["meets", "misses", "undecided"]
Binding = Literal["latency", "throughput", "memory"]


class Percentiles(Value):
    """Milliseconds from the scheduled arrival to the end of the answer; None where not had."""

    p50: float | None
    p95: float | None
    p99: float | None


class Rates(Value):
    """Requests per second: `low` if the machine is as slow as the measurement allows, `high` if as fast.

    0.0 is a figure: no request, however alone, meets the budget then.
    """

    low: float
    mid: float
    high: float


class ReplicaRange(Value):
    """Replicas needed: `low` if the machine is as fast as the measurement allows, `high` if as slow."""

    low: int
    mid: int
    high: int


class Serving(Value):
    """The configuration a stage was planned with: `workers` processes with so many `threads` each on one machine.

    `padded_steps` pairs numbers of answers with the larger one whose decode step takes less time: a server that fills
    up its batch to that takes no longer than planned.
    """

    runtime: Runtime
    dtype: Dtype
    threads: int
    max_batch_size: int
    device: str = "cpu"
    workers: int = 1
    padded_steps: tuple[tuple[int, int], ...] = ()

    def padding(self, padded: Mapping[int, int]) -> Serving:
        """The same, with batches of so many answers filled up as far as there is room."""
        kept = sorted((answers, rows) for answers, rows in padded.items() if rows <= self.max_batch_size)
        return self.model_copy(update={"padded_steps": tuple(kept)})


class PlanStage(Value):
    """One stage of the pipeline. A part that was not measured has figures None and a `note` that says why.

    `error_pct` is the hold-out error of the surface that times between cells were read from (median, in per cent).
    """

    role: Role
    model: str | None
    stage: Stage
    serving: Serving | None
    latency_ms: Percentiles | None
    replicas: ReplicaRange | None
    peak_memory_bytes: int | None
    origin: Origin | None
    error_pct: float | None = None
    note: str | None = None


class Finding(Value):
    """Something the figures show, with its sources."""

    id: str
    says: str
    source: tuple[Source, ...]


class Assumption(Value):
    """A figure that nobody said or measured, with the name of its default."""

    name: str
    value: Answer
    origin: Literal["assumed"] = "assumed"
    says: str


class WhatIf(Value):
    """The same service if requests came or were shared differently: replicas for the budgets, None where none do.

    `latency_ms` is what requests would get from the planned number of replicas.
    """

    name: Literal["BURSTS", "TAKING_TURNS", "ONE_QUEUE"]
    says: str
    replicas: int | None
    latency_ms: Percentiles
    origin: Literal["assumed"] = "assumed"


class Nearest(Value):
    """The nearest plan that would pass: which answer to change, from what to what, and in words what it then takes.

    `also` holds what must change with it where no single answer is enough.
    """

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    answer: str
    from_: Answer = Field(alias="from")
    to: Answer
    also: tuple[Change, ...] = ()
    says: str


class Plan(Value):
    """Whether the measured model serves the volume in the budget on machines like this one, and with how many.

    `latency_ms`, `first_token_ms` and `per_output_token_ms` are at the planned rate per replica, and of a request
    alone where there is no plan; `origin` says where they come from. `judged_latency_ms` and `judged_first_token_ms`
    are the same at the workload's own percentile, to be held against the budgets. `meets_latency` is None without a
    budget and where it is not decided. `replicas` counts the machines of all parts of a pipeline,
    `capacity_per_replica_rps` is that of the part named in `binding_stage`. Where the budget
    cannot be met however many there are, both `replicas` and `utilisation` are None, and `nearest` says what would do.
    `cost_per_million_requests` is in the currency of `replica_cost_per_hour`, with replicas paid for around the
    clock. In a pipeline with a part that has no figure, all of these are of the parts that have
    one. `what_if` holds other traffic and other ways to share it, where one part is planned.
    """

    verdict: Verdict
    meets_latency: bool | None
    latency_ms: Percentiles | None
    judged_latency_ms: float | None = None
    origin: Origin | None = None
    first_token_ms: Percentiles | None
    judged_first_token_ms: float | None = None
    per_output_token_ms: float | None
    capacity_per_replica_rps: Rates | None
    replicas: ReplicaRange | None
    utilisation: float | None
    cost_per_million_requests: float | None
    binding: Binding | None
    binding_stage: Role | None
    stages: tuple[PlanStage, ...]
    findings: tuple[Finding, ...]
    assumptions: tuple[Assumption, ...] = ()
    what_if: tuple[WhatIf, ...] = ()
    nearest: Nearest | None
    first_thing_to_change: str | None
    reproduce: str

"""What was measured, as values: cells, their samples, and the profile they make.

A cell is one stage of one model at one shape in one serving configuration. Times are seconds, memory bytes. Every
figure has an origin; a figure that was not had is None. How samples become an interval stands in `statistics`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from advisor.core.architecture import Architecture
from advisor.core.hardware import Dtype, Machine
from advisor.core.values import Document, Value

Stage = Literal["forward", "prefill", "encode", "decode", "embed", "search", "rerank", "load", "tokenize"]
Origin = Literal["measured", "interpolated", "extrapolated", "formula", "assumed"]
Effort = Literal["quick"]
Runtime = Literal["torch"]
Flag = Literal[
    "not-steady",
    "undecided",
    "too-slow",
    "out-of-memory",
    "does-not-fit",
    "unsupported",
    "killed",
    "crashed",
    "hung",
    "not-finite",
    "cancelled",
    "throttled",
    "stolen",
    "other-load",
    "swapping",
    "fits-in-cache",
    "above-peak",
]


class CellPlan(Value):
    """One cell to measure.

    `input_tokens` is the length read by forward, prefill and encode, and for the decode of an encoder-decoder the
    length of the source; `context_tokens` is the depth of the self-attention cache a decode step starts from (None
    elsewhere). Shapes: input ids are [batch_size, input_tokens], a decode step feeds [batch_size, 1].
    """

    stage: Stage
    runtime: Runtime = "torch"
    dtype: Dtype
    batch_size: int = Field(ge=1)
    input_tokens: int | None = None
    context_tokens: int | None = None


class Cell(Value):
    """One measured cell, or one that could not be measured: then `flags` and `note` say why and the figures are None.

    `ci95_s` is the distribution-free order-statistic interval of the median; `p95_s` is the sample that bounds the 95th
    percentile from above with 95 % confidence, which needs 59 samples. Throughput counts `throughput_unit` per second
    at the median: sequences for whole passes, tokens for decode. `flops` and `bytes_moved` are closed forms
    for one run of the cell. `peak_memory_bytes` comes from a pass of its own. `samples_s` holds every sample, in order.
    """

    stage: Stage
    runtime: Runtime = "torch"
    dtype: Dtype
    device: str
    threads: int
    batch_size: int
    input_tokens: int | None
    context_tokens: int | None
    layers: int | None = None
    origin: Origin = "measured"
    processes: int = 1
    samples: int
    median_s: float | None
    ci95_s: tuple[float, float] | None
    ci_method: Literal["order-statistic"] = "order-statistic"
    p95_s: float | None
    throughput_per_s: float | None
    throughput_unit: Literal["sequences", "tokens"]
    peak_memory_bytes: int | None
    flops: int | None
    bytes_moved: int | None
    mfu: float | None = None
    mbu: float | None = None
    flags: tuple[Flag, ...] = ()
    note: str | None = None
    outliers: int | None = None
    more_samples: int | None = None
    samples_s: tuple[float, ...] | None = None


def throughput_unit(stage: Stage) -> Literal["sequences", "tokens"]:
    """What one run of the stage hands over: a token for each sequence (decode), or the whole sequence."""
    return "tokens" if stage == "decode" else "sequences"


def unmeasured(plan: CellPlan, *, device: str, threads: int, flags: tuple[Flag, ...], note: str) -> Cell:
    """A cell without figures: `flags` and `note` say why there are none."""
    return Cell(
        **plan.model_dump(),
        device=device,
        threads=threads,
        samples=0,
        median_s=None,
        ci95_s=None,
        p95_s=None,
        throughput_per_s=None,
        throughput_unit=throughput_unit(plan.stage),
        peak_memory_bytes=None,
        flops=None,
        bytes_moved=None,
        flags=flags,
        note=note,
    )


class ProfiledModel(Value):
    """Which model was measured; parameters are counted in the built module, by closed form if none was built."""

    id: str
    architecture: Architecture
    parameters: int
    weights: Literal["random", "real"]


class Best(Value):
    """The cells (indices into `cells`) that served fastest, per stage."""

    stage: Stage
    throughput_cell: int
    latency_cell: int


class Surface(Value):
    """A latency surface fitted to cells."""

    stage: Stage
    runtime: Runtime
    dtype: Dtype
    formula: str
    coefficients: dict[str, float]
    holdout_error_pct: float | None


class Profile(Document):
    """Everything measured of one model on one machine (contract: `profile`)."""

    kind: Literal["profile"] = "profile"
    machine: Machine
    model: ProfiledModel
    cells: tuple[Cell, ...]
    best: tuple[Best, ...]
    surfaces: tuple[Surface, ...] = ()
    wall_s: float

"""What was measured, as values: cells, their samples, and the profile they make.

A cell is one stage of one model at one shape in one serving configuration. Times are seconds, memory bytes. Every
figure has an origin; a figure that was not had is None. How samples become an interval stands in `statistics`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from advisor.core.architecture import Architecture
from advisor.core.hardware import Dtype, Machine
from advisor.core.model.entry import ModelEntry
from advisor.core.model.source import ModelSource, Weights
from advisor.core.values import Document, Value

Stage = Literal["forward", "prefill", "encode", "decode", "embed", "search", "rerank", "load", "tokenize"]
Origin = Literal["measured", "interpolated", "extrapolated", "formula", "assumed"]
Effort = Literal["quick", "standard", "thorough"]
Runtime = Literal["torch", "torch.compile", "openvino", "ctranslate2"]
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
    "clock-drop",
    "foreign-process",
    "fits-in-cache",
    "above-peak",
    "deviates",
    "not-linear",
    "passed-over",
]


class CellPlan(Value):
    """One cell to measure.

    `input_tokens` is the length read by forward, prefill and encode, and for the decode of an encoder-decoder the
    length of the source; `context_tokens` is the depth of the self-attention cache a decode step starts from (None
    elsewhere). Shapes: input ids are [batch_size, input_tokens], a decode step feeds [batch_size, 1]. `layers` cuts the
    model to so many in each stack; None is the whole model. `workers` processes share the cores evenly and do this at
    once.
    """

    stage: Stage
    runtime: Runtime = "torch"
    dtype: Dtype
    batch_size: int = Field(ge=1)
    input_tokens: int | None = None
    context_tokens: int | None = None
    layers: int | None = Field(default=None, ge=1)
    workers: int = Field(default=1, ge=1)


class Deviation(Value):
    """How far an output is from that of float32 on the same weights and inputs: the worst of all that were compared.

    Logits are compared without what is added to all of them alike, which changes no probability. `next_token_agreement`
    is the part of positions with the same most likely token, None for random weights and for what gives no logits.
    """

    cosine: float
    relative_error: float
    next_token_agreement: float | None = None


class Cell(Value):
    """One measured cell, or one that could not be measured: then `flags` and `note` say why and the figures are None.

    From one process, `ci95_s` is the distribution-free order-statistic interval of the median; from several, the
    median is that of `process_medians_s` and the interval Student's t over them. `p95_s` and `p99_s` are the samples
    that bound these percentiles from above with 95 % confidence, which needs 59 and 299 samples. Throughput counts
    `throughput_unit` per second at the median: sequences for whole passes, tokens for decode. `flops` and
    `bytes_moved` are closed forms for one run of the cell. `peak_memory_bytes` comes from a pass of its own; on a
    CUDA card it is what torch had reserved (`peak_reserved_bytes`) and what the driver keeps for the process beside
    it. There `device_time_s` is the median between two events on the device, and `launch_overhead_s` what a caller
    waits beyond that. `samples_s` holds every sample, process by process in the order taken; `process_samples` counts
    each one's. `measured_at` is UTC; `reused_from` is the run (see `advisor history`) that measured it, None where
    this one did. Of a model cut to fewer layers, `layers` says to how many; what such cells say of the whole model is a
    cell with `origin` extrapolated, `ci_method` from-layers and the fewest samples behind it. `memory_origin` is where
    `peak_memory_bytes` comes from, where that is not where the times do. `mfu` and `mbu` are shares of the device's
    measured peaks, `roofline_s` is the time no run can fall below by them and `roofline_bound` says which peak sets it;
    None where a peak is not known. `deviation` is that of the configuration, `computes_in` the precision a converted
    model says it computes in, `conversion_s` what turning the weights into it or compiling the module took when that
    was done. Where several `workers` served at once, with `threads` each, times and memory are those of one of them
    while the others did the same, throughput and the shares of peaks those of all together.

    Samples are taken back to back, but a replica that stood idle has colder caches and threads that sleep.
    `after_pause_ratio` is how many times as long a run takes after a pause of two runs (at most 0.25 s) as the one
    right after it: the median of a few such pairs, and of several processes, at least 1. It is taken on the first visit
    where a whole model reads one text (forward, embed, prefill, encode), if there is time; None elsewhere.
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
    workers: int = 1
    origin: Origin = "measured"
    processes: int = 1
    samples: int
    median_s: float | None
    ci95_s: tuple[float, float] | None
    ci_method: Literal["order-statistic", "student-t", "from-layers"] = "order-statistic"
    p95_s: float | None
    p99_s: float | None = None
    throughput_per_s: float | None
    throughput_unit: Literal["sequences", "tokens"]
    peak_memory_bytes: int | None
    memory_origin: Origin | None = None
    flops: int | None
    bytes_moved: int | None
    mfu: float | None = None
    mbu: float | None = None
    roofline_s: float | None = None
    roofline_bound: Literal["arithmetic", "memory"] | None = None
    flags: tuple[Flag, ...] = ()
    note: str | None = None
    device_time_s: float | None = None
    launch_overhead_s: float | None = None
    after_pause_ratio: float | None = None
    peak_allocated_bytes: int | None = None
    peak_reserved_bytes: int | None = None
    process_bytes: int | None = None
    outliers: int | None = None
    more_samples: int | None = None
    samples_s: tuple[float, ...] | None = None
    process_samples: tuple[int, ...] | None = None
    process_medians_s: tuple[float, ...] | None = None
    deviation: Deviation | None = None
    computes_in: str | None = None
    conversion_s: float | None = None
    measured_at: datetime | None = None
    reused_from: int | None = None


def plan_of(cell: Cell) -> CellPlan:
    """What was asked for when a cell was measured."""
    return CellPlan(**{name: getattr(cell, name) for name in CellPlan.model_fields})


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
    """Which model was measured; parameters are counted in the built module, by closed form if none was built.

    `weights` are real only where every weight of the measured module came from files. Of a model that is no catalogue
    entry, `name` is its folder's or its hub id; `weights_sha256` is over its weight files, `stored_parameters` the
    numbers in them, `revision` what the hub had it under. `notes` say what of its files is not what was measured.
    """

    id: str
    architecture: Architecture
    parameters: int
    weights: Weights
    name: str | None = None
    hub_id: str | None = None
    revision: str | None = None
    weights_sha256: str | None = None
    stored_parameters: int | None = None
    notes: tuple[str, ...] = ()


def profiled_model(
    entry: ModelEntry,
    source: ModelSource | None,
    parameters: int | None = None,
    weights: Weights | None = None,
    notes: tuple[str, ...] = (),
) -> ProfiledModel:
    """The model of a profile, with what is known of it so far: unless somebody loaded them, no weights are real."""
    model = ProfiledModel(
        id=entry.id,
        architecture=entry.architecture,
        parameters=parameters or entry.parameters,
        weights=weights or "random",
    )
    if source is None:
        return model
    without = () if source.weights else ("The folder has no safetensors files, so its weights are random.",)
    known = source.model_dump(include={"name", "hub_id", "revision", "weights_sha256", "stored_parameters"})
    return model.model_copy(update=known | {"notes": (*source.notes, *without, *notes)})


class NotAvailable(Value):
    """A configuration that cannot serve the model here, and why."""

    runtime: Runtime
    dtype: Dtype
    reason: str


class Best(Value):
    """The cells (indices into `cells`) that served fastest, per stage."""

    stage: Stage
    throughput_cell: int
    latency_cell: int


class Surface(Value):
    """A latency surface fitted to cells: seconds for b texts of s tokens, or one step of b answers with ctx attended.

    `coefficients` is empty where there are too few cells, and `note` says so. The errors are how far each cell is from
    what the others say of it: `holdout_error_pct` the median of all cells, `holdout_worst_pct` the largest, by which
    the bounds of a time between cells are widened. `holdout_batch_pct` is how far off at most the cells of a batch size
    are when all of them are left out (none for the smallest and the largest), which widens a time between batch sizes.
    Reading a surface needs the cells it was fitted to, see `core.sizing.surface`.
    """

    stage: Stage
    runtime: Runtime
    dtype: Dtype
    device: str = "cpu"
    threads: int | None = None
    workers: int = 1
    cells: int = 0
    formula: str
    coefficients: dict[str, float]
    holdout_error_pct: float | None
    holdout_worst_pct: float | None = None
    holdout_batch_pct: float | None = None
    note: str | None = None


class Extrapolation(Value):
    """What three models cut to fewer layers say of one cell of the whole model.

    `seconds_per_layer` and `rest_s` (tables, head and host) are the line through the first and the last of `layers`,
    `third_off_pct` is how far the middle one lies from it. Where the whole model was measured beside them, `measured_s`
    is that and `error_pct` how far `predicted_s` is from it. `flags` are those of all these cells that say that a quiet
    machine, or more time, may show something else.
    """

    stage: Stage
    runtime: Runtime
    dtype: Dtype
    batch_size: int
    input_tokens: int | None
    context_tokens: int | None
    layers: tuple[int, int, int]
    of_layers: int
    seconds_per_layer: float
    rest_s: float
    third_off_pct: float
    predicted_s: float
    measured_s: float | None = None
    error_pct: float | None = None
    flags: tuple[Flag, ...] = ()


class ProcedureCheck(Value):
    """How far off telling a whole model from cuts was on this machine, with a model that could be measured whole."""

    model: str
    errors_pct: tuple[float, ...]
    measured_at: datetime | None = None


class Profile(Document):
    """Everything measured of one model on one machine (contract: `profile`)."""

    kind: Literal["profile"] = "profile"
    machine: Machine
    model: ProfiledModel
    cells: tuple[Cell, ...]
    best: tuple[Best, ...]
    surfaces: tuple[Surface, ...] = ()
    extrapolations: tuple[Extrapolation, ...] = ()
    procedure_check: ProcedureCheck | None = None
    not_available: tuple[NotAvailable, ...] = ()
    wall_s: float

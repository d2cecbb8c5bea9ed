"""How a model comes to stand in a worker, and what that cost: filled at random, or loaded from a folder's files.

The one idea: loading is over before any cell begins. Its time and its peak are a cell of their own (`load`), and the
mark of peak memory is set anew for every other cell, so no cell pays for what only the start of a service pays.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from advisor.core.model.cost import anatomy, stages_of, weight_bytes
from advisor.core.model.cut import cut
from advisor.core.model.entry import ModelEntry
from advisor.core.model.source import ModelSource
from advisor.core.sizing.closeness import too_far
from advisor.core.sizing.measurement import Cell, CellPlan, Deviation, plan_of
from advisor.core.sizing.runtimes import COMPILED, is_converted
from advisor.profile.accelerator import Accelerator
from advisor.profile.build import DTYPES, count_parameters, seen_in
from advisor.profile.converting import (
    Conversion,
    built_in,
    converted_model,
    loaded_in,
    padding_of,
    probe_of,
    quantised,
)
from advisor.profile.deviation import Outputs, deviation
from advisor.profile.orders import Built, Job
from advisor.profile.runtimes.served import Served
from advisor.profile.runtimes.torch_eager import Eager, Loaded, Task, nothing, outputs, task
from advisor.profile.tokenizing import tokenizer_of, tokenizing
from advisor.store import machine

TOKENIZING_THREADS = 1
"""Tokenizers are kept from starting threads of their own here."""
TWIN_PARAMETERS = 1_000_000_000
"""Up to here a model of 16 bits is compared with itself in float32, which is built first and given back."""
TWIN_ROOM = 1.5
"""How many times its weights the free memory must hold for that."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A model ready to run, what is to be said of it, and the seconds and bytes that it took to stand.

    `entry` is that model, with so many `layers` (None is all): its cuts to fewer are seen in it and hold nothing more.
    `conversion_s` is what it took to turn the weights into what runs, now or when that was done; None where they run as
    they are. `refused` says why no time of it counts.
    """

    served: Served
    built: Built
    entry: ModelEntry
    layers: int | None
    seconds: float
    peak_bytes: int | None
    source: ModelSource | None
    seed: int = 0
    deviation: Deviation | None = None
    conversion_s: float | None = None
    refused: str | None = None

    @property
    def loaded(self) -> Loaded:
        """The module, where torch runs it. Raises ValueError where something else does."""
        if not isinstance(self.served, Eager):
            raise ValueError("only torch hands out its module")
        return self.served.loaded

    def work(self, plan: CellPlan) -> Task:
        """What one run of the cell is. Raises ValueError where this model cannot do it, NotBuilt for no cut of it."""
        if plan.stage != "tokenize":
            return task(self._cut(plan.layers), plan) if self.shows(plan) else self.served.task(plan)
        if self.source is None:
            raise ValueError("a model without files has no tokenizer")
        run = tokenizing(tokenizer_of(self.source), plan, self.seed)
        return Task(run=run, reset=nothing, check=nothing)

    def shows(self, plan: CellPlan) -> bool:
        """Whether the cell is one of a cut that is seen in this model."""
        return plan.stage != "tokenize" and plan.layers != self.layers

    def _cut(self, layers: int | None) -> Loaded:
        entry = cut(self.entry, layers)
        return replace(self.loaded, model=seen_in(self.loaded.model, entry), anatomy=anatomy(entry))

    def told(self, cell: Cell) -> Cell:
        """The cell with what is to be said of the configuration that it was measured in."""
        if cell.stage == "tokenize":
            return cell
        known = {"deviation": self.deviation, "conversion_s": self.conversion_s}
        return cell.model_copy(update=known | {"computes_in": self.served.computes_in})


def stand(job: Job, device: Accelerator) -> Standing:
    """Build, load or convert the model of a job. Raises NotBuilt, or what torch raises out of memory."""
    if is_converted(job.runtime, job.dtype):
        return _converted(job, device)
    reference = _twin(job)
    device.reset_peak()
    begun = time.perf_counter()
    found = built_in(job, job.dtype, job.device)
    device.synchronise()
    seconds = time.perf_counter() - begun
    peak_bytes = device.taken().peak_bytes
    loaded = loaded_in(job, found.model, DTYPES[job.dtype], job.device)
    served: Served = Eager(loaded)
    texts, compile_s = probe_of(job, padding_of(found.model.config)), None
    if job.runtime == COMPILED:
        from advisor.profile.runtimes.torch_compiled import compiled  # the compiler takes seconds to import

        reference = reference or served.outputs(texts)
        served, compile_s = compiled(loaded, texts)
    far = None if reference is None else deviation(served.outputs(texts), reference, real=found.real)
    weights = "real" if found.real else "random"
    return Standing(
        served=served,
        built=Built(parameters=count_parameters(found.model), weights=weights, notes=found.notes),
        entry=job.model,
        layers=job.layers,
        seconds=seconds,
        peak_bytes=peak_bytes,
        source=job.source,
        seed=job.seed,
        deviation=far,
        conversion_s=compile_s,
        refused=too_far(job.dtype, far, job.least_cosine),
    )


def _converted(job: Job, device: Accelerator) -> Standing:
    made: Conversion = quantised(job) if job.runtime == "torch" else converted_model(job, device)
    return Standing(
        served=made.served,
        built=made.built,
        entry=job.model,
        layers=job.layers,
        seconds=made.load_s,
        peak_bytes=device.taken().peak_bytes,
        source=job.source,
        seed=job.seed,
        deviation=made.deviation,
        conversion_s=made.conversion_s,
        refused=too_far(job.dtype, made.deviation, job.least_cosine),
    )


def _twin(job: Job) -> Outputs | None:
    """What the same weights give in float32; None for float32 itself, and where a second model would be too much."""
    needed = TWIN_ROOM * weight_bytes(job.model, "float32")
    if job.dtype == "float32" or job.model.parameters > TWIN_PARAMETERS or needed > machine.memory_available_bytes():
        return None
    found = built_in(job, "float32", "cpu")
    loaded = loaded_in(job, found.model, DTYPES["float32"], "cpu")
    return outputs(loaded, probe_of(job, padding_of(found.model.config)))


def load_cell(job: Job, standing: Standing, device: Accelerator, plan: CellPlan) -> Cell:
    """The start of a service: seconds until the weights are loaded and the first call has been answered."""
    work = standing.served.task(plan.model_copy(update={"stage": stages_of(job.model)[0]}))
    device.reset_peak()
    begun = time.perf_counter()
    work.run()
    device.synchronise()
    first_call_s = time.perf_counter() - begun
    peaks = [peak for peak in (standing.peak_bytes, device.taken().peak_bytes) if peak is not None]
    seconds = standing.seconds + first_call_s
    note = (
        f"Loading the weights took {standing.seconds:.3g} s and the first call {first_call_s:.3g} s, in a process that "
        "had its libraries; the files had just been read, and a machine that has not read them waits for its disk too."
    )
    if standing.conversion_s is not None:
        note += f" Converting them took {standing.conversion_s:.3g} s, once."
    return Cell(
        **plan.model_dump(),
        device=job.device,
        threads=job.threads,
        samples=1,
        median_s=seconds,
        ci95_s=None,
        p95_s=None,
        throughput_per_s=None,
        throughput_unit="sequences",
        peak_memory_bytes=max(peaks, default=None),
        flops=None,
        bytes_moved=None,
        note=note,
        samples_s=(seconds,),
    )


def of_its_own(standing: Standing, cell: Cell) -> Cell:
    """The cell without what belongs to the model beside it.

    Tokenising runs on the processor alone, and the memory of the process is mostly the model's; that of a cut is that
    of the larger model which it is seen in.
    """
    update: dict[str, Any] = {}
    if cell.stage == "tokenize":
        update = dict.fromkeys(("device_time_s", "launch_overhead_s"))
        update |= {"device": "cpu", "threads": TOKENIZING_THREADS}
    elif not standing.shows(plan_of(cell)):
        return cell
    memory = ("peak_memory_bytes", "peak_allocated_bytes", "peak_reserved_bytes", "process_bytes")
    return cell.model_copy(update=update | dict.fromkeys(memory))

"""How a model comes to stand in a worker, and what that cost: filled at random, or loaded from a folder's files.

The one idea: loading is over before any cell begins. Its time and its peak are a cell of their own (`load`), and the
mark of peak memory is set anew for every other cell, so no cell pays for what only the start of a service pays.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from advisor.core.model.cost import anatomy, stages_of
from advisor.core.model.source import ModelSource
from advisor.core.sizing.measurement import Cell, CellPlan
from advisor.profile.accelerator import Accelerator
from advisor.profile.build import DTYPES, build, count_parameters
from advisor.profile.orders import Built, Job
from advisor.profile.runtimes.torch_eager import Loaded, Task, nothing, task
from advisor.profile.tokenizing import tokenizer_of, tokenizing
from advisor.profile.weights import WithWeights, load

TOKENIZING_THREADS = 1
"""Tokenizers are kept from starting threads of their own here."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A model ready to run, what is to be said of it, and the seconds and bytes that it took to stand."""

    loaded: Loaded
    built: Built
    seconds: float
    peak_bytes: int | None
    source: ModelSource | None

    def work(self, plan: CellPlan) -> Task:
        """What one run of the cell is. Raises ValueError where this model cannot do it."""
        if plan.stage != "tokenize":
            return task(self.loaded, plan)
        if self.source is None:
            raise ValueError("a model without files has no tokenizer")
        run = tokenizing(tokenizer_of(self.source), plan, self.loaded.seed)
        return Task(run=run, reset=nothing, check=nothing)


def stand(job: Job, device: Accelerator) -> Standing:
    """Build or load the model of a job. Raises NotBuilt, or what torch raises out of memory."""
    device.reset_peak()
    begun = time.perf_counter()
    source = job.source
    if source is not None and source.weights:
        found = load(job.model, source, job.dtype, device=job.device)
    else:
        config = None if source is None else source.config
        model = build(job.model, job.dtype, seed=job.seed, device=job.device, config=config)
        found = WithWeights(model, real=False, notes=())
    device.synchronise()
    seconds = time.perf_counter() - begun
    pooling = None if source is None else source.pooling
    return Standing(
        loaded=Loaded(found.model, anatomy(job.model), DTYPES[job.dtype], job.device, job.seed, pooling),
        built=Built(
            parameters=count_parameters(found.model), weights="real" if found.real else "random", notes=found.notes
        ),
        seconds=seconds,
        peak_bytes=device.taken().peak_bytes,
        source=source,
    )


def load_cell(job: Job, standing: Standing, device: Accelerator, plan: CellPlan) -> Cell:
    """The start of a service: seconds until the weights are loaded and the first call has been answered."""
    work = task(standing.loaded, plan.model_copy(update={"stage": stages_of(job.model)[0]}))
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


def without_the_model(cell: Cell) -> Cell:
    """A cell of tokenising: it runs on the processor alone, and the memory of the process is mostly the model's."""
    memory = ("peak_memory_bytes", "peak_allocated_bytes", "peak_reserved_bytes", "process_bytes")
    nobodys: dict[str, Any] = dict.fromkeys((*memory, "device_time_s", "launch_overhead_s"))
    return cell.model_copy(update=nobodys | {"device": "cpu", "threads": TOKENIZING_THREADS})

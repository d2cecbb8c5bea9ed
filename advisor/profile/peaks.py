"""What a device can do at most: matrix products of several sizes in each dtype, and reads of a long stretch of memory.

Runs in a worker of its own, which builds no model. The one idea: a peak is the best of everything that was tried, each
size in several short turns, so that a spell in which somebody else had the machine costs a turn and not the figure.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import torch

from advisor.core.hardware import Dtype, PeakFlops, Peaks
from advisor.core.sizing.measurement import Runtime
from advisor.core.sizing.physics import TIMES_THE_CACHE
from advisor.profile.accelerator import Accelerator
from advisor.profile.build import DTYPES
from advisor.profile.orders import Job
from advisor.store import machine

Run = Callable[[], object]

SECONDS_PER_DTYPE = 0.8
SECONDS_OF_READING = 0.8
TURNS = 3
SIZES_ON_A_PROCESSOR = (256, 512, 1024, 2048)
SIZES_ON_A_CARD = (1024, 2048, 4096, 8192)
READ_BYTES_LEAST = 256 * 2**20
READ_SHARE = 0.25
"""The part of the free memory that the stretch may take."""
ROW = 1024
"""Values in a row where the stretch is read as a matrix, as a decode step reads weights."""


def measure_peaks(job: Job, device: Accelerator) -> Peaks:
    """The peaks of the job's device in the dtypes it names. What cannot be run here stays None."""
    on_card = job.device.startswith("cuda")
    sizes = SIZES_ON_A_PROCESSOR if job.device == "cpu" else SIZES_ON_A_CARD
    cache = _card_cache_bytes(job.device) if on_card else machine.last_level_cache_bytes()
    with torch.inference_mode():
        rates = {dtype: _flops_per_s(dtype, job, device, sizes) for dtype in job.peaks_of or ()}
        bytes_per_s = _bytes_per_s(job.device, device, _read_bytes(job.device, cache))
    known = {dtype: rate for dtype, rate in rates.items() if dtype in PeakFlops.model_fields}
    return Peaks(
        device=job.device,
        flops_per_s=PeakFlops(**known),
        bytes_per_s=bytes_per_s,
        last_level_cache_bytes=cache,
        threads=job.threads,
        torch=torch.__version__,
        runtimes=job.peaks_by,
    )


def _flops_per_s(dtype: Dtype, job: Job, device: Accelerator, sizes: Sequence[int]) -> float | None:
    """The best rate of square products x·Wᵀ, the form in which layers are computed, in any of the runtimes."""
    best: float | None = None
    for runtime in job.peaks_by:
        with suppress(RuntimeError, TypeError):  # no such arithmetic here, or no memory for it: it sets no peak
            products = [(2.0 * size**3, _product(runtime, size, dtype, job)) for size in sizes]
            best = max(best or 0.0, _best(products, device.synchronise, SECONDS_PER_DTYPE))
    return best


def _product(runtime: Runtime, size: int, dtype: Dtype, job: Job) -> Run:
    """One product of matrices of random values: constant ones run faster on a graphics card than any model does."""
    x, w = torch.rand(2, size, size, device=job.device).sub_(0.5)
    if runtime == "openvino":
        from advisor.profile.runtimes.openvino_product import product

        return product(x.numpy(), w.numpy(), dtype, threads=job.threads)
    x, w = x.to(DTYPES[dtype]), w.to(DTYPES[dtype])
    return lambda: torch.nn.functional.linear(x, w)


def _bytes_per_s(name: str, device: Accelerator, size: int | None) -> float | None:
    """The best rate of reading the stretch from end to end, as one sum and as a product of a vector with a matrix."""
    if size is None:
        return None
    with suppress(RuntimeError):
        values = size // 4 // ROW * ROW
        stretch = torch.full((values,), 0.01, device=name)  # written once: untouched pages would be no memory at all
        matrix, vector = stretch.view(-1, ROW), torch.rand(1, ROW, device=name)
        reads: list[Run] = [stretch.sum, lambda: torch.nn.functional.linear(vector, matrix)]
        return _best([(4.0 * values, read) for read in reads], device.synchronise, SECONDS_OF_READING)
    return None


def _read_bytes(name: str, cache_bytes: int | None) -> int | None:
    """How long the stretch is: beyond what a cache could hold back. None where the memory is too small for that."""
    wanted = max(READ_BYTES_LEAST, TIMES_THE_CACHE * (cache_bytes or 0))
    free = torch.cuda.mem_get_info(name)[0] if name.startswith("cuda") else machine.memory_available_bytes()
    return wanted if wanted <= READ_SHARE * free else None


def _card_cache_bytes(name: str) -> int | None:
    size = getattr(torch.cuda.get_device_properties(name), "L2_cache_size", None)
    return int(size) if size else None


def _best(
    tasks: Sequence[tuple[float, Run]],
    synchronise: Callable[[], None],
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """The highest rate any task reached: work per second in its fastest run.

    Tasks come from small to large; one whose single run would take more than is left, judged by the best rate, is not
    begun.
    """
    end, turn_s, best = clock() + seconds, seconds / TURNS / len(tasks), 0.0
    for turn in range(TURNS):
        for work, run in tasks:
            if best and work / best > end - clock():
                continue
            until = clock() + turn_s
            if turn == 0:
                run()  # pays for first touches
                synchronise()
            while True:
                begun = clock()
                run()
                synchronise()
                now = clock()
                best = max(best, work / max(now - begun, 1e-9))
                if now >= until:
                    break
    return best

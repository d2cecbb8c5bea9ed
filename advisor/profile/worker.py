"""A worker: builds one model for one runtime and dtype, measures the cells it is ordered, and is expendable.

It runs alone in its process, forked from the warm child or started afresh. The one idea: whatever goes wrong inside a
cell is said in a reply and then this process ends, so that nothing it left behind can touch the next cell.
"""

from __future__ import annotations

import gc
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import BinaryIO, TypeVar

import torch

from advisor.core.model.cost import stage_bytes_moved, stage_flops
from advisor.core.model.cut import cut
from advisor.core.sizing.measurement import Cell, Flag, throughput_unit, unmeasured
from advisor.core.sizing.sampling import LEAST
from advisor.core.sizing.statistics import summarise
from advisor.profile.accelerator import Accelerator, Taken, accelerator
from advisor.profile.build import NotBuilt
from advisor.profile.companions import Companions
from advisor.profile.complaints import first_line, is_out_of_memory
from advisor.profile.disturbance import Meanwhile, disturbances, meanwhile
from advisor.profile.orders import Job, More, NotBuiltReply, Order, Outcome, PeaksReply, Reply
from advisor.profile.peaks import measure_peaks
from advisor.profile.runtimes.torch_eager import Task
from advisor.profile.standing import Standing, load_cell, of_its_own, stand
from advisor.profile.timing import Limits, Stopwatch, Timing, begins_alone
from advisor.store import machine

T = TypeVar("T")


class OutOfTime(Exception):
    """The cell's limit came while it ran."""


def last_moment(limit_s: float) -> float:
    """When a cell is broken off: later than its limit, at which the stopwatch itself stops after the run in hand."""
    return 1.25 * limit_s + 0.5


def serve(job: Job, orders: BinaryIO, replies: BinaryIO) -> None:
    """Build, then measure one ordered cell after the other until the orders end or a cell spoils this process."""
    try:
        beside = Companions(job, close=(orders.fileno(), replies.fileno()))  # before this process has a second thread
        torch.set_num_threads(job.threads)
        torch.set_num_interop_threads(1)
        device = accelerator(job.device, identity=job.identity, file_backed_bytes=job.file_backed_bytes)
        if job.peaks_of is not None:
            peaks, seen = _watched(lambda: measure_peaks(job, device), beside)
            flags = disturbances(seen, cores=job.threads)
            _say(replies, PeaksReply(peaks=peaks.model_copy(update={"flags": flags})))
            return
        standing = stand(job, device)
        beside.build()
    except Exception as error:  # noqa: BLE001  # a library may raise anything, and a disk may be full
        flag, note = _what_went_wrong(error)
        _say(replies, NotBuiltReply(flag=flag, note=f"The model could not be built: {note}"))
        return
    gc.collect()
    gc.freeze()  # libraries and model stay: to look through them for garbage would cost each visit half a second
    _say(replies, standing.built)
    for line in orders:
        outcome = _measure(job, standing, device, Order.model_validate_json(line), beside)
        if isinstance(outcome, Outcome):
            outcome = outcome.model_copy(update={"cell": standing.told(of_its_own(standing, outcome.cell))})
        _say(replies, outcome)
        if isinstance(outcome, Outcome) and outcome.spoiled:
            return


def _measure(job: Job, standing: Standing, device: Accelerator, order: Order, beside: Companions) -> Outcome | More:
    try:
        with _alarm(last_moment(order.limit_s)), torch.inference_mode():
            return _visited(job, standing, device, order, beside)
    except OutOfTime:
        note = f"Too slow for its time: {LEAST} samples were not had in {order.limit_s:.3g} s."
        return _failed(job, order, "too-slow", note, spoiled=beside.any)  # nobody knows where the others were stopped
    except Exception as error:  # noqa: BLE001  # a library may raise anything; people get a sentence, not a trace
        flag, note = _what_went_wrong(error)
        return _failed(job, order, flag, note, spoiled=True)


def _visited(job: Job, standing: Standing, device: Accelerator, order: Order, beside: Companions) -> Outcome | More:
    if standing.refused is not None and order.plan.stage != "tokenize":
        return _failed(job, order, "deviates", standing.refused)
    if order.plan.stage == "load":
        cell = load_cell(job, standing, device, order.plan)
        return Outcome(index=order.index, cell=cell, first_run_s=None)
    begun = time.perf_counter()
    work = standing.work(order.plan)
    setup_s = time.perf_counter() - begun

    def run() -> torch.Tensor:
        result = work.run()
        device.synchronise()  # a device works on after the call has returned
        return result

    def between_blocks() -> None:
        device.synchronise()  # what is still queued would be timed with the next block
        device.look()
        work.check()

    limits = Limits(order.share_s, order.limit_s)
    with beside.running(order):
        watch = Stopwatch(run, work.reset, between_blocks, limits, time.perf_counter_ns)
        if order.more:
            return _more(order, watch, device, beside)
        return _first(job, order, watch, work, device, setup_s, beside)


def _first(
    job: Job,
    order: Order,
    watch: Stopwatch[torch.Tensor],
    work: Task,
    device: Accelerator,
    setup_s: float,
    beside: Companions,
) -> Outcome:
    """The first visit: memory in a pass of its own, warm-up, the first samples, and runs after a pause."""
    device.reset_peak()
    first_s, result = watch.first()
    taken = device.taken()
    if not bool(result.isfinite().all()):
        return _failed(
            job, order, "not-finite", "Its output holds NaN or infinity: what it computes is no model's work."
        )
    del result
    timing, seen = _watched(lambda: watch.time(first_s), beside)
    cell = _cell(job, order, timing, taken, device.disturbances())
    if work.note is not None:
        cell = cell.model_copy(update={"note": " ".join(filter(None, (work.note, cell.note)))})
    if cell.median_s is not None:
        left_s = order.limit_s - seen.elapsed_s
        cell = cell.model_copy(update=_by_the_devices_clock(device, work, cell.median_s, left_s))
    if cell.median_s is not None and begins_alone(order.plan):
        cell = cell.model_copy(update={"after_pause_ratio": watch.after_pause(cell.median_s, time.sleep)})
    return Outcome(
        index=order.index,
        cell=cell,
        first_run_s=first_s,
        runs=timing.runs,
        warmed=timing.warmed,
        setup_s=setup_s,
        seen=seen,
    )


def _more(order: Order, watch: Stopwatch[torch.Tensor], device: Accelerator, beside: Companions) -> More:
    """A later visit. Memory was taken on the first one."""
    samples, seen = _watched(lambda: watch.again(order.more, order.runs), beside)
    return More(index=order.index, samples_s=samples, flags=device.disturbances(), seen=seen)


def _watched(work: Callable[[], T], beside: Companions) -> tuple[T, Meanwhile]:
    """What some timed work gives, and what the machine did meanwhile: what runs beside it is no other's."""

    def ours() -> float:
        return machine.own_cpu_seconds() + beside.cpu_seconds()

    before, cpu_before, begun = machine.load(), ours(), time.perf_counter()
    result = work()
    elapsed_s, own_cpu_s = time.perf_counter() - begun, ours() - cpu_before
    return result, meanwhile(before, machine.load(), own_cpu_s=own_cpu_s, elapsed_s=elapsed_s)


def _by_the_devices_clock(device: Accelerator, work: Task, median_s: float, left_s: float) -> dict[str, float]:
    """A few more runs timed on the device itself, where it keeps a clock and the cell's time allows."""
    if left_s < LEAST * median_s:
        return {}

    def run() -> None:
        work.run()
        work.reset()

    seconds = device.device_seconds(run, LEAST)
    return {} if seconds is None else {"device_time_s": seconds, "launch_overhead_s": max(0.0, median_s - seconds)}


def _cell(job: Job, order: Order, timing: Timing, taken: Taken, disturbed: tuple[Flag, ...]) -> Cell:
    plan = order.plan
    model = cut(job.model, plan.layers)
    known = {
        "flops": stage_flops(model, plan) if plan.stage != "tokenize" else None,
        "bytes_moved": stage_bytes_moved(model, plan) if plan.stage != "tokenize" else None,
        "peak_memory_bytes": taken.peak_bytes,
        "peak_allocated_bytes": taken.allocated_bytes,
        "peak_reserved_bytes": taken.reserved_bytes,
        "process_bytes": taken.process_bytes,
    }
    if not timing.samples_s:
        empty = unmeasured(plan, device=job.device, threads=job.threads, flags=timing.flags, note=timing.note or "")
        return empty.model_copy(update=known)
    summary = summarise(timing.samples_s)
    return Cell(
        **plan.model_dump(),
        **known,
        device=job.device,
        threads=job.threads,
        samples=summary.samples,
        median_s=summary.median_s,
        ci95_s=summary.ci95_s,
        p95_s=summary.p95_s,
        throughput_per_s=plan.workers * plan.batch_size / summary.median_s,
        throughput_unit=throughput_unit(plan.stage),
        flags=disturbed,
        note=taken.note,
        outliers=summary.outliers,
        samples_s=timing.samples_s,
    )


def _failed(job: Job, order: Order, flag: Flag, note: str, *, spoiled: bool = False) -> Outcome:
    cell = unmeasured(order.plan, device=job.device, threads=job.threads, flags=(flag,), note=note)
    return Outcome(index=order.index, cell=cell, first_run_s=None, spoiled=spoiled)


def _what_went_wrong(error: Exception) -> tuple[Flag, str]:
    """A flag and one sentence for a person; the library's own words only where we have none."""
    if isinstance(error, torch.OutOfMemoryError):
        return "out-of-memory", "The device's memory ran out."
    if is_out_of_memory(error):
        return "out-of-memory", "Memory ran out: the system refused to give this process more."
    if isinstance(error, NotBuilt | ValueError):
        return "unsupported", f"{first_line(error)}."
    return "crashed", f"{type(error).__name__}: {first_line(error)}"


def _say(replies: BinaryIO, reply: Reply) -> None:
    replies.write(reply.model_dump_json().encode() + b"\n")
    replies.flush()


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise OutOfTime between two operators after `seconds`; for one that never ends, there is the child's SIGKILL."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

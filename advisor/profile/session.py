"""One request in the warm child: which cell is measured when, by which worker, and what becomes of those that fail.

The child itself runs no operator and reads no model. The one idea: everything that can go wrong with a worker arrives
at one place, `_await`, as a reply, an end, a lateness, a cancel or the end of our own input, and each has one answer.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from advisor.core.hardware import DeviceDetail
from advisor.core.protocol import Cancel, Event, Failed, Finished, Measure, Measured, Started
from advisor.core.sizing.measurement import Cell, CellPlan, Flag, unmeasured
from advisor.core.sizing.statistics import TOLERANCE
from advisor.profile.inbox import EndOfInput, Inbox
from advisor.profile.orders import Built, Job, NotBuiltReply, Order, Outcome, Reply
from advisor.profile.processes import WorkerProcess
from advisor.profile.refusal import refusal, refusal_of_dtype
from advisor.profile.shares import RUNS, Shares
from advisor.profile.timing import COLD_FACTOR
from advisor.profile.worker import last_moment
from advisor.store import machine
from advisor.store.nvml import free_bytes

KILL_GRACE_S = 2.0
"""How long after its last moment a worker may take to say so itself."""
BUSY_SHARE = 0.5
"""A worker that used less than this part of a core while it was silent was stuck, not slow."""

CLEARLY_MORE = 1.25
"""How many times the time it had before makes a second attempt at a cell worth while."""

Late = Literal["late"]
Gone = Literal["gone"]


def build_seconds(parameters: int) -> float:
    """How long building may take before it counts as stuck: many times what it takes on a slow machine."""
    return 60.0 + parameters / 1e7


def broken_off_run_s(first_run_s: float | None, elapsed_s: float) -> float:
    """The least that one run of a cell takes which did not get its samples in `elapsed_s`."""
    return elapsed_s / RUNS if first_run_s is None else first_run_s / COLD_FACTOR


class Cancelled(Exception):
    """The parent wants no more of this request."""


class Session:
    """One `measure` request, from its first event to its last."""

    def __init__(
        self,
        request: Measure,
        *,
        inbox: Inbox,
        say: Callable[[Event], None],
        start: Callable[[Job], WorkerProcess],
        devices: Sequence[str],
        pid: int,
        details: Sequence[DeviceDetail] = (),
        identities: Mapping[str, str] | None = None,
    ) -> None:
        self._request, self._inbox, self._say, self._start = request, inbox, say, start
        self._devices, self._pid = devices, pid
        self._detail = next((one for one in details if one.device == request.device), None)
        self._identity = (identities or {}).get(request.device, "")
        self._threads = request.threads or machine.cores_usable()
        self._worker: WorkerProcess | None = None
        self._built: Built | None = None
        self._told: set[int] = set()
        self._postponed: dict[int, tuple[Cell, float]] = {}
        self._final = False
        self._worker_dtype: str | None = None
        self._begun = time.monotonic()
        self._shares = Shares(
            request.model,
            seconds_per_cell=request.seconds_per_cell,
            seconds_total=request.seconds_total,
            clock=time.monotonic,
        )

    def run(self) -> None:
        """Say every event of the request. Raises EndOfInput when the parent is gone; the worker is dead by then."""
        request = self._request
        if request.device not in self._devices:
            says = f"This machine has no device {request.device} that torch can use; it has {', '.join(self._devices)}."
            self._say(Failed(id=request.id, says=says))
            return
        cancelled = False
        try:
            for family in self._families(range(len(request.cells))):
                self._measure_family(family)
            self._try_again()
        except Cancelled:
            cancelled = True
            for index, (cell, _) in self._postponed.items():
                self._tell(index, cell)
            self._flag(range(len(request.cells)), ("cancelled",), "Cancelled.")
        finally:
            self._end_worker()
        wall_s = time.monotonic() - self._begun
        built = {} if self._built is None else self._built.model_dump(include={"weights", "notes"})
        parameters = None if self._built is None else self._built.parameters
        self._say(Finished(id=request.id, parameters=parameters, cancelled=cancelled, wall_s=wall_s, **built))

    def _families(self, indices: Sequence[int]) -> list[list[int]]:
        """Those of the cells that can be attempted, by dtype, in the order asked for. The others are told now."""
        available = self._available_bytes()
        families: dict[str, list[int]] = {}
        for index in indices:
            plan = self._request.cells[index]
            refused = refusal_of_dtype(self._detail, plan.dtype) or refusal(
                self._request.model,
                plan,
                limit_bytes=self._request.memory_limit_bytes,
                available_bytes=available,
            )
            if refused is None:
                families.setdefault(plan.dtype, []).append(index)
            else:
                self._flag([index], (refused[0],), refused[1])
        return list(families.values())

    def _available_bytes(self) -> int:
        """What the device has free now; where nobody tells, what the request allows."""
        if self._request.device == "cpu":
            return machine.memory_available_bytes()
        free = free_bytes(self._identity) if self._identity else None
        return self._request.memory_limit_bytes if free is None else free

    def _measure_family(self, family: list[int]) -> None:
        for index in family:
            if index not in self._told:
                self._measure_cell(index, family)
        self._end_worker()

    def _try_again(self) -> None:
        """Give the cells that were too slow for their part what the others have left over, where that is clearly more.

        The ledger still knows them: a cell that stays out of reach is not begun again.
        """
        first, self._postponed = self._postponed, {}
        for number, (index, (cell, limit_s)) in enumerate(first.items()):
            waiting = [self._request.cells[other] for other in list(first)[number + 1 :]]
            plan = self._request.cells[index]
            granted = self._shares.allowance(plan, waiting).limit_s
            if granted > CLEARLY_MORE * limit_s and self._shares.hopeless(plan, granted) is None:
                self._final = True
                if self._worker is not None and self._worker_dtype != plan.dtype:
                    self._end_worker()
                self._measure_cell(index, [index])
            self._tell(index, cell)

    def _measure_cell(self, index: int, family: list[int]) -> None:
        plan = self._request.cells[index]
        if select.select([self._inbox], [], [], 0)[0]:
            self._listen()
        if self._shares.left_s() <= 0:
            self._flag([index], ("undecided",), self._out_of_time())
            return
        after = [self._request.cells[other] for other in range(len(self._request.cells)) if self._open(other, index)]
        allowance = self._shares.allowance(plan, after)
        hopeless = self._shares.hopeless(plan, allowance.limit_s)
        if hopeless is not None:
            self._tell_or_postpone(index, self._flagged(plan, ("too-slow",), hopeless), allowance.limit_s)
            return
        self._say(Started(id=self._request.id, index=index, plan=plan))
        if self._worker is None and not self._build(index, family):
            return
        allowance = self._shares.allowance(plan, after)  # building took its part
        self._order(Order(index=index, plan=plan, share_s=allowance.share_s, limit_s=allowance.limit_s))

    def _open(self, other: int, index: int) -> bool:
        return other != index and other not in self._told and other not in self._postponed

    def _build(self, index: int, family: list[int]) -> bool:
        """Start a worker for the family of this cell and wait for its model; False where there will be none."""
        plan = self._request.cells[index]
        worker = self._worker = self._start(self._job(plan))
        self._worker_dtype = plan.dtype
        patience = min(self._shares.left_s(), build_seconds(self._request.model.parameters))
        reply = self._await(worker, patience)
        if isinstance(reply, Built):
            self._built = reply
            if self._shares.left_s() > 0:
                return True
            self._flag([index], ("undecided",), self._out_of_time())
        elif isinstance(reply, NotBuiltReply):
            self._end_worker()
            self._flag(family, (reply.flag,), reply.note)
        elif reply == "late":
            self._end_worker()
            out_of_time = self._shares.left_s() <= 0
            stuck = f"Building the model took longer than {patience:.3g} s, so it was stopped."
            note = f"{self._out_of_time()} The model was still being built." if out_of_time else stuck
            self._flag([index], ("undecided" if out_of_time else "hung",), note)
        else:
            self._bury([index])
        return False

    def _order(self, order: Order) -> None:
        worker = self._worker
        if worker is None:
            return
        begun, cpu_before = time.monotonic(), worker.cpu_seconds()
        worker.order(order)
        reply = self._await(worker, last_moment(order.limit_s) + KILL_GRACE_S)
        if isinstance(reply, Outcome):
            self._learn(order.plan, reply, order)
            self._tell_or_postpone(reply.index, reply.cell, order.limit_s)
            if reply.spoiled:
                self._end_worker()
        elif reply == "late":
            elapsed = time.monotonic() - begun
            flag, note = self._slow_or_stuck(worker, cpu_before, elapsed)
            self._end_worker()
            if flag == "too-slow":
                self._shares.learn_slower(order.plan, broken_off_run_s(None, elapsed))
            self._flag([order.index], (flag,), note)
        else:
            self._bury([order.index])

    def _learn(self, plan: CellPlan, outcome: Outcome, order: Order) -> None:
        if outcome.cell.samples_s:
            # The fastest sample: a stall of a busy machine must not condemn the cells that come after.
            self._shares.learn(plan, min(outcome.cell.samples_s))
        elif "too-slow" in outcome.cell.flags:
            self._shares.learn_slower(plan, broken_off_run_s(outcome.first_run_s, last_moment(order.limit_s)))

    def _slow_or_stuck(self, worker: WorkerProcess, cpu_before: float | None, elapsed: float) -> tuple[Flag, str]:
        cpu_after = worker.cpu_seconds()
        if cpu_before is not None and cpu_after is not None and cpu_after - cpu_before > BUSY_SHARE * elapsed:
            return "too-slow", f"Too slow for its time: one operator was still computing after {elapsed:.3g} s."
        return "hung", f"The worker process did nothing and said nothing for {elapsed:.3g} s and was stopped."

    def _await(self, worker: WorkerProcess, seconds: float) -> Reply | Late | Gone:
        """Sleep until the worker replies, ends or is late. Raises Cancelled or EndOfInput when the parent says so."""
        until = time.monotonic() + max(0.0, seconds)
        while True:
            wait_s = max(0.0, until - time.monotonic())
            pipes = (self._inbox.fileno(), worker.fileno())
            readable, _, _ = select.select(pipes, [], [], wait_s)
            if pipes[0] in readable:
                self._listen()
            if pipes[1] in readable:
                return worker.reply() or "gone"
            if not readable:
                return "late"

    def _listen(self) -> None:
        """Act on what the parent has said meanwhile."""
        try:
            arrived = self._inbox.arrived()
        except EndOfInput:
            self._end_worker()
            raise
        for request in arrived:
            if isinstance(request, Measure):
                self._inbox.keep(request)
        if any(isinstance(request, Cancel) and request.id == self._request.id for request in arrived):
            raise Cancelled

    def _bury(self, indices: Sequence[int]) -> None:
        if self._worker is not None:
            flags, note = self._worker.fate()
            self._worker = None
            self._flag(indices, flags, note)

    def _end_worker(self) -> None:
        """Workers hold nothing worth waiting for: their results are with us already."""
        if self._worker is not None:
            self._worker.kill()
            self._worker = None

    def _job(self, plan: CellPlan) -> Job:
        request = self._request
        return Job(
            model=request.model,
            dtype=plan.dtype,
            device=request.device,
            threads=self._threads,
            seed=request.seed,
            tolerance=TOLERANCE[request.effort],
            latency_budget_s=request.latency_budget_s,
            file_backed_bytes=None,
            identity=self._identity,
            parent_pid=self._pid,
            source=request.source,
        )

    def _out_of_time(self) -> str:
        return f"Time ran out: the whole request had {self._request.seconds_total:.3g} s."

    def _flag(self, indices: Sequence[int], flags: tuple[Flag, ...], note: str) -> None:
        for index in indices:
            self._tell(index, self._flagged(self._request.cells[index], flags, note))

    def _flagged(self, plan: CellPlan, flags: tuple[Flag, ...], note: str) -> Cell:
        return unmeasured(plan, device=self._request.device, threads=self._threads, flags=flags, note=note)

    def _tell_or_postpone(self, index: int, cell: Cell, limit_s: float) -> None:
        """Tell a cell, unless it was too slow only for what the others left it: that may change."""
        if "too-slow" in cell.flags and limit_s < self._request.seconds_per_cell and not self._final:
            self._postponed[index] = (cell, limit_s)
        else:
            self._tell(index, cell)

    def _tell(self, index: int, cell: Cell) -> None:
        if index not in self._told:
            self._told.add(index)
            self._say(Measured(id=self._request.id, index=index, cell=cell))

"""One request in the warm child: which cell is visited when, by which worker, and what becomes of those that fail.

The child itself runs no operator and reads no model. A worker first visits each of its cells in the order asked for,
the most needed first, and then goes round those that want more samples in random order, so that a drift of the machine
does not look like a trend over shapes. The one idea: everything that can go wrong with a worker arrives at one place,
where it is waited for, as a reply, an end, a lateness, a cancel or the end of our own input, and each has one answer.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence

from advisor.core.hardware import DeviceDetail, Dtype, Peaks
from advisor.core.model.cut import cut
from advisor.core.protocol import Event, Failed, Finished, Measure, Measured, Started
from advisor.core.sizing.measurement import Cell, CellPlan, Flag, Runtime, unmeasured
from advisor.core.sizing.sampling import Terms
from advisor.profile.families import families_of, job_of, with_most_layers
from advisor.profile.gathering import Gathered
from advisor.profile.inbox import Inbox
from advisor.profile.listening import Cancelled, Listener, slow_or_stuck
from advisor.profile.orders import Built, Job, More, NotBuiltReply, Order, Outcome, PeaksReply
from advisor.profile.physics import Physics, peak_seconds
from advisor.profile.processes import WorkerProcess
from advisor.profile.shares import Allowance, Shares, broken_off_run_s, build_seconds
from advisor.profile.worker import last_moment
from advisor.store import machine

KILL_GRACE_S = 2.0
"""How long after its last moment a worker may take to say so itself."""
CLEARLY_MORE = 1.25
"""How many times the time it had before makes a second attempt at a cell worth while."""


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
        self._request, self._say, self._start = request, say, start
        self._listener = Listener(inbox, request.id)
        self._devices, self._pid = devices, pid
        self._detail = next((one for one in details if one.device == request.device), None)
        self._identity = (identities or {}).get(request.device, "")
        self._threads = request.threads or machine.cores_usable()
        self._worker: WorkerProcess | None = None
        self._built: Built | None = None
        self._parameters: int | None = None
        self._told: set[int] = set()
        self._postponed: dict[int, tuple[Cell, float]] = {}
        self._final = False
        self._terms = Terms(request.effort, request.latency_budget_s, request.settled_below_s)
        self._gathered: dict[int, Gathered] = {}
        self._family: list[int] = []
        self._process = 0
        self._left_after_s = 0.0
        self._random = random.Random(request.seed)
        self._begun = time.monotonic()
        self._shares = Shares(
            request.model,
            seconds_per_cell=request.seconds_per_cell / self._terms.processes,
            seconds_total=request.seconds_total,
            clock=time.monotonic,
        )
        self._physics = Physics(request, measure=self._measure_peaks, say=say)

    def run(self) -> None:
        """Say every event of the request. Raises EndOfInput when the parent is gone; the worker is dead by then."""
        request = self._request
        if request.device not in self._devices:
            says = f"This machine has no device {request.device} that torch can use; it has {', '.join(self._devices)}."
            self._say(Failed(id=request.id, says=says))
            return
        cancelled = False
        try:
            self._physics.begin()
            families = families_of(request, self._detail, self._identity)
            for index, (flag, note) in families.refused.items():
                self._tell(index, self._flagged(request.cells[index], (flag,), note))
            for family in families.attempted:
                self._measure_family(family)
            self._try_again()
        except Cancelled:
            cancelled = True
            for index, (cell, _) in self._postponed.items():
                self._tell(index, cell)
            for index in range(len(request.cells)):
                self._give_up(index, ("undecided" if index in self._gathered else "cancelled",), "Cancelled.")
        finally:
            self._end_worker()
        wall_s = time.monotonic() - self._begun
        built = {} if self._built is None else self._built.model_dump(include={"weights", "notes"})
        self._say(Finished(id=request.id, parameters=self._parameters, cancelled=cancelled, wall_s=wall_s, **built))

    def _measure_family(self, family: list[int]) -> None:
        """Measure cells of one configuration in as many processes as the effort asks for, one after the other."""
        self._family = family
        for process in range(self._terms.processes):
            self._process = process
            self._measure_in_a_process(family)
            self._end_worker()
            for index in self._open_in(family):
                self._gathered[index].end_process()
        for index in self._open_in(family):
            self._tell(index, self._gathered[index].cell(self._threads))
        self._family = []

    def _measure_in_a_process(self, family: list[int]) -> None:
        """First visits in the order asked for, then rounds in random order while anyone wants more and has the time."""
        waiting: list[int] = []
        visited = True
        slots = sum(self._visits(index) for index in range(len(self._request.cells)))
        self._left_after_s = self._shares.left_s() * (1 - len(self._open_in(family)) / max(1, slots))
        while True:
            due = next((index for index in self._open_in(family) if self._due(index)), None)
            if due is not None:
                self._visit_first(due, family)
            elif waiting:
                visited = self._visit_again(waiting.pop()) or visited
            elif visited:
                waiting, visited = [index for index in self._open_in(family) if self._wanted(index)], False
                self._random.shuffle(waiting)
            else:
                return

    def _open_in(self, family: Sequence[int]) -> list[int]:
        """Cells that have not been told and are not put off."""
        return [index for index in family if index not in self._told and index not in self._postponed]

    def _due(self, index: int) -> bool:
        """Whether the running process has yet to visit it, for the first time or because its worker is gone."""
        gathered = self._gathered.get(index)
        return gathered is None or gathered.now is None or gathered.now.outlived

    def _wanted(self, index: int) -> int:
        """How many samples more the running process should take of a cell it has visited."""
        gathered = self._gathered.get(index)
        return 0 if gathered is None else gathered.wanted()

    def _try_again(self) -> None:
        """Give the cells that were too slow for their part what the others have left over, where that is clearly more.

        The ledger still knows them: a cell that stays out of reach is not begun again.
        """
        first, self._postponed = self._postponed, {}
        self._final = True
        for index, (cell, limit_s) in first.items():
            plan = self._request.cells[index]
            granted = self._allowance(index).limit_s
            if granted > CLEARLY_MORE * limit_s and self._shares.hopeless(plan, granted) is None:
                self._measure_family([index])
            self._tell(index, cell)

    def _visit_first(self, index: int, family: list[int]) -> None:
        plan = self._request.cells[index]
        self._listener.listen_if_spoken_to()
        if self._shares.left_s() <= 0:
            self._give_up(index, ("undecided",), self._out_of_time())
            return
        allowance = self._allowance(index)
        hopeless = self._shares.hopeless(plan, allowance.limit_s)
        if hopeless is not None:
            self._too_slow(index, self._flagged(plan, ("too-slow",), hopeless), allowance.limit_s)
            return
        if not self._was_visited(index):
            turn = {"process": self._process + 1, "processes": self._terms.processes}
            self._say(Started(id=self._request.id, index=index, plan=plan, **turn))
        while self._worker is None and index not in self._told:
            self._build(index, family)
        if index in self._told:
            return
        allowance = self._allowance(index)  # building took its part
        order = Order(index=index, plan=plan, share_s=allowance.share_s, limit_s=allowance.limit_s)
        begun = time.monotonic()
        reply = self._ask(order)
        if isinstance(reply, Outcome):
            self._learn(plan, reply, order)
            self._begin(index, reply, order, time.monotonic() - begun)

    def _begin(self, index: int, outcome: Outcome, order: Order, spent_s: float) -> None:
        """What a first visit brought: samples, or why there are none."""
        cell = outcome.cell
        if cell.median_s is not None:
            gathered = self._gathered.setdefault(index, Gathered(cell, self._terms))
            gathered.begin(outcome, spent_s)
            self._tell_if_done(index)
        elif "too-slow" in cell.flags:
            self._too_slow(index, cell, order.limit_s)
        else:
            self._give_up(index, cell.flags, cell.note or "", cell)
        if outcome.spoiled:
            self._lose_worker()

    def _visit_again(self, index: int) -> bool:
        """Take more samples of a cell; False where it wants none, or none that it has time for."""
        self._listener.listen_if_spoken_to()
        gathered = self._gathered[index]
        now, wanted = gathered.now, gathered.wanted()
        if index in self._told or now is None or now.outlived or not wanted:
            return False
        plan = self._request.cells[index]
        allowance = self._shares.allowance(self._ahead(index))
        room_s = self._request.seconds_per_cell / self._terms.processes - now.spent_s
        if now.visit_s(wanted) > min(self._share_of_the_rest(allowance), room_s):
            return False
        begun = time.monotonic()
        limits = {"share_s": allowance.share_s, "limit_s": allowance.limit_s}
        reply = self._ask(Order(index=index, plan=plan, more=wanted, runs=now.runs, **limits))
        if isinstance(reply, More):
            now.add(reply, wanted, time.monotonic() - begun)
            self._tell_if_done(index)
        elif isinstance(reply, Outcome):
            self._give_up(index, reply.cell.flags, reply.cell.note or "")
            if reply.spoiled:
                self._lose_worker()
        return True

    def _share_of_the_rest(self, allowance: Allowance) -> float:
        """Seconds for a later visit: the rest of this process's part, divided among those that want more samples.

        While cells wait for a second attempt, they have what is left over, and none may take more than its even share.
        """
        if self._postponed:
            return allowance.share_s
        wanting = sum(1 for index in self._open_in(self._family) if self._wanted(index))
        return (self._shares.left_s() - self._left_after_s) / max(1, wanting)

    def _tell_if_done(self, index: int) -> None:
        """Tell a cell of the last process as soon as it has enough: what was told is saved."""
        if self._process == self._terms.processes - 1 and not self._wanted(index):
            self._tell(index, self._gathered[index].cell(self._threads))

    def _was_visited(self, index: int) -> bool:
        """Whether the running process has visited it before, with a worker that is gone."""
        gathered = self._gathered.get(index)
        return gathered is not None and gathered.now is not None

    def _allowance(self, index: int) -> Allowance:
        """The time of a first visit: at most what cells no larger than this one can do without.

        No plan can do without the smallest: they have to get their samples before a larger one gets any.
        """
        plan, ahead = self._request.cells[index], self._ahead(index)
        no_larger = [other for other in ahead if other.batch_size <= plan.batch_size]
        return Allowance(self._shares.allowance(ahead).share_s, self._shares.allowance(no_larger).limit_s)

    def _ahead(self, index: int) -> list[CellPlan]:
        """What is still to be visited beside this visit to a cell: each plan once for every process that has to."""
        cells = self._request.cells
        return [cells[other] for other in range(len(cells)) for _ in range(self._visits(other) - (other == index))]

    def _visits(self, index: int) -> int:
        if not self._open_in([index]):
            return 0
        if index not in self._family:
            return self._terms.processes
        later = self._terms.processes - 1 - self._process
        return later + (self._due(index) or self._wanted(index) > 0)

    def _build(self, index: int, family: list[int]) -> None:
        """Start a worker for the family of this cell and wait for its model; cells that get none are told.

        Its model is the one with most layers that is still asked for. Where it is another's than this cell's, whatever
        goes wrong with it is said of all of its cells, and this one is left to a smaller model.
        """
        alike = with_most_layers(self._request.cells, self._open_in(family))
        plan = self._request.cells[alike[0]]
        blamed = [index] if index in alike else alike
        worker = self._worker = self._start(self._job(plan))
        patience = min(
            self._shares.left_s(), build_seconds(cut(self._request.model, plan.layers).parameters, plan.runtime)
        )
        reply = self._listener.reply_of(worker, patience)
        if isinstance(reply, Built):
            self._built = reply
            self._parameters = reply.parameters if plan.layers is None else self._parameters
            if self._shares.left_s() <= 0:
                self._give_up(index, ("undecided",), self._out_of_time())
        elif isinstance(reply, NotBuiltReply):
            self._end_worker()
            for other in alike:
                self._give_up(other, (reply.flag,), reply.note)
        elif reply == "late":
            self._end_worker()
            out_of_time = self._shares.left_s() <= 0
            stuck = f"Building the model took longer than {patience:.3g} s, so it was stopped."
            note = f"{self._out_of_time()} The model was still being built." if out_of_time else stuck
            for other in blamed:
                self._give_up(other, ("undecided" if out_of_time else "hung",), note)
        else:
            self._bury(*blamed)

    def _ask(self, order: Order) -> Outcome | More | None:
        """The reply to an order; None where the worker did not come to one, which is then said of the cell."""
        worker = self._worker
        if worker is None:
            return None
        begun, cpu_before = time.monotonic(), worker.cpu_seconds()
        worker.order(order)
        reply = self._listener.reply_of(worker, last_moment(order.limit_s) + KILL_GRACE_S)
        if isinstance(reply, Outcome | More):
            return reply
        if reply == "late":
            elapsed = time.monotonic() - begun
            flag, note = slow_or_stuck(worker, cpu_before, elapsed)
            if flag == "too-slow":
                self._shares.learn_slower(order.plan, broken_off_run_s(None, elapsed))
            self._give_up(order.index, (flag,), note)
            self._lose_worker()
        else:
            self._bury(order.index)
        return None

    def _learn(self, plan: CellPlan, outcome: Outcome, order: Order) -> None:
        if outcome.cell.samples_s:
            # The fastest sample: a stall of a busy machine must not condemn the cells that come after.
            self._shares.learn(plan, min(outcome.cell.samples_s))
        elif "too-slow" in outcome.cell.flags:
            self._shares.learn_slower(plan, broken_off_run_s(outcome.first_run_s, last_moment(order.limit_s)))

    def _bury(self, *indices: int) -> None:
        if self._worker is not None:
            flags, note = self._worker.fate()
            self._worker = None
            for index in indices:
                self._give_up(index, flags, note)
            self._lose_worker()

    def _lose_worker(self) -> None:
        """The process ends before its time: what it had begun and not finished is due again in the next one."""
        self._end_worker()
        for index in self._open_in(self._family):
            if self._wanted(index):
                self._gathered[index].outlive()

    def _end_worker(self) -> None:
        """Workers hold nothing worth waiting for: their results are with us already."""
        if self._worker is not None:
            self._worker.kill()
            self._worker = None

    def _job(self, plan: CellPlan) -> Job:
        return job_of(self._request, plan, threads=self._threads, identity=self._identity, parent_pid=self._pid)

    def _out_of_time(self) -> str:
        return f"Time ran out: the whole request had {self._request.seconds_total:.3g} s."

    def _flagged(self, plan: CellPlan, flags: tuple[Flag, ...], note: str) -> Cell:
        device, threads = self._request.device, self._threads // plan.workers
        return unmeasured(plan, device=device, threads=threads, flags=flags, note=note)

    def _too_slow(self, index: int, cell: Cell, limit_s: float) -> None:
        """Tell a cell, unless it was too slow only for what the others left it: that may change."""
        if index in self._gathered:
            self._give_up(index, ("undecided",), cell.note or "")
        elif limit_s < self._request.seconds_per_cell / self._terms.processes and not self._final:
            self._postponed[index] = (cell, limit_s)
        else:
            self._tell(index, cell)

    def _give_up(self, index: int, flags: tuple[Flag, ...], note: str, cell: Cell | None = None) -> None:
        """Tell a cell that will get no more samples; with those it has, if it has any."""
        gathered = self._gathered.get(index)
        if gathered is not None:
            self._tell(index, gathered.cell(self._threads, flags, note))
        else:
            self._tell(index, cell or self._flagged(self._request.cells[index], flags, note))

    def _tell(self, index: int, cell: Cell) -> None:
        if index not in self._told:
            cell = self._physics.judged(cell)
            self._told.add(index)
            self._say(Measured(id=self._request.id, index=index, cell=cell))

    def _measure_peaks(self, dtypes: tuple[Dtype, ...], runtimes: tuple[Runtime, ...]) -> Peaks | None:
        """What a worker of its own finds the device to do at most; None where it does not come to say."""
        plan, asked = self._request.cells[0], {"peaks_of": dtypes, "peaks_by": runtimes}
        worker = self._start(self._job(plan).model_copy(update={"workers": 1, "threads": self._threads} | asked))
        try:
            reply = self._listener.reply_of(
                worker, min(self._shares.left_s(), peak_seconds(len(dtypes), len(runtimes)))
            )
        finally:
            worker.kill()
        return reply.peaks if isinstance(reply, PeaksReply) else None

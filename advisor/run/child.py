"""`Child`: a measuring process as its users see it, warm between requests and started again when it died.

How the process is run stands in `process`. The one idea: whatever happens to the process, a request yields one `cell`
event per planned cell and a last `finished` or `failed`, never an exception; and only the holder of the machine-wide
lock measures. While a block is timed this side sleeps on a pipe: a parent that polls steals the cores it times.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from advisor.core.errors import EXIT_UNDECIDED, AdvisorError
from advisor.core.protocol import (
    Answer,
    Cancel,
    Event,
    Failed,
    Finished,
    Measure,
    Measured,
    Ready,
    Reused,
    Waiting,
)
from advisor.core.sizing.measurement import Flag, unmeasured
from advisor.run.process import ChildProcess
from advisor.store.lock import LOCK_PATH, MachineLock

COMMAND = (sys.executable, "-P", "-m", "advisor.profile")
LATE_SECONDS = 20.0
"""How long after the request's own time limit the child may take to say that it has finished."""
CANCEL_SECONDS = 5.0
LOCK_RETRY_SECONDS = 0.5


class Child:
    """A measuring process. Use it from the event loop that started it; `close` it, or use it as `async with`."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str] | None, lock_path: Path) -> None:
        self._command = tuple(command)
        self._env = env
        # An empty folder to work in: beside a stranger's files, Python or a library might read one of them.
        self._folder = tempfile.TemporaryDirectory(prefix="archadvisor-", ignore_cleanup_errors=True)
        self._lock = MachineLock(lock_path)
        self._turn = asyncio.Lock()
        self._cancelling = asyncio.Event()
        self._request: Measure | None = None
        self._watchdog: asyncio.TimerHandle | None = None
        self._process: ChildProcess | None = None

    @classmethod
    async def start(
        cls,
        *,
        command: Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
        lock_path: Path = LOCK_PATH,
    ) -> Self:
        """Start the child, which imports torch while the caller goes on. AdvisorError where it cannot be started."""
        child = cls(COMMAND if command is None else command, env, lock_path)
        try:
            await child._living()
        except AdvisorError:
            child._folder.cleanup()
            raise
        return child

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def pid(self) -> int | None:
        """The process id while it lives."""
        return self._process.pid if self._process is not None and self._process.alive else None

    @property
    def words(self) -> tuple[str, ...]:
        """The last lines it wrote to stderr, and what it said on stdout that was no event."""
        return () if self._process is None else tuple(self._process.words)

    async def ready(self) -> Ready:
        """Wait until it can measure. Raises AdvisorError with one sentence where it never will."""
        first = await (await self._living()).first_event()
        if isinstance(first, Ready):
            return first
        raise AdvisorError(first.says, exit_code=EXIT_UNDECIDED, fix=first.fix)

    async def measure(
        self, request: Measure, still_wanted: Callable[[], Measure] | None = None, /
    ) -> AsyncGenerator[Event, None]:
        """Yield the events of one request, ending with `finished` or `failed`.

        `waiting` comes first where another process measures on this machine. Once the machine is ours `still_wanted`
        says what is left of the request; events then count the cells of that. A second request waits for the first.
        Leaving the loop early cancels the request.
        """
        async with self._turn:
            self._cancelling.clear()
            self._request = request
            try:
                async with contextlib.aclosing(self._measure_in_turn(request, still_wanted)) as events:
                    async for event in events:
                        yield event
            finally:
                self._request = None
                self._disarm()
                self._lock.release()

    async def cancel(self) -> None:
        """Stop the request in hand: finished cells stand, the others become `cancelled`. Does not wait for that."""
        if self._request is None or self._cancelling.is_set():
            return
        self._cancelling.set()
        await self._send_cancel(self._request)

    async def close(self) -> None:
        """End the process, gently for two seconds, then not."""
        self._cancelling.set()
        self._disarm()
        if self._process is not None:
            await self._process.close()
        self._lock.release()
        self._folder.cleanup()

    async def _measure_in_turn(
        self, request: Measure, still_wanted: Callable[[], Measure] | None
    ) -> AsyncGenerator[Event, None]:
        begun = time.monotonic()
        try:
            if not self._lock.acquire():
                yield Waiting(holder_pid=self._lock.holder_pid())
                await self._wait_for_lock()
            if still_wanted is not None and not self._cancelling.is_set():
                request = still_wanted()
            if not request.cells:
                yield Finished(id=request.id, parameters=None, wall_s=0.0)
                return
            process = await self._living()
        except AdvisorError as error:
            yield Failed(id=request.id, says=error.problems[0].message, fix=error.problems[0].fix)
            return
        first = await process.first_event()
        if isinstance(first, Failed):
            yield first.model_copy(update={"id": request.id})
            return
        threads = request.threads or first.machine.cores_usable
        if self._cancelling.is_set():
            for event in _unserved(request, threads, set(), "cancelled", "Cancelled before it began."):
                yield event
            yield Finished(id=request.id, parameters=None, cancelled=True, wall_s=time.monotonic() - begun)
        else:
            async with contextlib.aclosing(self._serve(request, process, threads, begun)) as events:
                async for event in events:
                    yield event

    async def _wait_for_lock(self) -> None:
        """Return when the lock is ours or the request is cancelled. Polling is harmless: we time nothing now."""
        while not self._cancelling.is_set() and not self._lock.acquire():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._cancelling.wait(), LOCK_RETRY_SECONDS)

    async def _serve(
        self, request: Measure, process: ChildProcess, threads: int, begun: float
    ) -> AsyncGenerator[Event, None]:
        done: set[int] = set()
        over = False
        limit = request.seconds_total + LATE_SECONDS
        self._arm(process, limit, f"it was silent {LATE_SECONDS:.0f} s beyond its time limit")
        await process.send(request)
        try:
            while not over:
                event = await process.next_event()
                if event is None:
                    over = True
                    for last in await self._died(request, process, threads, done, begun):
                        yield last
                elif isinstance(event, Ready | Waiting | Reused | Answer) or event.id != request.id:
                    continue  # an event of a request that is over, or one that only a parent makes
                elif isinstance(event, Measured):
                    if event.index not in done and 0 <= event.index < len(request.cells):
                        done.add(event.index)
                        yield event
                elif isinstance(event, Finished):
                    over = True
                    for missing in _unserved(
                        request, threads, done, "crashed", "The measuring process said nothing of it."
                    ):
                        yield missing
                    yield event
                else:
                    over = isinstance(event, Failed)
                    yield event
        finally:
            if not over:
                await self._abandon(request, process)

    async def _died(
        self, request: Measure, process: ChildProcess, threads: int, done: set[int], begun: float
    ) -> list[Event]:
        flag, note = await process.obituary()
        cancelled = self._cancelling.is_set()
        rest = (
            _unserved(request, threads, done, "cancelled", "Cancelled.")
            if cancelled
            else _unserved(request, threads, done, flag, note)
        )
        wall_s = time.monotonic() - begun
        return [*rest, Finished(id=request.id, parameters=None, cancelled=cancelled, wall_s=wall_s)]

    async def _abandon(self, request: Measure, process: ChildProcess) -> None:
        """The caller left: stop the worker, and swallow what still comes so that the next request starts clean."""
        if not self._cancelling.is_set():
            self._cancelling.set()
            await self._send_cancel(request)
        while (event := await process.next_event()) is not None:
            if isinstance(event, Finished | Failed) and event.id == request.id:
                return

    async def _send_cancel(self, request: Measure) -> None:
        if self._process is not None:
            self._arm(self._process, CANCEL_SECONDS, "it did not stop when asked to")
            await self._process.send(Cancel(id=request.id))

    async def _living(self) -> ChildProcess:
        """The process, started where it is not running."""
        if self._process is None or not self._process.alive:
            if self._process is not None:
                await self._process.close()
            self._process = await ChildProcess.spawn(self._command, env=self._env, folder=self._folder.name)
        return self._process

    def _arm(self, process: ChildProcess, seconds: float, because: str) -> None:
        self._disarm()
        self._watchdog = asyncio.get_running_loop().call_later(seconds, process.stop, because)

    def _disarm(self) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None


def _unserved(request: Measure, threads: int, done: set[int], flag: Flag, note: str) -> list[Event]:
    """A flagged cell for every planned one that had no event."""
    return [
        Measured(
            id=request.id,
            index=index,
            cell=unmeasured(plan, device=request.device, threads=threads // plan.workers, flags=(flag,), note=note),
        )
        for index, plan in enumerate(request.cells)
        if index not in done
    ]

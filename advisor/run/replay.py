"""The parent's side of a replay: one process, one schedule, one answer.

It holds the machine-wide lock, for what is served is timed. Whatever happens to the process becomes an AdvisorError;
leaving early kills it.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from advisor.core.errors import EXIT_UNDECIDED, AdvisorError
from advisor.core.protocol import NotReplayed, Replay
from advisor.core.protocol import Replayed as Answered
from advisor.core.sizing.replaying import ReplayResult
from advisor.run import child
from advisor.run.process import ChildProcess
from advisor.store.lock import LOCK_PATH, MachineLock

SECONDS = 300.0
PARAMETERS_PER_SECOND = 1e7
"""Starting, building and warming up, on a slow machine."""


async def replay(
    request: Replay,
    *,
    command: Sequence[str] | None = None,
    lock_path: Path = LOCK_PATH,
    say: Callable[[str], object] = lambda words: None,
) -> ReplayResult:
    """What came of the schedule. Raises AdvisorError (exit code 4) where it could not be served.

    `say` is told where another process measures on this machine, which is waited for.
    """
    words = (*(child.COMMAND if command is None else command), "--replay")
    seconds = SECONDS + request.model.parameters / PARAMETERS_PER_SECOND + request.plan.seconds_limit
    lock = MachineLock(lock_path)
    with tempfile.TemporaryDirectory(prefix="archadvisor-", ignore_cleanup_errors=True) as folder:
        try:
            if not lock.acquire():
                holder = lock.holder_pid()
                say(f"waiting: {f'process {holder}' if holder else 'another process'} is measuring on this machine")
            while not lock.acquire():
                await asyncio.sleep(child.LOCK_RETRY_SECONDS)  # harmless: nothing of ours is timed yet
            process = await ChildProcess.spawn(words, env=None, folder=folder)
            try:
                return await _answer(request, process, seconds)
            finally:
                process.stop("nobody waits for it any more")
                await process.close()
        finally:
            lock.release()


async def _answer(request: Replay, process: ChildProcess, seconds: float) -> ReplayResult:
    await process.send(request)
    try:
        async with asyncio.timeout(seconds):
            while (event := await process.next_event()) is not None:
                if isinstance(event, Answered) and event.id == request.id:
                    return event.result
                if isinstance(event, NotReplayed) and event.id == request.id:
                    raise AdvisorError(event.says, exit_code=EXIT_UNDECIDED, fix=event.fix)
    except TimeoutError:
        process.stop(f"it had no answer after {seconds:.0f} s")
    _, note = await process.obituary()
    raise AdvisorError(note, exit_code=EXIT_UNDECIDED)

"""The parent's side of a replay: one process, one schedule, one answer.

It holds the machine-wide lock, for what is served is timed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from advisor.core.protocol import Replay, Replayed
from advisor.core.sizing.replaying import ReplayResult
from advisor.run import child
from advisor.run.asking import asked
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
    try:
        if not lock.acquire():
            holder = lock.holder_pid()
            say(f"waiting: {f'process {holder}' if holder else 'another process'} is measuring on this machine")
        while not lock.acquire():
            await asyncio.sleep(child.LOCK_RETRY_SECONDS)  # harmless: nothing of ours is timed yet
        return (await asked(words, request, Replayed, seconds=seconds)).result
    finally:
        lock.release()

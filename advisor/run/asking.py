"""One process started for one question: spawned, asked, answered or stopped.

Both that inspect and that serve a schedule are asked this way. Whatever happens to the process becomes an AdvisorError
(exit code 4); leaving early kills it.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from typing import TypeVar

from advisor.core.errors import EXIT_UNDECIDED, AdvisorError
from advisor.core.protocol import Inspect, Inspected, NotInspected, NotReplayed, Replay, Replayed
from advisor.run.process import ChildProcess

A = TypeVar("A", Inspected, Replayed)


async def asked(command: Sequence[str], request: Inspect | Replay, answer: type[A], *, seconds: float) -> A:
    """The answer of this kind to a request. Raises AdvisorError where there is none within so many seconds."""
    with tempfile.TemporaryDirectory(prefix="archadvisor-", ignore_cleanup_errors=True) as folder:
        process = await ChildProcess.spawn(command, env=None, folder=folder)
        try:
            return await _answered(process, request, answer, seconds)
        finally:
            process.stop("nobody waits for it any more")
            await process.close()


async def _answered(process: ChildProcess, request: Inspect | Replay, answer: type[A], seconds: float) -> A:
    await process.send(request)
    try:
        async with asyncio.timeout(seconds):
            while (event := await process.next_event()) is not None:
                if isinstance(event, answer) and event.id == request.id:
                    return event
                if isinstance(event, NotInspected | NotReplayed) and event.id == request.id:
                    raise AdvisorError(event.says, exit_code=EXIT_UNDECIDED, fix=event.fix)
    except TimeoutError:
        process.stop(f"it had no answer after {seconds:.0f} s")
    _, note = await process.obituary()
    raise AdvisorError(note, exit_code=EXIT_UNDECIDED)

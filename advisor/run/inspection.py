"""The parent's side of an inspection: one process, one request, one answer.

It takes no lock, for it times nothing: a measurement that runs beside it flags the load. Whatever happens to the
process becomes an AdvisorError; leaving early kills it.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence

from advisor.core.errors import EXIT_UNDECIDED, AdvisorError
from advisor.core.protocol import Inspect, Inspected, NotInspected
from advisor.run import child
from advisor.run.process import ChildProcess

SECONDS = 300.0
PARAMETERS_PER_SECOND = 1e7
"""Reading the weights from a slow disk and asking every layer in float64, many times over."""


async def inspect(request: Inspect, command: Sequence[str] | None = None) -> Inspected:
    """What was seen. Raises AdvisorError (exit code 4) where nothing could be."""
    words = (*(child.COMMAND if command is None else command), "--inspect")
    with tempfile.TemporaryDirectory(prefix="archadvisor-", ignore_cleanup_errors=True) as folder:
        process = await ChildProcess.spawn(words, env=None, folder=folder)
        try:
            return await _answer(request, process, SECONDS + request.model.parameters / PARAMETERS_PER_SECOND)
        finally:
            process.stop("nobody waits for it any more")
            await process.close()


async def _answer(request: Inspect, process: ChildProcess, seconds: float) -> Inspected:
    await process.send(request)
    try:
        async with asyncio.timeout(seconds):
            while (event := await process.next_event()) is not None:
                if isinstance(event, Inspected) and event.id == request.id:
                    return event
                if isinstance(event, NotInspected) and event.id == request.id:
                    raise AdvisorError(event.says, exit_code=EXIT_UNDECIDED, fix=event.fix)
    except TimeoutError:
        process.stop(f"it had no answer after {seconds:.0f} s")
    _, note = await process.obituary()
    raise AdvisorError(note, exit_code=EXIT_UNDECIDED)

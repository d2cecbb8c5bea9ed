"""The parent's side of an inspection: one process, one request, one answer.

It takes no lock, for it times nothing: a measurement that runs beside it flags the load.
"""

from __future__ import annotations

from collections.abc import Sequence

from advisor.core.protocol import Inspect, Inspected
from advisor.run import child
from advisor.run.asking import asked

SECONDS = 300.0
PARAMETERS_PER_SECOND = 1e7
"""Reading the weights from a slow disk and asking every layer in float64, many times over."""


async def inspect(request: Inspect, command: Sequence[str] | None = None) -> Inspected:
    """What was seen. Raises AdvisorError (exit code 4) where nothing could be."""
    words = (*(child.COMMAND if command is None else command), "--inspect")
    seconds = SECONDS + request.model.parameters / PARAMETERS_PER_SECOND
    return await asked(words, request, Inspected, seconds=seconds)

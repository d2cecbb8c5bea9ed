"""Waiting for a worker while the parent may speak: what comes first is what counts.

The one idea: whoever waits for a worker waits for the parent too, so that a cancel or the end of our own input ends a
wait at once and not after the cell.
"""

from __future__ import annotations

import select
import time
from typing import Literal

from advisor.core.protocol import Cancel, Measure
from advisor.core.sizing.measurement import Flag
from advisor.profile.inbox import Inbox
from advisor.profile.orders import Reply
from advisor.profile.processes import WorkerProcess

BUSY_SHARE = 0.5
"""A worker that used less than this part of a core while it was silent was stuck, not slow."""

Late = Literal["late"]
Gone = Literal["gone"]


class Cancelled(Exception):
    """The parent wants no more of this request."""


class Listener:
    """Hears the parent while a request is worked on. Everything here raises Cancelled or EndOfInput when it says so."""

    def __init__(self, inbox: Inbox, request: int) -> None:
        self._inbox, self._request = inbox, request

    def reply_of(self, worker: WorkerProcess, seconds: float) -> Reply | Late | Gone:
        """Sleep until the worker replies, ends or is late."""
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

    def listen_if_spoken_to(self) -> None:
        """Act on what the parent has said meanwhile, if anything."""
        if select.select([self._inbox], [], [], 0)[0]:
            self._listen()

    def _listen(self) -> None:
        arrived = self._inbox.arrived()
        for request in arrived:
            if isinstance(request, Measure):
                self._inbox.keep(request)
        if any(isinstance(request, Cancel) and request.id == self._request for request in arrived):
            raise Cancelled


def slow_or_stuck(worker: WorkerProcess, cpu_before: float | None, elapsed_s: float) -> tuple[Flag, str]:
    """What a worker was that did not reply in time, told by the processor time it used."""
    cpu_after = worker.cpu_seconds()
    if cpu_before is not None and cpu_after is not None and cpu_after - cpu_before > BUSY_SHARE * elapsed_s:
        return "too-slow", f"Too slow for its time: one operator was still computing after {elapsed_s:.3g} s."
    return "hung", f"The worker process did nothing and said nothing for {elapsed_s:.3g} s and was stopped."

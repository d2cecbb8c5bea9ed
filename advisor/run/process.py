"""One life of the measuring process: its pipes, its first event, its end and why it came.

Requests and their cells are `child`'s business. The one idea: both pipes are pumped by tasks that sleep until there is
something to read, so a process that talks nonsense, floods its stderr or dies can neither block nor break its parent.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Self

from pydantic import ValidationError

from advisor.core.errors import EXIT_UNDECIDED, AdvisorError
from advisor.core.protocol import EVENTS, Answer, Cancel, Event, Failed, Inspect, Measure, Ready, Replay
from advisor.core.sizing.measurement import Flag

READY_SECONDS = 300.0
"""Importing torch from a cold network disk can take minutes; longer is a hang."""
CLOSE_SECONDS = 2.0
CHUNK_BYTES = 64 * 1024
LONGEST_LINE_BYTES = 8 * 1024 * 1024
WORDS_KEPT = 40


class ChildProcess:
    """A started process that speaks the protocol. Its end is an event (`None` from `next_event`), not an exception."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._events: asyncio.Queue[Event | Answer | None] = asyncio.Queue()
        self._first: asyncio.Future[Ready | Failed | None] = asyncio.get_running_loop().create_future()
        self._stopped_because: str | None = None
        self.words: deque[str] = deque(maxlen=WORDS_KEPT)
        self._pumps = (asyncio.create_task(self._pump_events()), asyncio.create_task(self._pump_words()))

    @classmethod
    async def spawn(cls, command: Sequence[str], *, env: Mapping[str, str] | None, folder: str) -> Self:
        """Start the command in `folder`. Raises AdvisorError with one sentence where that is impossible."""
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=folder,
                env=None if env is None else dict(env),
                # Ctrl-C in the terminal reaches the parent alone, which cancels and closes in order.
                start_new_session=True,
            )
        except OSError as error:
            raise AdvisorError(
                f"The measuring process {command[0]} cannot be started: {error.strerror or error}.",
                exit_code=EXIT_UNDECIDED,
            ) from error
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can still be spoken to."""
        return self._process.returncode is None and not self._pumps[0].done()

    async def first_event(self) -> Ready | Failed:
        """`ready`, or the reason why it will never be."""
        try:
            first = await asyncio.wait_for(asyncio.shield(self._first), READY_SECONDS)
        except TimeoutError:
            self.stop(f"it was not ready after {READY_SECONDS:.0f} s")
            first = None
        if first is not None:
            return first
        _, note = await self.obituary()
        return Failed(says=f"{note.rstrip('.')}. It was not ready to measure yet.")

    async def next_event(self) -> Event | Answer | None:
        """The next event, or None once the process has said all it will ever say."""
        event = await self._events.get()
        if event is None:
            self._events.put_nowait(None)  # the end stays the end, however often it is asked for
        return event

    async def send(self, request: Measure | Cancel | Inspect | Replay) -> None:
        """Send a request. A process that is gone shows in `next_event`; a broken pipe here adds nothing to that."""
        stdin = self._process.stdin
        if stdin is None or stdin.is_closing():
            return
        with contextlib.suppress(ConnectionError):
            stdin.write(request.model_dump_json().encode() + b"\n")
            await stdin.drain()

    def stop(self, because: str) -> None:
        """SIGKILL the process and whatever it started: it did not do what it should, and `because` says what."""
        self._stopped_because = self._stopped_because or because
        self._kill()

    async def close(self) -> None:
        """End it: end of its stdin first, then SIGKILL."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), CLOSE_SECONDS)
        self._kill()
        await self._process.wait()
        await self._end_pumps()

    async def obituary(self) -> tuple[Flag, str]:
        """Why it ended: a flag, and a sentence with the last thing it said. Waits for the end, and sees to it."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), CLOSE_SECONDS)
        if self._process.returncode is None:
            self.stop("it had nothing more to say and did not end")
        code = await self._process.wait()
        self._kill()  # what it started must not outlive it
        await self._end_pumps()
        last = f" Its last words: {self.words[-1][:300]}" if self.words else ""
        if self._stopped_because is not None:
            return "hung", f"The measuring process was stopped because {self._stopped_because}.{last}"
        if code in (-signal.SIGKILL, 128 + signal.SIGKILL):
            return "killed", f"The measuring process was killed from outside, most likely because memory ran out.{last}"
        how = f"by signal {-code} ({signal.strsignal(-code)})" if code < 0 else f"with exit code {code}"
        return "crashed", f"The measuring process ended {how}.{last}"

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def _end_pumps(self) -> None:
        """Let the pumps read what is still in the pipes; a grandchild that holds one open does not hold us up."""
        _, late = await asyncio.wait(self._pumps, timeout=CLOSE_SECONDS)
        for pump in late:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _pump_events(self) -> None:
        try:
            async for line in _lines(self._process.stdout):
                event = self._understood(line)
                if isinstance(event, Ready | Failed) and not self._first.done():
                    self._first.set_result(event)
                elif event is not None:
                    self._events.put_nowait(event)
        finally:
            if not self._first.done():
                self._first.set_result(None)
            self._events.put_nowait(None)

    async def _pump_words(self) -> None:
        async for line in _lines(self._process.stderr):
            words = _printable(line)
            if words:
                self.words.append(words)

    def _understood(self, line: bytes) -> Event | Answer | None:
        """The event in a line. What is none is kept for words: a library may print where it should not."""
        try:
            return EVENTS.validate_json(line)
        except ValidationError:
            if words := _printable(line[:200]):
                self.words.append(f"on stdout, where only events belong: {words}")
            return None


async def _lines(stream: asyncio.StreamReader | None) -> AsyncIterator[bytes]:
    """Lines of any length up to a cap; what is longer is cut, so that a flood cannot fill the memory."""
    if stream is None:
        return
    kept = bytearray()
    while chunk := await stream.read(CHUNK_BYTES):
        *whole, rest = chunk.split(b"\n")
        for line in whole:
            yield bytes(kept) + line
            kept.clear()
        kept += rest
        del kept[LONGEST_LINE_BYTES:]
    if kept:
        yield bytes(kept)


def _printable(line: bytes) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in line.decode("utf-8", "replace")).strip()

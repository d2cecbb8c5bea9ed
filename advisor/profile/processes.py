"""Start a worker process, talk to it, end it, and say how it ended.

A fork of the warm child has torch imported already and starts in milliseconds; a fresh process pays for the import
again. The one idea: fork only while this process is one thread. A thread that holds a lock at the moment of a fork
leaves it locked in the copy for ever.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from advisor.core.sizing.measurement import Flag
from advisor.profile.orders import REPLIES, Job, Order, Reply, Rest
from advisor.store import machine

TASKS = Path("/proc/self/task")
CHUNK_BYTES = 64 * 1024
Serve = Callable[[Job, BinaryIO, BinaryIO], None]


def may_fork() -> bool:
    """Whether this process is a single thread on a system where a fork of it can run torch."""
    if sys.platform != "linux":
        return False
    with suppress(OSError):
        return len(os.listdir(TASKS)) == 1
    return False


class WorkerProcess:
    """A running worker, seen from the child: a pipe for orders, a pipe for replies, a fate."""

    def __init__(self, pid: int, orders: int, replies: int) -> None:
        self.pid = pid
        self._orders, self._replies = orders, replies
        self._heard = b""
        self._kills_before = machine.load().out_of_memory_kills
        self._status: int | None = None

    def fileno(self) -> int:
        """The pipe of replies, to wait on."""
        return self._replies

    def order(self, order: Order | Rest) -> None:
        """Hand over an order. A dead worker shows in `reply`."""
        with suppress(BrokenPipeError):
            os.write(self._orders, order.model_dump_json().encode() + b"\n")

    def reply(self) -> Reply | None:
        """The next reply, once `fileno` is readable; None once the worker has closed its end.

        Blocks only while a line is half written, which a live worker ends at once.
        """
        while b"\n" not in self._heard:
            chunk = os.read(self._replies, CHUNK_BYTES)
            if not chunk:
                return None
            self._heard += chunk
        line, self._heard = self._heard.split(b"\n", 1)
        with suppress(ValidationError):
            return REPLIES.validate_json(line)
        return None

    def cpu_seconds(self) -> float | None:
        """Processor time it has used, to tell a slow one from a stuck one; None where that is not told."""
        import psutil  # asked for only when a worker has to be stopped

        with suppress(psutil.Error):
            times = psutil.Process(self.pid).cpu_times()
            return float(times.user + times.system)
        return None

    def kill(self) -> None:
        """End it now."""
        with suppress(ProcessLookupError):
            if self._status is None:
                os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def wait(self) -> int:
        """Its exit status as `os.waitpid` tells it; closes the pipes."""
        if self._status is None:
            with suppress(ChildProcessError):
                self._status = os.waitpid(self.pid, 0)[1]
            self._status = self._status or 0
            for pipe in (self._orders, self._replies):
                if pipe >= 0:
                    os.close(pipe)
        return self._status

    def fate(self) -> tuple[tuple[Flag, ...], str]:
        """Why it ended without being told to: flags and a sentence."""
        status = self.wait()
        if not os.WIFSIGNALED(status):
            return ("crashed",), f"The worker process ended with exit code {os.waitstatus_to_exitcode(status)}."
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            return ("crashed",), f"The worker process crashed: signal {number} ({signal.strsignal(number)})."
        kills = machine.load().out_of_memory_kills
        if self._kills_before is not None and kills is not None and kills > self._kills_before:
            return ("killed", "out-of-memory"), "The kernel killed the worker process because memory ran out."
        return ("killed",), "The worker process was killed from outside."


def start_forked(job: Job, serve: Serve, *, close: tuple[int, ...]) -> WorkerProcess:
    """Fork a worker. `close` are descriptors of this process that the worker must not hold open."""
    their_orders, orders = os.pipe()
    replies, their_replies = os.pipe()
    pid = os.fork()
    if pid:
        os.close(their_orders)
        os.close(their_replies)
        return WorkerProcess(pid, orders, replies)
    code = 1
    try:
        for mine in (orders, replies, *close):
            os.close(mine)
        with os.fdopen(their_orders, "rb") as down, os.fdopen(their_replies, "wb") as up:
            serve(job, down, up)
        code = 0
    except BaseException as error:  # noqa: BLE001  # nothing may run on past here as a second copy of the child
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(code)


def start_fresh(job: Job) -> WorkerProcess:
    """Start a worker as a process of its own, which imports torch again."""
    their_orders, orders = os.pipe()
    replies, their_replies = os.pipe()
    with os.fdopen(their_orders, "rb") as down, os.fdopen(their_replies, "wb") as up:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "advisor.profile", "--worker"], stdin=down, stdout=up, close_fds=True
        )
    process.returncode = 0  # it is waited for here, by its id; Popen must not complain that nobody did
    os.write(orders, job.model_dump_json().encode() + b"\n")
    return WorkerProcess(process.pid, orders, replies)

"""Workers beside the one that is timed: a machine that serves in several processes has all of them running at once.

Each builds a model of its own. The one idea: what is timed lies wholly within what runs beside it. The others are at it
before the first run that counts begins, they repeat the same work until after the last one has ended, and nothing they
do is timed: every worker is the same, so one of them stands for all.
"""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import torch

from advisor.profile.accelerator import accelerator
from advisor.profile.build import NotBuilt
from advisor.profile.orders import Built, Job, Order, Rest, Running
from advisor.profile.processes import may_fork, start_forked
from advisor.profile.settling import settle
from advisor.profile.standing import Standing, stand


class Companions:
    """The workers beside this one, started by forking it before it has a second thread; none for one that is alone."""

    def __init__(self, job: Job, *, close: tuple[int, ...]) -> None:
        """`close` are descriptors of this process that the others must not hold open. Raises NotBuilt without forks."""
        if job.workers > 1 and not may_fork():
            raise NotBuilt("several workers at once are measured only where a process can be forked")
        others = job.model_copy(update={"workers": 1, "parent_pid": os.getpid()})
        self._processes = [start_forked(others, _accompany, close=close) for _ in range(job.workers - 1)]

    def build(self) -> None:
        """Wait until all of them stand, which is when this one does: what was converted for it is there for them."""
        for one in self._processes:
            one.order(Rest())
        for one in self._processes:
            reply = one.reply()
            if not isinstance(reply, Built):
                note = getattr(reply, "note", "it ended without a word")
                raise NotBuilt(f"a worker beside this one could not be had: {note}")

    @contextmanager
    def running(self, order: Order) -> Iterator[None]:
        """While this lasts, all of them do what is ordered."""
        for one in self._processes:
            one.order(order)
        for one in self._processes:
            if not isinstance(one.reply(), Running):
                raise RuntimeError("a worker beside this one ended")
        try:
            yield
        finally:
            for one in self._processes:
                one.order(Rest())

    def cpu_seconds(self) -> float:
        """Processor time that all of them have used."""
        return sum(one.cpu_seconds() or 0.0 for one in self._processes)

    @property
    def any(self) -> bool:
        """Whether there is one at all."""
        return bool(self._processes)


def _accompany(job: Job, orders: BinaryIO, replies: BinaryIO) -> None:
    """Build when told to, then run what is ordered until told to rest, over and over. Ends with the orders."""
    settle(job.parent_pid)
    torch.set_num_threads(job.threads)
    torch.set_num_interop_threads(1)
    orders.readline()
    device = accelerator(job.device, identity=job.identity, file_backed_bytes=job.file_backed_bytes)
    standing = stand(job, device)
    _say(replies, standing.built)
    with torch.inference_mode():
        for line in orders:
            _repeat(standing, Order.model_validate_json(line), orders, replies)
            orders.readline()


def _repeat(standing: Standing, order: Order, orders: BinaryIO, replies: BinaryIO) -> None:
    """Run one cell's work until the next line comes. Nothing was sent while `Running` was not said, so it is seen."""
    work = standing.work(order.plan)
    work.run()
    work.reset()
    _say(replies, Running())
    while not select.select([orders], [], [], 0)[0]:
        work.run()
        work.reset()


def _say(replies: BinaryIO, reply: Built | Running) -> None:
    replies.write(reply.model_dump_json().encode() + b"\n")
    replies.flush()

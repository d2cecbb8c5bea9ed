"""Serve a schedule of requests as a plan says: batches of what waits, or answers in slots, one step at a time.

What a pass or a step is stands in `replay_tasks`; here is only the order of things, with the clock handed in. The one
idea: the discipline is the simulation's, so what differs from its prediction is the machine. Open loop: requests come
when the schedule says, however far behind the server is, and latency is taken from there.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Protocol

from advisor.core.sizing.replaying import ReplayPlan

LEAD_S = 0.05
"""From the start of the clock to the first moment a request may come."""


class Works(Protocol):
    """What a replica can do; each returns when the work is done."""

    def read(self, requests: range) -> None:
        """One pass over the texts of these requests, padded to the longest."""

    def step(self, answers: int, context: float) -> None:
        """One token for each of so many answers, whose caches hold so many tokens on average."""


class Clock(Protocol):
    """Seconds, and waiting for them."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class Served:
    """When each request was answered and had its first token; None where it was not."""

    def __init__(self, requests: int) -> None:
        self.done_s: list[float | None] = [None] * requests
        self.first_token_s: list[float | None] = [None] * requests


class Replay:
    """One run of a schedule."""

    def __init__(self, plan: ReplayPlan, works: Works, clock: Clock) -> None:
        self._plan, self._works, self._clock = plan, works, clock
        self._count, self._next = len(plan.arrivals_s), 0
        self._yields_token = plan.stages[0] == "prefill"
        self._at_once = 1 if plan.texts > 1 else plan.max_batch_size
        self._step = 0
        self._ends: list[tuple[int, int]] = []  # last step and number of each answer in progress
        self._context_sum = 0
        self._reserved = 0
        self._fresh: list[int] = []
        self._ended: list[int] = []
        self._begun = clock.now() + LEAD_S
        self.served = Served(self._count)

    def run(self) -> Served:
        """Serve until the last request is answered, or the time is up."""
        while (self._next < self._count or self._ends) and self._now() < self._plan.seconds_limit:
            now = self._now() if self._ends else self._at_next_arrival()
            if not self._read(now):
                self._write()
        return self.served

    def _now(self) -> float:
        return self._clock.now() - self._begun

    def _at_next_arrival(self) -> float:
        """The moment the next request is there, waited for where nothing is to be done until then."""
        arrival = self._plan.arrivals_s[self._next]
        if (early := arrival - self._now()) > 0:
            self._clock.sleep(early)
        return max(self._now(), arrival)  # a clock read a hair too early must not find nobody there

    def _read(self, now: float) -> bool:
        """Take what waits and finds room; False if nothing does."""
        plan, first = self._plan, self._next
        if plan.in_groups and self._ends:
            return False
        last = min(first + self._at_once - len(self._ends), self._count)
        end, reserved = first, self._reserved
        while end < last and plan.arrivals_s[end] <= now and self._room(end, reserved):
            reserved += self._reserve(end)
            end += 1
        if end == first:
            return False
        self._works.read(range(first, end))
        self._next, now = end, self._now()
        for request in range(first, end):
            self._begin(request, now)
        self._answer(now)
        return True

    def _room(self, request: int, reserved: int) -> bool:
        limit = self._plan.cache_tokens
        return limit is None or not reserved or reserved + self._reserve(request) <= limit

    def _reserve(self, request: int) -> int:
        plan = self._plan
        return plan.first_context[request] + plan.steps[request] + plan.source_tokens

    def _begin(self, request: int, now: float) -> None:
        steps = self._plan.steps[request]
        if self._yields_token:
            self.served.first_token_s[request] = now
        if not steps:
            self._ended.append(request)
            return
        heappush(self._ends, (self._step + steps, request))
        self._context_sum += self._plan.first_context[request] - self._step
        self._reserved += self._reserve(request)
        if not self._yields_token:
            self._fresh.append(request)

    def _write(self) -> None:
        """One step of all answers in progress."""
        self._works.step(len(self._ends), self._context_sum / len(self._ends) + self._step)
        self._step += 1
        now = self._now()
        for request in self._fresh:
            self.served.first_token_s[request] = now
        self._fresh.clear()
        while self._ends and self._ends[0][0] <= self._step:
            last_step, request = heappop(self._ends)
            steps = self._plan.steps[request]
            self._context_sum -= self._plan.first_context[request] - (last_step - steps)
            self._reserved -= self._reserve(request)
            self._ended.append(request)
        self._answer(now)

    def _answer(self, now: float) -> None:
        """Those that ended are answered; those of a group together."""
        if self._plan.in_groups and self._ends:
            return
        for request in self._ended:
            self.served.done_s[request] = now
        self._ended.clear()


def replayed(plan: ReplayPlan, works: Works, clock: Clock) -> Served:
    """Serve the schedule of a plan."""
    return Replay(plan, works, clock).run()

"""A replica that writes the answers of a group to their end before it takes more requests.

That is what a library does which takes no request into a batch that it has begun: whoever comes a step too late waits
for the longest answer of the group. The one idea: it is the writer of `decoding` with another discipline, so the times
of its passes and steps, its lengths and its cache are that one's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import heapreplace

import numpy as np

from advisor.core.sizing.decoding import Decoder
from advisor.core.sizing.measurement import Runtime
from advisor.core.sizing.runtimes import IN_GROUPS
from advisor.core.sizing.serving import FloatArray, Served, Server
from advisor.core.sizing.workers import Workers

_GROUPS_DRAWN = 512
_FULL_GROUPS = 0
"""The seed of the lengths that meet in full groups."""

Times = Callable[[int, int, float], tuple[float, float]]
"""Seconds until the requests from the first number to before the second have a first token, and until they end, where
reading them takes so many times as long as it does right after other work."""


@dataclass(frozen=True, slots=True)
class Groups:
    """A replica that, whenever free, takes what waits, as many as `writer` has slots and cache for, and answers them.

    All of them are answered when the longest answer ends; those that ended before have left the steps.
    """

    writer: Decoder

    @property
    def requests(self) -> int:
        return self.writer.requests

    @property
    def saturation_rps(self) -> float:
        """Full groups, one after the other, averaged over the lengths that meet in them."""
        return _saturation_rps(self)

    @property
    def lone_s(self) -> float:
        return self.writer.lone_s

    @property
    def output_steps(self) -> int:
        return self.writer.output_steps

    @property
    def mean_output_steps(self) -> float:
        return self.writer.mean_output_steps

    def serve(self, arrivals_s: FloatArray, seed: int, replicas: int = 1, *, lengths_seed: int | None = None) -> Served:
        arrivals, count = arrivals_s.tolist(), len(arrivals_s)
        drawn = _Drawn(self.writer, count, seed if lengths_seed is None else lengths_seed)
        times = _noisy(self.writer, drawn, seed)
        done: list[float] = []
        first_token: list[float] = []
        free_s, first = [-1.0] * replicas, 0
        while first < count:
            pace = self.writer.after_pause if free_s[0] < arrivals[first] else 1.0
            start_s = max(free_s[0], arrivals[first])
            end, limit = first + 1, min(first + self.most, count)
            reserved = drawn.reserved[first]
            while end < limit and arrivals[end] <= start_s and self._room(reserved, drawn.reserved[end]):
                reserved += drawn.reserved[end]
                end += 1
            begun_s, ended_s = times(first, end, pace)
            heapreplace(free_s, start_s + ended_s)
            done += [start_s + ended_s] * (end - first)
            first_token += [start_s + begun_s] * (end - first)
            first = end
        return Served(np.asarray(done), np.asarray(first_token))

    def alone(self, requests: int, seed: int) -> Served:
        """A group of one: what it is for any writer."""
        return self.writer.alone(requests, seed)

    @property
    def most(self) -> int:
        """Requests of a group: as many as there are slots for and can be read together."""
        return min(self.writer.slots, len(self.writer.reading_s))

    def _room(self, reserved: int, more: int) -> bool:
        limit = self.writer.cache_tokens
        return limit is None or reserved + more <= limit


def as_taken(writer: Decoder, runtime: Runtime) -> Server:
    """The writer with requests taken as this runtime takes them."""
    return Groups(writer) if runtime in IN_GROUPS else writer


def writer_of(server: Server) -> Decoder | None:
    """What writes the answers, whatever takes the requests; None where a pass is the answer."""
    one = server.one if isinstance(server, Workers) else server
    one = one.writer if isinstance(one, Groups) else one
    return one if isinstance(one, Decoder) else None


class _Drawn:
    """What each request reads, holds and writes."""

    def __init__(self, writer: Decoder, count: int, seed: int) -> None:
        lengths = writer.lengths
        prompts, answers = lengths.drawn(count, seed)
        self.reading_s = lengths.reading.seconds(prompts.tolist())
        self.contexts: list[int] = np.asarray(lengths.contexts)[prompts].tolist()
        self.steps: list[int] = np.asarray(lengths.steps)[answers].tolist()
        self.reserved = [writer.reserved(*one) for one in zip(self.contexts, self.steps, strict=True)]
        self._writer = writer

    def first_step_s(self, first: int, end: int) -> float:
        """The first step of these requests, of those that take one."""
        writing = [one for one in self._answers(first, end) if one[0]]
        return self._writer.times.at(len(writing), _mean_context(writing)) if writing else 0.0

    def writing_s(self, first: int, end: int) -> float:
        """All their steps: each answer that ends leaves fewer in a step."""
        left, seconds, done = sorted(self._answers(first, end)), 0.0, 0
        while left:
            last = left[0][0]
            if last > done:
                seconds += self._writer.times.total(len(left), _mean_context(left) + done, last - done)
                done = last
            left = [one for one in left if one[0] > last]
        return seconds

    def _answers(self, first: int, end: int) -> list[tuple[int, int]]:
        """Steps and first context of each."""
        return list(zip(self.steps[first:end], self.contexts[first:end], strict=True))


def _mean_context(answers: Sequence[tuple[int, int]]) -> float:
    return sum(context for _, context in answers) / len(answers)


def _noisy(writer: Decoder, drawn: _Drawn, seed: int) -> Times:
    """Times of groups of these requests, each with the noise of its first one."""
    count = len(drawn.steps)
    reading, begins = writer.reading_noise(count, seed).tolist(), writer.begins(count, seed)
    most = max(max(drawn.steps), 1)
    stepping = (writer.noise_from(begins, np.full(count, most), seed) / most).tolist()

    def times(first: int, end: int, pace: float) -> tuple[float, float]:
        read_s = drawn.reading_s(first, end) * reading[first] * pace
        first_step_s = 0.0 if writer.reading_yields_token else drawn.first_step_s(first, end) * stepping[first]
        return read_s + first_step_s, read_s + drawn.writing_s(first, end) * stepping[first]

    return times


@lru_cache(maxsize=256)
def _saturation_rps(groups: Groups) -> float:
    """Kept, because a search for a rate asks for it at every step."""
    writer = groups.writer
    size = min(writer.busy_slots(), groups.most)
    drawn = _Drawn(writer, _GROUPS_DRAWN * size, _FULL_GROUPS)
    read, step = float(np.mean(writer.reading_residuals)), float(np.mean(writer.step_residuals))
    spent_s = 0.0
    for first in range(0, _GROUPS_DRAWN * size, size):
        spent_s += drawn.reading_s(first, first + size) * read + drawn.writing_s(first, first + size) * step
    return _GROUPS_DRAWN * size / spent_s

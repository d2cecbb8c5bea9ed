"""Servers as a queue sees them: requests arrive, a replica works, answers leave.

Here live the things every simulation needs, draws that are the same for every rate, passes over texts of several
lengths and the words for what was served, and the simplest server: the greedy batcher of one-pass models. Decoding in
slots stands in `decoding`, the search for the rate a server can carry in `capacity`. The one idea: gaps between
arrivals are drawn once per seed with mean one and divided by the rate, and each request draws its noise and its length
by its number, so two runs differ only by what was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import heapreplace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Seconds = Callable[[int, int], float]
"""Seconds of one pass over the requests from the first number to before the second."""

POISSON = 1.0
"""Variation of gaps that come at random: the square of their standard deviation over that of their mean."""

_ARRIVALS, _PASSES, _LENGTHS, _FULL_BATCHES = 1, 2, 7, 9
_BATCHES_DRAWN = 4096


@dataclass(frozen=True, slots=True)
class Served:
    """When each request, in order of arrival, was answered; `first_token_s` where answers are written by token."""

    done_s: FloatArray
    first_token_s: FloatArray | None = None


class Server(Protocol):
    """One replica. Times are seconds; arrivals come sorted."""

    @property
    def requests(self) -> int:
        """How many requests a simulation of this server runs: enough that its percentiles stand still."""

    @property
    def saturation_rps(self) -> float:
        """The rate above which the queue grows without end."""

    @property
    def lone_s(self) -> float:
        """What a request of typical length takes on an idle replica, without noise."""

    @property
    def output_steps(self) -> int:
        """Tokens a typical answer has after its first one; 0 for a model that answers in one pass."""

    @property
    def mean_output_steps(self) -> float:
        """The same, averaged over the lengths that occur."""

    def serve(self, arrivals_s: FloatArray, seed: int, replicas: int = 1, *, lengths_seed: int | None = None) -> Served:
        """Runs the queue until the last request is answered; several replicas take from one queue.

        `lengths_seed` draws the lengths of the requests where those shall not change with the noise.
        """

    def alone(self, requests: int, seed: int) -> Served:
        """Each request on an idle replica, as if it arrived at 0."""


@lru_cache(maxsize=16)
def unit_arrivals(requests: int, seed: int, variation: float = POISSON) -> FloatArray:
    """Arrival times at a mean rate of 1; divided by a rate they are those of that rate.

    Gaps are gamma distributed with the given variation: 1 is a Poisson process, less is more even. Replicas that take
    turns see every nth request, which divides the variation by n.
    """
    draws = np.random.default_rng([seed, _ARRIVALS])
    gaps = draws.exponential(size=requests) if variation == POISSON else draws.gamma(1 / variation, variation, requests)
    arrivals: FloatArray = gaps.cumsum()
    arrivals.setflags(write=False)
    return arrivals


@lru_cache(maxsize=16)
def uniform_draws(count: int, seed: int, stream: int) -> FloatArray:
    """Numbers in [0, 1), the same for a seed and a stream whatever they are used for."""
    draws: FloatArray = np.random.default_rng([seed, stream]).random(size=count)
    draws.setflags(write=False)
    return draws


def resampled(residuals: Sequence[float], draws: FloatArray) -> FloatArray:
    """One residual per draw. They are sorted first, so a larger draw never means a faster run."""
    ordered = np.sort(np.asarray(residuals, dtype=np.float64))
    picked: FloatArray = ordered[(draws * len(ordered)).astype(np.int64)]
    return picked


def drawn_levels(shares: Sequence[float], draws: FloatArray) -> NDArray[np.int64]:
    """The length of each request as a level, 0 the shortest; a larger draw is never a shorter text."""
    levels: NDArray[np.int64] = np.searchsorted(np.cumsum(shares)[:-1], draws, side="right").astype(np.int64)
    return levels


@dataclass(frozen=True, slots=True)
class Passes:
    """Seconds of one pass over texts of several lengths, padded to the longest of them.

    `rows[level][b - 1]` is a pass over b texts of the length of that level, the shortest length first, and `shares`
    says how many of the requests have it.
    """

    rows: tuple[tuple[float, ...], ...]
    shares: tuple[float, ...]

    def levels(self, requests: int, seed: int) -> NDArray[np.int64]:
        return drawn_levels(self.shares, uniform_draws(requests, seed, _LENGTHS))

    def alone_s(self, levels: NDArray[np.int64]) -> FloatArray:
        """A pass over each text by itself."""
        seconds: FloatArray = np.asarray([row[0] for row in self.rows])[levels]
        return seconds

    @property
    def mean_alone_s(self) -> float:
        return sum(row[0] * share for row, share in zip(self.rows, self.shares, strict=True))

    def seconds(self, levels: Sequence[int]) -> Seconds:
        """What a group of consecutive requests takes, without noise."""
        rows = self.rows
        if len(rows) == 1:
            only = rows[0]
            return lambda first, end: only[end - first - 1]
        return lambda first, end: rows[max(levels[first:end])][end - first - 1]

    @property
    def mean_full_s(self) -> float:
        """A pass over as many texts as fit in one, averaged over the lengths that meet in it."""
        return _mean_full_s(self)


@lru_cache(maxsize=64)
def _mean_full_s(passes: Passes) -> float:
    size = min(map(len, passes.rows))
    levels = drawn_levels(passes.shares, uniform_draws(_BATCHES_DRAWN * size, 0, _FULL_BATCHES)).tolist()
    seconds = passes.seconds(levels)
    return sum(seconds(first, first + size) for first in range(0, len(levels), size)) / _BATCHES_DRAWN


@dataclass(frozen=True, slots=True)
class Batcher:
    """A replica that, whenever free, takes what waits, at most `len(service_s)` requests, and answers them together.

    `service_s[b - 1]` is one pass over b requests of typical length; `passes` holds those of all lengths that occur,
    None where all are typical. `residuals` are measured samples divided by their median, one of which multiplies each
    pass; `after_pause` multiplies one that begins on an idle replica: a request came that found it free. FIFO; it never
    waits for a batch to fill.
    """

    service_s: tuple[float, ...]
    residuals: tuple[float, ...] = (1.0,)
    requests: int = 30_000
    passes: Passes | None = None
    after_pause: float = 1.0

    @property
    def saturation_rps(self) -> float:
        """Passes at the largest batch: that is what a greedy batcher runs when work never ends."""
        full_s = self.service_s[-1] if self.passes is None else self.passes.mean_full_s
        return len(self.service_s) / (full_s * float(np.mean(self.residuals)))

    @property
    def lone_s(self) -> float:
        return self.service_s[0] * self.after_pause

    @property
    def output_steps(self) -> int:
        return 0

    @property
    def mean_output_steps(self) -> float:
        return 0.0

    def serve(self, arrivals_s: FloatArray, seed: int, replicas: int = 1, *, lengths_seed: int | None = None) -> Served:
        arrivals = arrivals_s.tolist()
        noise = self._noise(len(arrivals), seed).tolist()
        seconds = self._seconds(len(arrivals), seed if lengths_seed is None else lengths_seed)
        count, largest = len(arrivals), len(self.service_s)
        done: list[float] = []
        free_s, first = [-1.0] * replicas, 0
        while first < count:
            pace = self.after_pause if free_s[0] < arrivals[first] else 1.0
            start_s = max(free_s[0], arrivals[first])
            end, limit = first + 1, min(first + largest, count)
            while end < limit and arrivals[end] <= start_s:
                end += 1
            done_s = start_s + seconds(first, end) * noise[first] * pace
            heapreplace(free_s, done_s)
            done += [done_s] * (end - first)
            first = end
        return Served(np.asarray(done))

    def alone(self, requests: int, seed: int) -> Served:
        if self.passes is None:
            return Served(self.service_s[0] * self._noise(requests, seed) * self.after_pause)
        levels = self.passes.levels(requests, seed)
        return Served(self.passes.alone_s(levels) * self._noise(requests, seed) * self.after_pause)

    def _seconds(self, requests: int, seed: int) -> Seconds:
        if self.passes is not None:
            return self.passes.seconds(self.passes.levels(requests, seed).tolist())
        service_s = self.service_s
        return lambda first, end: service_s[end - first - 1]

    def _noise(self, requests: int, seed: int) -> FloatArray:
        return resampled(self.residuals, uniform_draws(requests, seed, _PASSES))

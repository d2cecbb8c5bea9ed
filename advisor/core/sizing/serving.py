"""Servers as a queue sees them: requests arrive, a replica works, answers leave.

Here live the two things every simulation needs, draws that are the same for every rate and the words for what was
served, and the simplest server: the greedy batcher of one-pass models. Decoding in slots stands in `decoding`, the
search for the rate a server can carry in `capacity`. The one idea: gaps between arrivals are unit exponentials drawn
once per seed and divided by the rate, and each request draws its noise by its number, so two runs differ only by what
was changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


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
        """What a request takes on an idle replica, without noise."""

    @property
    def output_steps(self) -> int:
        """Tokens written after the first one; 0 for a model that answers in one pass."""

    def serve(self, arrivals_s: FloatArray, seed: int) -> Served:
        """Runs the queue until the last request is answered."""

    def alone(self, requests: int, seed: int) -> Served:
        """Each request on an idle replica, as if it arrived at 0."""


@lru_cache(maxsize=8)
def unit_arrivals(requests: int, seed: int) -> FloatArray:
    """Arrival times of a Poisson process of rate 1; divided by a rate they are those of that rate."""
    arrivals: FloatArray = np.random.default_rng([seed, 1]).exponential(size=requests).cumsum()
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


@dataclass(frozen=True, slots=True)
class Batcher:
    """A replica that, whenever free, takes what waits, at most `len(service_s)` requests, and answers them together.

    `service_s[b - 1]` is one pass over b requests; `residuals` are measured samples divided by their median, one of
    which multiplies each pass. FIFO; it never waits for a batch to fill.
    """

    service_s: tuple[float, ...]
    residuals: tuple[float, ...] = (1.0,)
    requests: int = 30_000

    @property
    def saturation_rps(self) -> float:
        """Passes at the largest batch: that is what a greedy batcher runs when work never ends."""
        return len(self.service_s) / (self.service_s[-1] * float(np.mean(self.residuals)))

    @property
    def lone_s(self) -> float:
        return self.service_s[0]

    @property
    def output_steps(self) -> int:
        return 0

    def serve(self, arrivals_s: FloatArray, seed: int) -> Served:
        arrivals = arrivals_s.tolist()
        noise = self._noise(len(arrivals), seed).tolist()
        count, largest = len(arrivals), len(self.service_s)
        done: list[float] = []
        free_s, first = -1.0, 0
        while first < count:
            start_s = max(free_s, arrivals[first])
            end, limit = first + 1, min(first + largest, count)
            while end < limit and arrivals[end] <= start_s:
                end += 1
            free_s = start_s + self.service_s[end - first - 1] * noise[first]
            done += [free_s] * (end - first)
            first = end
        return Served(np.asarray(done))

    def alone(self, requests: int, seed: int) -> Served:
        return Served(self.service_s[0] * self._noise(requests, seed))

    def _noise(self, requests: int, seed: int) -> FloatArray:
        return resampled(self.residuals, uniform_draws(requests, seed, 2))

"""A replica that writes answers token by token, many at once: continuous batching in a limited number of slots.

A request waits for a slot, is read (prefill of a decoder, encode of an encoder-decoder) and then decodes one token
per step together with all others in slots. Reading goes first: while a request is read the answers in progress stand
still, which is what makes their tails long. The one idea that keeps this fast: between two events the batch is
constant, so all its steps are summed at once, and an answer of ten million tokens costs no more than one of ten.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import numpy as np
from numpy.typing import NDArray

from advisor.core.sizing.serving import FloatArray, Served, resampled, uniform_draws

_STEP_DRAWS = 1 << 14
"""Step residuals drawn per seed; a longer simulation goes round again."""


@dataclass(frozen=True, slots=True)
class StepTimes:
    """Seconds of one decode step: `step_s[b - 1][j]` for b sequences whose caches hold `contexts[j]` tokens on average.

    Linear between contexts, constant outside of them.
    """

    contexts: tuple[int, ...]
    step_s: tuple[tuple[float, ...], ...]

    def at(self, batch_size: int, context: float) -> float:
        row, knots = self.step_s[batch_size - 1], self.contexts
        if context <= knots[0]:
            return row[0]
        if context >= knots[-1]:
            return row[-1]
        right = bisect_right(knots, context)
        share = (context - knots[right - 1]) / (knots[right] - knots[right - 1])
        return row[right - 1] + share * (row[right] - row[right - 1])

    def total(self, batch_size: int, context: float, steps: int) -> float:
        """Seconds of `steps` steps that start at `context`, each one token deeper than the one before."""
        end, right = context + steps, bisect_right(self.contexts, context)
        if right == len(self.contexts) or end - 1 <= self.contexts[right]:
            return steps * self.at(batch_size, context + (steps - 1) / 2)
        cuts = [context, *(knot for knot in self.contexts if context < knot < end), end]
        return sum((high - low) * self.at(batch_size, (low + high - 1) / 2) for low, high in pairwise(cuts))


@dataclass(frozen=True, slots=True)
class Decoder:
    """Continuous batching with `slots` answers at once.

    `reading_s[b - 1]` reads b requests together; `steps` decode steps follow per request, the first from a cache of
    `first_context` tokens. A decoder's prefill yields the first token itself (`reading_yields_token`), an encoder's
    pass yields none. `output_steps` counts the tokens after the first.
    """

    reading_s: tuple[float, ...]
    times: StepTimes
    slots: int
    first_context: int
    steps: int
    reading_yields_token: bool
    reading_residuals: tuple[float, ...] = (1.0,)
    step_residuals: tuple[float, ...] = (1.0,)
    requests: int = 6_000

    @property
    def output_steps(self) -> int:
        return self.steps if self.reading_yields_token else max(self.steps - 1, 0)

    @property
    def saturation_rps(self) -> float:
        """Every slot busy, each finished answer replaced by one that is read alone; one-token answers are read in
        groups.
        """
        read = float(np.mean(self.reading_residuals))
        if self.steps == 0:
            group = min(self.slots, len(self.reading_s))
            return group / (self.reading_s[group - 1] * read)
        stepping = self.times.total(self.slots, self.first_context, self.steps) * float(np.mean(self.step_residuals))
        return self.slots / (self.slots * self.reading_s[0] * read + stepping)

    @property
    def lone_s(self) -> float:
        return self.reading_s[0] + self.times.total(1, self.first_context, self.steps)

    def serve(self, arrivals_s: FloatArray, seed: int) -> Served:
        return _Run(self, arrivals_s, seed).served()

    def alone(self, requests: int, seed: int) -> Served:
        read = self.reading_s[0] * self.reading_noise(requests, seed)
        begins = (uniform_draws(requests, seed, 4) * _STEP_DRAWS).astype(np.int64)
        later = max(self.steps - 1, 0)
        first_step = self._noise_from(begins, min(self.steps, 1), seed)
        rest = self._noise_from(begins + 1, later, seed) / max(later, 1)
        first_s = self.times.at(1, self.first_context) * first_step
        done = read + first_s + rest * self.times.total(1, self.first_context + 1, later)
        return Served(done, read if self.reading_yields_token else read + first_s)

    def reading_noise(self, requests: int, seed: int) -> FloatArray:
        return resampled(self.reading_residuals, uniform_draws(requests, seed, 2))

    def noise_sums(self, seed: int) -> FloatArray:
        """Residuals of single steps, summed from the first on, over twice the draws so that no sum wraps round."""
        drawn = resampled(self.step_residuals, uniform_draws(_STEP_DRAWS, seed, 3))
        return np.concatenate(([0.0], drawn, drawn)).cumsum()

    def _noise_from(self, begins: NDArray[np.int64], steps: int, seed: int) -> FloatArray:
        """For each begin, the sum of the residuals of `steps` steps."""
        sums = self.noise_sums(seed)
        rounds, rest = divmod(steps, _STEP_DRAWS)
        begins = begins % _STEP_DRAWS
        noise: FloatArray = sums[begins + rest] - sums[begins] + rounds * sums[_STEP_DRAWS]
        return noise


class _Run:
    """One run of the queue of a decoder: the state between two events."""

    def __init__(self, decoder: Decoder, arrivals_s: FloatArray, seed: int) -> None:
        self.decoder, self.seed = decoder, seed
        self.arrivals: list[float] = arrivals_s.tolist()
        self.noise: list[float] = decoder.reading_noise(len(self.arrivals), seed).tolist()
        self.sums: list[float] = decoder.noise_sums(seed).tolist()
        self.mean_step = float(np.mean(decoder.step_residuals))
        self.done = [0.0] * len(self.arrivals)
        self.first_token = [0.0] * len(self.arrivals)
        self.now_s, self.step, self.next, self.answered = 0.0, 0, 0, 0
        # (last step, first request, one past the last request) of each group read together, which also ends together
        self.groups: deque[tuple[int, int, int]] = deque()
        self.active, self.started_at_sum, self.fresh = 0, 0, 0

    def served(self) -> Served:
        while self.answered < len(self.arrivals):
            if not self.active:
                self.now_s = max(self.now_s, self.arrivals[self.next])
            if not self._read():
                self._decode()
        return Served(np.asarray(self.done), np.asarray(self.first_token))

    def _read(self) -> bool:
        """Reads what waits and finds a slot; False if nothing does."""
        decoder, first = self.decoder, self.next
        room = min(decoder.slots - self.active, len(decoder.reading_s), len(self.arrivals) - first)
        end = first
        while end < first + room and self.arrivals[end] <= self.now_s:
            end += 1
        if end == first:
            return False
        size = end - first
        self.now_s += decoder.reading_s[size - 1] * self.noise[first]
        self.next = end
        if decoder.reading_yields_token:
            self.first_token[first:end] = [self.now_s] * size
        if decoder.steps == 0:
            self._answer(first, end)
            return True
        self.groups.append((self.step + decoder.steps, first, end))
        self.active += size
        self.started_at_sum += size * self.step
        self.fresh += 0 if decoder.reading_yields_token else size
        return True

    def _decode(self) -> None:
        """Steps until an answer ends or, with a slot free, until the next request is there."""
        decoder, active = self.decoder, self.active
        context = decoder.first_context + self.step - self.started_at_sum / active
        steps = 1 if self.fresh else self.groups[0][0] - self.step
        total_s = decoder.times.total(active, context, steps)
        if active < decoder.slots and self.next < len(self.arrivals):
            share = (self.arrivals[self.next] - self.now_s) / (total_s * self.mean_step)
            if share < 1:
                steps = max(1, ceil(steps * share))
                total_s = decoder.times.total(active, context, steps)
        self.now_s += total_s / steps * self._noise(steps)
        self.step += steps
        if self.fresh:
            self.first_token[self.next - self.fresh : self.next] = [self.now_s] * self.fresh
            self.fresh = 0
        while self.groups and self.groups[0][0] <= self.step:
            last_step, first, end = self.groups.popleft()
            self.active -= end - first
            self.started_at_sum -= (end - first) * (last_step - decoder.steps)
            self._answer(first, end)

    def _noise(self, steps: int) -> float:
        """The sum of the residuals of the next steps."""
        rounds, rest = divmod(steps, _STEP_DRAWS)
        begin = self.step % _STEP_DRAWS
        return self.sums[begin + rest] - self.sums[begin] + rounds * self.sums[_STEP_DRAWS]

    def _answer(self, first: int, end: int) -> None:
        self.done[first:end] = [self.now_s] * (end - first)
        self.answered += end - first

"""A replica that writes answers token by token, many at once: continuous batching in slots and cache that are limited.

A request waits for a slot and for room in the cache, is read (prefill of a decoder, encode of an encoder-decoder) and
then decodes one token per step together with all others in slots. Reading goes first: while a request is read the
answers in progress stand still, which is what makes their tails long. The one idea that keeps this fast: between two
events the batch is constant, so all its steps are summed at once, and an answer of ten million tokens costs no more
than one of ten.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import lru_cache
from heapq import heapify, heappop, heappush, heapreplace
from itertools import pairwise
from math import ceil

import numpy as np
from numpy.typing import NDArray

from advisor.core.sizing.serving import FloatArray, Passes, Served, drawn_levels, resampled, uniform_draws

_STEP_DRAWS = 1 << 14
"""Step residuals drawn per seed; a longer simulation goes round again."""
_READING, _STEPS, _BEGINS, _ANSWERS = 2, 3, 4, 8
_BETWEEN_REPLICAS = 1009
"""How far apart in the drawn residuals two replicas begin."""


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
class Mix:
    """Requests of several lengths: prompts and answers, drawn apart from each other.

    `reading` holds the passes over prompts by level, `contexts` the tokens in the cache before the first step of each
    of those levels; `steps` are the decode steps of an answer by level, and `shares` how many answers have each.
    """

    reading: Passes
    contexts: tuple[int, ...]
    steps: tuple[int, ...]
    shares: tuple[float, ...]

    def drawn(self, requests: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The level of each request's prompt and of its answer."""
        return self.reading.levels(requests, seed), drawn_levels(self.shares, uniform_draws(requests, seed, _ANSWERS))


@dataclass(frozen=True, slots=True)
class Decoder:
    """Continuous batching with `slots` answers at once.

    `reading_s[b - 1]` reads b requests together; `steps` decode steps follow per request, the first from a cache of
    `first_context` tokens. A decoder's prefill yields the first token itself (`reading_yields_token`), an encoder's
    pass yields none. These are a typical request's; `mix` holds all lengths that occur, None where all are typical.
    `cache_tokens` is what the caches of all answers may hold together, with every answer at its end; None where the
    slots are the only limit. `source_tokens` are kept per request beside its own cache (an encoder-decoder's source).
    `after_pause` multiplies a reading that begins on an idle replica: nothing waited and no answer was in progress.
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
    mix: Mix | None = None
    cache_tokens: int | None = None
    source_tokens: int = 0
    after_pause: float = 1.0

    @property
    def output_steps(self) -> int:
        return self.steps if self.reading_yields_token else max(self.steps - 1, 0)

    @property
    def mean_output_steps(self) -> float:
        unseen = 0 if self.reading_yields_token else 1
        return sum(max(steps - unseen, 0) * share for steps, share in self.answers())

    @property
    def saturation_rps(self) -> float:
        """Every slot busy, each finished answer replaced by one that is read alone; one-token answers are read in
        groups.
        """
        return _saturation_rps(self)

    @property
    def lone_s(self) -> float:
        return self.reading_s[0] * self.after_pause + self.times.total(1, self.first_context, self.steps)

    def with_slots(self, slots: int) -> Decoder:
        """The same model with so many answers at once; no more prompts than slots are read together."""
        mix = self.mix
        if mix is not None:
            mix = replace(mix, reading=replace(mix.reading, rows=tuple(row[:slots] for row in mix.reading.rows)))
        return replace(self, slots=slots, reading_s=self.reading_s[:slots], mix=mix)

    @property
    def lengths(self) -> Mix:
        """The lengths that occur: the mix, or the typical ones alone."""
        if self.mix is not None:
            return self.mix
        return Mix(Passes((self.reading_s,), (1.0,)), (self.first_context,), (self.steps,), (1.0,))

    def reserved(self, context: int, steps: int) -> int:
        """Tokens in the cache when an answer ends, which is what must be free before it begins."""
        return context + steps + self.source_tokens

    def serve(self, arrivals_s: FloatArray, seed: int, replicas: int = 1, *, lengths_seed: int | None = None) -> Served:
        queue = _Queue(self, arrivals_s, seed, seed if lengths_seed is None else lengths_seed)
        working = [_Replica(queue, number) for number in range(replicas)]
        if replicas == 1:
            while queue.answered < queue.count:
                working[0].turn()
        else:
            _in_turn(queue, working)
        return Served(np.asarray(queue.done), np.asarray(queue.first_token))

    def alone(self, requests: int, seed: int) -> Served:
        lengths = self.lengths
        prompts, answers = lengths.drawn(requests, seed)
        read = lengths.reading.alone_s(prompts) * self.reading_noise(requests, seed) * self.after_pause
        begins = self.begins(requests, seed)
        steps = np.asarray(lengths.steps)[answers]
        later = np.maximum(steps - 1, 0)
        first_step = self.noise_from(begins, np.minimum(steps, 1), seed)
        rest = self.noise_from(begins + 1, later, seed) / np.maximum(later, 1)
        first_s = np.asarray([self.times.at(1, context) for context in lengths.contexts])[prompts] * first_step
        rests_s = [
            [self.times.total(1, context + 1, max(count - 1, 0)) for count in lengths.steps]
            for context in lengths.contexts
        ]
        done = read + first_s + rest * np.asarray(rests_s)[prompts, answers]
        return Served(done, read if self.reading_yields_token else read + first_s)

    def reading_noise(self, requests: int, seed: int) -> FloatArray:
        return resampled(self.reading_residuals, uniform_draws(requests, seed, _READING))

    def noise_sums(self, seed: int) -> FloatArray:
        """Residuals of single steps, summed from the first on, over twice the draws so that no sum wraps round."""
        drawn = resampled(self.step_residuals, uniform_draws(_STEP_DRAWS, seed, _STEPS))
        return np.concatenate(([0.0], drawn, drawn)).cumsum()

    def begins(self, requests: int, seed: int) -> NDArray[np.int64]:
        """Where in the drawn residuals the steps of each request begin."""
        return (uniform_draws(requests, seed, _BEGINS) * _STEP_DRAWS).astype(np.int64)

    def noise_from(self, begins: NDArray[np.int64], steps: NDArray[np.int64], seed: int) -> FloatArray:
        """For each begin, the sum of the residuals of so many steps."""
        sums = self.noise_sums(seed)
        rounds, rest = np.divmod(steps, _STEP_DRAWS)
        begins = begins % _STEP_DRAWS
        noise: FloatArray = sums[begins + rest] - sums[begins] + rounds * sums[_STEP_DRAWS]
        return noise

    def answers(self) -> list[tuple[int, float]]:
        """Decode steps of an answer, and the share of answers that have them."""
        lengths = self.lengths
        return list(zip(lengths.steps, lengths.shares, strict=True))

    def busy_slots(self) -> int:
        """Slots that are busy when work never ends: as many as there are, or as the cache has room for."""
        if self.cache_tokens is None:
            return self.slots
        lengths = self.lengths
        contexts = zip(lengths.contexts, lengths.reading.shares, strict=True)
        context = sum(tokens * share for tokens, share in contexts)
        steps = sum(count * share for count, share in self.answers())
        return max(1, min(self.slots, int(self.cache_tokens / (context + steps + self.source_tokens))))


@lru_cache(maxsize=256)
def _saturation_rps(decoder: Decoder) -> float:
    """Kept, because a search for a rate asks for it at every step."""
    lengths, answers = decoder.lengths, decoder.answers()
    read = float(np.mean(decoder.reading_residuals))
    if not any(steps for steps, _ in answers):
        group = min(decoder.slots, len(decoder.reading_s))
        together_s = decoder.reading_s[group - 1] if decoder.mix is None else lengths.reading.mean_full_s
        return group / (together_s * read)
    slots = decoder.busy_slots()
    stepping = sum(
        decoder.times.total(slots, context, steps) * in_share * out_share
        for context, in_share in zip(lengths.contexts, lengths.reading.shares, strict=True)
        for steps, out_share in answers
    ) * float(np.mean(decoder.step_residuals))
    return slots / (slots * lengths.reading.mean_alone_s * read + stepping)


def _in_turn(queue: _Queue, replicas: list[_Replica]) -> None:
    """Replicas that take from one queue: the one whose clock is earliest acts next."""
    clocks = [(replica.now_s, replica.number) for replica in replicas]
    heapify(clocks)
    while queue.answered < queue.count:
        replica = replicas[clocks[0][1]]
        if replica.idle and queue.next == queue.count:
            heappop(clocks)
        else:
            replica.turn()
            heapreplace(clocks, (replica.now_s, replica.number))


class _Queue:
    """What replicas share: the requests, what each draws, and when each was answered."""

    def __init__(self, decoder: Decoder, arrivals_s: FloatArray, seed: int, lengths_seed: int) -> None:
        self.decoder, self.count = decoder, len(arrivals_s)
        self.arrivals: list[float] = arrivals_s.tolist()
        self.noise: list[float] = decoder.reading_noise(self.count, seed).tolist()
        self.sums: list[float] = decoder.noise_sums(seed).tolist()
        self.mean_step = float(np.mean(decoder.step_residuals))
        lengths = decoder.lengths
        prompts, answers = lengths.drawn(self.count, lengths_seed)
        self.reading_s = lengths.reading.seconds(prompts.tolist())
        self.contexts: list[int] = np.asarray(lengths.contexts)[prompts].tolist()
        self.steps: list[int] = np.asarray(lengths.steps)[answers].tolist()
        self.done, self.first_token = [0.0] * self.count, [0.0] * self.count
        self.next, self.answered = 0, 0


class _Replica:
    """One replica between two events."""

    def __init__(self, queue: _Queue, number: int) -> None:
        self.queue, self.number = queue, number
        self.now_s, self.step = 0.0, 0
        self.ends: list[tuple[int, int]] = []  # last step and number of each answer in progress, the next to end first
        self.context_sum = 0  # of the answers in progress: tokens before their first step, less the step they began at
        self.reserved = 0
        self.shut = False  # no room for the next request: not looked for again before an answer has ended
        self.fresh: list[int] = []  # requests that were read and have no token yet
        self.rested = True  # what it reads next finds it idle
        self.offset = number * _BETWEEN_REPLICAS % _STEP_DRAWS

    @property
    def idle(self) -> bool:
        return not self.ends

    def turn(self) -> None:
        """Reads what waits, else writes on; an idle replica goes to the next arrival."""
        queue = self.queue
        if not self.ends and queue.arrivals[queue.next] > self.now_s:
            self.now_s, self.rested = queue.arrivals[queue.next], True
        elif not self._read():
            self._decode()

    def _room(self, request: int, reserved: int) -> bool:
        """Whether the cache takes this request too; a lone one is always taken."""
        limit, queue = self.queue.decoder.cache_tokens, self.queue
        if limit is None or not reserved:
            return True
        return reserved + queue.decoder.reserved(queue.contexts[request], queue.steps[request]) <= limit

    def _read(self) -> bool:
        """Reads what waits and finds a slot and room in the cache; False if nothing does."""
        if self.shut:
            return False
        queue, decoder = self.queue, self.queue.decoder
        first = end = queue.next
        last = first + min(decoder.slots - len(self.ends), len(decoder.reading_s), queue.count - first)
        reserved = self.reserved
        while end < last and queue.arrivals[end] <= self.now_s and self._room(end, reserved):
            reserved += decoder.reserved(queue.contexts[end], queue.steps[end])
            end += 1
        if end == first:
            return False
        pace = decoder.after_pause if self.rested else 1.0
        self.now_s += queue.reading_s(first, end) * queue.noise[first] * pace
        queue.next, self.rested = end, False
        if decoder.reading_yields_token:
            queue.first_token[first:end] = [self.now_s] * (end - first)
        for request in range(first, end):
            self._begin(request)
        return True

    def _begin(self, request: int) -> None:
        queue, steps = self.queue, self.queue.steps[request]
        if not steps:
            self._answer(request)
            return
        heappush(self.ends, (self.step + steps, request))
        self.context_sum += queue.contexts[request] - self.step
        self.reserved += queue.decoder.reserved(queue.contexts[request], steps)
        if not queue.decoder.reading_yields_token:
            self.fresh.append(request)

    def _decode(self) -> None:
        """Steps until an answer ends or, with room for it, until the next request is there.

        Where the cache has no room for the next one, it is looked for again when an answer has ended.
        """
        queue, decoder, active = self.queue, self.queue.decoder, len(self.ends)
        context = self.context_sum / active + self.step
        steps = 1 if self.fresh else self.ends[0][0] - self.step
        total_s = decoder.times.total(active, context, steps)
        waits = active < decoder.slots and queue.next < queue.count
        self.shut = self.shut or (waits and not self._room(queue.next, self.reserved))
        if waits and not self.shut:
            share = (queue.arrivals[queue.next] - self.now_s) / (total_s * queue.mean_step)
            if share < 1:
                steps = max(1, ceil(steps * share))
                total_s = decoder.times.total(active, context, steps)
        self.now_s += total_s / steps * self._noise(steps)
        self.step += steps
        for request in self.fresh:
            queue.first_token[request] = self.now_s
        self.fresh.clear()
        while self.ends and self.ends[0][0] <= self.step:
            self._end(*heappop(self.ends))

    def _end(self, last_step: int, request: int) -> None:
        queue = self.queue
        context, steps = queue.contexts[request], queue.steps[request]
        self.context_sum -= context - (last_step - steps)
        self.reserved -= queue.decoder.reserved(context, steps)
        self.shut = False
        self._answer(request)

    def _noise(self, steps: int) -> float:
        """The sum of the residuals of the next steps."""
        sums = self.queue.sums
        rounds, rest = divmod(steps, _STEP_DRAWS)
        begin = (self.step + self.offset) % _STEP_DRAWS
        return sums[begin + rest] - sums[begin] + rounds * sums[_STEP_DRAWS]

    def _answer(self, request: int) -> None:
        self.queue.done[request] = self.now_s
        self.queue.answered += 1

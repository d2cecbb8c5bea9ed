"""Service times between measured cells.

Cells are points; a queue needs T at every batch size and at the planned length. Here points become a surface, by
interpolation only: nothing is said about a batch larger than the largest measured one, and beyond the longest measured
length the surface stays level, which is a floor and is marked as one. The one idea: a bigger batch or a longer text
never takes less time, so a run that did more in less time shows what the smaller one needs at most. Disturbance only
ever adds time; read this way, one disturbed cell cannot spoil the larger ones, and a cell that is missing is taken to
need no more than the next bigger one.

Where a formula was fitted to the cells, times between two lengths follow its bend instead of a straight line, and the
error it made with cells it had not seen widens the bounds of every time that was not measured: never beyond the bounds
of the measured cells on either side, by the same idea.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal, get_args

from advisor.core.sizing.measurement import Cell, Flag
from advisor.core.sizing.measurement import Surface as Fitted
from advisor.core.sizing.sampling import samples_by_process
from advisor.core.sizing.surface import batch_error_share, bend_s, error_share

Bound = Literal["low", "mid", "high"]
"""The lower end of what was measured (a fast machine), its median, its upper end."""

BOUNDS: tuple[Bound, ...] = get_args(Bound)

_QUANTILES = 299
"""As many as a cell has samples at most, so that no tail is lost."""

_PAYS_TO_PAD = 0.9
"""A larger batch takes less time than a smaller one where it takes at most this part of it: noise is not padded."""

_INVALID: frozenset[Flag] = frozenset(
    {
        "out-of-memory",
        "does-not-fit",
        "unsupported",
        "killed",
        "crashed",
        "hung",
        "not-finite",
        "cancelled",
        "above-peak",
        "not-linear",
        "deviates",
        "passed-over",
    }
)
"""Flags of cells whose figures, if they have any, are not the time of a run, or of a first look alone."""


def usable(cell: Cell) -> bool:
    """Whether a cell has a time that a plan may rest on."""
    return cell.median_s is not None and cell.median_s > 0 and not _INVALID.intersection(cell.flags)


def bounds_of(cell: Cell) -> dict[Bound, float]:
    """Low, mid and high seconds of a usable cell. Where samples were too few for an interval, their extremes."""
    middle = cell.median_s or 0.0
    samples = cell.samples_s or (middle,)
    low, high = cell.ci95_s or (min(samples), max(samples))
    return {"low": min(low, middle), "mid": middle, "high": max(high, middle)}


def residuals_of(cells: Iterable[Cell]) -> tuple[float, ...]:
    """How much one run differs from another: the samples of each cell, divided by their process's median.

    A replica is one process and stays as fast as it is: by what processes differ, the bounds are wide, not the noise.
    Each cell weighs the same, by as many of its quantiles: a noisy cell has far more samples than a steady one.
    """
    kept = (cell for cell in cells if usable(cell) and cell.samples_s)
    return tuple(ratio for cell in kept for ratio in _quantiles(_ratios(cell))) or (1.0,)


def after_pause_of(cells: Iterable[Cell], texts: int) -> float:
    """How many times as long a pass takes that begins on an idle replica; 1 where that was not measured.

    A request of many texts takes several passes, or one over many texts, and neither was measured after a pause.
    """
    ratios = [cell.after_pause_ratio for cell in cells if usable(cell) and cell.after_pause_ratio is not None]
    return median(ratios) if ratios and texts == 1 else 1.0


def _ratios(cell: Cell) -> list[float]:
    if cell.processes == 1:
        return [sample / (cell.median_s or 1.0) for sample in cell.samples_s or ()]
    return [sample / median(own) for own in samples_by_process(cell) for sample in own]


def _quantiles(samples_s: Sequence[float]) -> Iterator[float]:
    ordered = sorted(samples_s)
    return (ordered[step * len(ordered) // _QUANTILES] for step in range(_QUANTILES))


@dataclass(frozen=True, slots=True)
class Surface:
    """T(batch size, tokens) of one stage in one configuration, from its cells.

    `points` holds low, mid and high seconds by (batch size, tokens). Tokens are the length read, or the depth of the
    cache. `fit` is what was fitted to them; without it times between them are linear and their error is unknown.
    """

    points: Mapping[tuple[int, int], Mapping[Bound, float]]
    fit: Fitted | None = None

    @classmethod
    def of(cls, cells: Iterable[Cell], *, by_context: bool = False, fit: Fitted | None = None) -> Surface:
        """The surface of the usable ones among these cells. Of two at one shape the slower counts."""
        points: dict[tuple[int, int], dict[Bound, float]] = {}
        for cell in filter(usable, cells):
            shape = (cell.batch_size, (cell.context_tokens if by_context else cell.input_tokens) or 0)
            found, before = bounds_of(cell), points.get(shape)
            points[shape] = found if before is None else {key: max(found[key], before[key]) for key in BOUNDS}
        return cls(points, fit if fit is not None and fit.coefficients else None)

    @property
    def batches(self) -> tuple[int, ...]:
        """The measured batch sizes."""
        return tuple(sorted({batch for batch, _ in self.points}))

    @property
    def lengths(self) -> tuple[int, ...]:
        """The measured lengths or depths."""
        return tuple(sorted({tokens for _, tokens in self.points}))

    def padded(self, tokens: int) -> dict[int, int]:
        """The batches that take longer than a larger one, with that one, at the measured length nearest to `tokens`.

        A bigger batch never takes longer than its own time here, so a smaller one is planned with no more than that.
        """
        length = self.around(tokens)[1]
        times = {batch: seconds["mid"] for (batch, at), seconds in self.points.items() if at == length}
        best = {batch: min((one for one in times if one >= batch), key=times.__getitem__) for batch in times}
        return {batch: other for batch, other in best.items() if times[other] <= _PAYS_TO_PAD * times[batch]}

    def measured_at(self, tokens: int) -> bool:
        """Whether cells of exactly this length were measured."""
        return tokens in self.lengths

    def reaches(self, tokens: int) -> bool:
        """Whether a cell at least as long was measured; if not, what `service_s` says is a floor."""
        return bool(self.points) and tokens <= self.lengths[-1]

    def around(self, tokens: float) -> tuple[int, int]:
        """The measured lengths just below and above; twice the same where one is met exactly or none is beyond."""
        lengths = self.lengths
        clamped = min(max(tokens, lengths[0]), lengths[-1])
        return max(length for length in lengths if length <= clamped), lengths[bisect_left(lengths, clamped)]

    def service_s(self, tokens: float, bound: Bound) -> tuple[float, ...]:
        """Seconds of one pass over 1, 2, 3 … texts of `tokens` tokens, up to the largest batch known at that length."""
        before, after = self.around(tokens)
        clamped = min(max(tokens, before), after)
        knots: list[tuple[int, float]] = []
        for batch in self.batches:
            near, far = self._value(batch, before, bound), self._value(batch, after, bound)
            if near is not None and far is not None:
                seconds = self._between(batch, (before, near), clamped, (after, far), bound)
                # the bend of a larger batch is deeper: it may not fall below a smaller one's
                knots.append((batch, max(seconds, knots[-1][1]) if knots else seconds))
        return _filled_in(knots, bound, batch_error_share(self.fit))

    def _between(
        self, batch: int, near: tuple[int, float], tokens: float, far: tuple[int, float], bound: Bound
    ) -> float:
        """Seconds at a length between two measured ones: the formula's bend hung up between them."""
        (before, least), (after, most) = near, far
        if after == before or least == most:
            return least
        straight = least + (tokens - before) / (after - before) * (most - least)
        bent = straight + bend_s(self.fit, batch, before, tokens, after)
        return _widened(max(bent, least), least, most, bound, error_share(self.fit))

    def _value(self, batch: int, tokens: int, bound: Bound) -> float | None:
        """T at a point of the grid: the shortest run that was at least as big in both directions, None without one."""
        as_big = [seconds[bound] for (b, t), seconds in self.points.items() if b >= batch and t >= tokens]
        return min(as_big, default=None)


def _filled_in(knots: list[tuple[int, float]], bound: Bound, error: float) -> tuple[float, ...]:
    """Seconds for every batch size from 1 to the last knot; below the first knot what that one takes."""
    times: list[float] = []
    for batch in range(1, knots[-1][0] + 1):
        right = next(index for index, (knot, _) in enumerate(knots) if knot >= batch)
        size, seconds = knots[right]
        if right > 0 and size != batch:
            size_before, seconds_before = knots[right - 1]
            straight = seconds_before + (seconds - seconds_before) * (batch - size_before) / (size - size_before)
            seconds = _widened(straight, seconds_before, seconds, bound, error)
        times.append(seconds)
    return tuple(times)


def _widened(seconds: float, near: float, far: float, bound: Bound, error: float) -> float:
    """A time that was not measured, by the error of the fit, within the times on either side."""
    if bound == "mid":
        return seconds
    return min(seconds * (1 + error), far) if bound == "high" else max(seconds * (1 - error), near)

"""What samples prove: the median with an interval, a percentile with a bound, and when to stop sampling.

Here is arithmetic on lists of numbers; taking the samples is the child's work. The one idea: nothing is assumed about
how run times are distributed. Which order statistics bracket a quantile follows from the binomial distribution alone,
so the interval is as right for a bimodal cell as for a smooth one. No sample is ever dropped.

Sources: David and Nagaraja, Order Statistics, 3rd ed., 7.1; Wilks 1941 for the sizes that bound a percentile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, comb, isfinite
from statistics import median

PLANNED_SIZES = (6, 15, 31, 59, 119, 299)
"""The only sizes at which an interval is looked at: looking after every sample would stop on lucky streaks."""

CONFIDENCE = 0.95
TOLERANCE = {"quick": 0.10}
"""How far the interval may reach from the median, per effort."""

STEADY_SPREAD = 0.10
STEADY_SLOPE = 0.05


@dataclass(frozen=True, slots=True)
class Summary:
    """What a list of samples says. `ci95_s` is None below 6 samples, `p95_s` below 59."""

    samples: int
    median_s: float
    ci95_s: tuple[float, float] | None
    p95_s: float | None
    outliers: int


@lru_cache(maxsize=4096)
def binomial_at_most(k: int, n: int, numerator: int, denominator: int) -> float:
    """P(X <= k) for X ~ Binomial(n, numerator/denominator), summed exactly in whole numbers."""
    rest = denominator - numerator
    total: int = sum(comb(n, i) * numerator**i * rest ** (n - i) for i in range(k + 1))
    return total / int(denominator**n)


@lru_cache(maxsize=4096)
def median_rank(n: int, confidence: float = CONFIDENCE) -> int | None:
    """The largest r for which samples r and n+1-r (1-based, sorted) bracket the median with `confidence`, or None."""
    best = None
    for r in range(1, n // 2 + 1):
        if 1 - 2 * binomial_at_most(r - 1, n, 1, 2) < confidence:
            break
        best = r
    return best


def interval_coverage(n: int, confidence: float = CONFIDENCE) -> float | None:
    """How often the chosen pair of order statistics really brackets the median: exact, at least `confidence`."""
    rank = median_rank(n, confidence)
    return None if rank is None else 1 - 2 * binomial_at_most(rank - 1, n, 1, 2)


def order_statistic_interval(samples: Sequence[float], confidence: float = CONFIDENCE) -> tuple[float, float] | None:
    """The distribution-free interval of the median, or None where there are too few samples (below 6 at 95 %)."""
    rank = median_rank(len(samples), confidence)
    if rank is None:
        return None
    ordered = sorted(samples)
    return ordered[rank - 1], ordered[-rank]


def samples_to_bound(percentile: int, *, above: int = 0, confidence: float = CONFIDENCE) -> int:
    """The fewest samples whose largest (`above` = 0) or second largest (`above` = 1) bounds the percentile from above.

    95 % confidence: 59 and 93 for the 95th percentile, 299 and 473 for the 99th.
    """
    n = above + 1
    while 1 - binomial_at_most(above, n, 100 - percentile, 100) < confidence:
        n += 1
    return n


def percentile_bound(samples: Sequence[float], percentile: int, confidence: float = CONFIDENCE) -> float | None:
    """The smallest sample that is not below the percentile with `confidence`; None where no sample proves it."""
    rank = percentile_rank(len(samples), percentile, confidence)
    return None if rank is None else sorted(samples)[rank - 1]


@lru_cache(maxsize=4096)
def percentile_rank(n: int, percentile: int, confidence: float = CONFIDENCE) -> int | None:
    """The smallest rank (1-based) whose sample is not below the percentile with `confidence`, or None."""
    whole, below = 100**n, 0
    for rank in range(1, n + 1):
        below += comb(n, rank - 1) * percentile ** (rank - 1) * (100 - percentile) ** (n - rank + 1)
        if below / whole >= confidence:
            return rank
    return None


def quartiles(samples: Sequence[float]) -> tuple[float, float]:
    """First and third quartile, by linear interpolation between order statistics."""
    ordered = sorted(samples)

    def at(fraction: float) -> float:
        place = fraction * (len(ordered) - 1)
        below = int(place)
        above = min(below + 1, len(ordered) - 1)
        return ordered[below] + (place - below) * (ordered[above] - ordered[below])

    return at(0.25), at(0.75)


def count_outliers(samples: Sequence[float]) -> int:
    """Samples beyond Tukey's fences (1.5 interquartile ranges). They are counted; every figure still holds them."""
    if len(samples) < PLANNED_SIZES[0]:
        return 0
    first, third = quartiles(samples)
    reach = 1.5 * (third - first)
    return sum(1 for value in samples if not first - reach <= value <= third + reach)


def summarise(samples: Sequence[float]) -> Summary:
    """Every figure the samples support, none that they do not. Raises ValueError without finite, positive samples."""
    if not samples or not all(isfinite(value) and value > 0 for value in samples):
        raise ValueError("samples must be finite and above zero, and there must be one")
    return Summary(
        samples=len(samples),
        median_s=median(samples),
        ci95_s=order_statistic_interval(samples),
        p95_s=percentile_bound(samples, 95),
        outliers=count_outliers(samples),
    )


def precise_enough(samples: Sequence[float], tolerance: float) -> bool:
    """Whether the interval lies within `tolerance` of the median on both sides."""
    interval = order_statistic_interval(samples)
    if interval is None:
        return False
    middle = median(samples)
    return interval[0] >= middle * (1 - tolerance) and interval[1] <= middle * (1 + tolerance)


def next_planned_size(samples: int) -> int | None:
    """The next size at which to look, or None after the last."""
    return next((size for size in PLANNED_SIZES if size > samples), None)


def more_samples_needed(samples: Sequence[float], tolerance: float) -> int:
    """How many more samples should bring the interval within `tolerance`: it shrinks as one over the root of n."""
    interval = order_statistic_interval(samples)
    if interval is None:
        return max(0, PLANNED_SIZES[0] - len(samples))
    middle = median(samples)
    reach = max(middle - interval[0], interval[1] - middle) / middle
    if reach <= tolerance:
        return 0
    wanted = ceil(len(samples) * (reach / tolerance) ** 2)
    planned = next((size for size in PLANNED_SIZES if size >= wanted), wanted)
    return max(planned, len(samples) + 1) - len(samples)


def steady(blocks: Sequence[float]) -> bool:
    """Whether warm-up is over: the last blocks spread little and do not trend.

    The trend is the Theil-Sen slope over the blocks, so that one slow block does not look like one.
    """
    if len(blocks) < 3:
        return False
    middle = median(blocks)
    first, third = quartiles(blocks)
    drift = _median_slope(blocks) * (len(blocks) - 1)
    return (third - first) < STEADY_SPREAD * middle and abs(drift) < STEADY_SLOPE * middle


def _median_slope(values: Sequence[float]) -> float:
    pairs = [(values[j] - values[i]) / (j - i) for i in range(len(values)) for j in range(i + 1, len(values))]
    return median(pairs)


def sample_until(
    take: Callable[[int], Sequence[float]],
    *,
    enough: Callable[[Sequence[float]], bool],
    may_go_on: Callable[[Sequence[float]], bool],
) -> tuple[float, ...]:
    """Sample to the planned sizes until they are `enough` or `may_go_on` says no; both are asked at planned sizes only.

    `take(n)` returns up to n new samples (fewer: it ran out of time).
    """
    samples: list[float] = []
    while (size := next_planned_size(len(samples))) is not None:
        wanted = size - len(samples)
        fresh = take(wanted)
        samples.extend(fresh)
        if len(fresh) < wanted or enough(samples) or not may_go_on(samples):
            break
    return tuple(samples)

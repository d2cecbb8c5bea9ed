"""What samples prove: the median with an interval, a percentile with a bound.

Here is arithmetic on lists of numbers; which samples are taken is `sampling`'s business. The one idea: nothing is
assumed about how run times are distributed. Which order statistics bracket a quantile follows from the binomial
distribution alone, so the interval is as right for a bimodal cell as for a smooth one. No sample is ever dropped.
Between processes there are too few medians for that: there, and only there, Student's t is used.

Sources: David and Nagaraja, Order Statistics, 3rd ed., 7.1; Wilks 1941 for the sizes that bound a percentile;
Abramowitz and Stegun 26.7.3 and 26.7.4 for Student's t.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import atan, ceil, comb, cos, exp, isfinite, log, pi, sin, sqrt
from statistics import fmean, median, stdev

PLANNED_SIZES = (6, 15, 31, 59, 119, 299)
"""The only sizes at which an interval is looked at: looking after every sample would stop on lucky streaks."""

CONFIDENCE = 0.95
MOST_PROCESSES = 1000
"""Where the search for how many would do ends: nobody starts more."""
STEADY_SPREAD = 0.10
STEADY_SLOPE = 0.05


@dataclass(frozen=True, slots=True)
class Summary:
    """What a list of samples says. `ci95_s` is None below 6 samples, `p95_s` below 59, `p99_s` below 299."""

    samples: int
    median_s: float
    ci95_s: tuple[float, float] | None
    p95_s: float | None
    p99_s: float | None
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
        p99_s=percentile_bound(samples, 99),
        outliers=count_outliers(samples),
    )


@lru_cache(maxsize=1024)
def student_t(freedom: int, confidence: float = CONFIDENCE) -> float:
    """How many standard errors either side of a mean hold `confidence`, with `freedom` degrees of freedom (1 or more).

    The probability within ±t has a closed form for whole degrees of freedom; it is inverted by halving.
    """
    low, high = 0.0, 1.0
    while _within(high, freedom) < confidence:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < confidence else (low, middle)
    return high


def _within(t: float, freedom: int) -> float:
    """P(|T| <= t) for Student's T."""
    angle, odd = atan(t / sqrt(freedom)), freedom % 2
    term, total = (cos(angle) if odd else 1.0), 0.0
    for k in range(2 + odd, freedom + 1, 2):
        total += term
        term *= cos(angle) ** 2 * (k - 1) / k
    return 2 / pi * (angle + sin(angle) * total) if odd else sin(angle) * total


def interval_across(medians: Sequence[float]) -> tuple[float, float] | None:
    """The interval of what a process takes, from the medians of some: Student's t over their logarithms.

    Processes differ by factors, and a time is never below zero; so it is their logarithms that are taken as normal.
    None for less than two.
    """
    if len(medians) < 2:
        return None
    logs, middle = [log(value) for value in medians], median(medians)
    reach = student_t(len(logs) - 1) * stdev(logs) / sqrt(len(logs))
    return min(middle, exp(fmean(logs) - reach)), max(middle, exp(fmean(logs) + reach))


def more_processes_needed(medians: Sequence[float], tolerance: float) -> int:
    """How many more processes should bring their interval within `tolerance`, if they differ as these do."""
    interval = interval_across(medians)
    if interval is None:
        return 1
    have = len(medians)
    wanted = reach_of(interval, median(medians)) / tolerance * sqrt(have) / student_t(have - 1)
    low, high = have, MOST_PROCESSES
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if sqrt(middle) / student_t(middle - 1) < wanted else (low, middle)
    return low - have


def reach_of(interval: tuple[float, float], middle: float) -> float:
    """How far an interval reaches from the median, as a part of it, on the wider side."""
    return max(middle - interval[0], interval[1] - middle) / middle


def precise_enough(samples: Sequence[float], tolerance: float) -> bool:
    """Whether the interval lies within `tolerance` of the median on both sides."""
    interval = order_statistic_interval(samples)
    return interval is not None and reach_of(interval, median(samples)) <= tolerance


def next_planned_size(samples: int) -> int | None:
    """The next size at which to look, or None after the last."""
    return next((size for size in PLANNED_SIZES if size > samples), None)


def more_samples_needed(samples: Sequence[float], tolerance: float) -> int:
    """How many more samples should bring the interval within `tolerance`: it shrinks as one over the root of n."""
    interval = order_statistic_interval(samples)
    if interval is None:
        return max(0, PLANNED_SIZES[0] - len(samples))
    reach = reach_of(interval, median(samples))
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

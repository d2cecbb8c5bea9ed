"""Intervals and bounds against exact probabilities, and against what seeded noise really does."""

from __future__ import annotations

import random
from itertools import product
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.core.sizing.statistics import (
    binomial_at_most,
    count_outliers,
    interval_across,
    median_rank,
    more_processes_needed,
    more_samples_needed,
    next_planned_size,
    order_statistic_interval,
    percentile_bound,
    percentile_rank,
    precise_enough,
    samples_to_bound,
    steady,
    student_t,
    summarise,
)

seconds = st.floats(min_value=1e-6, max_value=1e3)


def noise(seed: int) -> random.Random:
    return random.Random(seed)


def skewed(source: random.Random) -> float:
    """A run time as machines make them: a floor, a tail, and now and then a second mode."""
    return 1.0 + source.lognormvariate(-3, 0.8) + (0.2 if source.random() < 0.1 else 0.0)


def interval_coverage(n: int) -> float | None:
    """How often the pair of order statistics that is chosen really brackets the median."""
    rank = median_rank(n)
    return None if rank is None else 1 - 2 * binomial_at_most(rank - 1, n, 1, 2)


def skewed_median() -> float:
    source = noise(12345)
    return median(skewed(source) for _ in range(200_001))


def test_six_samples_bound_the_median_by_their_extremes() -> None:
    assert order_statistic_interval([5.0, 1.0, 4.0, 2.0, 6.0, 3.0]) == (1.0, 6.0)
    assert interval_coverage(6) == pytest.approx(0.96875)


def test_five_samples_bound_nothing() -> None:
    assert order_statistic_interval([1.0] * 5) is None
    assert interval_coverage(5) is None


def test_coverage_at_twenty_one_samples_is_the_textbook_figure() -> None:
    assert interval_coverage(21) == pytest.approx(0.9734, abs=1e-4)


@pytest.mark.parametrize("n", range(6, 13))
def test_the_rank_is_the_innermost_that_keeps_the_confidence_by_counting_every_outcome(n: int) -> None:
    """Each sample is above or below the median with equal odds: count all outcomes instead of trusting a formula."""

    def covered(rank: int) -> float:
        outcomes = list(product((0, 1), repeat=n))
        return sum(1 for below in outcomes if rank <= sum(below) <= n - rank) / len(outcomes)

    rank = median_rank(n)
    assert rank is not None
    assert covered(rank) >= 0.95 > covered(rank + 1)
    assert interval_coverage(n) == pytest.approx(covered(rank))


@pytest.mark.parametrize("n", [6, 15, 21, 31, 59])
def test_intervals_over_a_thousand_runs_cover_as_often_as_promised(n: int) -> None:
    source, truth, runs = noise(n), skewed_median(), 1000
    hits = 0
    for _ in range(runs):
        interval = order_statistic_interval([skewed(source) for _ in range(n)])
        hits += interval is not None and interval[0] <= truth <= interval[1]
    promised = interval_coverage(n)
    assert promised is not None
    assert hits / runs == pytest.approx(promised, abs=0.02)


@pytest.mark.parametrize(("percentile", "above", "needed"), [(95, 0, 59), (95, 1, 93), (99, 0, 299), (99, 1, 473)])
def test_a_percentile_claim_needs_the_known_number_of_samples(percentile: int, above: int, needed: int) -> None:
    assert samples_to_bound(percentile, above=above) == needed


@pytest.mark.parametrize(("percentile", "first"), [(95, 59), (99, 299)])
def test_no_percentile_is_claimed_one_sample_too_early(percentile: int, first: int) -> None:
    assert percentile_bound([1.0] * (first - 1), percentile) is None
    assert percentile_bound([float(i) for i in range(1, first + 1)], percentile) == float(first)


def test_more_samples_allow_a_bound_below_the_largest() -> None:
    assert percentile_rank(93, 95) == 92
    assert percentile_rank(92, 95) == 92


def test_the_bound_really_lies_above_the_percentile_in_95_of_100_runs() -> None:
    source, runs = noise(3), 1000
    hits = sum((percentile_bound([source.random() for _ in range(119)], 95) or 0.0) >= 0.95 for _ in range(runs))
    assert hits / runs >= 0.94


def test_p95_and_p99_stay_unknown_until_they_can_be_claimed() -> None:
    assert summarise([1.0] * 58).p95_s is None
    assert summarise([1.0] * 59).p95_s == 1.0
    assert summarise([1.0] * 298).p99_s is None
    assert summarise([1.0] * 299).p99_s == 1.0


def test_outliers_are_counted_and_kept() -> None:
    summary = summarise([1.0, 1.01, 1.02, 0.99, 1.0, 1.01, 50.0])
    assert summary.outliers == 1
    assert summary.samples == 7
    assert summary.ci95_s is not None
    assert summary.ci95_s[1] == 50.0


@pytest.mark.parametrize("bad", [[], [1.0, 0.0], [1.0, -1.0], [float("nan")], [float("inf")]])
def test_samples_that_are_no_times_are_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="samples"):
        summarise(bad)


@given(st.lists(seconds, min_size=1, max_size=130))
def test_every_figure_is_ordered_and_made_of_samples(samples: list[float]) -> None:
    summary = summarise(samples)
    if summary.ci95_s is not None:
        assert summary.ci95_s[0] <= summary.median_s <= summary.ci95_s[1]
        assert set(summary.ci95_s) <= set(samples)
    if summary.p95_s is not None:
        assert summary.median_s <= summary.p95_s
    assert (summary.ci95_s is None) == (len(samples) < 6)
    assert 0 <= summary.outliers <= len(samples)


@given(st.lists(seconds, min_size=6, max_size=60), st.randoms(use_true_random=False))
def test_the_order_of_samples_changes_no_figure(samples: list[float], source: random.Random) -> None:
    shuffled = samples.copy()
    source.shuffle(shuffled)
    assert summarise(samples) == summarise(shuffled)


def test_the_next_planned_size_lies_beyond_what_is_there() -> None:
    assert [next_planned_size(n) for n in (0, 6, 7, 298, 299)] == [6, 15, 15, 299, None]


def test_an_interval_is_precise_enough_only_within_the_tolerance_on_both_sides() -> None:
    assert precise_enough([1.0, 0.95, 1.0, 1.0, 1.05, 1.0], 0.1)
    assert not precise_enough([1.0, 0.85, 1.0, 1.0, 1.05, 1.0], 0.1)
    assert not precise_enough([1.0, 0.95, 1.0, 1.0, 1.15, 1.0], 0.1)
    assert not precise_enough([1.0] * 5, 0.1)


def test_more_samples_are_asked_for_as_the_square_of_the_missing_precision() -> None:
    wide = [0.6, 0.8, 1.0, 1.0, 1.2, 1.4]
    assert more_samples_needed(wide, 0.5) == 0
    assert more_samples_needed(wide, 0.2) == 31 - 6  # four times the samples halve the interval: 24, planned 31
    assert more_samples_needed(wide, 0.04) == 600 - 6
    assert more_samples_needed([1.0] * 2, 0.1) == 4


def test_a_trend_is_not_steady_and_one_slow_block_is() -> None:
    assert steady([1.0, 1.01, 0.99, 1.0, 1.02])
    assert steady([1.0, 1.01, 1.6, 1.0, 1.02])
    assert not steady([1.3, 1.2, 1.1, 1.05, 1.0])
    assert not steady([1.0, 1.5, 1.0, 1.5, 1.0])
    assert not steady([1.0, 1.0])


def test_few_samples_hold_no_outliers() -> None:
    assert count_outliers([1.0, 1.0, 1.0, 1.0, 100.0]) == 0


KNOWN_T = [(1, 12.7062), (2, 4.30265), (3, 3.18245), (4, 2.77645), (5, 2.57058), (9, 2.26216), (30, 2.04227)]


@pytest.mark.parametrize(("freedom", "known"), KNOWN_T)
def test_students_t_is_the_tables(freedom: int, known: float) -> None:
    assert student_t(freedom) == pytest.approx(known, rel=1e-5)


def test_students_t_is_scipys_too() -> None:
    scipy = pytest.importorskip("scipy.stats", reason="scipy comes with the extra that fits surfaces")
    for freedom in range(1, 60):
        for confidence in (0.5, 0.9, 0.95, 0.999):
            assert student_t(freedom, confidence) == pytest.approx(scipy.t.ppf((1 + confidence) / 2, freedom), rel=1e-9)


@pytest.mark.parametrize("processes", [2, 3, 5])
def test_intervals_across_processes_cover_what_a_process_takes_in_95_of_100_runs(processes: int) -> None:
    source, runs = noise(processes), 2000
    hits = 0
    for _ in range(runs):
        interval = interval_across([source.lognormvariate(0.0, 0.25) for _ in range(processes)])
        hits += interval is not None and interval[0] <= 1.0 <= interval[1]
    assert hits / runs == pytest.approx(0.95, abs=0.02)


@given(st.lists(seconds, min_size=2, max_size=7))
def test_an_interval_across_processes_holds_their_median_and_nothing_below_zero(medians: list[float]) -> None:
    interval = interval_across(medians)
    assert interval is not None
    assert 0 < interval[0] <= median(medians) <= interval[1]


def test_one_process_says_nothing_of_the_next() -> None:
    assert interval_across([1.0]) is None


def test_more_processes_are_asked_for_until_they_would_do() -> None:
    medians = [1.0, 1.03, 0.97]
    more = more_processes_needed(medians, 0.05)
    assert 0 < more < 10
    assert more_processes_needed(medians, 0.10) == 0
    assert more_processes_needed([1.0, 1.25, 0.8], 0.05) > 50

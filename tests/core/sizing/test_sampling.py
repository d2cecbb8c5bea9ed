"""When a cell has samples enough, against what seeded noise really does, and what several processes say together."""

from __future__ import annotations

import random
from collections.abc import Callable
from statistics import median

import pytest

from advisor.core.sizing.effort import EFFORTS
from advisor.core.sizing.measurement import Effort
from advisor.core.sizing.plausible import doubts
from advisor.core.sizing.sampling import LEAST, Terms, pooled
from advisor.core.sizing.statistics import PLANNED_SIZES, order_statistic_interval
from tests.core.model.tiny_models import entry
from tests.core.sizing.known_model import profile
from tests.fake_child import fake_cell
from tests.measuring import plans

CELL = fake_cell(plans(batches=(2,))[0])
STEADY = [1.0, 1.01, 0.99, 1.02, 0.98, 1.0]


def skewed(source: random.Random) -> float:
    """A run time as machines make them: a floor, a tail, and now and then a second mode."""
    return 1.0 + source.lognormvariate(-3, 0.8) + (0.2 if source.random() < 0.1 else 0.0)


def skewed_median() -> float:
    source = random.Random(12345)
    return median(skewed(source) for _ in range(200_001))


def sampled(terms: Terms, draw: Callable[[], float], runs: int = 1) -> list[float]:
    """As many samples as the terms want, one visit after the other."""
    samples: list[float] = []
    while wanted := terms.more_wanted(samples, runs):
        samples += [draw() for _ in range(wanted)]
    return samples


@pytest.mark.parametrize("effort", EFFORTS)
def test_stopping_early_at_planned_sizes_still_covers_in_93_of_100_runs(effort: Effort) -> None:
    source, truth, runs = random.Random(7), skewed_median(), 1000
    hits = 0
    for _ in range(runs):
        interval = order_statistic_interval(sampled(Terms(effort), lambda: skewed(source)))
        hits += interval is not None and interval[0] <= truth <= interval[1]
    assert hits / runs >= 0.93


@pytest.mark.parametrize(("effort", "between"), [("standard", 0.02), ("standard", 0.25), ("thorough", 0.25)])
def test_figures_of_several_processes_cover_what_a_process_takes_in_93_of_100_runs(
    effort: Effort, between: float
) -> None:
    source, runs, terms = random.Random(11), 1000, Terms(effort)
    hits = 0
    for _ in range(runs):
        places = [source.lognormvariate(0.0, between) for _ in range(terms.processes)]
        cell = pooled(CELL, [sampled(terms, lambda p=place: p * source.uniform(0.97, 1.03)) for place in places], terms)
        assert cell.ci95_s is not None
        hits += cell.ci95_s[0] <= 1.0 <= cell.ci95_s[1]
    assert hits / runs >= 0.93


def test_sampling_looks_only_at_planned_sizes() -> None:
    terms, source, seen = Terms(), random.Random(1), []
    samples: list[float] = []
    while wanted := terms.more_wanted(samples):
        samples += [source.choice((1.0, 9.0)) for _ in range(wanted)]
        seen.append(len(samples))
    assert seen == list(PLANNED_SIZES)


def test_samples_that_agree_are_enough_at_six_for_a_quick_look() -> None:
    assert len(sampled(Terms(), lambda: 1.0)) == LEAST


@pytest.mark.parametrize(("run_s", "samples"), [(0.2, 6), (0.1, 15), (0.02, 59), (0.002, 299)])
def test_quick_runs_are_sampled_for_a_second_however_well_they_agree(run_s: float, samples: int) -> None:
    assert len(sampled(Terms(), lambda: run_s)) == samples


def test_a_second_is_counted_over_every_run_of_a_block() -> None:
    assert len(sampled(Terms(), lambda: 0.002, runs=100)) == LEAST


@pytest.mark.parametrize(("effort", "percentile"), [("standard", "p95_s"), ("thorough", "p99_s")])
def test_an_effort_takes_the_samples_that_its_percentile_needs(effort: Effort, percentile: str) -> None:
    terms = Terms(effort)
    taken = [sampled(terms, lambda: 1.0) for _ in range(terms.processes)]
    assert getattr(pooled(CELL, taken, terms), percentile) == 1.0
    assert getattr(pooled(CELL, [one[:-1] for one in taken], terms), percentile) is None


def test_a_median_certain_to_miss_the_budget_is_sampled_no_further() -> None:
    noisy = [1.0, 3.0, 1.0, 3.0, 1.0, 3.0]
    assert Terms(missed_above_s=0.9).more_wanted(noisy) == 0
    assert Terms(missed_above_s=1.1).more_wanted(noisy) == 15 - 6
    assert Terms(missed_above_s=9.0).more_wanted(noisy) == 15 - 6, "to be within the budget proves nothing"


def test_what_is_settled_from_below_is_so_by_its_slowest_sample() -> None:
    noisy = [1.0, 3.0, 1.0, 3.0, 1.0, 3.0]
    assert Terms(settled_below_s=3.0).more_wanted(noisy) == 0
    assert Terms(settled_below_s=2.9).more_wanted(noisy) == 15 - 6


def test_a_verdict_needs_the_least_number_of_samples_too() -> None:
    assert not Terms(missed_above_s=0.1, settled_below_s=9.0).verdict_is_certain(STEADY[:-1])


def test_one_process_has_the_figures_of_its_samples() -> None:
    cell = pooled(CELL, [STEADY], Terms())
    assert (cell.median_s, cell.ci95_s, cell.ci_method) == (1.0, (0.98, 1.02), "order-statistic")
    assert (cell.processes, cell.samples, cell.process_medians_s) == (1, 6, (1.0,))
    assert cell.throughput_per_s == 2.0
    assert cell.flags == ()


def test_several_processes_have_the_median_of_their_medians() -> None:
    places = (1.0, 1.02, 0.99)
    cell = pooled(CELL, [[place * one for one in STEADY] for place in places], Terms("standard"))
    assert cell.median_s == 1.0
    assert cell.ci_method == "student-t"
    assert cell.process_medians_s == places
    assert (cell.process_samples, cell.samples, len(cell.samples_s or ())) == ((6, 6, 6), 18, 18)
    assert cell.ci95_s is not None
    assert cell.ci95_s[0] == pytest.approx(0.966, abs=0.002)
    assert cell.ci95_s[1] == pytest.approx(1.042, abs=0.002)
    assert "undecided" not in cell.flags


def test_processes_that_disagree_are_undecided_however_sure_each_is_of_itself() -> None:
    cell = pooled(CELL, [[place] * 31 for place in (1.0, 1.25, 0.8)], Terms("standard"))
    assert cell.flags == ("undecided",)
    assert cell.more_samples is not None
    assert cell.more_samples > 31
    assert cell.note is not None
    assert "more processes" in cell.note


def test_fewer_processes_than_asked_for_are_undecided() -> None:
    cell = pooled(CELL, [STEADY], Terms("standard"))
    assert cell.flags == ("undecided",)
    assert cell.more_samples == 2 * 6
    assert pooled(CELL, [STEADY, STEADY], Terms("standard")).flags == ("undecided",)


def test_a_budget_that_every_process_misses_is_decided_however_they_differ() -> None:
    by_process = [[place] * 6 for place in (1.0, 2.0, 4.0)]
    assert pooled(CELL, by_process, Terms("standard", missed_above_s=0.5)).flags == ()
    assert pooled(CELL, by_process, Terms("standard", missed_above_s=1.5)).flags == ("undecided",)


def test_what_is_undecided_says_how_many_more_samples_would_do() -> None:
    cell = pooled(CELL, [[0.6, 0.8, 1.0, 1.0, 1.2, 1.4]], Terms())
    assert cell.flags == ("undecided",)
    assert cell.more_samples is not None
    assert str(cell.more_samples) in (cell.note or "")


@pytest.mark.parametrize("places", [(1.0,), (1.0, 1.3), (0.5, 1.0, 9.0), (1.0, 1.0, 1.0, 1.0, 1.0)])
def test_pooled_figures_are_plausible_ones(places: tuple[float, ...]) -> None:
    cell = pooled(CELL, [[place * one for one in STEADY] for place in places], Terms())
    assert list(doubts(profile(entry("bert"), [cell]))) == []

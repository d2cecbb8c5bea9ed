"""The stopwatch on a clock of its own: what is sampled, when it stops, and what it says when it cannot."""

from __future__ import annotations

import gc
import math
import random
from collections.abc import Callable
from itertools import count

import pytest

from advisor.core.sizing.sampling import LEAST, Terms
from advisor.core.sizing.statistics import order_statistic_interval
from advisor.profile.timing import (
    AGAIN_RUNS,
    PAIRS,
    PAUSE_SECONDS_MOST,
    READING,
    Limits,
    Stopwatch,
    begins_alone,
    clock_seconds,
    runs_per_block,
)
from tests.measuring import plans

TICK_NS = 40
WIDE = Limits(share_s=1e6, limit_s=1e6)


class Bench:
    """A clock that moves only when a task runs, and a task that takes what `seconds` says of its n-th run."""

    def __init__(self, seconds: Callable[[int], float], *, reset_s: float = 0.0) -> None:
        self.now_ns = 0
        self.runs = 0
        self.resets = 0
        self.checks = 0
        self.collecting: set[bool] = set()
        self._seconds, self._reset_s = seconds, reset_s

    def clock(self) -> int:
        self.now_ns += TICK_NS
        return self.now_ns

    def run(self) -> int:
        self.collecting.add(gc.isenabled())
        self.now_ns += int(self._seconds(self.runs) * 1e9)
        self.runs += 1
        return self.runs

    def reset(self) -> None:
        self.resets += 1
        self.now_ns += int(self._reset_s * 1e9)

    def check(self) -> None:
        self.checks += 1

    def watch(self, limits: Limits = WIDE) -> Stopwatch[int]:
        return Stopwatch(self.run, self.reset, self.check, limits, self.clock)

    @property
    def now_s(self) -> float:
        return self.now_ns * 1e-9


def timed(bench: Bench, limits: Limits = WIDE):  # type: ignore[no-untyped-def]
    watch = bench.watch(limits)
    first_s, _ = watch.first()
    return watch.time(first_s)


def test_a_constant_task_needs_six_samples_after_half_a_second() -> None:
    bench = Bench(lambda n: 0.2)
    timing = timed(bench)
    assert timing.samples_s == pytest.approx([0.2] * 6, rel=1e-4)
    assert timing.flags == ()
    assert timing.warmed
    assert bench.runs >= 0.5 / 0.2 + 6


def test_a_later_visit_takes_so_many_samples_more_after_runs_that_warm_the_caches_again() -> None:
    bench = Bench(lambda n: 0.5 if n < AGAIN_RUNS else 0.1)
    samples = bench.watch().again(9, runs=1)
    assert samples == pytest.approx([0.1] * 9, rel=1e-4)
    assert bench.runs == bench.resets == AGAIN_RUNS + 9


def test_a_later_visit_keeps_to_the_blocks_of_the_first() -> None:
    bench = Bench(lambda n: 1e-3)
    assert len(bench.watch().again(4, runs=5)) == 4
    assert bench.runs == AGAIN_RUNS + 4 * 5


def test_a_later_visit_ends_at_its_limit_with_what_it_has() -> None:
    bench = Bench(lambda n: 1.0)
    assert len(bench.watch(Limits(share_s=5, limit_s=5)).again(50, runs=1)) == 5 - AGAIN_RUNS


def test_the_first_run_is_never_a_sample() -> None:
    timing = timed(Bench(lambda n: 2.0 if n == 0 else 0.1))
    assert max(timing.samples_s) < 0.2


def test_warm_up_goes_on_while_the_task_still_gets_faster() -> None:
    timing = timed(Bench(lambda n: 0.1 + 0.4 * 0.8**n))
    assert max(timing.samples_s) < 0.11
    assert timing.warmed


def test_a_task_that_never_settles_is_told() -> None:
    timing = timed(Bench(lambda n: 0.05 * 1.03**n), Limits(share_s=5, limit_s=20))
    assert len(timing.samples_s) == LEAST
    assert not timing.warmed


def test_a_slow_task_stops_at_six_samples_beyond_its_share() -> None:
    bench = Bench(lambda n: 1.0)
    timing = timed(bench, Limits(share_s=2, limit_s=30))
    assert len(timing.samples_s) == LEAST
    assert timing.flags == ()
    assert bench.runs <= 2 + LEAST


def test_a_task_that_cannot_get_six_samples_is_given_up_after_its_first_run() -> None:
    bench = Bench(lambda n: 9.0)
    timing = timed(bench, Limits(share_s=2, limit_s=20))
    assert timing.flags == ("too-slow",)
    assert timing.samples_s == ()
    assert bench.runs == 1
    assert timing.note is not None
    assert "9 s" in timing.note


def test_a_cold_first_run_alone_condemns_nobody() -> None:
    timing = timed(Bench(lambda n: 4.0 if n == 0 else 0.2), Limits(share_s=2, limit_s=20))
    assert len(timing.samples_s) == LEAST


def test_a_second_run_that_is_slow_too_ends_it() -> None:
    bench = Bench(lambda n: 3.0)
    timing = timed(bench, Limits(share_s=2, limit_s=20))
    assert timing.flags == ("too-slow",)
    assert bench.runs == 2


def test_a_task_that_slows_down_while_it_is_sampled_stays_within_its_limit() -> None:
    bench = Bench(lambda n: 0.3 if n < 4 else 4.0)
    timing = timed(bench, Limits(share_s=2, limit_s=12))
    assert timing.flags == ("too-slow",)
    assert bench.now_s < 12 + 4


def test_nobody_runs_far_beyond_the_limit() -> None:
    for run_s in (0.01, 0.1, 0.5, 1.0, 2.0, 5.0):
        bench = Bench(lambda n, run_s=run_s: run_s * (1 + 0.2 * (n % 3)))  # type: ignore[misc]
        timed(bench, Limits(share_s=3, limit_s=10))
        assert bench.now_s <= 10 + 1.4 * run_s


class Sleeper(Bench):
    """A bench whose next run after a sleep takes `slower` times what any other does."""

    def __init__(self, run_s: float, slower: Callable[[int], float]) -> None:
        super().__init__(lambda n: run_s * self._pace())
        self.slept_s: list[float] = []
        self._slower, self._rested = slower, False

    def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.now_ns += int(seconds * 1e9)
        self._rested = True

    def _pace(self) -> float:
        rested, self._rested = self._rested, False
        return self._slower(len(self.slept_s)) if rested else 1.0


def test_a_run_that_is_slower_after_a_pause_gives_that_ratio() -> None:
    bench = Sleeper(0.04, lambda pair: 1.1)
    assert bench.watch().after_pause(0.04, bench.sleep) == pytest.approx(1.1, rel=1e-4)
    assert bench.slept_s == pytest.approx([0.08] * PAIRS)
    assert bench.runs == bench.resets == 2 * PAIRS
    assert bench.checks == 2 * bench.runs


def test_one_stalled_pair_does_not_show_in_the_ratio() -> None:
    bench = Sleeper(0.04, lambda pair: 9.0 if pair == 3 else 1.08)
    assert bench.watch().after_pause(0.04, bench.sleep) == pytest.approx(1.08, rel=1e-4)


def test_a_run_that_is_no_slower_after_a_pause_gives_one() -> None:
    bench = Sleeper(0.04, lambda pair: 0.9)
    assert bench.watch().after_pause(0.04, bench.sleep) == 1.0


def test_no_pause_is_longer_than_it_has_to_be() -> None:
    bench = Sleeper(3.0, lambda pair: 1.1)
    bench.watch().after_pause(3.0, bench.sleep)
    assert bench.slept_s == [PAUSE_SECONDS_MOST] * PAIRS


def test_without_time_for_all_pairs_nothing_is_run_after_a_pause() -> None:
    bench = Sleeper(1.0, lambda pair: 1.1)
    assert bench.watch(Limits(share_s=15, limit_s=60)).after_pause(1.0, bench.sleep) is None
    assert bench.runs == 0
    assert bench.slept_s == []


def test_time_that_went_by_before_counts_against_the_pairs() -> None:
    bench = Sleeper(0.1, lambda pair: 1.1)
    watch = bench.watch(Limits(share_s=3, limit_s=3))
    watch.time(0.1)
    assert watch.after_pause(0.1, bench.sleep) is None
    assert bench.slept_s == []


def test_pairs_that_turn_out_slow_stop_at_the_limit_without_a_ratio() -> None:
    bench = Sleeper(0.1, lambda pair: 20.0)
    assert bench.watch(Limits(share_s=4, limit_s=4)).after_pause(0.1, bench.sleep) is None
    assert bench.now_s < 4 + 2.3


def test_only_a_whole_model_that_reads_one_text_is_run_after_a_pause() -> None:
    reading = [plan for stage in READING for plan in plans(stage)]
    assert [begins_alone(plan) for plan in reading] == [True, False] * 4
    others = [plan for stage in ("decode", "load", "tokenize") for plan in plans(stage)]
    cuts = [plan.model_copy(update={"layers": 2}) for plan in reading]
    assert not any(map(begins_alone, [*others, *cuts]))


def test_short_runs_are_timed_in_blocks_in_which_the_clock_costs_one_percent() -> None:
    bench = Bench(lambda n: 200e-9)
    timing = timed(bench)
    assert runs_per_block(200e-9, TICK_NS * 1e-9) == 20
    assert timing.samples_s[0] == pytest.approx(200e-9, rel=0.02)


def test_a_block_of_one_is_enough_for_whole_models() -> None:
    assert runs_per_block(1e-3, 60e-9) == 1
    assert clock_seconds(Bench(lambda n: 1.0).clock) == pytest.approx(TICK_NS * 1e-9)


def test_putting_the_state_back_is_not_timed_and_happens_after_every_run() -> None:
    bench = Bench(lambda n: 0.2, reset_s=5.0)
    timing = timed(bench)
    assert timing.samples_s == pytest.approx([0.2] * 6, rel=1e-4)
    assert bench.resets == bench.runs


def test_the_state_is_checked_before_and_after_each_block() -> None:
    bench = Bench(lambda n: 0.1)
    timed(bench)
    assert bench.checks == 2 * (bench.runs - 1)


def test_nothing_is_collected_inside_a_block_and_collecting_goes_on_after_it() -> None:
    bench = Bench(lambda n: 0.1)
    watch = bench.watch()
    bench.collecting.clear()
    watch.time(0.1)
    assert bench.collecting == {False}
    assert gc.isenabled()


def test_collecting_goes_on_after_a_block_that_failed() -> None:
    def fail(n: int) -> float:
        raise MemoryError

    with pytest.raises(MemoryError):
        Bench(fail).watch().time(0.1)
    assert gc.isenabled()


def test_a_clock_that_stands_still_over_a_block_still_gives_positive_samples() -> None:
    readings = count()
    watch = Stopwatch(lambda: 1, lambda: None, lambda: None, WIDE, lambda: next(readings) // 5 * 10_000_000)
    assert all(sample > 0 for sample in watch.time(1e-9).samples_s)


def test_on_a_clock_of_its_own_the_whole_of_sampling_covers_the_median_in_93_of_100_cells() -> None:
    hits, cells, terms = 0, 500, Terms()
    for seed in range(cells):
        source = random.Random(seed)
        bench = Bench(lambda n, source=source: 0.1 * (1 + source.lognormvariate(-2, 0.8)))  # type: ignore[misc]
        timing = timed(bench)
        samples = list(timing.samples_s)
        while wanted := terms.more_wanted(samples, timing.runs):
            samples += bench.watch().again(wanted, timing.runs)
        interval = order_statistic_interval(samples)
        hits += interval is not None and interval[0] <= 0.1 * (1 + math.exp(-2)) <= interval[1]
    assert hits / cells >= 0.93

"""Counters before and after, and what they say of a timing."""

from __future__ import annotations

import pytest

from advisor.profile.disturbance import Meanwhile, disturbances, meanwhile
from advisor.store.machine import Load

QUIET = Load(busy_s=100.0, stolen_s=5.0, throttled_s=1.0, swapped_pages=7, out_of_memory_kills=0)


def flags(after: Load, *, own: float = 2.0, elapsed: float = 1.0, before: Load = QUIET) -> tuple[str, ...]:
    return disturbances(meanwhile(before, after, own_cpu_s=own, elapsed_s=elapsed), cores=2)


def later(**grown: float) -> Load:
    names = ("busy_s", "stolen_s", "throttled_s", "swapped_pages")
    values = {name: getattr(QUIET, name) + grown.get(name, 0) for name in names}
    return Load(**values, out_of_memory_kills=0)  # type: ignore[arg-type]


def test_a_quiet_machine_has_no_flags() -> None:
    assert flags(later(busy_s=2.0)) == ()


@pytest.mark.parametrize(
    ("grown", "flag"),
    [
        ({"busy_s": 2.3}, "other-load"),
        ({"stolen_s": 0.05}, "stolen"),
        ({"throttled_s": 0.02}, "throttled"),
        ({"swapped_pages": 1}, "swapping"),
    ],
)
def test_each_disturbance_has_its_flag(grown: dict[str, float], flag: str) -> None:
    assert flags(later(**({"busy_s": 2.0} | grown))) == (flag,)


@pytest.mark.parametrize("grown", [{"busy_s": 2.15}, {"stolen_s": 0.03}, {"throttled_s": 0.009}])
def test_a_little_disturbance_is_no_news(grown: dict[str, float]) -> None:
    assert flags(later(**({"busy_s": 2.0} | grown))) == ()


def test_our_own_work_is_not_other_load() -> None:
    assert flags(later(busy_s=2.0), own=2.0) == ()
    assert flags(later(busy_s=2.0), own=0.5) == ("other-load",)


def test_over_hundredths_of_a_second_the_counters_say_nothing() -> None:
    assert flags(later(busy_s=0.1, stolen_s=0.1), own=0.0, elapsed=0.1) == ()


def test_a_kernel_without_counters_accuses_nobody() -> None:
    silent = Load(None, None, None, None, None)
    assert flags(silent, before=silent) == ()
    assert flags(later(busy_s=9.0), before=silent) == ()


def test_short_visits_that_say_nothing_alone_say_it_together() -> None:
    visit = meanwhile(QUIET, later(busy_s=0.2), own_cpu_s=0.1, elapsed_s=0.1)
    together = visit.plus(visit).plus(visit)
    assert disturbances(visit, cores=2) == ()
    assert disturbances(together, cores=2) == ("other-load",)
    assert together.elapsed_s == pytest.approx(0.3)
    assert Meanwhile().plus(visit) == visit

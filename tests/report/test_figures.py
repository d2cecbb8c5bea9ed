"""Figures as words: three digits, a unit, and never a number made of nothing."""

from __future__ import annotations

import pytest

from advisor.core.guide.recommendation import Source
from advisor.core.sizing.plan import ReplicaRange
from advisor.report import figures


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"),
        (0.9, "0.9"),
        (13.333, "13.3"),
        (99.96, "100"),
        (1234.5, "1,230"),
        (0.000123456, "0.000123"),
        (1.2e20, "1.2e+20"),
        (1e-9, "1e-09"),
    ],
)
def test_three_significant_digits(value: float, words: str) -> None:
    assert figures.digits(value) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5e-7, "0.5 µs"), (0.0234, "23.4 ms"), (9.99, "9,990 ms"), (12.34, "12.3 s"), (600, "10 min"), (9000, "2.5 h")],
)
def test_a_duration_takes_the_unit_it_reads_best_in(seconds: float, words: str) -> None:
    assert figures.seconds(seconds) == words
    assert figures.milliseconds(seconds * 1000) == words


def test_what_was_not_had_is_unknown_not_zero() -> None:
    for word in (figures.seconds(None), figures.rate(None), figures.gib(None), figures.percent(None)):
        assert word == "unknown"


def test_replicas_show_their_interval_only_where_there_is_one() -> None:
    assert figures.replicas(ReplicaRange(low=3, mid=3, high=4)) == "3 (3–4)"
    assert figures.replicas(ReplicaRange(low=1200, mid=1200, high=1200)) == "1,200"
    assert figures.replicas(None) == "no number of replicas"


def test_sources_that_are_ours_say_so_once() -> None:
    found = (
        Source(id="G20", section="Production Notes"),
        Source(id="G60", section="ours"),
        Source(id="ours", section="ours"),
    )
    assert figures.sources(found) == "G20, G60 (ours), ours"


def test_one_request_per_second_is_one() -> None:
    assert figures.rate(1) == "1 request/s"
    assert figures.rate(1.004) == "1 request/s"
    assert figures.rate(1.01) == "1.01 requests/s"
    assert figures.rate(0.1) == "0.1 requests/s"

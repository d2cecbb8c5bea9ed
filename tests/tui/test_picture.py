"""Latency against the budget: the picture and its twin say the same."""

from __future__ import annotations

import pytest

from advisor.core.report import Report
from advisor.core.sizing.plan import Percentiles
from advisor.core.workload import Workload
from advisor.tui.picture import latency_picture, twin


def drawn(
    report: Report, width: int = 80, *, percentile: int = 95, judged: float | None = None, **latency: float
) -> list[str]:
    """The picture of these latencies against 50 ms."""
    assert report.plan is not None
    nothing = {"p50": None, "p95": None, "p99": None}
    found = {"latency_ms": Percentiles(**(nothing | latency)), "judged_latency_ms": judged}
    plan = report.plan.model_copy(update=found)
    said = report.recommendation.workload.model_dump() | {"latency_budget_ms": 50.0, "latency_percentile": percentile}
    return [line.plain for line in latency_picture(plan, Workload.model_validate(said), width)]


def test_a_bar_inside_the_budget_ends_before_its_mark_and_one_over_it_crosses_it(report: Report) -> None:
    lines = drawn(report, p50=20.0, p95=40.0, p99=80.0)
    p50, p95, p99 = (next(line for line in lines if line.startswith(name)) for name in ("p50", "p95", "p99"))
    mark = p50.index("│")
    assert p95.index("│") == mark
    assert p99[mark] == "┿"
    assert "━" not in p95[mark:]
    assert p99.rstrip().endswith("80 ms")


@pytest.mark.parametrize("width", [40, 60, 80, 118])
def test_a_hair_inside_or_over_the_budget_is_drawn_on_its_side(report: Report, width: int) -> None:
    lines = drawn(report, width, p50=49.9, p95=50.0, p99=50.1)
    p50, p95, p99 = (next(line for line in lines if line.startswith(name)) for name in ("p50", "p95", "p99"))
    assert "┿" not in p50 + p95
    assert "┿" in p99


def test_only_the_percentile_the_budget_is_about_is_judged(report: Report) -> None:
    lines = drawn(report, p50=20.0, p95=40.0, p99=80.0)
    assert [line[4] for line in lines if line.startswith("p")][:3] == [" ", "✓", " "]
    lines = drawn(report, percentile=99, p50=20.0, p95=40.0, p99=80.0)
    assert [line[4] for line in lines if line.startswith("p")][:3] == [" ", " ", "✗"]


def test_a_budget_at_a_percentile_that_is_not_always_shown_has_its_own_bar(report: Report) -> None:
    lines = drawn(report, percentile=90, judged=35.0, p50=20.0, p95=40.0, p99=80.0)
    assert [line[:5] for line in lines if line.startswith("p")][:4] == ["p50  ", "p90 ✓", "p95  ", "p99  "]
    assert any(line.startswith("p90 is 35 ms, 70 % of the budget") for line in lines)


@pytest.mark.parametrize("width", [32, 40, 60, 118])
@pytest.mark.parametrize("values", [(0.001, 0.002, 0.003), (1e7, 2e9, 3e12), (49.999, 50.0, 50.001)])
def test_no_width_and_no_value_cuts_a_figure_or_leaves_the_screen(
    report: Report, width: int, values: tuple[float, float, float]
) -> None:
    lines = drawn(report, width, p50=values[0], p95=values[1], p99=values[2])
    assert all(len(line) <= width for line in lines)
    units = ("ms", "µs", " s", "min", " h")
    assert all(line.endswith(units) for line in lines if line[:4] in ("p50 ", "p95 ", "p99 ") and "━" in line)


def test_the_twin_says_which_side_of_the_budget_and_by_how_much() -> None:
    inside = twin({"p50": 1.0, "p95": 40.0}, 50.0, 95)
    assert inside == "p95 is 40 ms, 80 % of the budget of 50 ms: 10 ms inside."
    over = twin({"p50": 1.0, "p95": 60.0}, 50.0, 95)
    assert over == "p95 is 60 ms, 120 % of the budget of 50 ms: 10 ms over."
    assert twin({"p50": 1.0, "p95": 60.0}, None, 95) == "p95 is 60 ms; no budget was given."
    assert "p90" in twin({"p50": 1.0, "p95": 60.0}, 50.0, 90)


def test_without_a_latency_there_is_no_picture(report: Report) -> None:
    assert drawn(report) == []


@pytest.mark.parametrize("budget_ms", [1.0, 5.0, 50.0, 5000.0])
def test_the_foot_of_the_budget_stands_under_its_mark(report: Report, budget_ms: float) -> None:
    assert report.plan is not None
    said = report.recommendation.workload.model_dump() | {"latency_budget_ms": budget_ms}
    lines = [line.plain for line in latency_picture(report.plan, Workload.model_validate(said), 78)]
    bar = next(line for line in lines if line.startswith("p50"))
    foot = next(line for line in lines if "┘" in line)
    assert foot.index("┘") == next(at for at, sign in enumerate(bar) if sign in "│┿")
    assert not foot.startswith(" ")

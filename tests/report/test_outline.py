"""A report in words: what the verdict says, at whatever percentile it was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.core.guide.recommendation import Source
from advisor.core.report import Report
from advisor.core.sizing.plan import Finding
from advisor.report import text
from advisor.report.outline import report_blocks, verdict_sentence

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "report.json"


def told(*, per_cent: int, threads: int = 2) -> str:
    """The example's report as text, its budget held against another percentile, served by so many threads."""
    report = Report.model_validate_json(EXAMPLE.read_text(encoding="utf-8"))
    assert report.plan is not None
    stage = report.plan.stages[0]
    assert stage.serving is not None
    serving = stage.serving.model_copy(update={"threads": threads})
    stages = (stage.model_copy(update={"serving": serving}),)
    plan = report.plan.model_copy(update={"verdict": "meets", "judged_latency_ms": 123.0, "stages": stages})
    workload = report.recommendation.workload.model_copy(update={"latency_percentile": per_cent})
    advice = report.recommendation.model_copy(update={"workload": workload})
    blocks = report_blocks(report.model_copy(update={"plan": plan, "recommendation": advice}))
    return text.render(blocks, width=1000)


def test_the_verdict_names_the_latency_at_the_percentile_of_the_budget() -> None:
    words = told(per_cent=90)
    assert "90 % answered within 123 ms" in words.splitlines()[0]
    assert "p90 123 ms" in words


@pytest.mark.parametrize(
    ("finding", "words"),
    [("PLAN-009", "no replica like this machine has the memory"), ("PLAN-061", "within the budget; memory binds")],
)
def test_a_model_too_large_for_any_replica_is_not_told_to_miss_a_budget(finding: str, words: str) -> None:
    report = Report.model_validate_json(EXAMPLE.read_text(encoding="utf-8"))
    assert report.plan is not None
    found = (Finding(id=finding, says="…", source=(Source(id="G61", section="ours"),)),)
    missed = {"verdict": "misses", "replicas": None, "binding": "memory", "findings": found}
    assert words in verdict_sentence(report.plan.model_copy(update=missed), report.recommendation)


def test_a_single_thread_is_one() -> None:
    assert ", 1 thread, batch" in told(per_cent=95, threads=1)
    assert ", 2 threads, batch" in told(per_cent=95)


def test_a_rate_per_day_is_what_was_said_and_the_rate_at_the_peak_what_follows() -> None:
    report = Report.model_validate_json(EXAMPLE.read_text(encoding="utf-8"))
    said = {"requests_per_day": 5e6, "requests_per_second": 5e6 * 3 / 86_400}
    workload = report.recommendation.workload.model_copy(update=said)
    advice = report.recommendation.model_copy(update={"workload": workload})
    words = text.render(report_blocks(report.model_copy(update={"recommendation": advice})), width=1000)
    assert "requests_per_day 5000000" in words
    assert "At the peak that is 174 requests/s." in words
    assert "173.611" not in words

"""A review made by hand for the tests of its reports: one result of every outcome, and as many as asked for."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from advisor.core.guide.recommendation import Level
from advisor.core.review.document import AppliedWaiver, CheckDocument, Location, Outcome, Result
from advisor.core.review.summary import document
from advisor.store.rulebook import load_rulebook

ROOT = Path(__file__).resolve().parents[2]
BOOK = load_rulebook(ROOT / "rules")
FILE = "architecture.yaml"


def result(
    outcome: Outcome = "fail",
    level: Level = "error",
    *,
    check: str = "EMB-101",
    component: str | None = "search",
    message: str = "a plain decoder embeds",
    fix: str | None = "use an encoder",
    location: Location | None = None,
    pointer: str | None = "/components/0/choice/architecture",
    waiver: AppliedWaiver | None = None,
) -> Result:
    """A result."""
    return Result(
        check=check,
        component=component,
        outcome=outcome,
        level=level,
        message=message,
        fix=fix,
        source=BOOK.sources(["G40"]),
        location=location or Location(file=FILE, line=12, column=21, width=12),
        pointer=pointer,
        waiver=waiver,
    )


WAIVER = AppliedWaiver(
    reason="the encoder ships in March",
    owner="search-team",
    created=date(2026, 11, 1),
    expires=date(2027, 2, 1),
    state="active",
    location=Location(file=FILE, line=30, column=5),
)
EVERY_OUTCOME = (
    result(),
    result("fail", "warning", check="CODE-101", location=Location(file="src/a b.py", line=3, column=1), pointer=None),
    result("inconclusive", check="BUD-201", pointer="/components/0/budgets/p95_ms"),
    result("waived", check="GEN-101", waiver=WAIVER),
    result("not-checked", check="ARC-002", message="the folder holds no config.json", fix=None),
    result("not-checked", "note", check="CODE-100", location=Location(file="src/broken.py"), pointer=None),
    result("pass", check="ARC-001", message="encoder-only is what the workload calls for"),
    result("fail", "note", check="EMB-102", component="other", pointer="/components/1/choice/architecture"),
    result("fail", "warning", check="WVR-001", component=None, pointer="/waivers/0"),
)


def review(*results: Result, fail_level: Level = "error") -> CheckDocument:
    """A review with these results, or with one of every outcome."""
    return document(
        files=[FILE],
        components=2,
        results=results or EVERY_OUTCOME,
        waivers=(),
        base=None,
        rulebook=BOOK,
        today=date(2026, 11, 22),
        fail_level=fail_level,
        strict=False,
        exit_zero=False,
    )

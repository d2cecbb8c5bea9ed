"""A review as GitLab's code quality report: a list of findings, each with a fingerprint of its own."""

from __future__ import annotations

import json

from advisor.core.characters import escaped
from advisor.core.review.document import CheckDocument, Result
from advisor.report.review_keys import one_line, reported, words

SEVERITY = {"error": "critical", "warning": "minor", "note": "info"}


def render(document: CheckDocument) -> str:
    """The findings as JSON; what did not settle is told as `info`."""
    found = [_finding(result, key) for result, key in reported(document)]
    return escaped(json.dumps(found, indent=2, ensure_ascii=False)) + "\n"


def _finding(result: Result, key: str) -> dict[str, object]:
    settled = result.outcome == "fail"
    component = f"{result.component}: " if result.component else ""
    return {
        "description": one_line(f"{component}{'' if settled else 'not settled: '}{words(result)}"),
        "check_name": result.check,
        "fingerprint": key,
        "severity": SEVERITY[result.level] if settled else "info",
        "location": {
            "path": one_line(result.location.file).removeprefix("./"),
            "lines": {"begin": result.location.line or 1},
        },
    }

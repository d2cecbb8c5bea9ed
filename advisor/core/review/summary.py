"""What a review comes to: the counts, the exit code, and the document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from advisor.core.errors import EXIT_DONE, EXIT_FINDING, EXIT_NOTHING, EXIT_UNDECIDED
from advisor.core.guide.recommendation import Level
from advisor.core.guide.rulebook import Rulebook
from advisor.core.review.case import LEVEL_ORDER
from advisor.core.review.document import OUTCOMES, Base, CheckDocument, Result, Summary, WaiverLine
from advisor.core.review.kinds import help_of


def document(
    *,
    files: Sequence[str],
    components: int,
    results: Sequence[Result],
    waivers: Sequence[WaiverLine],
    base: Base | None,
    rulebook: Rulebook,
    today: date,
    fail_level: Level,
    strict: bool,
    exit_zero: bool,
    empty: Sequence[str] = (),
) -> CheckDocument:
    """The whole review, what needs eyes first."""
    ordered = sorted(results, key=_urgency)
    summary = summary_of(ordered)
    code = exit_code(ordered, fail_level, strict=strict)
    if strict and empty and code == EXIT_DONE:
        code = EXIT_UNDECIDED
    return CheckDocument(
        files=tuple(files),
        empty=tuple(empty),
        components=components,
        results=tuple(ordered),
        summary=summary,
        checks=help_of((one.check for one in ordered), rulebook),
        waivers=tuple(waivers),
        base=base,
        today=today,
        fail_level=fail_level,
        strict=strict,
        exit_code=EXIT_DONE if exit_zero and code in (EXIT_FINDING, EXIT_UNDECIDED) else code,
        rules_version=rulebook.version,
        rules_sha256=rulebook.sha256,
    )


def summary_of(results: Sequence[Result]) -> Summary:
    """How many results had which outcome."""
    counts = Counter(one.outcome for one in results)
    return Summary.model_validate({outcome: counts[outcome] for outcome in OUTCOMES})


def exit_code(results: Sequence[Result], fail_level: Level, *, strict: bool) -> int:
    """The contract's: a finding, else what did not settle, else nothing checked, else done."""
    failing = [one for one in results if one.outcome == "fail"]
    if any(LEVEL_ORDER.index(one.level) <= LEVEL_ORDER.index(fail_level) for one in failing):
        return EXIT_FINDING
    outcomes = {one.outcome for one in results}
    if "inconclusive" in outcomes or (strict and "not-checked" in outcomes):
        return EXIT_UNDECIDED
    return EXIT_DONE if outcomes - {"not-checked"} else EXIT_NOTHING


def _urgency(result: Result) -> tuple[int, int, str, int, int]:
    place = result.location
    order = OUTCOMES.index(result.outcome), LEVEL_ORDER.index(result.level)
    return (*order, place.file, place.line or 0, place.column or 0)

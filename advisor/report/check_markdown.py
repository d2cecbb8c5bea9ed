"""A review in Markdown, short enough for a comment: the verdict, what to look at, and what nobody looked at.

Blocks like every other report, so that words from an architecture file never become markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from advisor.core.review.document import CheckDocument, Result
from advisor.report import markdown
from advisor.report.blocks import Block, Heading, Paragraph, Table, Tone, bullets
from advisor.report.review import verdict_mark, verdict_words
from advisor.report.review_keys import one_line, sources, words

MAX_ROWS = 50
"""Rows of the table; a comment has a limit, and nobody reads more."""
SIGNS = {"error": "✗ error", "warning": "! warning", "note": "• note"}


def render(document: CheckDocument) -> str:
    """The review as a Markdown document."""
    return markdown.render(check_blocks(document))


def check_blocks(document: CheckDocument) -> list[Block]:
    """The verdict, the counts, the findings as a table, then what is new, what is waived, what was not checked."""
    return list(_blocks(document))


def _blocks(document: CheckDocument) -> Iterator[Block]:
    verdict, tone = _verdict(document)
    yield Heading(verdict, 2, tone)
    yield Paragraph(_counts(document))
    found = [one for one in document.results if one.outcome in ("fail", "inconclusive")]
    if found:
        columns = ("level", "check", "component", "where", "what")
        yield Table(columns, tuple(_row(one) for one in found[:MAX_ROWS]))
    if len(found) > MAX_ROWS:
        yield Paragraph(f"{len(found) - MAX_ROWS} more are not shown here.")
    if document.base is not None:
        yield Heading(f"Since {document.base.ref}", 3)
        news = [one.says for one in document.base.introduced] or ["This change introduced nothing."]
        yield bullets([*news, *document.base.notes])
    for title, outcome in (("Waived", "waived"), ("Not checked", "not-checked")):
        if some := [one for one in document.results if one.outcome == outcome]:
            yield Heading(title, 3)
            yield bullets([_line(one) for one in some[:MAX_ROWS]] + _more(some))


def _verdict(document: CheckDocument) -> tuple[str, Tone]:
    sign, tone = verdict_mark(document)
    return f"{sign} Architecture review: {verdict_words(document)}", tone


def _counts(document: CheckDocument) -> str:
    counts = document.summary
    return (
        f"{counts.pass_} passed, {counts.fail} failed, {counts.waived} waived, {counts.inconclusive} inconclusive, "
        f"{counts.not_checked} not checked."
    )


def _row(result: Result) -> tuple[str, ...]:
    place = result.location
    where = ":".join(str(part) for part in (place.file, place.line) if part is not None)
    level = SIGNS[result.level] if result.outcome == "fail" else "? not settled"
    what = f"{words(result)} [{sources(result)}]"
    return (level, result.check, one_line(result.component or "–"), one_line(where), what)


def _line(result: Result) -> str:
    component = f"{result.component}: " if result.component else ""
    if result.waiver is None:
        return one_line(f"{result.check}, {component}{result.message}")
    ends = "ends soon, on" if result.waiver.state == "expiring" else "until"
    until = f"{result.waiver.owner}, {ends} {result.waiver.expires}"
    return one_line(f"{result.check}, {component}{result.waiver.reason} ({until})")


def _more(results: Sequence[Result]) -> list[str]:
    return [f"{len(results) - MAX_ROWS} more"] if len(results) > MAX_ROWS else []

"""A review as text for a terminal or a log: the verdict, every finding with its line and a caret, the counts.

The last line counts what was not checked, too. The document holds places, not lines: those come from whoever has the
files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from advisor.core.characters import visible
from advisor.core.errors import EXIT_DONE, EXIT_FINDING, EXIT_NOTHING
from advisor.core.review.document import CheckDocument, Location, Outcome, Result, WaiverLine
from advisor.report.blocks import Tone
from advisor.report.caret import caret

LineAt = Callable[[Location], str | None]
"""The line that a place stands in; None where there is none to show."""

_FIRST_FILE = "      → name the files or folders to review, or write a first file: advisor check --init --set task=TASK"
_COLOURS = {"good": "\x1b[32m", "bad": "\x1b[31m", "tight": "\x1b[33m"}
_RESET = "\x1b[0m"
_WORDS: dict[Outcome, str] = {
    "fail": "",
    "inconclusive": "inconclusive",
    "waived": "waived",
    "not-checked": "not checked",
    "pass": "note",
}


def review_text(document: CheckDocument, line_at: LineAt, *, colour: bool = False) -> str:
    """The whole text, ending in a line break."""
    found = [*_findings(document, line_at), *_waivers(document), *_introduced(document)]
    blocks = [*found, _counts(document)] if document.files else [_FIRST_FILE, _counts(document)]
    return "\n\n".join([_verdict(document, colour), *map(visible, blocks)]) + "\n"


def verdict_words(document: CheckDocument) -> str:
    """The verdict in a sentence, with the folders that were named and hold nothing to review."""
    words = _verdict_words(document)
    empty = f"; no architecture file in {', '.join(document.empty)}" if document.empty and document.files else ""
    return f"{words.removesuffix('.')}{empty}."


def _verdict_words(document: CheckDocument) -> str:
    if document.exit_code == EXIT_NOTHING or not document.results:
        files = ", ".join(document.files)
        named = f"nothing that {files} names could be" if document.components else f"{files} names no components"
        return f"Nothing was checked: {named if files else 'no architecture file here'}."
    failing = document.summary.fail
    what = f"{_count(document.components, 'component')} of {', '.join(document.files)}"
    if failing:
        return f"{_count(failing, 'finding')} in {what}."
    if document.summary.inconclusive:
        return f"{_count(document.summary.inconclusive, 'check')} did not settle in {what}."
    if document.strict and document.summary.not_checked:
        return f"{_count(document.summary.not_checked, 'check')} could not be made in {what}."
    return f"No findings in {what}."


def verdict_mark(document: CheckDocument) -> tuple[str, Tone]:
    """The sign before the verdict and its tone: crossed out only where the run ends as one with findings."""
    if document.exit_code == EXIT_FINDING:
        return "✗", "bad"
    seen = document.summary.fail or document.summary.inconclusive or document.empty
    quiet = document.exit_code == EXIT_DONE and not seen
    return ("✓", "good") if quiet else ("!", "tight")


def _verdict(document: CheckDocument, colour: bool) -> str:
    symbol, tone = verdict_mark(document)
    line = visible(_one_line(f"{symbol} {verdict_words(document)}"))
    return f"{_COLOURS[tone]}{line}{_RESET}" if colour else line


def _findings(document: CheckDocument, line_at: LineAt) -> Iterator[str]:
    for result in document.results:
        if result.outcome != "pass" or result.level == "note":
            yield "\n".join(_finding(result, line_at))


def _finding(result: Result, line_at: LineAt) -> Iterator[str]:
    place = result.location
    where = ":".join(str(one) for one in (place.file, place.line, place.column) if one is not None)
    new = " (new)" if result.baseline == "new" else ""
    kind = result.level if result.outcome == "fail" else _WORDS[result.outcome]
    about = f" {result.component}:" if result.component else ""
    yield _one_line(f"{where}: {kind}: {result.check}{new}{about} {result.message}")
    if result.outcome in ("fail", "inconclusive") and place.line is not None and place.column is not None:
        line = line_at(place)
        yield from caret(line, place.line, place.column, place.width) if line is not None else ()
    if result.outcome == "waived" and result.waiver is not None:
        waiver = result.waiver
        yield _one_line(f"      waived by {waiver.owner} until {waiver.expires}: {waiver.reason}")
    elif result.fix:
        yield _one_line(f"      → {result.fix}")
    if result.outcome == "fail":
        sources = ", ".join(f"{one.id} ({one.section})" for one in result.source)
        yield _one_line(f"      because of {sources}; advisor explain {result.check}")


def _waivers(document: CheckDocument) -> Iterator[str]:
    """Waivers that are about to end."""
    for waiver in document.waivers:
        if waiver.state == "expiring":
            yield _one_line(_expiring(waiver))


def _expiring(waiver: WaiverLine) -> str:
    place = waiver.location
    return (
        f"{place.file}:{place.line}:{place.column}: expiring: the waiver of {waiver.check} for {waiver.component} "
        f"ends on {waiver.expires} ({waiver.owner})"
    )


def _introduced(document: CheckDocument) -> Iterator[str]:
    if document.base is None:
        return
    nothing = "  • nothing that could be compared" if document.base.notes else "  • nothing"
    lines = [f"  • {one.says}" for one in document.base.introduced] or [nothing]
    heading = f"Since {document.base.ref} this change introduced:"
    yield "\n".join(_one_line(line) for line in [heading, *lines, *(f"  ({note})" for note in document.base.notes)])


def _counts(document: CheckDocument) -> str:
    summary = document.summary
    return (
        f"{summary.pass_} passed, {summary.fail} failed, {summary.waived} waived, "
        f"{summary.inconclusive} inconclusive, {summary.not_checked} not checked"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _one_line(text: str) -> str:
    """A name with a line break in it must not look like a line of ours."""
    return text.replace("\n", " ")

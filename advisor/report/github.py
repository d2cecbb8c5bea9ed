"""A review as GitHub's workflow commands, which a runner turns into annotations of a pull request.

A runner shows ten annotations of a level for each step and drops the rest without a word. So the worst come first, and
where there are more, the tenth says how many.
"""

from __future__ import annotations

from advisor.core.review.document import CheckDocument, Result
from advisor.report.review import verdict_words
from advisor.report.review_keys import nothing_checked, one_line, reported, words

SLOTS = 10
COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def render(document: CheckDocument) -> str:
    """The findings as commands, one in a line; nothing where there is none, a warning where nothing was checked."""
    first = [f"::warning title=archadvisor::{_data(verdict_words(document))}"] if nothing_checked(document) else []
    lines = list(first)
    for level, command in COMMANDS.items():
        found = [one for one, _ in reported(document) if _level(one) == level]
        slots = SLOTS - len(first) if level == "warning" else SLOTS
        shown = found if len(found) <= slots else found[: slots - 1]
        lines += [_annotation(command, one, document) for one in shown]
        if more := len(found) - len(shown):
            said = f"{more} more of this level are not shown here; the whole review has them all"
            lines.append(f"::{command} title=archadvisor::{_data(said)}")
    return "".join(f"{line}\n" for line in lines)


def _level(result: Result) -> str:
    """What did not settle asks for a second look, and is no error."""
    return result.level if result.outcome == "fail" else "warning"


def _annotation(command: str, result: Result, document: CheckDocument) -> str:
    place = result.location
    where = {"file": place.file.removeprefix("./"), "line": place.line, "col": place.column}
    if place.column is not None:
        where["endColumn"] = place.column + max(1, place.width)
    title = next((one.title for one in document.checks if one.id == result.check), "")
    where["title"] = f"{result.check} {title}" + (f" ({result.component})" if result.component else "")
    said = ",".join(f"{key}={_property(str(value))}" for key, value in where.items() if value is not None)
    doubt = "" if result.outcome == "fail" else "Not settled: "
    return f"::{command} {said}::{_data(doubt + words(result))}"


def _data(text: str) -> str:
    """Text after the second `::`, with what a runner would take for its own signs written out."""
    return one_line(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A property's value, which must not end the property, nor the command."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")

"""What reports of a review have in common: which results are reported, by which lasting key, in which words.

A key outlives edits around a finding: it is made of the check, the component's name and the JSON pointer inside the
component, or of the words where the finding is about code (with its file) or a waiver; never of a line number. Where
several architecture files are reviewed, whose components may share a name, it is made of the file too.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote

from advisor.core.characters import visible
from advisor.core.review.document import CheckDocument, Result

_NUMBERED = re.compile(r"^/(components|waivers)/\d+")
_NO_XML = re.compile("[\ufffe\uffff]")


def reported(document: CheckDocument, *, waived: bool = False) -> Iterator[tuple[Result, str]]:
    """Every result that somebody should look at (failed or not settled), with its key; no two keys are alike.

    With `waived`, what is waived too.
    """
    seen: Counter[str] = Counter()
    several = len(document.files) > 1
    for result in document.results:
        if result.outcome in ("fail", "inconclusive") or (waived and result.outcome == "waived"):
            said = _identity(result, several=several)
            yield result, hashlib.sha256(f"{said}\0{seen[said]}".encode()).hexdigest()
            seen[said] += 1


def _identity(result: Result, *, several: bool) -> str:
    where = result.location.file if result.pointer is None else _NUMBERED.sub("", result.pointer)
    if several and result.pointer is not None:
        where = f"{result.location.file}{where}"
    named = result.pointer is not None and not result.pointer.startswith("/waivers/")  # a waiver has no name of its own
    words = "" if named else result.message
    return "\0".join((result.check, result.component or "", visible(where), visible(words)))


def words(result: Result) -> str:
    """A result in a sentence or two: what is wrong, with what became of a waiver, and what to do."""
    said = [result.message]
    if result.fix:
        said.append(f"{result.fix[0].upper()}{result.fix[1:]}")
    return one_line(" ".join(_ended(one) for one in said))


def nothing_checked(document: CheckDocument) -> bool:
    """Whether a report without findings would be taken for a review that passed, though of something there was none."""
    return document.summary.total == document.summary.not_checked or bool(document.empty)


def _ended(sentence: str) -> str:
    return sentence if sentence.rstrip().endswith((".", "!", "?")) else f"{sentence.rstrip()}."


def sources(result: Result) -> str:
    """`G40, G22`; a judgement of our own says so."""
    return ", ".join(
        one.id if one.section in ("ours", one.id) else f"{one.id} ({one.section})" for one in result.source
    )


def one_line(text: str) -> str:
    """The text in one line, with nothing in it that acts or that XML does not know."""
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", visible(" ".join(text.split())))


def uri(path: str) -> str:
    """A path as a URI reference, as reports name files."""
    written = visible(path).removeprefix("./")
    return f"file://{quote(written)}" if written.startswith("/") else quote(written)

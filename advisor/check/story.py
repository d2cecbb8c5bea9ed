"""A review as one straight story: find the files, read them, judge them, compare them, sum up.

Nothing is judged here: how a file is judged stands in `judging`, what is compared with in `before`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from advisor.advise import Knowledge
from advisor.check.judging import judge
from advisor.check.means import Inspector, Means, Say
from advisor.check.measurer import measurer
from advisor.core.errors import AdvisorError, Problem
from advisor.core.guide.recommendation import Level
from advisor.core.review.document import Base, CheckDocument, Location
from advisor.core.review.summary import document
from advisor.store.architecture_file import ReadFile, empty_folders, find_files, read_architecture


@dataclass(frozen=True)
class Asked:
    """What the caller asked for; `base` names the commit to compare with."""

    paths: tuple[str, ...] = ()
    today: date = field(default_factory=date.today)
    fail_level: Level = "error"
    strict: bool = False
    exit_zero: bool = False
    base: str | None = None


@dataclass(frozen=True)
class Reviewed:
    """The document, and the lines of the files that its places stand in."""

    document: CheckDocument
    lines: Mapping[str, Sequence[str]]

    def line_at(self, place: Location) -> str | None:
        """The line of a place, where it is in a file that was read."""
        lines = self.lines.get(place.file, ())
        return lines[place.line - 1] if place.line is not None and 0 < place.line <= len(lines) else None


def review(asked: Asked, knowledge: Knowledge, say: Say = lambda words: None) -> Reviewed:
    """The whole review. Raises AdvisorError with every mistake of every file. `say` hears what takes long."""
    reads = _read_all(find_files(asked.paths), knowledge, asked.today)
    look = Inspector(say)
    means = Means(measurer(say), look, say)
    judged = [judge(read, knowledge, asked.today, means) for read in reads]
    base: Base | None = None
    if asked.base is not None:
        from advisor.check.before import compared  # most runs compare with nothing

        judged, base = compared(judged, asked.base, knowledge, asked.today, look.seen)
    made = document(
        files=[one.read.declared.file for one in judged],
        empty=empty_folders(asked.paths),
        components=sum(len(one.read.declared.content.components) for one in judged),
        results=[result for one in judged for result in one.results],
        waivers=[line for one in judged for line in one.waivers],
        base=base,
        rulebook=knowledge.rulebook,
        today=asked.today,
        fail_level=asked.fail_level,
        strict=asked.strict,
        exit_zero=asked.exit_zero,
    )
    return Reviewed(made, {file: lines for one in judged for file, lines in one.lines.items()})


def _read_all(files: Sequence[Path], knowledge: Knowledge, today: date) -> list[ReadFile]:
    """Every file, read. Raises AdvisorError with every problem of all of them."""
    reads: list[ReadFile] = []
    problems: list[Problem] = []
    for file in files:
        try:
            reads.append(read_architecture(file, knowledge.rulebook, today))
        except AdvisorError as error:
            problems += error.problems
    if problems:
        raise AdvisorError(problems)
    return reads

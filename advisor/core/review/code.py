"""The results of reading a component's Python, and the files they come from.

Pure: sources in, results out. Each file stands for itself; nothing is followed from one to another. A file that cannot
be read or parsed is told as not checked, with the reason. What is looked for stands in `code_finds`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from advisor.core.guide.recommendation import Source
from advisor.core.review.code_finds import MAX_FINDS, find_in
from advisor.core.review.code_kinds import CODE_KINDS, NOT_READ
from advisor.core.review.code_parse import Unparsable
from advisor.core.review.code_place import Find
from advisor.core.review.document import Location, Outcome, Result
from advisor.core.review.kind import CheckKind


class SourceFile(NamedTuple):
    """One Python file: its path inside the repository and what stands in it."""

    path: str
    text: str


class Unread(NamedTuple):
    """A file or pattern that was not read, and why.

    `is_file` says that there is such a file to point at, `partly` that its beginning was read, `line` what stands in
    the way of reading it, `fix` what to do where that is known.
    """

    path: str
    why: str
    is_file: bool = True
    partly: bool = False
    line: int | None = None
    fix: str | None = None


class CodeFiles(NamedTuple):
    """What the patterns of a component led to."""

    files: tuple[SourceFile, ...]
    unread: tuple[Unread, ...] = ()


class About(NamedTuple):
    """What results speak of: the component, and where its `code` stands in the architecture file.

    `cite` gives fact ids their sections. `contrastive` says that a decoder of this component was tuned for vectors.
    """

    component: str
    location: Location
    pointer: str | None
    cite: Callable[[Sequence[str]], tuple[Source, ...]]
    contrastive: bool = False


def code_results(about: About, code: CodeFiles) -> Iterator[Result]:
    """The results of every code check for one component; a check passes where what could be read has no find of it."""
    unread, finds, read = list(code.unread), [], 0
    for file in code.files:
        here = _finds(file.text, about.contrastive)
        if isinstance(here, Unparsable):
            unread.append(Unread(file.path, str(here), line=here.line, fix=here.fix))
            continue
        finds += [(file.path, find) for find in here]
        read += 1
        if len(here) >= MAX_FINDS:
            unread.append(Unread(file.path, f"it holds {MAX_FINDS} finds already", partly=True))
    for path, find in finds:
        where = Location(file=path, line=find.line, column=find.column, width=find.width)
        yield _result(about, CODE_KINDS[find.check], "fail", find.message, where, find.fix)
    for missing in unread:
        where = Location(file=missing.path, line=missing.line) if missing.is_file else about.location
        far = " to its end" if missing.partly else ""
        words = f"{missing.path} was not read{far}: {missing.why}"
        yield _result(about, CODE_KINDS[NOT_READ], "not-checked", words, where, missing.fix or _other(missing))
    found = {NOT_READ, *(find.check for _, find in finds)}
    words = f"{'1 file was' if read == 1 else f'{read} files were'} read, and nothing of it was found"
    passing = read and not any(one.partly for one in unread)
    for kind in CODE_KINDS.values() if passing else ():
        if kind.id not in found:
            yield _result(about, kind, "pass", words, about.location)


@lru_cache(maxsize=2048)
def _finds(text: str, contrastive: bool) -> tuple[Find, ...] | Unparsable:
    """What is found in a file, or why it cannot be read: components share files, and an earlier state most of them."""
    try:
        return tuple(find_in(text, contrastive=contrastive))
    except Unparsable as error:
        return Unparsable(str(error), error.line, error.fix)  # without what was on the stack


def _other(missing: Unread) -> str | None:
    """What to do about a pattern that leads nowhere, and about a file that was read in part."""
    if not missing.is_file:
        return "Correct the pattern: it is relative to the architecture file's folder, like src/search/**/*.py."
    return "Mend what was found, and review once more." if missing.partly else None


def _result(
    about: About, kind: CheckKind, outcome: Outcome, message: str, where: Location, fix: str | None = None
) -> Result:
    return Result(
        check=kind.id,
        component=about.component,
        outcome=outcome,
        level=kind.level,
        message=message,
        fix=(fix or kind.remedy) if outcome in ("fail", "not-checked") else None,
        source=about.cite(kind.source),
        location=where,
        pointer=about.pointer if where == about.location else None,
    )

"""The state that a change is compared with: the same files, and what they name, as a commit has them.

They are taken out into a folder of their own and judged like any other. Nothing is measured for an earlier state and no
model of it is built; what a look at a model shows now, it would have shown of the same files then.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.advise import Knowledge
from advisor.check.judging import Judged, judge, named_models
from advisor.check.means import Inspect, Means
from advisor.core.characters import writable
from advisor.core.errors import AdvisorError
from advisor.core.review.baseline import introduced, with_baseline
from advisor.core.review.declared import DeclaredComponent
from advisor.core.review.document import Base, Introduced, Result
from advisor.store.architecture_file import ReadFile, read_as
from advisor.store.declared_model import READ_OF_A_MODEL
from advisor.store.git import Snapshot, empty_folder, snapshot
from advisor.store.repository import Repository, folder_of
from advisor.store.unchanged import same_model

if TYPE_CHECKING:
    from advisor.core.inspection import Inspection


def compared(
    judged: Sequence[Judged], ref: str, knowledge: Knowledge, today: date, seen: Mapping[Path, Inspection]
) -> tuple[list[Judged], Base]:
    """The judged files with their findings marked, and what the change since `ref` introduced. Raises AdvisorError.

    `seen` is what was seen of the models that lie here, by folder.
    """
    marked: list[Judged] = []
    new: list[Introduced] = []
    notes: list[str] = []
    for now in judged:
        file = now.read.declared.file
        try:
            then = _judged_then(now.read, snapshot(now.read.repository.folder, ref), knowledge, today, seen)
        except _UnreadableError as error:
            notes.append(f"{file} could not be compared: {error}")
            marked.append(now)
            continue
        if then is None:
            notes.append(f"{file} is new since {writable(ref)}")
        results = with_baseline(now.results, then.results if then else ())
        notes += _left_open(file, results)
        new += introduced(results, now.read.declared, then.read.declared if then else None)
        marked.append(now.with_results(results))
    return marked, Base(ref=writable(ref), introduced=tuple(new), notes=tuple(notes))


def _left_open(file: str, results: Sequence[Result]) -> list[str]:
    """How many findings are neither new nor known."""
    number = sum(one.outcome == "fail" and one.baseline is None for one in results)
    findings = f"{number} finding{'s' if number > 1 else ''} of {file} could not be compared"
    return [f"{findings}: the earlier state does not tell whether it was so then"] if number else []


class _UnreadableError(Exception):
    """The file was there, and was none that can be read."""


def _judged_then(
    read: ReadFile, before: Snapshot, knowledge: Knowledge, today: date, seen: Mapping[Path, Inspection]
) -> Judged | None:
    """The same file at the commit, whatever it was called, judged; None where there was none."""
    folder = os.path.relpath(os.path.realpath(read.repository.folder), before.root)
    own = os.path.relpath(os.path.abspath(read.path), read.repository.folder)
    path = before.name_then(os.path.normpath(os.path.join(folder, own)))
    if path is None:
        return None
    folder = os.path.relpath(folder_of(Path("/", path)), "/")
    with empty_folder() as root:
        repository = Repository(root, Path(os.path.normpath(root / folder)), read.repository.known_as)
        before.extract([path], root)
        try:
            then = read_as(root / path, read.declared.file, repository, knowledge.rulebook, today)
            before.extract(_named(then, before, folder), root)
            return judge(then, knowledge, today, Means(inspect=_would_have_seen(before, folder, seen)))
        except AdvisorError as error:
            raise _UnreadableError(error.problems[0].message) from None


def _would_have_seen(before: Snapshot, folder: str, seen: Mapping[Path, Inspection]) -> Inspect:
    """What was seen now, for a model of the commit that is still the same, wherever it lies by now."""

    @cache  # weights are large, and components share them
    def seen_of(then: str) -> Inspection | None:
        return next((one for now, one in seen.items() if same_model(before, then, now)), None)

    def look(name: str, _: ReadFile) -> Inspection:
        found = seen_of(os.path.normpath(os.path.join(folder, name)))
        if found is None:
            raise AdvisorError("no model of an earlier state is built")
        return found

    return look


def _named(read: ReadFile, before: Snapshot, folder: str) -> Iterator[str]:
    """The files of the commit that the architecture file names: configs of models, profiles, Python."""
    components = read.declared.content.components
    for component in components:
        for name in (*_of_models(component), *component.measured):
            yield os.path.normpath(os.path.join(folder, name))
    if patterns := [one for component in components for one in component.code]:
        up = any(".." in one.split("/") for one in patterns)
        below = "" if folder == "." or up else f"{folder}/"
        yield from (name for name in before.files if name.endswith(".py") and name.startswith(below))


def _of_models(component: DeclaredComponent) -> Iterator[str]:
    for _, model, _ in named_models(component.choice):
        yield from (os.path.join(model, file) for file in READ_OF_A_MODEL)

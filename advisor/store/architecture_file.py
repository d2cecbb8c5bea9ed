"""Architecture files: where they are found, and one read strictly, with every mistake of it in one run.

The file is a stranger's as far as this reader is concerned: nothing in it is evaluated, no alias is followed, and no
path may lead out of its repository. Whether what it says is wise is judged in `core.review`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

from advisor.core.errors import AdvisorError, Problem
from advisor.core.guide.rulebook import Rulebook
from advisor.core.review.declared import PARTS, ArchitectureFile, Declared, DeclaredComponent, DeclaredPart, Steps
from advisor.core.review.document import Location
from advisor.core.review.waivers import waiver_mistakes
from advisor.core.workload import Answers, cross_problems
from advisor.store.repository import (
    HIDDEN_FOLDER,
    Repository,
    from_here,
    is_plain_file,
    leaves,
    repository_of,
    shown,
)
from advisor.store.schema import validate
from advisor.store.yaml import Parsed, read

NAME = "architecture.yaml"
PLACES = (NAME, f"{HIDDEN_FOLDER}/{NAME}")


class ReadFile(NamedTuple):
    """An architecture file that holds together, where it lies, its lines, and the repository its paths lie in."""

    declared: Declared
    path: Path
    lines: tuple[str, ...]
    repository: Repository


def find_files(paths: Sequence[str]) -> list[Path]:
    """The architecture files that `paths` name, or that lie in the folders they name; without any, in this folder.

    Raises AdvisorError for a path that is nothing. A folder without such a file adds none.
    """
    found: list[Path] = []
    problems: list[Problem] = []
    for name in paths or (".",):
        path = Path(name)
        if "\0" in name or not os.path.lexists(path):
            fix = "name an architecture file, or a folder that holds one"
            problems.append(Problem(name, None, None, "no such file or folder", fix))
        elif path.is_dir():
            here = [path / place for place in PLACES if os.path.lexists(path / place)]
            if len(here) > 1:
                words = f"there are two architecture files here, {' and '.join(PLACES)}"
                problems.append(Problem(name, None, None, words, "keep one of them, or name the one you mean"))
            found += here[:1]
        else:
            found.append(path)
    if problems:
        raise AdvisorError(problems)
    return list({os.path.abspath(one): one for one in found}.values())


def empty_folders(paths: Sequence[str]) -> list[str]:
    """Those of the folders named that hold no architecture file."""
    folders = (Path(name) for name in dict.fromkeys(paths))
    return [shown(one) for one in folders if one.is_dir() and not any(os.path.lexists(one / place) for place in PLACES)]


def read_architecture(path: Path, rulebook: Rulebook, today: date) -> ReadFile:
    """Read one file. Raises AdvisorError with every problem of it, sorted by position."""
    name, repository = shown(path), repository_of(path)
    if reason := leaves(repository, os.path.relpath(os.path.abspath(path), repository.folder)):
        raise AdvisorError([Problem(name, None, None, f"this file {reason}", "keep it inside its repository")])
    if os.path.exists(path) and not is_plain_file(path):
        raise AdvisorError([Problem(name, None, None, "this is no plain file", "name a YAML file")])
    return _checked(replace(read(Path(from_here(path))), file=name), path, repository, rulebook, today)


def read_as(path: Path, file: str, repository: Repository, rulebook: Rulebook, today: date) -> ReadFile:
    """The same of a copy that lies elsewhere; `file` is how people are shown where it is from."""
    return _checked(replace(read(path), file=file), path, repository, rulebook, today)


def _checked(parsed: Parsed, path: Path, repository: Repository, rulebook: Rulebook, today: date) -> ReadFile:
    problems = list(parsed.refused)
    content: ArchitectureFile | None = None
    if isinstance(parsed.value, dict):
        content, wrong = validate(parsed, ArchitectureFile)
        problems += [*wrong, *_workload_problems(parsed)]
    elif not parsed.refused:
        fix = "begin it with the line `schema: 1` and a list `components:`"
        problems.append(parsed.problem((), "an architecture file is keys and values", fix))
    if content is not None:
        declared = Declared(parsed.file, content, lambda steps: _location(parsed, steps))
        mistakes = [*_file_mistakes(declared, repository), *waiver_mistakes(declared, rulebook, today)]
        problems += [parsed.problem(at, words, fix) for at, words, fix in mistakes]
        if not problems:
            return ReadFile(declared, path, parsed.lines, repository)
    unique = {(one.line, one.column, one.message): one for one in problems}
    raise AdvisorError(sorted(unique.values(), key=lambda one: (one.line or 0, one.column or 0)))


def _location(parsed: Parsed, steps: Steps) -> Location:
    place = parsed.place(steps)
    return Location(file=parsed.file, line=place.line, column=place.column, width=place.width)


def _workload_problems(parsed: Parsed) -> Iterator[Problem]:
    """What no answer shows by itself, for every workload whose answers are right one by one."""
    components = parsed.value.get("components")
    for number, component in enumerate(components if isinstance(components, list) else ()):
        at: Steps = ("components", number, "workload")
        if isinstance(component, dict) and isinstance(component.get("workload"), dict):
            answers, _ = validate(parsed, Answers, at=at)
            for answer, words, fix in cross_problems(answers) if answers else ():
                yield parsed.problem((*at, answer), words, fix)


def _file_mistakes(declared: Declared, repository: Repository) -> Iterator[tuple[Steps, str, str]]:
    """Names given twice, parts where there are none, paths that lead out: where, what is wrong, what to do."""
    names: set[str] = set()
    for number, component in enumerate(declared.content.components):
        at: Steps = ("components", number)
        if component.name in names:
            yield (*at, "name"), f'two components are named "{component.name}"', "give each its own name"
        if component.name.isspace():
            yield (*at, "name"), "name holds nothing but spaces", "give the component a name"
        names.add(component.name)
        yield from _choice_mistakes(component, (*at, "choice"))
        for where, path in _paths(component):
            if reason := leaves(repository, path):
                yield (*at, *where), f'"{path[:80]}" {reason}', "name a path below this file's folder"


def _choice_mistakes(component: DeclaredComponent, at: Steps) -> Iterator[tuple[Steps, str, str]]:
    choice, pipeline = component.choice, component.choice.architecture == "retrieval-augmented-generation"
    if choice.parts is not None and not pipeline:
        yield (*at, "parts"), f"{choice.architecture} has no parts", "leave parts out, or declare the pipeline"
    if pipeline:
        for key in ("model", "contrastive", "dtype"):
            if key in choice.model_fields_set:
                yield (*at, key), f"a pipeline has no {key} of its own", "say it of a part, under parts"


def _paths(component: DeclaredComponent) -> Iterator[tuple[Steps, str]]:
    """Every name that may be a path, and where it stands. An id of a model is harmless as one."""
    choice = component.choice
    models: list[tuple[Steps, str | None]] = [(("choice", "model"), choice.model)]
    for name in PARTS:
        part: DeclaredPart | None = getattr(choice.parts, name, None)
        models.append((("choice", "parts", name, "model"), part.model if part else None))
    yield from ((at, model) for at, model in models if model is not None)
    for key, paths in (("measured", component.measured), ("code", component.code)):
        for number, path in enumerate(paths):
            yield (key, number), path

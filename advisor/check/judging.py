"""One architecture file judged: its models looked at, every check made, its waivers applied.

What a file names is only ever read: no code of it runs, no model is built, nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from advisor.advise import Knowledge
from advisor.check.means import Means, probed
from advisor.check.timing import timed_results
from advisor.core.errors import AdvisorError, Problem
from advisor.core.review.case import Case
from advisor.core.review.choice import review_choice
from advisor.core.review.code import About, code_results
from advisor.core.review.code_parse import lines_of
from advisor.core.review.declared import PARTS, DeclaredChoice, DeclaredComponent, DeclaredPart, Steps, pointer
from advisor.core.review.document import Location, Result, WaiverLine
from advisor.core.review.found import Found
from advisor.core.review.kinds import cite
from advisor.core.review.model import review_context, review_models, review_probes
from advisor.core.review.static import review_static
from advisor.core.review.waivers import apply_waivers
from advisor.store.architecture_file import ReadFile
from advisor.store.code import read_code
from advisor.store.declared_model import find_model
from advisor.store.repository import shown


@dataclass(frozen=True)
class Judged:
    """The results of one file, its waivers applied, and the lines of every file that they may point to."""

    read: ReadFile
    results: tuple[Result, ...]
    waivers: tuple[WaiverLine, ...]
    lines: Mapping[str, Sequence[str]]

    def with_results(self, results: tuple[Result, ...]) -> Judged:
        """The same with other results."""
        return replace(self, results=results)


def judge(read: ReadFile, knowledge: Knowledge, today: date, means: Means) -> Judged:
    """Every component of a file. Raises AdvisorError where a model's name can mean nothing."""
    problems: list[Problem] = []
    results: list[Result] = []
    lines: dict[str, Sequence[str]] = {read.declared.file: read.lines}
    for number, component in enumerate(read.declared.content.components):
        found = _find_models(read, number, component, knowledge, means, problems)
        case = Case(read.declared, number, knowledge.rulebook, found)
        results += [*_design_results(case), *timed_results(case, read, knowledge, means)]
        results += _code_results(case, read, lines)
    if problems:
        raise AdvisorError(problems)
    applied = apply_waivers(read.declared, results, knowledge.rulebook, today)
    return Judged(read, applied.results, applied.lines, lines)


def _design_results(case: Case) -> Iterator[Result]:
    context = list(review_context(case))
    yield from review_models(case)
    yield from review_probes(case)
    yield from review_choice(case, too_long=any(one.outcome == "fail" for one in context))
    yield from context
    yield from review_static(case)


def _code_results(case: Case, read: ReadFile, lines: dict[str, Sequence[str]]) -> Iterator[Result]:
    """The results of the component's Python, its files named as people here know them."""
    patterns, at = case.component.code, ("components", case.number, "code")
    if not patterns:
        return
    folder = read.repository.known_as
    code = read_code(read.repository.folder, patterns, root=read.repository.root)
    tuned = case.component.choice.contrastive or any(one.contrastive for one in case.found.values())
    place = read.declared.locate(at)
    about = About(case.component.name, place, pointer(at), partial(cite, case.rulebook), tuned)
    lines |= {shown(folder / one.path): lines_of(one.text) for one in code.files}
    for result in code_results(about, code):
        file = place.file if result.location == place else shown(folder / result.location.file)
        yield result.model_copy(update={"location": result.location.model_copy(update={"file": file})})


def _find_models(
    read: ReadFile,
    number: int,
    component: DeclaredComponent,
    knowledge: Knowledge,
    means: Means,
    problems: list[Problem],
) -> dict[str, Found]:
    """The models of a component by the name of their part; names that mean nothing are added to `problems`."""
    found: dict[str, Found] = {}
    hosted = component.workload.hosting == "api"
    for name, model, at in named_models(component.choice):
        try:
            known = find_model(model, read.repository, knowledge.catalog, hosted=hosted)
            found[name] = probed(known, model, read, means)
        except AdvisorError as error:
            place = read.declared.locate(("components", number, "choice", *at))
            problems += [_placed(one, place, read.lines) for one in error.problems]
    return found


def named_models(choice: DeclaredChoice) -> Iterator[tuple[str, str, Steps]]:
    """Every model that a choice names: the name of its part, its own, and where it stands below the choice."""
    if choice.model is not None:
        yield "model", choice.model, ("model",)
    for name in PARTS:
        part: DeclaredPart | None = getattr(choice.parts, name, None)
        if part is not None and part.model is not None:
            yield name, part.model, ("parts", name, "model")


def _placed(problem: Problem, place: Location, lines: Sequence[str]) -> Problem:
    """The problem at a place of the architecture file."""
    line = lines[place.line - 1] if place.line is not None and place.line <= len(lines) else None
    return Problem(
        place.file, place.line, place.column, problem.message, problem.fix, width=place.width, source_line=line
    )

"""From what was typed to checked answers, through the same reader and the same checks as a file.

Nothing is decided here: a text is read as the value of one YAML key, and `Answers` says what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from advisor.core.errors import AdvisorError, Problem
from advisor.core.guide.words import value_words
from advisor.core.workload import Answers, cross_problems
from advisor.store.schema import validate
from advisor.store.yaml import Steps, parse

_NO_SCALAR = re.compile(r"[^\w.+-]")


@dataclass(frozen=True, slots=True)
class Checked:
    """The answers that hold, and by answer what is wrong with those that do not.

    `answers` is None without a task; answers with a problem are left out of it.
    """

    answers: Answers | None
    problems: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Typed:
    """The values read so far, in the shape the checks ask for; a problem carries its answer as the file."""

    value: dict[str, Any]

    def refuses(self, path: Steps) -> bool:
        return False

    def problem(self, path: Steps, message: str, fix: str | None = None, *, key: bool = False) -> Problem:
        return Problem(str(path[0]), None, None, message, fix)


def texts_of(answers: Answers) -> dict[str, str]:
    """What a person would have typed to give these answers."""
    return {key: value_words(getattr(answers, key)) for key in answers.model_fields_set}


def checked(texts: Mapping[str, str]) -> Checked:
    """The answers typed, and every mistake among them. An empty text is an answer not given."""
    values, problems = _read(texts)
    while "task" in values:
        answers, found = validate(_Typed(values), Answers)
        if answers is not None:
            found = [Problem(name, None, None, words, fix) for name, words, fix in cross_problems(answers)]
        if not found:
            return Checked(answers, problems)
        for problem in found:
            name = str(problem.file)
            problems.setdefault(name, _sentence(problem))
            values.pop(name, None)
    return Checked(None, problems)


def _read(texts: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name, typed in texts.items():
        if not typed.strip():
            continue
        try:
            # What could mean more than a scalar to YAML is plain text here, and refused as such by the checks.
            values[name] = typed if _NO_SCALAR.search(typed.strip()) else parse(typed, file=name).value
        except AdvisorError as error:
            problems[name] = _sentence(error.problems[0])
    return values, problems


def _sentence(problem: Problem) -> str:
    return f"{problem.message}: {problem.fix}" if problem.fix else problem.message

"""Answers from a file, from stdin or from the command line, checked in one go.

`--set` wins over the file, and a rate set there also takes the place of the file's other kind of rate.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from advisor.core.errors import AdvisorError, Problem, allowed_words
from advisor.core.task import TASKS
from advisor.core.workload import ANSWER_ORDER, Answers, cross_problems
from advisor.store.schema import validate
from advisor.store.yaml import MAX_BYTES, Parsed, Steps, parse, parse_all, read

_RATES = {
    "requests_per_second": ("requests_per_day", "peak_factor"),
    "requests_per_day": ("requests_per_second",),
    "peak_factor": ("requests_per_second",),
}


@dataclass(frozen=True)
class _Merged:
    """The file's answers with the settings laid over them; a problem stands where its answer was said."""

    base: Parsed | None
    settled: dict[str, Parsed]
    value: dict[str, Any]

    def refuses(self, path: Steps) -> bool:
        return self.base is not None and path[0] not in self.settled and self.base.refuses(path)

    def problem(self, path: Steps, message: str, fix: str | None = None, *, key: bool = False) -> Problem:
        if path and path[0] in self.settled:
            return Problem(f"--set {path[0]}", None, None, message, fix)
        if self.base is None:
            return Problem(None, None, None, message, fix)
        return self.base.problem(path, message, fix, key=key)


def read_answers(source: str | None, settings: Sequence[str] = (), *, task_is_asked: bool = False) -> Answers:
    """The answers in the file `source` (`-` for stdin, None for none) with `key=value` settings laid over them.

    Where somebody will ask for the task it may be missing: it is then not among the fields that were set, and what is
    said is not held against it. Raises AdvisorError with every problem of the file and of the settings.
    """
    base = _from_source(source)
    settled, problems = _settings(settings)
    problems += base.refused if base else ()
    merged = _Merged(base, settled, _merged_values(base, settled))
    to_be_asked = task_is_asked and "task" not in merged.value
    if "task" not in merged.value and not to_be_asked and not any(_is_about("task", problem) for problem in problems):
        fix = f"add `task: …` to the answers, or --set task=…; tasks: {', '.join(TASKS)}"
        problems.append(merged.problem((), 'the answer "task" is missing', fix))
    merged.value.setdefault("task", TASKS[0])  # any task: so that the other answers are checked in the same run
    answers, found = validate(merged, Answers)
    problems += found
    sound = answers or _sound_part(merged)
    if sound is not None and not to_be_asked:
        problems += [merged.problem((answer,), words, fix) for answer, words, fix in cross_problems(sound)]
    if problems or answers is None:
        raise AdvisorError(sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0)))
    if to_be_asked:
        return Answers.model_construct(_fields_set=answers.model_fields_set - {"task"}, **dict(answers))
    return answers


def _is_about(answer: str, problem: Problem) -> bool:
    """Whether a problem already stands where this answer was said."""
    return problem.file == f"--set {answer}" or (problem.source_line or "").lstrip().startswith(answer)


def _sound_part(merged: _Merged) -> Answers | None:
    """The answers that are right one by one, so that mistakes between them show in the same run as the others."""
    task = {"task": merged.value["task"]}
    alone = {key: task | {key: value} for key, value in merged.value.items()}
    sound = {key: one[key] for key, one in alone.items() if validate(replace(merged, value=one), Answers)[0]}
    return validate(replace(merged, value=sound), Answers)[0]


def _from_source(source: str | None) -> Parsed | None:
    if source is None:
        return None
    parsed = _from_stdin() if source == "-" else read(Path(source))
    if not isinstance(parsed.value, dict) and not parsed.refused:
        raise AdvisorError([parsed.problem((), "answers are keys and values", "write lines like `task: chat`")])
    return parsed


def _from_stdin() -> Parsed:
    if sys.stdin is None:  # closed by the caller before we began (`<&-`)
        raise AdvisorError(
            "stdin is closed, so no answers can be read from it", fix="pipe the answers in, or name a file"
        )
    try:
        return parse_all(sys.stdin.buffer.read(MAX_BYTES + 1), file="stdin")
    except OSError as error:
        raise AdvisorError(f"stdin cannot be read: {error.strerror or error}", fix="name a file of answers") from None


def _settings(settings: Sequence[str]) -> tuple[dict[str, Parsed], list[Problem]]:
    """The settings by key, each read like a file of one value, and the problems of those that cannot be read."""
    settled: dict[str, Parsed] = {}
    problems: list[Problem] = []
    for setting in settings:
        key, equals, text = setting.partition("=")
        file = f"--set {key}"
        if not equals and key not in ANSWER_ORDER:
            problems.append(Problem("--set", None, None, f'"{key}" is no setting', "write --set KEY=VALUE"))
        elif key not in ANSWER_ORDER:
            problems.append(
                Problem("--set", None, None, f'unknown answer "{key}" — {allowed_words(key, ANSWER_ORDER)}')
            )
        elif not equals or not text.strip():
            problems.append(Problem(file, None, None, f"{key} has no value", f"write --set {key}=VALUE"))
        else:
            try:
                settled[key] = parse(text, file=file)
            except AdvisorError as error:
                problems += [replace(problem, line=None, column=None, source_line=None) for problem in error.problems]
    return settled, problems


def _merged_values(base: Parsed | None, settled: dict[str, Parsed]) -> dict[str, Any]:
    values: dict[str, Any] = dict(base.value) if base and isinstance(base.value, dict) else {}
    for key in settled:
        for rival in _RATES.get(key, ()):
            if rival not in settled:
                values.pop(rival, None)
    return values | {key: parsed.value for key, parsed in settled.items()}

"""`advisor check --init`: a first architecture file from answers, and the schema that editors check it by.

Nothing that is there is ever overwritten.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from advisor.advise import Knowledge, recommendation
from advisor.cli.complaints import safe
from advisor.cli.schema import schema_words
from advisor.core.characters import visible
from advisor.core.errors import AdvisorError, Problem
from advisor.core.review.declared import MOST_NAME
from advisor.report.architecture_yaml import architecture_yaml
from advisor.store.answers import read_answers
from advisor.store.architecture_file import NAME, PLACES
from advisor.store.output import write_new
from advisor.store.repository import HIDDEN_FOLDER

SCHEMA_NAME = "architecture.schema.json"
_ONLY_FOR_INIT = ("answers", "name")


def refuse_idle_options(options: argparse.Namespace) -> None:
    """Raise AdvisorError for options that only --init uses."""
    idle = [f"--{name}" for name in _ONLY_FOR_INIT if getattr(options, name) is not None]
    idle += ["--set"] if options.settings else []
    if idle:
        words = "has no effect without --init: a review takes its answers from the architecture file"
        raise AdvisorError([Problem(option, None, None, words, "leave it out, or add --init") for option in idle])


def write_first_file(options: argparse.Namespace, knowledge: Knowledge) -> Path:
    """Write the file, and the schema unless there is one; the path to review. Raises AdvisorError where one exists."""
    path = _target(options.paths)
    answers = read_answers(options.answers, options.settings)
    name = _name(options.name, answers.task)
    advice = recommendation(answers, knowledge)
    schema = (
        path.parent / SCHEMA_NAME if path.parent.name == HIDDEN_FOLDER else path.parent / HIDDEN_FOLDER / SCHEMA_NAME
    )
    said = os.path.relpath(schema, path.parent)
    write_new(path, architecture_yaml(name, answers, advice, schema=said))
    _tell(options, f"wrote {path}")
    if not os.path.lexists(schema):
        schema.parent.mkdir(exist_ok=True)
        write_new(schema, schema_words("architecture"))
        _tell(options, f"wrote {schema}, by which editors check the file")
    return path


def _target(paths: list[str]) -> Path:
    if len(paths) > 1:
        raise AdvisorError([Problem(paths[1], None, None, "--init writes one file", "name one file or folder")])
    said = Path(paths[0]) if paths else Path()
    if "\0" in str(said) or (said.suffix not in (".yaml", ".yml") and not said.is_dir()):
        words = "--init writes into a folder, or a file ending in .yaml"
        raise AdvisorError([Problem(str(said), None, None, words, f"name a folder, or FOLDER/{NAME}")])
    for there in [said / place for place in PLACES] if said.is_dir() else [said]:
        if os.path.lexists(there):
            words = "there is an architecture file already"
            fix = "add a component to it by hand, or name another folder"
            if there.name != NAME:
                words = "this file is there already, and is not overwritten"
                fix = f"name a folder or a new file; answers are read from a file with: --answers {there}"
            raise AdvisorError([Problem(str(there), None, None, words, fix)])
    return said / NAME if said.is_dir() else said


def _name(said: str | None, task: str) -> str:
    """What the component is called: what was said, else its task. Raises AdvisorError for what no file may hold."""
    if said is None:
        return task
    if not said.strip() or len(visible(said)) > MOST_NAME:
        words = f"a component's name has from 1 to {MOST_NAME} characters, and is more than spaces"
        raise AdvisorError([Problem("--name", None, None, words, "give another, or leave it out")])
    return said


def _tell(options: argparse.Namespace, words: str) -> None:
    if not getattr(options, "quiet", False) and sys.stderr is not None:
        sys.stderr.write(safe(words) + "\n")

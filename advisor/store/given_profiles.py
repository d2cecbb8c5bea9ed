"""Reading profiles that were made on another machine: profile and report documents, strictly, with places.

Whether they fit the advice is said in `core.sizing.given`; here a file is read, its kind and version are checked, and
every figure is of the kind the contract says, so that nothing is planned from a text that only looks like a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from advisor.core.errors import AdvisorError, Problem, allowed_words
from advisor.core.sizing.measurement import Profile
from advisor.core.sizing.plausible import doubts
from advisor.store.schema import validate
from advisor.store.written_json import Written, read_written
from advisor.store.yaml import Parsed, Steps

MAX_BYTES = 16 << 20
"""A report with every sample of many cells; longer files are something else."""
KINDS = ("profile", "report")
SCHEMA_VERSION = 1
CUT_OFF = "fetch the file again: it is damaged or was cut off"
DAMAGED = "measure again: this is no longer what a measurement wrote"


class Given(NamedTuple):
    """A profile, the file it came in, and where in that file it stands."""

    file: str
    profile: Profile
    parsed: Written | Parsed
    at: Steps

    def problem(self, path: Steps, message: str, fix: str) -> Problem:
        """A problem at a place inside this profile."""
        return self.parsed.problem((*self.at, *path), message, fix)


def read_profiles(files: Sequence[str]) -> tuple[Given, ...]:
    """Every profile in these files, in order. Raises AdvisorError with every problem of all of them."""
    given: list[Given] = []
    problems: list[Problem] = []
    for file in files:
        try:
            found, wrong = _profiles_in(read_written(Path(file), max_bytes=MAX_BYTES))
        except AdvisorError as error:
            problems += [replace(one, fix=one.fix or CUT_OFF) for one in error.problems]
        else:
            given += found
            problems += wrong
    if problems:
        raise AdvisorError(problems)
    return tuple(given)


def _profiles_in(parsed: Written | Parsed) -> tuple[list[Given], list[Problem]]:
    if parsed.refused:
        return [], list(parsed.refused)
    wrong = _not_a_document(parsed)
    if wrong is not None:
        return [], [wrong]
    places: list[Steps] = [()]
    if parsed.value["kind"] == "report":
        held = parsed.value.get("profiles")
        if not isinstance(held, list) or not held:
            says = "this report holds no profile: nothing was measured"
            return [], [parsed.problem(("profiles",), says, "give a report of a run that measured")]
        places = [("profiles", index) for index in range(len(held))]
    given: list[Given] = []
    problems: list[Problem] = []
    for place in places:
        profile, found = validate(parsed, Profile, at=place, strict=True)
        problems += [replace(one, fix=DAMAGED) for one in found]
        if profile is not None and not profile.cells:
            problems.append(parsed.problem((*place, "cells"), "this profile holds no cell", "measure again"))
        elif profile is not None:
            problems += [parsed.problem((*place, *path), words, "measure again") for path, words in doubts(profile)]
            given.append(Given(parsed.file, profile, parsed, place))
    return given, problems


def _not_a_document(parsed: Written | Parsed) -> Problem | None:
    """Why this is neither a profile nor a report that this release can read."""
    fix = "make one with: advisor profile MODEL --samples --output FILE.json"
    if not isinstance(parsed.value, dict) or "kind" not in parsed.value:
        return parsed.problem((), "this is neither a profile nor a report: it has no kind", fix)
    kind, version = parsed.value["kind"], parsed.value.get("schema_version")
    if kind not in KINDS:
        return parsed.problem(("kind",), f'a document of kind "{kind}" — {allowed_words(kind, KINDS)}', fix)
    if version != SCHEMA_VERSION or isinstance(version, bool):
        says = f"schema_version {version} is not one that this release reads; it reads {SCHEMA_VERSION}"
        return parsed.problem(("schema_version",), says, "measure again, or use the release that wrote it")
    return None

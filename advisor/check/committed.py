"""Committed measurements: the profiles that a component names, and what of them is of no use.

A file that is named and cannot be used is told, also where the review measures for itself: whoever committed it relies
on it. A profile counts only where its machine is the testbed and its model is the one that is declared.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from advisor.core.errors import AdvisorError, Problem
from advisor.core.review.case import Case
from advisor.core.review.declared import Steps
from advisor.core.review.design_kinds import MEASURED, TIMED
from advisor.core.review.document import Location, Result
from advisor.store.architecture_file import ReadFile
from advisor.store.repository import is_plain_file, shown

if TYPE_CHECKING:  # most reviews hold nothing against a measurement
    from advisor.core.sizing.measurement import Profile

MEASURE = "measure the declared model on the testbed: advisor profile MODEL --samples --output FILE.json"


@dataclass(frozen=True)
class Useless:
    """A file under `measured` that cannot be used: which of them, why, and where that shows if it shows in the file."""

    number: int
    name: str
    why: str
    fix: str
    place: Location | None = None


@dataclass(frozen=True)
class Committed:
    """The profiles of the testbed and of declared models, the files they came in, and the files without any."""

    profiles: tuple[Profile, ...] = ()
    files: tuple[str, ...] = ()
    useless: tuple[Useless, ...] = ()

    @property
    def words(self) -> str:
        """Where the profiles come from."""
        return f"from {' and '.join(self.files)}"

    @property
    def why_not(self) -> str:
        """Why there are no profiles, where there are none."""
        if not self.useless:
            return "nothing measured is named"
        first, more = self.useless[0], len(self.useless) - 1
        return f"{first.name}: {first.why}" + (f" (and {more} more under measured)" if more else "")


def committed(case: Case, read: ReadFile, is_declared: Callable[[Profile], bool]) -> Committed:
    """What the component's files hold. `is_declared` tells whether a profile is of a model it names."""
    found: list[Profile] = []
    files: list[str] = []
    useless: list[Useless] = []
    for number, name in enumerate(case.component.measured):
        try:
            profiles = _of_the_testbed(case, _profiles(read, name))
            found += _of_the_model(profiles, is_declared)
            files.append(name)
        except AdvisorError as error:
            useless.append(_useless(read, number, name, error.problems))
    return Committed(tuple(found), tuple(files), tuple(useless))


def _profiles(read: ReadFile, name: str) -> list[Profile]:
    """The profiles of one file. Raises AdvisorError where it holds none that can be read."""
    path = read.repository.folder / name
    if not os.path.lexists(path):
        raise AdvisorError("there is no such file", fix="commit it, or take it out of measured")
    if not is_plain_file(path):
        raise AdvisorError("it is no plain file", fix="commit the file itself")
    from advisor.store.given_profiles import read_profiles

    return [one.profile for one in read_profiles([str(path)])]


def _of_the_testbed(case: Case, profiles: Sequence[Profile]) -> list[Profile]:
    here = [one for one in profiles if one.machine.fingerprint == case.component.testbed]
    if not here:
        others = " and ".join(sorted({one.machine.fingerprint for one in profiles}))
        raise AdvisorError(f"it was measured on {others}, not on the testbed {case.component.testbed}", fix=MEASURE)
    return here


def _of_the_model(profiles: Sequence[Profile], is_declared: Callable[[Profile], bool]) -> list[Profile]:
    same = [one for one in profiles if is_declared(one)]
    if not same:
        others = " and ".join(dict.fromkeys(_named(one) for one in profiles))
        raise AdvisorError(f"it is of {others}, which is not the declared model", fix=MEASURE)
    return same


def _named(profile: Profile) -> str:
    return f"{profile.model.id} with {profile.model.parameters:,} parameters"


def _useless(read: ReadFile, number: int, name: str, problems: Sequence[Problem]) -> Useless:
    """The first of its problems, at its place where it stands in the file, and how many more there are."""
    first, more = problems[0], len(problems) - 1
    place: Location | None = None
    if first.line is not None:
        file = shown(read.repository.known_as / name)
        place = Location(file=file, line=first.line, column=first.column, width=first.width)
    why = first.message.rstrip(".") + (f" (and {more} more problems in it)" if more else "")
    return Useless(number, name, why, first.fix or MEASURE, place)


def useless_results(case: Case, found: Committed) -> Iterator[Result]:
    """Each file that cannot be used, at the place where that shows, else where it is named."""
    for one in found.useless:
        at: Steps = ("measured", one.number) if len(case.component.measured) > 1 else ("measured",)
        words = f"{one.name}, which measured names, is of no use: {one.why}."
        result = case.result(MEASURED, "not-checked", words, at=at, fix=one.fix)
        yield result if one.place is None else result.model_copy(update={"location": one.place, "pointer": None})


def unread_results(case: Case) -> Iterator[Result]:
    """The files of a component that has no timed budget, which nothing is held against."""
    if case.component.measured:
        words = f"{' and '.join(case.component.measured)}, which measured names, was not read: no budget needs it."
        fix = f"give a budget that is timed ({', '.join(TIMED)}), or take measured out"
        yield case.result(MEASURED, "not-checked", words, at=("measured",), fix=fix)

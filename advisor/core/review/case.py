"""One declared component under review: what was said of it, what its models really are, and how a result is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from advisor.core.architecture import Architecture
from advisor.core.guide.recommendation import Change, Level, Source
from advisor.core.guide.rulebook import Rulebook
from advisor.core.review.declared import (
    PARTS,
    Declared,
    DeclaredChoice,
    DeclaredComponent,
    DeclaredPart,
    Steps,
    pointer,
)
from advisor.core.review.document import Figure, Outcome, Result
from advisor.core.review.found import Found
from advisor.core.review.kinds import KINDS, cite
from advisor.core.workload import Workload, fill_defaults

WHOLE = "model"
"""The name of the one part of a design that is no pipeline."""
LEVEL_ORDER: tuple[Level, ...] = ("error", "warning", "note")


class NamedPart(NamedTuple):
    """A part of a declared design: its name, what was said of it and where, and its architecture if anybody knows."""

    name: str
    said: DeclaredChoice | DeclaredPart
    at: Steps
    architecture: Architecture | None
    found: Found | None


@dataclass(frozen=True)
class Case:
    """A component and everything it is judged by. `found` holds its models by the name of their part."""

    declared: Declared
    number: int
    rulebook: Rulebook
    found: Mapping[str, Found]

    @property
    def component(self) -> DeclaredComponent:
        """What was said."""
        return self.declared.content.components[self.number]

    @property
    def workload(self) -> Workload:
        """The answers with their defaults."""
        return fill_defaults(self.component.workload)[0]

    def parts(self) -> Iterator[NamedPart]:
        """The parts that have a model, or may have one: the whole design, or those of a pipeline."""
        choice = self.component.choice
        if choice.architecture != "retrieval-augmented-generation":
            yield NamedPart(WHOLE, choice, ("choice",), choice.architecture, self.found.get(WHOLE))
            return
        for name in PARTS:
            said: DeclaredPart | None = getattr(choice.parts, name, None)
            if said is not None:
                found = self.found.get(name)
                known = said.architecture or (found.architecture if found else None)
                yield NamedPart(name, said, ("choice", "parts", name), known, found)

    def result(
        self,
        check: str,
        outcome: Outcome,
        message: str,
        *,
        at: Steps,
        level: Level | None = None,
        fix: str | None = None,
        source: tuple[Source, ...] | None = None,
        flip: tuple[Change, ...] = (),
        figure: Figure | None = None,
    ) -> Result:
        """A result that stands at `at` inside the component; level and source are the check's own where left out."""
        steps: Steps = ("components", self.number, *at)
        return Result(
            check=check,
            component=self.component.name,
            outcome=outcome,
            level=level or KINDS[check].level,
            message=message,
            fix=fix,
            source=cite(self.rulebook, KINDS[check].source) if source is None else source,
            location=self.declared.locate(steps),
            pointer=pointer(steps),
            flip=flip,
            figure=figure,
        )


def worse(one: Level, other: Level) -> Level:
    """The more serious of two levels."""
    return min(one, other, key=LEVEL_ORDER.index)

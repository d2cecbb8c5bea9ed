"""A rulebook: all rules of a folder, with the facts they cite and the thresholds they share.

One `unique` table decides, one `collect` table names the components, the others make remarks about a design. All of
them live in one design space whose first axes are the workload's, so that a box of one can be cut with a box of
another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from advisor.core.errors import AdvisorError, allowed_words
from advisor.core.guide.boxes import Space
from advisor.core.guide.recommendation import Source
from advisor.core.guide.rule import Impossible, Rule, Table

OURS = "ours"
"""The source of what stands in no document: our own judgement, said to be so."""

LEVELS: tuple[Literal["error", "warning", "note"], ...] = ("error", "warning", "note")
DECISION = "family"
COMPONENTS = "components"


@dataclass(frozen=True, slots=True)
class Fact:
    """A numbered fact of the guide, in our words, and the section it comes from (`ours` where it is not the
    guide's)."""

    id: str
    says: str
    section: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question readers ask, its answer, and the facts the answer stands on."""

    id: str
    asks: str
    answer: str
    source: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number with a name, what it stands for, and where it comes from."""

    name: str
    value: float
    says: str
    source: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything in a rules folder, proved. `sha256` is over the content of its files."""

    version: str
    sha256: str
    facts: Mapping[str, Fact]
    questions: Mapping[str, Question]
    thresholds: Mapping[str, Threshold]
    impossible: tuple[Impossible, ...]
    design_space: Space
    decision: Table
    components: Table
    remarks: tuple[Table, ...]

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table: the decision first, then components, then remarks in the order of their files."""
        return (self.decision, self.components, *self.remarks)

    def rules(self) -> Iterator[tuple[Table, Rule]]:
        """Every rule with its table."""
        return ((table, rule) for table in self.tables for rule in table.rules)

    def rule(self, rule_id: str) -> tuple[Table, Rule]:
        """The rule with this id (upper or lower case), and its table. Raises AdvisorError with the nearest id."""
        for table, rule in self.rules():
            if rule.id.lower() == rule_id.lower():
                return table, rule
        ids = [rule.id for _, rule in self.rules()]
        raise AdvisorError(f'unknown rule "{rule_id}" — {allowed_words(rule_id, ids)}')

    def sources(self, ids: tuple[str, ...]) -> tuple[Source, ...]:
        """Source ids with the sections they stand in."""
        return tuple(Source(id=each, section=self.section(each)) for each in ids)

    def section(self, source: str) -> str:
        """The section of a source; `ours` for our own."""
        return OURS if source == OURS else self.facts[source].section

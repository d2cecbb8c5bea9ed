"""A rulebook: all rules of a folder, with the facts they cite and the thresholds they share.

One `unique` table decides, one `collect` table names the components, the others make remarks about a design. All of
them live in one design space whose first axes are the workload's, so that a box of one can be cut with a box of
another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from advisor.core.architecture import Architecture
from advisor.core.errors import AdvisorError, did_you_mean
from advisor.core.guide.boxes import Space, make_space
from advisor.core.guide.recommendation import Source
from advisor.core.guide.rule import Impossible, Policy, Rule, Table, make_table
from advisor.core.guide.vocabulary import AXES
from advisor.core.task import Task

OURS = "ours"
"""The source of what stands in no document: our own judgement, said to be so."""

Quantity = Literal["latency", "machine-time"]
"""What two architectures can be compared in: how long a request takes that is alone, and for how long each request
occupies a machine that serves as many as it can.
"""

QUANTITY_WORDS: Mapping[Quantity, str] = {
    "latency": "one request alone",
    "machine-time": "machine time for each request",
}

LEVELS: tuple[Literal["error", "warning", "note"], ...] = ("error", "warning", "note")
DECISION = "family"
COMPONENTS = "components"


class Fact(NamedTuple):
    """A numbered fact of the guide, in our words, and the section it comes from (`ours` where it is not the
    guide's).
    """

    id: str
    says: str
    section: str


class Question(NamedTuple):
    """A question readers ask, its answer, and the facts the answer stands on."""

    id: str
    asks: str
    answer: str
    source: tuple[str, ...]


class ClaimedRatio(NamedTuple):
    """What a claim says in figures: one architecture takes `at_least` times what another takes of a `quantity`.

    `made_for_parameters` is the smallest size of the dearer model that the claim speaks of; None where it names none.
    """

    quantity: Quantity
    dearer: Architecture
    cheaper: Architecture
    at_least: float
    made_for_parameters: int | None


class Claim(NamedTuple):
    """Something the guide says of two architectures on some tasks, to be held against a measurement.

    Without a `ratio` it is about something that is not measured; `about` names it.
    """

    id: str
    tasks: tuple[Task, ...]
    says: str
    source: tuple[str, ...]
    ratio: ClaimedRatio | None
    about: str | None


class Threshold(NamedTuple):
    """A number with a name, what it stands for, and where it comes from."""

    name: str
    value: float
    says: str
    source: tuple[str, ...]


class Rulebook(NamedTuple):
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
    claims: tuple[Claim, ...] = ()

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
        ids = {rule.id.lower(): rule.id for _, rule in self.rules()}
        near = did_you_mean(rule_id, ids)
        hint = f' — did you mean "{ids[near]}"?' if near else ""
        raise AdvisorError(f'unknown rule "{rule_id}"{hint}', fix="advisor rules list shows them all")

    def sources(self, ids: tuple[str, ...]) -> tuple[Source, ...]:
        """Source ids with the sections they stand in."""
        return tuple(Source(id=each, section=self.section(each)) for each in ids)

    def section(self, source: str) -> str:
        """The section of a source; `ours` for our own."""
        return OURS if source == OURS else self.facts[source].section


class TableContent(NamedTuple):
    """A table as a file states it, before it becomes boxes."""

    name: str
    over: str
    policy: Policy
    axes: tuple[str, ...]
    rules: tuple[Rule, ...]
    file: str


class Content(NamedTuple):
    """What a rules folder states, thresholds resolved: all that is needed to compile it again."""

    version: str
    facts: tuple[Fact, ...]
    questions: tuple[Question, ...]
    thresholds: tuple[Threshold, ...]
    impossible: tuple[Impossible, ...]
    tables: tuple[TableContent, ...]
    claims: tuple[Claim, ...] = ()


def compile_rulebook(content: Content, sha256: str) -> Rulebook:
    """Compile the tables over one shared space. The first table decides, the second names the components."""
    conditions = [condition for table in content.tables for rule in table.rules for condition in rule.when]
    conditions += [condition for entry in content.impossible for condition in entry.when]
    spaces: dict[str, Space] = {over: make_space(specs, conditions) for over, specs in AXES.items()}
    decision, components, *remarks = (
        make_table(
            name=table.name,
            over=table.over,
            policy=table.policy,
            axes=table.axes,
            rules=table.rules,
            specs=(),
            impossible=content.impossible,
            space=spaces[table.over],
            file=table.file,
        )
        for table in content.tables
    )
    return Rulebook(
        version=content.version,
        sha256=sha256,
        facts={fact.id: fact for fact in content.facts},
        questions={question.id: question for question in content.questions},
        thresholds={threshold.name: threshold for threshold in content.thresholds},
        impossible=content.impossible,
        design_space=spaces["design"],
        decision=decision,
        components=components,
        remarks=tuple(remarks),
        claims=content.claims,
    )


def content_of(book: Rulebook) -> Content:
    """What a rulebook was compiled from."""
    return Content(
        version=book.version,
        facts=tuple(book.facts.values()),
        questions=tuple(book.questions.values()),
        thresholds=tuple(book.thresholds.values()),
        impossible=book.impossible,
        tables=tuple(
            TableContent(table.name, table.over, table.policy, table.axes, table.rules, table.file)
            for table in book.tables
        ),
        claims=book.claims,
    )

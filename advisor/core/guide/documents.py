"""What the rules commands print: the rules in a list, the outcome of a proof, the differences of two rulebooks."""

from __future__ import annotations

from typing import Literal

from advisor.core.architecture import Strength
from advisor.core.guide.diff import Difference, difference
from advisor.core.guide.recommendation import Source
from advisor.core.guide.rule import Rule, Table
from advisor.core.guide.rulebook import Rulebook
from advisor.core.guide.words import rule_words, then_words
from advisor.core.values import Document, Value


class RuleLine(Value):
    """One rule: where it belongs, when it fires (in words), what follows and on what grounds."""

    id: str
    table: str
    title: str
    when: str
    then: str
    strength: Strength | None
    because: str
    source: tuple[Source, ...]
    unless: str | None


class RulesDocument(Document):
    """Every rule of a rulebook."""

    kind: Literal["rules"] = "rules"
    rules_version: str
    rules_sha256: str
    rules: tuple[RuleLine, ...]


class ProvedTable(Value):
    """One table that was proved."""

    table: str
    policy: Literal["unique", "collect"]
    rules: int
    examples: int


class RulesProofDocument(Document):
    """A rulebook that holds: complete, free of conflict, every example true. One that does not is an error document."""

    kind: Literal["rules-proof"] = "rules-proof"
    rules_version: str
    rules_sha256: str
    tables: tuple[ProvedTable, ...]


class ChangedRegion(Value):
    """Workloads whose advice changes, in words, with what is said of them before and after."""

    table: str
    when: str
    before: str
    after: str


class RulesDiffDocument(Document):
    """What an edit of the rules changes; empty where the advice stays the same."""

    kind: Literal["rules-diff"] = "rules-diff"
    old_sha256: str
    new_sha256: str
    changes: tuple[ChangedRegion, ...]


def rules_document(book: Rulebook) -> RulesDocument:
    """The rules in a list, the decision first."""
    lines = tuple(_line(book, table, rule) for table, rule in book.rules())
    return RulesDocument(rules_version=book.version, rules_sha256=book.sha256, rules=lines)


def proof_document(book: Rulebook, *others: Table) -> RulesProofDocument:
    """What was proved when the rulebook, and tables beside it, were loaded."""
    tables = tuple(
        ProvedTable(
            table=table.name,
            policy=table.policy,
            rules=len(table.rules),
            examples=sum(len(rule.fires) + len(rule.silent) for rule in table.rules),
        )
        for table in (*book.tables, *others)
    )
    return RulesProofDocument(rules_version=book.version, rules_sha256=book.sha256, tables=tables)


def diff_document(old: Rulebook, new: Rulebook) -> RulesDiffDocument:
    """The regions whose advice differs."""
    changes = tuple(_changed(one) for one in difference(old, new))
    return RulesDiffDocument(old_sha256=old.sha256, new_sha256=new.sha256, changes=changes)


def _changed(one: Difference) -> ChangedRegion:
    return ChangedRegion(table=one.table, when=one.when, before=one.before, after=one.after)


def _line(book: Rulebook, table: Table, rule: Rule) -> RuleLine:
    specs = {axis.name: axis.spec for axis in table.space.axes}
    return RuleLine(
        id=rule.id,
        table=table.name,
        title=rule.title,
        when=rule_words(specs, rule.when),
        then=then_words(rule.then),
        strength=rule.strength,
        because=rule.because,
        source=book.sources(rule.source),
        unless=rule.unless,
    )

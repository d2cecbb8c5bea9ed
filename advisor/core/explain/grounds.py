"""What an explanation stands on: the rules and models at hand, facts with their words, examples as text."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from advisor.core.explain.document import Cited, Named
from advisor.core.guide.axis import Value
from advisor.core.guide.rule import Rule, Table
from advisor.core.guide.rulebook import OURS, Rulebook
from advisor.core.guide.words import value_words
from advisor.core.model.catalog import Catalog

OURS_SAYS = "Our own judgement; no document says so."


class Grounds(NamedTuple):
    """The rules and the catalogue that explanations are made from."""

    book: Rulebook
    catalog: Catalog

    def rules(self) -> Iterator[tuple[Table, Rule]]:
        """Every rule with its table, the choice of models last."""
        yield from self.book.rules()
        yield from ((self.catalog.preferences, rule) for rule in self.catalog.preferences.rules)

    def cited(self, ids: Iterable[str]) -> tuple[Cited, ...]:
        """Source ids with their words; without those that a team's own rules folder has dropped."""
        return tuple(found for one in ids if (found := self._cited(one)) is not None)

    def _cited(self, source: str) -> Cited | None:
        if source == OURS:
            return Cited(id=OURS, section=OURS, says=OURS_SAYS)
        fact = self.book.facts.get(source)
        if fact is None:
            section = self.catalog.sections.get(source)
            return None if section is None else Cited(id=source, section=section, says=None)
        return Cited(id=source, section=fact.section, says=fact.says)

    def citing(self, ids: Iterable[str]) -> tuple[Named, ...]:
        """The rules that stand on any of these facts."""
        wanted = set(ids) - {OURS}
        return named(rule for _, rule in self.rules() if wanted & set(rule.source))


def named(rules: Iterable[Rule]) -> tuple[Named, ...]:
    """Rules by id and title."""
    return tuple(Named(id=rule.id, title=rule.title) for rule in rules)


def example_words(facts: Mapping[str, Value]) -> str:
    """`task chat, requests_per_second 0.01`."""
    return ", ".join(f"{name} {value_words(value)}" for name, value in facts.items())


def command(facts: Mapping[str, Value]) -> str:
    """The command that asks what is advised for these answers."""
    settings = [word for name, value in facts.items() for word in ("--set", f"{name}={value_words(value)}")]
    return shlex.join(["advisor", "recommend", *settings])

"""Every check that is no rule, by id: those of a design and those of code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from advisor.core.guide.recommendation import Level, Source
from advisor.core.guide.rule import Rule
from advisor.core.guide.rulebook import LEVELS, OURS, Rulebook
from advisor.core.review.code_kinds import CODE_KINDS
from advisor.core.review.design_kinds import BUDGETS, DESIGN_KINDS, UNUSED_WAIVER
from advisor.core.review.document import CheckHelp
from advisor.core.review.kind import CheckKind

KINDS: Mapping[str, CheckKind] = {**DESIGN_KINDS, **CODE_KINDS}

BUDGET_CHECKS = frozenset(BUDGETS.values())
"""The checks whose waivers need a ceiling."""


def design_rules(rulebook: Rulebook) -> Mapping[str, Rule]:
    """The rules over designs by id: each of them is a check."""
    return {rule.id: rule for table in rulebook.remarks for rule in table.rules}


def cite(rulebook: Rulebook, ids: Iterable[str]) -> tuple[Source, ...]:
    """Cited facts with their sections; a team's own rules folder may hold fewer of them."""
    return rulebook.sources(tuple(one for one in ids if one == OURS or one in rulebook.facts))


def waivable(rulebook: Rulebook) -> tuple[str, ...]:
    """The ids that a waiver may name; one for waivers themselves there is not."""
    return (*design_rules(rulebook), *(one for one in KINDS if one != UNUSED_WAIVER))


def help_of(checks: Iterable[str], rulebook: Rulebook) -> tuple[CheckHelp, ...]:
    """What the named checks look for and why, in the order named, each once."""
    rules = design_rules(rulebook)
    return tuple(
        _of_kind(KINDS[one], rulebook) if one in KINDS else _of_rule(rules[one], rulebook)
        for one in dict.fromkeys(checks)
    )


def _of_kind(kind: CheckKind, rulebook: Rulebook) -> CheckHelp:
    return CheckHelp(
        id=kind.id,
        title=kind.title,
        level=kind.level,
        says=kind.says,
        because=kind.because,
        remedy=kind.remedy,
        unless=kind.unless,
        source=cite(rulebook, kind.source),
    )


def _of_rule(rule: Rule, rulebook: Rulebook) -> CheckHelp:
    level: Level = next(one for one in LEVELS if one == rule.then)
    return CheckHelp(
        id=rule.id,
        title=rule.title,
        level=level,
        says=f"{rule.title}.",
        because=rule.because,
        remedy=None,
        unless=rule.unless,
        source=rulebook.sources(rule.source),
    )

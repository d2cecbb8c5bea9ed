"""No careless edit of the shipped rules goes unnoticed: every mutant is caught by the proof, an example or a case.

A mutant is one rule deleted, given another outcome, strength or architecture, or widened by one cell of one axis.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from advisor.core.architecture import ARCHITECTURES, ROLES, STRENGTHS
from advisor.core.guide.axis import Axis, Condition
from advisor.core.guide.boxes import cells, intersect, subtract_all
from advisor.core.guide.proof import overlap, prove
from advisor.core.guide.rule import Rule, Table, make_table
from advisor.core.guide.rulebook import LEVELS, Rulebook
from advisor.core.guide.vocabulary import workload_facts
from advisor.core.workload import Answers, fill_defaults
from advisor.store.paths import shipped
from advisor.store.rule_folder import complete
from advisor.store.rulebook import load_rulebook
from tests.rules.test_cases import CASES
from tests.rules.test_designs import CASES as DESIGNS
from tests.rules.test_designs import facts_of

BOOK: Rulebook = load_rulebook(shipped("rules"), cached=False)


@cache
def _completed(items: tuple) -> dict:
    return complete(dict(items))


def complete_once(example: dict) -> dict:
    return _completed(tuple(sorted(example.items())))


def rebuilt(table: Table, rules: list[Rule]) -> Table:
    return make_table(
        name=table.name,
        over=table.over,
        policy=table.policy,
        axes=table.axes,
        rules=rules,
        specs=(),
        impossible=BOOK.impossible,
        space=table.space,
    )


def mutants(table: Table) -> Iterator[tuple[str, Rule, Rule | None]]:
    """Every mutant of one rule: what was done, the rule, and what it became (None: deleted)."""
    for number, rule in enumerate(table.rules):
        yield f"{rule.id} deleted", rule, None
        outcomes = {"family": ARCHITECTURES, "components": ROLES}.get(table.name, LEVELS)
        for then in outcomes:
            if then != rule.then:
                yield f"{rule.id} leads to {then}", rule, rule._replace(then=then)
        for strength in STRENGTHS if rule.strength else ():
            if strength != rule.strength:
                yield f"{rule.id} is {strength}", rule, rule._replace(strength=strength)
        for architecture in (*ARCHITECTURES, None) if table.name == "components" else ():
            if architecture != rule.architecture:
                yield f"{rule.id} takes {architecture}", rule, rule._replace(architecture=architecture)
        for at, axis in enumerate(table.space.axes):
            for cell in cells(axis.full & ~table.boxes[number][at]):
                added = (*table.boxes[number][:at], 1 << cell, *table.boxes[number][at + 1 :])
                if subtract_all([added], table.impossible):  # else the mutant is the same rule
                    yield f"{rule.id} also where {axis.name} is cell {cell}", rule, widened(rule, axis, cell)


def widened(rule: Rule, axis: Axis, cell: int) -> Rule:
    return rule._replace(when=tuple(_wider(one, axis, cell) if one.axis == axis.name else one for one in rule.when))


def _wider(condition: Condition, axis: Axis, cell: int) -> Condition:
    if not axis.spec.is_number:
        return condition._replace(values=(*condition.values, axis.spec.listed[cell]))
    if axis.is_null(cell):
        return condition._replace(values=(*condition.values, None))
    return condition._replace(spans=(*condition.spans, axis.span_of(cell)))


ALL = [(table, *mutant) for table in BOOK.tables for mutant in mutants(table)]


def caught_by_case(table: Table) -> bool:
    """Whether some hand-written case for workloads is decided otherwise."""
    for case in CASES:
        point = table.space.point(_case_facts(case["name"]))
        fired = [rule for rule, box in zip(table.rules, table.boxes, strict=True) if intersect(box, point)]
        said = {"architecture": fired[0].then, "strength": fired[0].strength, "rule": fired[0].id}
        if any(case.get(key, value) != value for key, value in said.items()):
            return True
    return False


@cache
def _case_facts(name: str) -> dict:
    case = next(case for case in CASES if case["name"] == name)
    return workload_facts(fill_defaults(Answers.model_validate(case["answers"]))[0])


@cache
def design_points() -> list[tuple[dict, tuple]]:
    return [(line, BOOK.design_space.point(facts_of(line, task))) for line, task in DESIGNS]


def caught_by_design(table: Table, rule: Rule, mutant: Rule | None) -> bool:
    """Whether some hand-written line for designs no longer holds."""
    if mutant is None or (mutant.then, mutant.architecture) != (rule.then, rule.architecture):
        return any(rule.id in (*line["remarks"], *line.get("parts", ())) for line, _ in DESIGNS)
    box = table.space.box(mutant.when)
    kind = "parts" if table.name == "components" else "remarks"
    return any(
        (rule.id in line[kind]) != bool(intersect(box, point)) for line, point in design_points() if kind in line
    )


def survives(table: Table, rule: Rule, mutant: Rule | None) -> bool:
    left = [mutant if one is rule else one for one in table.rules]
    changed = rebuilt(table, [one for one in left if one is not None])
    if mutant is not None and table.policy == "unique":
        at = changed.rules.index(mutant)
        if any(overlap(changed, at, other) for other in range(len(changed.rules)) if other != at):
            return False  # the proof would say so too; asking it alone about this rule is quicker
    outcomes = {"family": ARCHITECTURES, "components": ROLES}.get(table.name, ())
    if prove(changed, complete=complete_once, outcomes=outcomes, impossible=BOOK.impossible):
        return False
    return not (caught_by_case(changed) if table.name == "family" else caught_by_design(table, rule, mutant))


@pytest.mark.parametrize("table", BOOK.tables, ids=lambda table: table.name)
def test_every_mutant_of_the_shipped_rules_is_caught(table):
    alive = [done for owner, done, rule, mutant in ALL if owner is table and survives(table, rule, mutant)]
    assert alive == []


def test_there_are_mutants_of_every_kind():
    kinds = ("deleted", "leads to", " is weak", "takes", "also where")
    assert all(any(kind in done for _, done, _, _ in ALL) for kind in kinds)


@pytest.mark.parametrize("number", range(len(BOOK.decision.rules)), ids=[rule.id for rule in BOOK.decision.rules])
def test_without_any_one_row_the_proof_prints_a_workload_nobody_decides(number):
    rules = [rule for at, rule in enumerate(BOOK.decision.rules) if at != number]
    flaws = prove(rebuilt(BOOK.decision, rules), complete=complete_once, impossible=BOOK.impossible)
    gaps = [flaw.message for flaw in flaws if flaw.message.startswith("no rule decides this workload: task ")]
    task = BOOK.decision.rules[number].when[0].values[0]
    assert any(f"task {task}" in message for message in gaps)

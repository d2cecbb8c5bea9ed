"""From a workload to a recommendation: the decision, its parts and their models, its remarks, and the other three.

Every sentence in a recommendation comes from a rule or from the choice of a model; this is only the order in which they
are asked. The same tables of remarks judge the advised design, each alternative, and a design that a team declared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from advisor.core.architecture import ARCHITECTURES, ROLES, Architecture
from advisor.core.guide.axis import Value
from advisor.core.guide.decide import collect, decide, matched
from advisor.core.guide.flip import flip, why_not
from advisor.core.guide.recommendation import (
    Alternative,
    Because,
    Change,
    Component,
    Miss,
    Reason,
    Recommendation,
    Remark,
)
from advisor.core.guide.rule import Rule
from advisor.core.guide.rulebook import LEVELS, Rulebook
from advisor.core.guide.vocabulary import design_facts, workload_facts
from advisor.core.lengths import component_lengths
from advisor.core.model.catalog import Catalog
from advisor.core.model.entry import ModelEntry
from advisor.core.model.representative import Need, choose
from advisor.core.workload import Workload

HELD = "task"
"""The answer that no flip changes: another task is another question."""


def recommend(
    workload: Workload,
    defaulted: Sequence[str],
    rulebook: Rulebook,
    catalog: Catalog,
    memory_limit_bytes: int | None,
) -> Recommendation:
    """Which architecture the workload needs, with everything that speaks for it, against it and for the others.

    `memory_limit_bytes` is what a replica may take; None asks for no limit.
    """
    rule = decide(rulebook.decision, workload_facts(workload)).rule
    architecture = _architecture(rule)
    parts = _parts(workload, architecture, rulebook, catalog, memory_limit_bytes)
    remarks = _remarks_on_advised(workload, architecture, [entry for _, entry in parts if entry], rulebook)
    return Recommendation(
        workload=workload,
        defaulted=tuple(defaulted),
        architecture=architecture,
        strength=rule.strength or "default",
        components=tuple(component for component, _ in parts),
        reasons=(_reason(rule, workload_facts(workload), rulebook),),
        alternatives=tuple(_alternative(other, workload, rulebook) for other in ARCHITECTURES if other != architecture),
        warnings=_warnings(remarks),
        notes=_notes(remarks),
        rules_version=rulebook.version,
        rules_sha256=rulebook.sha256,
    )


def put_forward(
    architecture: Architecture, advice: Recommendation, rulebook: Rulebook, catalog: Catalog, memory_limit: int | None
) -> Recommendation:
    """Another architecture's design for the workload of an advice, to be measured beside the advised one.

    Its reasons and its flips are none: what speaks against it stands among its warnings. The advised architecture is
    among the alternatives, with nothing to change.
    """
    if architecture == advice.architecture:
        return advice
    workload = advice.workload
    parts = _parts(workload, architecture, rulebook, catalog, memory_limit)
    remarks = _remarks_on_advised(workload, architecture, [entry for _, entry in parts if entry], rulebook)
    advised = Alternative(architecture=advice.architecture, possible=True, why_not=(), flip=(), warnings=())
    others = {one.architecture: one for one in (*advice.alternatives, advised)}
    return advice.model_copy(
        update={
            "architecture": architecture,
            "advised": False,
            "strength": "weak",
            "components": tuple(component for component, _ in parts),
            "reasons": (),
            "alternatives": tuple(others[one] for one in ARCHITECTURES if one != architecture),
            "warnings": _warnings(remarks),
            "notes": _notes(remarks),
        }
    )


def remarks_on(facts: Mapping[str, Value], rulebook: Rulebook, *, advised: bool = True) -> tuple[Remark, ...]:
    """What there is to say about a design, errors first; the order of the rules within a level.

    Remarks about the workload alone are made once, for the advised (or declared) design, not for each alternative.
    """
    found = [
        _remark(rule, rulebook)
        for table in rulebook.remarks
        if advised or table.over == "design"
        for rule in collect(table, facts)
    ]
    return tuple(sorted(found, key=lambda remark: LEVELS.index(remark.level)))


def component_rules(facts: Mapping[str, Value], rulebook: Rulebook) -> tuple[Rule, ...]:
    """The rules that name the parts of a design, in the order of the roles."""
    order: dict[str, int] = {role: number for number, role in enumerate(ROLES)}
    return tuple(sorted(collect(rulebook.components, facts), key=lambda rule: order[str(rule.then)]))


def _architecture(rule: Rule) -> Architecture:
    return next(one for one in ARCHITECTURES if one == rule.then)


def _parts(
    workload: Workload,
    architecture: Architecture,
    rulebook: Rulebook,
    catalog: Catalog,
    memory_limit_bytes: int | None,
) -> list[tuple[Component, ModelEntry | None]]:
    """Each part of the design with the model that stands for it, if one does."""
    parts: list[tuple[Component, ModelEntry | None]] = []
    for rule in component_rules(design_facts(workload, architecture=architecture), rulebook):
        role = next(one for one in ROLES if one == rule.then)
        because: tuple[Because, ...] = (Because(says=rule.because, source=rulebook.sources(rule.source)),)
        entry: ModelEntry | None = None
        if rule.architecture is not None:
            lengths = component_lengths(workload, architecture=rule.architecture, role=role)
            need = Need.of(
                workload, lengths, role=role, architecture=rule.architecture, memory_limit_bytes=memory_limit_bytes
            )
            choice = choose(need, catalog)
            entry, because = choice.model, (*because, *choice.because)
        model = entry.id if entry else None
        parts.append((Component(role=role, architecture=rule.architecture, model=model, because=because), entry))
    return parts


def _remarks_on_advised(
    workload: Workload, architecture: Architecture, models: Sequence[ModelEntry], rulebook: Rulebook
) -> tuple[Remark, ...]:
    """Remarks on the advised design; what the model brings is known where one model is the design."""
    if len(models) != 1 or architecture == "retrieval-augmented-generation":
        return remarks_on(design_facts(workload, architecture=architecture), rulebook)
    facts = design_facts(
        workload,
        architecture=architecture,
        parameters=models[0].parameters,
        context_tokens=models[0].context_tokens,
        context_is_hard=models[0].context_is_hard,
    )
    return remarks_on(facts, rulebook)


def _alternative(architecture: Architecture, workload: Workload, rulebook: Rulebook) -> Alternative:
    facts, table = workload_facts(workload), rulebook.decision
    steps = flip(table, facts, architecture, fixed=HELD)
    missed = why_not(table, facts, architecture, fixed=HELD)
    remarks = remarks_on(design_facts(workload, architecture=architecture), rulebook, advised=False)
    return Alternative(
        architecture=architecture,
        possible=bool(steps),
        why_not=tuple(Miss(rule=one.rule, answer=one.answer, got=one.got, needed=one.needed) for one in missed),
        flip=tuple(Change(answer=step.answer, from_=step.from_value, to=step.to) for step in steps),
        warnings=_warnings(remarks),
        notes=_notes(remarks),
    )


def _reason(rule: Rule, facts: Mapping[str, Value], rulebook: Rulebook) -> Reason:
    return Reason(
        rule=rule.id,
        says=rule.because,
        source=rulebook.sources(rule.source),
        matched=matched(rule, facts),
        unless=rule.unless,
    )


def _remark(rule: Rule, rulebook: Rulebook) -> Remark:
    level = next(one for one in LEVELS if one == rule.then)
    return Remark(rule=rule.id, says=f"{rule.title}. {rule.because}", source=rulebook.sources(rule.source), level=level)


def _warnings(remarks: Iterable[Remark]) -> tuple[Remark, ...]:
    return tuple(remark for remark in remarks if remark.level != "note")


def _notes(remarks: Iterable[Remark]) -> tuple[Remark, ...]:
    return tuple(remark for remark in remarks if remark.level == "note")

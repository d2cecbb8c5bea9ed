"""The declared choice against the advice, and the mistakes that a design can be.

One cause, one finding: where a mistake explains a wrong choice, the mistake is reported and the choice is not, and the
finding is as bad as the worse of the two. Where the model named is what the workload calls for, what was declared of it
is the one thing wrong, which `model` tells. The rules are those that `recommend` warns with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from advisor.core.architecture import ARCHITECTURE_WORDS, Architecture, Strength
from advisor.core.guide.axis import Value
from advisor.core.guide.decide import decide
from advisor.core.guide.flip import flip
from advisor.core.guide.recommend import HELD, component_rules, remarks_on
from advisor.core.guide.recommendation import Change, Level, Remark
from advisor.core.guide.rule import Rule
from advisor.core.guide.vocabulary import design_facts, workload_facts
from advisor.core.guide.words import figure_words
from advisor.core.review.case import WHOLE, Case, NamedPart, worse
from advisor.core.review.declared import Steps
from advisor.core.review.design_kinds import CHOICE
from advisor.core.review.document import Result
from advisor.core.review.found import Found
from advisor.core.review.kinds import design_rules
from advisor.core.task import VECTOR_TASKS
from advisor.core.workload import RAG_QUERY_TOKENS, Workload

LEVEL_OF_STRENGTH: Mapping[Strength, Level] = {"strong": "error", "default": "warning", "weak": "note"}
_OF_THE_MODEL = frozenset(("parameters", "mask_found", "context_tokens", "context_is_hard"))
_OF_THE_LENGTH = ("input_tokens", "input_tokens_max")


def review_choice(case: Case, *, too_long: bool) -> list[Result]:
    """What is to be said of the choice, its parts included. `too_long`: that inputs are too long is said already."""
    results = list(_whole(case, too_long=too_long))
    for part in case.parts():
        if part.name != WHOLE and part.architecture is not None:
            results += _part(case, part)
    return results


def _whole(case: Case, *, too_long: bool) -> Iterator[Result]:
    declared, facts = case.component.choice.architecture, _facts(case)
    rule = decide(case.rulebook.decision, workload_facts(case.workload)).rule
    remarks = _heard(case, facts, too_long=too_long)
    advised = {one.rule for one in remarks_on(facts | {"architecture": str(rule.then)}, case.rulebook)}
    wrong = rule.then != declared and not any(_excuses(case, one) for one in remarks)
    caused = {one.rule for one in remarks if wrong and one.rule not in advised}
    explaining = next((one for one in remarks if one.rule in caused and one.level != "note"), None)
    level = LEVEL_OF_STRENGTH[rule.strength or "default"]
    misnamed = wrong and _is_really(case.found.get(WHOLE), rule.then)
    if not wrong or (explaining is None and not misnamed):
        yield _choice_result(case, rule, level, wrong=wrong)
    for remark in remarks:
        if remark is explaining and not misnamed:
            found = _remark_result(case, remark, worse(remark.level, level), ("choice", "architecture"), None)
            fix, changes = _mend(case, rule)
            yield found.model_copy(update={"fix": fix, "flip": changes})
        elif remark.rule not in caused:
            yield _remark_result(case, remark, remark.level, _place(case, remark), None)


def _facts(case: Case) -> dict[str, Value]:
    """The declared design by axis. What a model brings counts only where it is the model that was declared."""
    choice, found = case.component.choice, case.found.get(WHOLE)
    said = choice.contrastive if "contrastive" in choice.model_fields_set else None
    if found is None or found.architecture != choice.architecture:
        return design_facts(case.workload, architecture=choice.architecture, contrastive=said)
    entry = found.entry
    return design_facts(
        case.workload,
        architecture=choice.architecture,
        parameters=found.known_parameters or found.about_parameters,
        contrastive=True if found.contrastive else said,
        mask_found=found.mask_found,
        context_tokens=entry.context_tokens if entry else None,
        context_is_hard=entry.context_is_hard if entry else None,
    )


def _heard(case: Case, facts: Mapping[str, Value], *, too_long: bool) -> list[Remark]:
    """The remarks on the declared design; of a length that is too long, one has been made already."""
    remarks = remarks_on(facts, case.rulebook)
    return [one for one in remarks if not (too_long and "context_tokens" in _axes(case, one))]


def _axes(case: Case, remark: Remark) -> set[str]:
    return {condition.axis for condition in design_rules(case.rulebook)[remark.rule].when}


def _excuses(case: Case, remark: Remark) -> bool:
    """Whether a remark says that a choice which nobody would advise is all right: the model is tuned for it."""
    when = design_rules(case.rulebook)[remark.rule].when
    return remark.level == "note" and any(one.axis == "contrastive" and one.values == (True,) for one in when)


def _choice_result(case: Case, rule: Rule, level: Level, *, wrong: bool) -> Result:
    declared: Architecture = case.component.choice.architecture
    source = case.rulebook.sources(rule.source)
    at: Steps = ("choice", "architecture")
    how = f"{rule.id}, {rule.strength or 'default'}"
    if not wrong:
        words = f"{declared} is what the workload calls for ({how})."
        if declared != rule.then:
            words = (
                f"{declared} is not what the workload calls for ({rule.then}: {how}), but the model is tuned for it."
            )
        return case.result(CHOICE, "pass", words, at=at, level=level, source=source)
    words = f"{declared} is declared, and the workload calls for {rule.then} ({how}): {rule.because}"
    fix, changes = _mend(case, rule)
    return case.result(CHOICE, "fail", words, at=at, level=level, source=source, fix=fix, flip=changes)


def _mend(case: Case, rule: Rule) -> tuple[str, tuple[Change, ...]]:
    """What to choose instead, and the smallest change of answers that makes the declared architecture right."""
    declared, workload = case.component.choice.architecture, case.workload
    steps = flip(case.rulebook.decision, workload_facts(workload), declared, fixed=HELD)
    changes = tuple(Change(answer=step.answer, from_=step.from_value, to=step.to) for step in steps)
    architecture = next(one for one in ARCHITECTURE_WORDS if one == rule.then)
    instead = f"choose {architecture}, as {rule.id} says ({ARCHITECTURE_WORDS[architecture]})"
    return instead + _flip_words(declared, changes, workload.task), changes


def _flip_words(declared: Architecture, changes: tuple[Change, ...], task: str) -> str:
    if not changes and declared == "decoder-only" and task in VECTOR_TASKS:
        return "; or name a decoder that was tuned contrastively, and say contrastive: true"
    if not changes:
        return f"; no other answers make {declared} right for {task}"
    words = " and ".join(f"{one.answer} {figure_words(one.from_)} → {figure_words(one.to)}" for one in changes)
    return f"; {declared} would be right with {words}"


def _remark_result(case: Case, remark: Remark, level: Level, at: Steps, fix: str | None) -> Result:
    """A remark as a result: a mistake fails; a note is a pass with a word, unless it is about a length."""
    rule = design_rules(case.rulebook)[remark.rule]
    fails = level != "note" or "context_tokens" in _axes(case, remark)
    words = remark.says if rule.unless is None else f"{remark.says} Unless: {rule.unless}"
    return case.result(
        remark.rule, "fail" if fails else "pass", words, at=at, level=level, fix=fix, source=remark.source
    )


def _place(case: Case, remark: Remark) -> Steps:
    """Where a remark belongs: at the length, the model or the architecture it speaks of."""
    axes, workload = _axes(case, remark), case.component.workload.model_fields_set
    length = next((name for name in _OF_THE_LENGTH if name in axes and name in workload), None)
    if length is not None:
        return ("workload", length)
    if axes & _OF_THE_MODEL and case.component.choice.model is not None:
        return ("choice", "model")
    return ("choice", "architecture")


def _part(case: Case, part: NamedPart) -> Iterator[Result]:
    """A part of a pipeline: the mistakes of its own design, else whether it is what such a part should be."""
    at = (*part.at, "architecture" if getattr(part.said, "architecture", None) else "model")
    mistakes = _part_remarks(case, part)
    rule = _rule_of(case, part)
    if rule is not None and rule.architecture != part.architecture and _is_really(part.found, rule.architecture):
        return
    for remark in mistakes:
        fix = f"choose {rule.architecture} for the {part.name}" if rule and remark.level != "note" else None
        yield _remark_result(case, remark, remark.level, at, fix)
    if rule is None or mistakes:
        return
    right, source = rule.architecture == part.architecture, case.rulebook.sources(rule.source)
    if right:
        words = f"The {part.name} is {part.architecture}, as it should be ({rule.id})."
        yield case.result(CHOICE, "pass", words, at=at, level="warning", source=source)
    else:
        words = f"The {part.name} is {part.architecture}, and {rule.id} wants {rule.architecture}: {rule.because}"
        fix = f"choose {rule.architecture} for the {part.name}"
        yield case.result(CHOICE, "fail", words, at=at, level="warning", source=source, fix=fix)


def _rule_of(case: Case, part: NamedPart) -> Rule | None:
    """The rule that says what a part of a pipeline should be."""
    facts = design_facts(case.workload, architecture="retrieval-augmented-generation")
    return {str(rule.then): rule for rule in component_rules(facts, case.rulebook)}.get(part.name)


def called_for(case: Case, part: NamedPart) -> str | None:
    """The architecture that the workload calls for, here."""
    if part.name == WHOLE:
        return str(decide(case.rulebook.decision, workload_facts(case.workload)).rule.then)
    rule = _rule_of(case, part)
    return rule.architecture if rule is not None else None


def _is_really(found: Found | None, wanted: object) -> bool:
    """Whether the model named is of the architecture that is wanted, whatever was declared of it."""
    return found is not None and found.belied is None and found.architecture == wanted


def _part_remarks(case: Case, part: NamedPart) -> list[Remark]:
    """What the rules say of a part that is judged as a design of its own: errors, warnings, and a contrastive note.

    A retriever and a re-ranker are designs for retrieval; a generator is one for writing.
    """
    if part.architecture is None or part.name == "reranker":
        return []
    task = "retrieval" if part.name == "retriever" else "text-generation"
    own: Workload = case.workload.model_copy(update={"task": task})
    if part.name == "retriever":
        own = own.model_copy(update={"input_tokens": RAG_QUERY_TOKENS, "input_tokens_max": None})
    found = part.found
    contrastive = part.said.contrastive or bool(found and found.contrastive)
    mask = found.mask_found if found and found.architecture == part.architecture else None
    facts = design_facts(own, architecture=part.architecture, contrastive=contrastive, mask_found=mask)
    remarks = remarks_on(facts, case.rulebook, advised=False)
    return [one for one in remarks if one.level == "error" or _excuses(case, one)]

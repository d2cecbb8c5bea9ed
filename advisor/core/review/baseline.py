"""What a change brought in: the findings, waivers, budgets and answers that an earlier state did not have.

Findings are told apart by what they are about, not by where they stand: a line further down is no new finding. Nothing
here changes an outcome; a known finding is still one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from advisor.core.guide.words import value_words
from advisor.core.review.amounts import written
from advisor.core.review.declared import (
    PARTS,
    Declared,
    DeclaredComponent,
    DeclaredParts,
    DeclaredWaiver,
    Steps,
)
from advisor.core.review.design_kinds import BUDGETS, THROUGHPUT
from advisor.core.review.document import ChangeKind, Introduced, Result
from advisor.core.workload import ANSWER_ORDER, fill_defaults

Key = tuple[str, str | None, str]
_FOUND, _OPEN = ("fail", "waived"), ("inconclusive", "not-checked")


def with_baseline(now: Sequence[Result], then: Sequence[Result]) -> tuple[Result, ...]:
    """The results, each finding marked as new or as known from `then`; not where `then` left it open."""
    known = Counter(_key(one) for one in then if one.outcome in _FOUND)
    open_ = {_key(one) for one in then if one.outcome in _OPEN}
    marked: list[Result] = []
    for result in now:
        if result.outcome in _FOUND:
            key = _key(result)
            then_said = "known" if known[key] > 0 else None if key in open_ else "new"
            result = result.model_copy(update={"baseline": then_said})
            known[key] -= 1
        marked.append(result)
    return tuple(marked)


def _key(result: Result) -> Key:
    """What a finding is about: its check, its component, and the part of that, the other file or the waiver."""
    if result.pointer is None:
        return result.check, result.component, result.location.file
    _, kind, *rest = result.pointer.split("/")
    return result.check, result.component, "/".join(rest[1:]) if kind == "components" else result.message


def introduced(results: Sequence[Result], now: Declared, then: Declared | None) -> tuple[Introduced, ...]:
    """Everything new in one file, findings first; `then` is None where there was no such file."""
    found = [_new_finding(one) for one in results if one.baseline == "new" and one.outcome == "fail"]
    return (*found, *_new_waivers(now, then), *_changes(now, then))


def _new_finding(result: Result) -> Introduced:
    return Introduced(
        kind="new-finding",
        component=result.component,
        check=result.check,
        says=f"new {result.level}: {result.check} {result.component}: {result.message}",
        location=result.location,
    )


def _new_waivers(now: Declared, then: Declared | None) -> Iterator[Introduced]:
    before = {(one.check, one.component): one for one in then.content.waivers} if then else {}
    for number, waiver in enumerate(now.content.waivers):
        for words in _waiver_words(waiver, before.get((waiver.check, waiver.component))):
            yield Introduced(
                kind="new-waiver",
                component=waiver.component,
                check=waiver.check,
                says=words,
                location=now.locate(("waivers", number)),
            )


def _waiver_words(waiver: DeclaredWaiver, before: DeclaredWaiver | None) -> Iterator[str]:
    """What is new about a waiver: all of it, a later day, a looser ceiling."""
    name = f"{waiver.check} for {waiver.component}"
    if before is None:
        yield f"new waiver: {name} until {waiver.expires} ({waiver.owner}): {waiver.reason}"
        return
    if waiver.expires > before.expires:
        yield f"waiver extended: {name} from {before.expires} to {waiver.expires}"
    if waiver.ceiling is not None and before.ceiling is not None and waiver.ceiling != before.ceiling:
        looser = waiver.ceiling > before.ceiling
        if looser != (waiver.check == THROUGHPUT):
            yield f"waiver loosened: {name}, ceiling {written(before.ceiling)} → {written(waiver.ceiling)}"


def _changes(now: Declared, then: Declared | None) -> Iterator[Introduced]:
    if then is None:
        return
    before = {one.name: one for one in then.content.components}
    names = {one.name for one in now.content.components}
    for name in sorted(before.keys() - names):
        says = f"{name}: the component is gone, and all that was checked of it"
        yield Introduced(kind="removed-component", component=name, check=None, says=says, location=now.locate(()))
    old_days, days = then.content.waiver_horizon_days, now.content.waiver_horizon_days
    if days > old_days:
        says = f"waivers may last {days} days in place of {old_days}"
        place = now.locate(("waiver_horizon_days",))
        yield Introduced(kind="loosened-horizon", component=None, check=None, says=says, location=place)
    for number, component in enumerate(now.content.components):
        earlier = before.get(component.name)
        at: Steps = ("components", number)
        if earlier is None:
            says, place = f"{component.name}: a new component", now.locate(at)
            yield Introduced(kind="new-component", component=component.name, check=None, says=says, location=place)
            continue
        for kind, check, where, says in _component_changes(component, earlier):
            yield Introduced(
                kind=kind,
                component=component.name,
                check=check,
                says=f"{component.name}: {says}",
                location=now.locate((*at, *where)),
            )


def _component_changes(
    now: DeclaredComponent, then: DeclaredComponent
) -> Iterator[tuple[ChangeKind, str | None, Steps, str]]:
    for name, check in BUDGETS.items():
        old, new = getattr(then.budgets, name), getattr(now.budgets, name)
        if old is not None and (new is None or ((new < old) if check == THROUGHPUT else (new > old))):
            words = f"budget {name} loosened, {written(old)} → {'none' if new is None else written(new)}"
            yield "loosened-budget", check, ("budgets", name), words
    said = now.workload.model_fields_set | then.workload.model_fields_set
    old_answers, new_answers = fill_defaults(then.workload)[0], fill_defaults(now.workload)[0]
    for answer in ANSWER_ORDER:
        old, new = getattr(old_answers, answer), getattr(new_answers, answer)
        if answer in said and old != new:
            words = f"answer {answer} changed, {value_words(old)} → {value_words(new)}"
            yield "changed-answer", None, ("workload", answer), words
    for key in ("code", "measured"):
        for name in getattr(then, key):
            if name not in getattr(now, key):
                yield "less-checked", None, (key,), f"{key} {name} is no longer read"
    if then.testbed not in (None, now.testbed):
        yield "less-checked", None, ("testbed",), f"testbed changed, {then.testbed} → {value_words(now.testbed)}"
    for key in ("architecture", "model", "contrastive", "dtype", "parts"):
        old, new = getattr(then.choice, key), getattr(now.choice, key)
        if old != new:
            shown = _parts_changed(old, new) if key == "parts" else f", {value_words(old)} → {value_words(new)}"
            yield "changed-choice", None, ("choice", key), f"choice {key} changed{shown}"


def _parts_changed(old: DeclaredParts | None, new: DeclaredParts | None) -> str:
    """Which parts of a pipeline are other ones now."""
    changed = [name for name in PARTS if getattr(old, name, None) != getattr(new, name, None)]
    return f" ({', '.join(changed)})" if changed else ""

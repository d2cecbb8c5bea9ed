"""Waivers: who answers for which finding, until when, and what becomes of a result that one speaks of.

A waiver is good for one check of one component until the end of its last day. The one idea: it can never hide more than
it says. An expired one lets its finding return, one without a finding is a finding itself, and one for a budget holds
up to a ceiling and no further.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from advisor.core.errors import allowed_words
from advisor.core.guide.rulebook import Rulebook
from advisor.core.review.amounts import of_check
from advisor.core.review.declared import Declared, DeclaredWaiver, Steps, pointer
from advisor.core.review.design_kinds import BUDGETS, CHOICE, THROUGHPUT, UNUSED_WAIVER
from advisor.core.review.document import AppliedWaiver, Figure, Result, WaiverLine, WaiverState
from advisor.core.review.kinds import BUDGET_CHECKS, KINDS, cite, waivable

EXPIRING_DAYS = 14
MIN_REASON_WORDS = 3
_PLACEHOLDER = re.compile(
    r"\W*(todo|tbd|tba|tbc|fixme|xxx+|wip|n/?a|none|null|nil|placeholder|reason|because|later|temporary|temp|"
    r"lorem|asdf\w*|test|foo|bar|waived?|ignored?|skip|ok|yes|no|see above|to do|to be \w+|fill( this)? in|"
    r"(insert|add|your|some|a) reason( here)?)\b",
    re.IGNORECASE,
)
"""How a reason begins that is none."""
_WORD = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff]{1,2}|\w+")
"""A word; where a script has no spaces between them (Chinese, Japanese, Thai …), every two characters stand for one."""

Mistake = tuple[Steps, str, str]
"""Where in the file, what is wrong, what to do."""


class Applied(NamedTuple):
    """The results after the waivers, and what has become of each waiver."""

    results: tuple[Result, ...]
    lines: tuple[WaiverLine, ...]


def waiver_mistakes(declared: Declared, rulebook: Rulebook, today: date) -> Iterator[Mistake]:
    """Everything wrong with the waivers of a file, whatever they waive."""
    content = declared.content
    names, known = [one.name for one in content.components], waivable(rulebook)
    seen: set[tuple[str, str]] = set()
    for number, waiver in enumerate(content.waivers):
        at: Steps = ("waivers", number)
        if waiver.check not in known:
            yield (*at, "check"), *_no_such_check(waiver.check, known, rulebook)
        if waiver.component not in names:
            words = f'unknown component "{waiver.component}" — {allowed_words(waiver.component, names)}'
            yield (*at, "component"), words, "name a component of this file"
        if (waiver.check, waiver.component) in seen:
            yield at, f"{waiver.check} is waived twice for {waiver.component}", "keep one of them"
        seen.add((waiver.check, waiver.component))
        yield from _reason_mistakes(waiver, at)
        yield from _owner_mistakes(waiver, at)
        yield from _day_mistakes(waiver, at, today, content.waiver_horizon_days)
        if waiver.check in known:
            yield from _ceiling_mistakes(waiver, at)


def _no_such_check(check: str, known: Sequence[str], rulebook: Rulebook) -> tuple[str, str]:
    """What is wrong with the name of a check, and what to do; of all ids only the nearest is named."""
    if check in KINDS:
        return f"{check} speaks of waivers themselves and cannot be waived", "remove the waiver that waives nothing"
    if any(rule.id == check for _, rule in rulebook.rules()):
        return f"{check} is a rule that advises, and no check", f"a choice against it is {CHOICE}: waive that"
    near = allowed_words(check, known).partition(" — ")[2] or "no check has that id"
    return f'unknown check "{check}" — {near}', "advisor explain lists the checks"


def _reason_mistakes(waiver: DeclaredWaiver, at: Steps) -> Iterator[Mistake]:
    words = _WORD.findall(waiver.reason)
    begins = _PLACEHOLDER.match(waiver.reason)
    if len(words) < MIN_REASON_WORDS or (begins and len(words) < 2 * MIN_REASON_WORDS):
        says = "this is a placeholder, not a reason" if begins or not words else "this reason says too little"
        yield (*at, "reason"), says, "say in a sentence why the finding is acceptable for now, and what ends it"


def _owner_mistakes(waiver: DeclaredWaiver, at: Steps) -> Iterator[Mistake]:
    if _PLACEHOLDER.fullmatch(waiver.owner) or not _WORD.search(waiver.owner):
        yield (*at, "owner"), "this is a placeholder, not an owner", "name the team or the person who answers for it"


def _day_mistakes(waiver: DeclaredWaiver, at: Steps, today: date, horizon_days: int) -> Iterator[Mistake]:
    if (waiver.created - today).days > 1:  # somewhere it is tomorrow already
        yield (*at, "created"), f"created is {waiver.created}, and today is {today}", "give the day it was written"
    if waiver.expires < waiver.created:
        says = f"expires {waiver.expires} lies before created {waiver.created}"
        yield (*at, "expires"), says, "give a later day"
    elif (waiver.expires - waiver.created).days > horizon_days:
        latest = waiver.created + timedelta(days=horizon_days)
        says = f"a waiver may last {horizon_days} days, so this one until {latest}"
        yield (*at, "expires"), says, "give an earlier day, or set waiver_horizon_days"


def _ceiling_mistakes(waiver: DeclaredWaiver, at: Steps) -> Iterator[Mistake]:
    budget = waiver.check in BUDGET_CHECKS
    if not budget and waiver.ceiling is not None:
        yield (*at, "ceiling"), f"{waiver.check} holds no budget, so it has no ceiling", "leave ceiling out"
    if budget and waiver.ceiling is None:
        words = f"a waiver for the budget {waiver.check} needs a ceiling"
        yield at, words, "add ceiling: the value up to which it holds"


def _idle(declared: Declared, waiver: DeclaredWaiver) -> str | None:
    """Why a waiver can waive nothing whatever is found: its ceiling is no looser than the budget. Else None."""
    budget = _budget(declared, waiver) if waiver.check in BUDGET_CHECKS else None
    if budget is None or waiver.ceiling is None:
        return None
    floor = waiver.check == THROUGHPUT
    if waiver.ceiling < budget if floor else waiver.ceiling > budget:
        return None
    ceiling, said = of_check(waiver.check, waiver.ceiling), of_check(waiver.check, budget)
    return f"its ceiling, {ceiling}, is not {'below' if floor else 'above'} the budget, {said}"


def _budget(declared: Declared, waiver: DeclaredWaiver) -> float | None:
    component = next((one for one in declared.content.components if one.name == waiver.component), None)
    name = next(name for name, check in BUDGETS.items() if check == waiver.check)
    return getattr(component.budgets, name) if component else None


def state_of(waiver: DeclaredWaiver, today: date) -> WaiverState:
    """What a waiver that is needed is worth on a day; its last day is still its own."""
    if today > waiver.expires:
        return "expired"
    return "expiring" if (waiver.expires - today).days < EXPIRING_DAYS else "active"


def apply_waivers(declared: Declared, results: Sequence[Result], rulebook: Rulebook, today: date) -> Applied:
    """The results of one file with its waivers applied; unused ones become findings."""
    changed = list(results)
    lines: list[WaiverLine] = []
    for number, waiver in enumerate(declared.content.waivers):
        about = [at for at, one in enumerate(changed) if (one.check, one.component) == (waiver.check, waiver.component)]
        idle = _idle(declared, waiver)
        needed = [at for at in about if changed[at].outcome in ("fail", "inconclusive") and idle is None]
        open_ = any(changed[at].outcome == "not-checked" for at in about)
        state = state_of(waiver, today) if needed or (open_ and idle is None) else "unused"
        applied = _applied(declared, number, state)
        for at in needed:
            changed[at] = _waived(changed[at], applied)
        if state == "unused":
            changed.append(_unused(declared, number, rulebook, idle))
        lines.append(WaiverLine(check=waiver.check, component=waiver.component, **applied.model_dump()))
    return Applied(tuple(changed), tuple(lines))


def _applied(declared: Declared, number: int, state: WaiverState) -> AppliedWaiver:
    waiver = declared.content.waivers[number]
    return AppliedWaiver(
        reason=waiver.reason,
        owner=waiver.owner,
        created=waiver.created,
        expires=waiver.expires,
        state=state,
        ceiling=waiver.ceiling,
        location=declared.locate(("waivers", number)),
    )


def _waived(result: Result, waiver: AppliedWaiver) -> Result:
    """The result under its waiver: an expired one and one whose ceiling is passed let it stand, and are named."""
    if waiver.state == "expired":
        words = f"{result.message.rstrip('.')}. The waiver of {waiver.owner} expired on {waiver.expires}."
        return result.model_copy(update={"waiver": waiver, "message": words})
    if waiver.ceiling is not None and not (result.figure and _within(result.figure, waiver.ceiling, result.check)):
        ceiling = f"the ceiling of {waiver.owner}'s waiver, {of_check(result.check, waiver.ceiling)}"
        words = f"That is beyond {ceiling}." if result.figure else f"There is no figure to hold against {ceiling}."
        return result.model_copy(update={"waiver": waiver, "message": f"{result.message} {words}"})
    return result.model_copy(update={"outcome": "waived", "waiver": waiver})


def _within(figure: Figure, ceiling: float, check: str) -> bool:
    """Whether the whole interval is on the right side of a ceiling; of a throughput it is a floor."""
    return figure.low >= ceiling if check == THROUGHPUT else figure.high <= ceiling


def _unused(declared: Declared, number: int, rulebook: Rulebook, idle: str | None) -> Result:
    waiver = declared.content.waivers[number]
    why = idle or "there is no such finding"
    fix = "remove the waiver" if idle is None else "remove the waiver, or give it a ceiling looser than the budget"
    at: Steps = ("waivers", number)
    return Result(
        check=UNUSED_WAIVER,
        component=waiver.component,
        outcome="fail",
        level=KINDS[UNUSED_WAIVER].level,
        message=f"The waiver of {waiver.check} for {waiver.component} waives nothing: {why}.",
        fix=fix,
        source=cite(rulebook, KINDS[UNUSED_WAIVER].source),
        location=declared.locate(at),
        pointer=pointer(at),
    )

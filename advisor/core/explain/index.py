"""Everything that can be explained, by id, and the one that was asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

from advisor.core.architecture import ARCHITECTURE_WORDS
from advisor.core.errors import AdvisorError
from advisor.core.explain.document import Explanation, ExplanationsDocument, Named, Subject, SubjectGroup
from advisor.core.explain.grounds import Grounds
from advisor.core.explain.of_rules import (
    explain_claim,
    explain_fact,
    explain_question,
    explain_rule,
    explain_threshold,
    fact_title,
    subject_of,
)
from advisor.core.explain.of_words import (
    explain_answer,
    explain_architecture,
    explain_check,
    explain_finding,
    explain_flag,
    explain_task,
)
from advisor.core.guide.words import value_words
from advisor.core.questions import QUESTIONS
from advisor.core.review.kinds import KINDS
from advisor.core.sizing.finding_kinds import FINDING_KINDS
from advisor.core.sizing.flag_words import FLAG_WORDS
from advisor.core.task import TASK_WORDS

_OF_THE_DOCTOR = re.compile(r"DOC-\d{3}", re.IGNORECASE | re.ASCII)


class Entry(NamedTuple):
    """One thing that can be explained; `explain` makes the explanation when it is asked for."""

    subject: Subject
    id: str
    title: str
    explain: Callable[[], Explanation]


def entries(grounds: Grounds) -> Iterator[Entry]:
    """All of them. Where two share an id (a task and an architecture do), the first explains both."""
    book = grounds.book
    for table, rule in grounds.rules():
        yield Entry(subject_of(table), rule.id, rule.title, partial(explain_rule, grounds, table, rule))
    for kind in FINDING_KINDS.values():
        yield Entry("finding", kind.id, kind.title, partial(explain_finding, grounds, kind))
    for check in KINDS.values():
        yield Entry("check", check.id, check.title, partial(explain_check, grounds, check))
    for flag, flagged in FLAG_WORDS.items():
        yield Entry("flag", flag, flagged.title, partial(explain_flag, flag))
    for fact in book.facts.values():
        yield Entry("fact", fact.id, fact_title(fact), partial(explain_fact, grounds, fact))
    for claim in book.claims:
        yield Entry("claim", claim.id, claim.says.rstrip("."), partial(explain_claim, grounds, claim))
    for question in book.questions.values():
        yield Entry("question", question.id, question.asks, partial(explain_question, grounds, question))
    for task, words in TASK_WORDS.items():
        yield Entry("task", task, words, partial(explain_task, grounds, task))
    for architecture, words in ARCHITECTURE_WORDS.items():
        yield Entry("architecture", architecture, words, partial(explain_architecture, grounds, architecture))
    for asked in QUESTIONS:
        yield Entry("answer", asked.answer, asked.asks, partial(explain_answer, grounds, asked))
    for threshold in book.thresholds.values():
        words = f"{value_words(threshold.value)} {threshold.says}"
        yield Entry("threshold", threshold.name, words, partial(explain_threshold, grounds, threshold))


def explain(grounds: Grounds, wanted: str) -> Explanation:
    """The explanation of an id, upper or lower case. Raises AdvisorError with the nearest id."""
    known: dict[str, Entry] = {}
    for entry in entries(grounds):
        known.setdefault(entry.id.lower(), entry)
    found = known.get(wanted.strip().lower())
    if found is None:
        raise _unknown(grounds, wanted, [entry.id for entry in known.values()])
    return found.explain()


def explanations(grounds: Grounds) -> ExplanationsDocument:
    """The list of all ids with their titles, by subject."""
    groups: dict[Subject, list[Named]] = {}
    for entry in entries(grounds):
        groups.setdefault(entry.subject, []).append(Named(id=entry.id, title=entry.title))
    return ExplanationsDocument(
        rules_version=grounds.book.version,
        groups=tuple(SubjectGroup(subject=subject, entries=tuple(found)) for subject, found in groups.items()),
    )


def _unknown(grounds: Grounds, wanted: str, ids: list[str]) -> AdvisorError:
    models = {one.lower(): one for one in (*grounds.catalog.entries, *grounds.catalog.hosted)}
    if model := models.get(wanted.lower()):
        return AdvisorError(f'"{model}" is a model of the catalogue', fix=f"see: advisor models show {model}")
    if _OF_THE_DOCTOR.fullmatch(wanted):
        return AdvisorError(f'"{wanted}" is something the doctor says of a machine', fix="see: advisor doctor")
    near = [f'"{one}"' for one in _nearest(wanted, ids)]
    hint = f" — did you mean {' or '.join(near)}?" if near else ""
    fix = "advisor explain lists everything that can be explained"
    return AdvisorError(f'nothing is known by the id "{wanted[:80]}"{hint}', fix=fix)


def _nearest(wanted: str, ids: Iterable[str]) -> list[str]:
    """Up to three ids that are spelled alike, the nearest first."""
    from difflib import get_close_matches  # only a mistake needs it

    spelled = {one.lower(): one for one in ids}
    return [spelled[one] for one in get_close_matches(wanted[:80].lower(), spelled)]

"""An explanation, and the list of what can be explained, as blocks."""

from __future__ import annotations

from collections.abc import Iterable

from advisor.core.explain.document import Cited, Explanation, ExplanationsDocument, Named, Subject
from advisor.report.blocks import Block, Command, Heading, Paragraph, bullets

SUBJECT_WORDS: dict[Subject, str] = {
    "decision": "a rule that decides",
    "component": "a rule that names a part of the design",
    "remark": "a rule that remarks on a design",
    "model choice": "a rule that chooses the model",
    "finding": "a finding of a plan",
    "check": "a check of a declared architecture",
    "flag": "a flag of a measured cell",
    "fact": "a fact that rules stand on",
    "claim": "a claim that a comparison is held against",
    "question": "a question readers ask",
    "architecture": "an architecture",
    "task": "a task",
    "answer": "an answer of the questionnaire",
    "threshold": "a threshold that rules name",
}
GROUP_WORDS: dict[Subject, str] = {
    "decision": "Rules that decide",
    "component": "Rules that name the parts of a design",
    "remark": "Mistakes, warnings and notes",
    "model choice": "Rules that choose a model",
    "finding": "Findings of a plan",
    "check": "Checks of a declared architecture",
    "flag": "Flags of a measured cell",
    "fact": "Facts that rules stand on",
    "claim": "Claims that a comparison is held against",
    "question": "Questions readers ask",
    "architecture": "Architectures",
    "task": "Tasks",
    "answer": "Answers of the questionnaire",
    "threshold": "Thresholds that rules name",
}


def explanation_blocks(found: Explanation, *, level: int = 1) -> list[Block]:
    """What, why, unless, on what grounds, examples, and what stands beside it."""
    blocks: list[Block] = [
        Heading(f"{found.id}: {found.title}", level),
        bullets([f"{word}: {said}" for word, said in sentences(found)]),
    ]
    if found.source:
        blocks += [Heading("Sources", level + 1), bullets([_cited(one) for one in found.source])]
    if found.fires or found.silent:
        examples = [*(f"fires: {one}" for one in found.fires), *(f"silent: {one}" for one in found.silent)]
        blocks += [Heading("Examples", level + 1), bullets(examples)]
    if found.commands:
        blocks += [Heading("Try it", level + 1), *(Command(one) for one in found.commands)]
    if found.related:
        blocks += [Heading("Related", level + 1), bullets(_lines(found.related))]
    return blocks


def explanations_blocks(document: ExplanationsDocument) -> list[Block]:
    """Everything that can be explained, by subject."""
    blocks: list[Block] = [
        Heading("What can be explained", 1),
        Paragraph(f"Name one of these after advisor explain. Rules {document.rules_version}."),
    ]
    for group in document.groups:
        blocks += [Heading(GROUP_WORDS[group.subject], 2), bullets(_lines(group.entries))]
    return blocks


def sentences(found: Explanation) -> Iterable[tuple[str, str]]:
    """What there is to say, each with the word that leads it."""
    strength = f" ({found.strength})" if found.strength else ""
    said = (
        ("What", SUBJECT_WORDS[found.subject]),
        ("Says", found.says),
        ("When", found.when),
        ("Then", f"{found.then}{strength}" if found.then else None),
        ("Why", found.because),
        ("Unless", found.unless),
        ("What to do", found.remedy),
    )
    return ((word, sentence) for word, sentence in said if sentence)


def _cited(one: Cited) -> str:
    if one.id == one.section:  # our judgement, which has no number
        return one.says or one.id
    section = "ours" if one.section == "ours" else f"the guide, {one.section}"
    return f"{one.id} ({section}): {one.says}" if one.says else f"{one.id} ({section})"


def _lines(found: Iterable[Named]) -> list[str]:
    return [f"{one.id}: {one.title}" for one in found]

"""The advice beside the questions: architecture first, reasons second, what would change it third."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from advisor.core.guide.recommendation import Alternative, Component, Recommendation, Remark
from advisor.report import figures
from advisor.report.advice import change_words
from advisor.tui.prose import LEVEL_SIGNS, LEVEL_STYLES, MUTED, Lines, heading, paragraph

_STRENGTH_WORDS = {
    "strong": "strong: the guide is plain here",
    "default": "default: the usual choice, others can do",
    "weak": "weak: measure both before you decide",
}


def advice_lines(recommendation: Recommendation, could_become: Sequence[str], width: int) -> Lines:
    """Everything a person needs to follow the advice, or to doubt it.

    `could_become` names the architectures that answers not given yet could still lead to.
    """
    found = paragraph(width, (recommendation.architecture, "bold $text-success"))
    found += paragraph(width, (_STRENGTH_WORDS[recommendation.strength], MUTED))
    found += paragraph(width, (_open_words(recommendation, could_become), MUTED))
    found.append(Content(""))
    for reason in recommendation.reasons:
        found += paragraph(width, reason.says, (_cited(reason.rule, figures.sources(reason.source)), MUTED))
        if reason.unless:
            found += paragraph(width, ("Unless: ", MUTED), reason.unless)
    for remark in (*recommendation.warnings, *recommendation.notes):
        found += _remark(remark, width)
    found += heading("What would change it")
    for alternative in recommendation.alternatives:
        found += _alternative(alternative, width)
    found += heading("Parts")
    for part in recommendation.components:
        found += _component(part, width)
    return found


def _open_words(recommendation: Recommendation, could_become: Sequence[str]) -> str:
    others = [name for name in could_become if name != recommendation.architecture]
    if not others:
        return "settled: no open question leads elsewhere"
    return f"open questions could still make it {' or '.join(others)}"


def _remark(remark: Remark, width: int) -> Lines:
    style = LEVEL_STYLES[remark.level]
    cited = (_cited(remark.rule, figures.sources(remark.source)), MUTED)
    return [Content(""), *paragraph(width, remark.says, cited, bullet=(f"{LEVEL_SIGNS[remark.level]} ", style))]


def _alternative(alternative: Alternative, width: int) -> Lines:
    words = change_words(alternative.flip) if alternative.possible else "no answer but another task"
    found = paragraph(width, (alternative.architecture, "bold"))
    found += paragraph(width, (words, "" if alternative.possible else MUTED), bullet="  ")
    for remark in alternative.warnings:
        sign = (f"  {LEVEL_SIGNS[remark.level]} ", LEVEL_STYLES[remark.level])
        found += paragraph(
            width, remark.says, (_cited(remark.rule, figures.sources(remark.source)), MUTED), bullet=sign
        )
    return found


def _component(part: Component, width: int) -> Lines:
    found = paragraph(width, (f"{part.role}: ", MUTED), (part.model or "no model named", "bold"))
    for because in part.because:
        cited = (f" [{figures.sources(because.source)}]", MUTED)
        found += paragraph(width, because.says, cited, bullet="  ")
    return found


def _cited(rule: str, sources: str) -> str:
    return f" [{rule}; {sources}]"

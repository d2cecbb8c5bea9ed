"""What a recommendation says: the architecture, why, its parts, what else could be, and which answers were assumed.

Apart from `outline`, because a decision must not load the shapes of measurements. Pure: values in, blocks out.
"""

from __future__ import annotations

from collections.abc import Sequence

from advisor.core.guide.recommendation import (
    Alternative,
    Because,
    Change,
    Component,
    Reason,
    Recommendation,
    Remark,
)
from advisor.core.guide.words import figure_words
from advisor.report import figures
from advisor.report.blocks import Block, Heading, Paragraph, bullets


def recommendation_blocks(recommendation: Recommendation, *, level: int = 1) -> list[Block]:
    """What is advised, why, its parts, what else could be, and which answers were assumed."""
    blocks: list[Block] = [
        Heading(f"{recommendation.architecture} ({recommendation.strength})", level, "good"),
        bullets([_reason(reason) for reason in recommendation.reasons]),
        Heading("Components", level + 1),
        bullets([(_component(part), _because(part.because)) for part in recommendation.components]),
    ]
    if remarks := [*recommendation.warnings, *recommendation.notes]:
        blocks += [Heading("To know", level + 1), bullets([remark_words(remark) for remark in remarks])]
    blocks += [
        Heading("Alternatives", level + 1),
        bullets([_alternative(alternative) for alternative in recommendation.alternatives]),
        Heading("Answers", level + 1),
        *_answers(recommendation),
    ]
    return blocks


def _reason(reason: Reason) -> str:
    exception = f" Unless: {reason.unless}" if reason.unless else ""
    return f"{reason.says}{exception} [{reason.rule}; {figures.sources(reason.source)}]"


def _component(part: Component) -> str:
    architecture = f", {part.architecture}" if part.architecture else ""
    return f"{part.role}: {part.model or 'no model named'}{architecture}"


def _because(found: Sequence[Because]) -> list[str]:
    return [f"{because.says} [{figures.sources(because.source)}]" for because in found]


def remark_words(remark: Remark) -> str:
    """`! warning: what is said [S2S-101; G30]`."""
    symbol = {"error": "✗", "warning": "!", "note": "·"}[remark.level]
    return f"{symbol} {remark.level}: {remark.says} [{remark.rule}; {figures.sources(remark.source)}]"


def _alternative(alternative: Alternative) -> tuple[str, list[str]]:
    remarks = [remark_words(remark) for remark in (*alternative.warnings, *alternative.notes)]
    if not alternative.possible:
        return f"{alternative.architecture}: no change of answers leads there, only another task would", remarks
    words = f"{alternative.architecture}: would be advised with {change_words(alternative.flip)}"
    rules = dict.fromkeys(miss.rule for miss in alternative.why_not)
    return words, [*(_misses(alternative, rule) for rule in rules), *remarks]


def _misses(alternative: Alternative, rule: str) -> str:
    """What one rule for the alternative asked for and did not get."""
    missed = [miss for miss in alternative.why_not if miss.rule == rule]
    needs = " and ".join(f"{miss.answer} {miss.needed} (got {figure_words(miss.got)})" for miss in missed)
    return f"{rule} needs {needs}"


def change_words(changes: Sequence[Change]) -> str:
    """`requests_per_second 200 → < 10 and priority balanced → accuracy`."""
    parts = (f"{change.answer} {figure_words(change.from_)} → {figure_words(change.to)}" for change in changes)
    return " and ".join(parts)


def _answers(recommendation: Recommendation) -> list[Block]:
    workload = recommendation.workload.model_dump()
    defaulted = set(recommendation.defaulted)
    stated = {key: value for key, value in workload.items() if key not in defaulted and value is not None}
    rate_per_second = stated.pop("requests_per_second") if "requests_per_day" in stated else None
    said = [f"{key} {figure_words(value)}" for key, value in stated.items()]
    assumed = [f"{key} {figure_words(workload[key])}" for key in recommendation.defaulted]
    version = f"rules {recommendation.rules_version}, sha256 {recommendation.rules_sha256[:12]}"
    peak = f" At the peak that is {figures.rate(rate_per_second)}." if rate_per_second is not None else ""
    blocks: list[Block] = [Paragraph(f"You said {', '.join(said)}.{peak}")]
    if assumed:
        blocks.append(Paragraph(f"Defaults taken: {', '.join(assumed)}."))
    return [*blocks, Paragraph(f"Decided by {version}.")]

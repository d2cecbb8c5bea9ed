"""Remembers rulebooks that were proved: what of them is kept, and how they come back."""

from __future__ import annotations

from typing import Any

from advisor.core.guide.rule import Impossible
from advisor.core.guide.rulebook import (
    Claim,
    ClaimedRatio,
    Content,
    Fact,
    Question,
    Rulebook,
    TableContent,
    Threshold,
    content_of,
)
from advisor.store.remembered import keep, pack_rule, pack_when, place_of, recall, unpack_rule, unpack_when


def remembered(sha256: str) -> Content | None:
    """What the folder with this hash states, if it was proved before; None otherwise."""
    packed = recall(place_of("rules", sha256))
    try:
        return None if packed is None else _unpack(packed)
    except (ValueError, TypeError, KeyError, IndexError):
        return None


def remember(sha256: str, book: Rulebook) -> None:
    """Note that this folder was proved."""
    keep(place_of("rules", sha256), _pack(content_of(book)))


def _pack(content: Content) -> dict[str, Any]:
    return {
        "version": content.version,
        "facts": [[one.id, one.says, one.section] for one in content.facts],
        "questions": [[one.id, one.asks, one.answer, one.source] for one in content.questions],
        "thresholds": [[one.name, one.value, one.says, one.source] for one in content.thresholds],
        "claims": [[one.id, one.tasks, one.says, one.source, one.ratio, one.about] for one in content.claims],
        "impossible": [[pack_when(one.when), one.reason] for one in content.impossible],
        "tables": [
            [one.name, one.over, one.policy, one.axes, one.file, [pack_rule(rule) for rule in one.rules]]
            for one in content.tables
        ],
    }


def _unpack(packed: dict[str, Any]) -> Content:
    return Content(
        version=packed["version"],
        facts=tuple(Fact(*one) for one in packed["facts"]),
        questions=tuple(Question(i, asks, answer, tuple(source)) for i, asks, answer, source in packed["questions"]),
        thresholds=tuple(Threshold(name, v, says, tuple(source)) for name, v, says, source in packed["thresholds"]),
        impossible=tuple(Impossible(unpack_when(when), reason) for when, reason in packed["impossible"]),
        tables=tuple(
            TableContent(name, over, policy, tuple(axes), tuple(unpack_rule(rule) for rule in rules), file)
            for name, over, policy, axes, file, rules in packed["tables"]
        ),
        claims=tuple(
            Claim(name, tuple(tasks), says, tuple(source), ClaimedRatio(*ratio) if ratio else None, about)
            for name, tasks, says, source, ratio, about in packed["claims"]
        ),
    )

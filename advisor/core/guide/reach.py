"""What can still happen while some answers are missing: outcomes within reach, and which questions still matter.

A missing answer is the full mask of its axis. What is said here is exact: an outcome is within reach if and only if
some possible completion of the answers leads to it, and an answer matters if and only if two possible workloads that
differ in it alone are advised differently.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from advisor.core.architecture import ARCHITECTURES
from advisor.core.guide.axis import Value
from advisor.core.guide.boxes import Box, intersect, subtract_all, touch
from advisor.core.guide.rule import Outcome, Rule, Table
from advisor.core.guide.rulebook import Rulebook

_RATE_ANSWERS = {"requests_per_day": "requests_per_second", "peak_factor": "requests_per_second"}
_KNOWN_LATER = ("parameters", "context_tokens", "context_is_hard")
"""Facts of the model that stands for the advised architecture: unknown until it is chosen."""


def reachable(table: Table, partial: Mapping[str, Value]) -> tuple[Outcome, ...]:
    """The outcomes that some possible completion of `partial` leads to, in the order of the rules."""
    return tuple(dict.fromkeys(rule.then for rule in deciding(table, partial)))


def deciding(table: Table, partial: Mapping[str, Value]) -> tuple[Rule, ...]:
    """The rules that decide some possible completion of `partial`."""
    within = table.space.partial(partial)
    return tuple(
        rule
        for rule, region in zip(table.rules, table.regions, strict=True)
        if any(touch(piece, within) for piece in region)
    )


def matters(rulebook: Rulebook, answer: str, partial: Mapping[str, Value]) -> bool:
    """Whether `answer` can change the decision, its strength, a component or a remark, given the others in `partial`.

    Remarks are those of the advised design and of every alternative. A rate per day is a rate per second said
    otherwise.
    """
    name = _RATE_ANSWERS.get(answer, answer)
    space = rulebook.decision.space
    if name not in space.at:
        return False
    at = space.at[name]
    within = space.partial({key: value for key, value in partial.items() if key in space.at and key != name})
    possible = subtract_all([within], rulebook.decision.impossible)
    if _differs(_decisions(rulebook.decision, within), at):
        return True
    return any(
        _differs([holds, subtract_all(possible, holds)], at)
        for holds in _statements(rulebook, possible)
        if holds and any(box[at] != within[at] for box in holds)
    )


def _differs(classes: Sequence[Sequence[Box]], at: int) -> bool:
    """Whether two boxes of different classes agree on every axis but `at`."""
    return any(
        all(a & b for position, (a, b) in enumerate(zip(one, other, strict=True)) if position != at)
        for number, boxes in enumerate(classes)
        for others in classes[number + 1 :]
        for one in boxes
        for other in others
    )


def _decisions(table: Table, within: Box) -> list[list[Box]]:
    classes: dict[tuple[Outcome, str | None], list[Box]] = {}
    for rule, region in zip(table.rules, table.regions, strict=True):
        classes.setdefault((rule.then, rule.strength), []).extend(_within(region, [within]))
    return [boxes for boxes in classes.values() if boxes]


def _statements(rulebook: Rulebook, possible: list[Box]) -> Iterable[list[Box]]:
    """For everything that can be said of a design, the workloads of which it is said."""
    for architecture in ARCHITECTURES:
        advised = [
            piece
            for rule, region in zip(rulebook.decision.rules, rulebook.decision.regions, strict=True)
            if rule.then == architecture
            for piece in _within(region, possible)
        ]
        for table in rulebook.remarks:
            for box in table.boxes:
                chosen = _within(_workloads(rulebook, box, architecture, model_known=True), advised)
                if table.over == "design":
                    chosen += _within(_workloads(rulebook, box, architecture, model_known=False), possible)
                yield chosen
        for box in rulebook.components.boxes:
            yield _within(_workloads(rulebook, box, architecture, model_known=True), advised)


def _workloads(rulebook: Rulebook, box: Box, architecture: str, *, model_known: bool) -> list[Box]:
    """The workloads for which the design `architecture` lies in `box`; none, or one box.

    What is at hand is what the answers say (`contrastive`), no mask has been looked at, and what the model brings is
    free where it is known and null where it is not.
    """
    count = len(rulebook.decision.space.axes)
    masks = list(box[:count])
    if len(box) > count:
        at = rulebook.design_space.at
        fixed = {"architecture": architecture, "mask_found": None}
        if not model_known:
            fixed |= dict.fromkeys(_KNOWN_LATER)
        for name, value in fixed.items():
            if not box[at[name]] & 1 << rulebook.design_space.axes[at[name]].cell_of(value):
                return []
        masks[at["contrastive_decoder"]] &= box[at["contrastive"]]
    return [] if 0 in masks else [tuple(masks)]


def _within(boxes: Iterable[Box], limits: Sequence[Box]) -> list[Box]:
    return [shared for box in boxes for limit in limits if (shared := intersect(box, limit))]

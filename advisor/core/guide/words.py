"""Boxes, conditions and workloads in words: how a person reads what the algebra found.

Numbers are spelled as they would be written in a rules file, comparisons with `<` and `>=`, because intervals are
half-open. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Mapping

from advisor.core.guide.axis import Axis, AxisSpec, Condition, Span, Value, cut_axis
from advisor.core.guide.boxes import Box, Space, cells
from advisor.core.guide.rule import Outcome


def value_words(value: Value) -> str:
    """A value as a rules file spells it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def figure_words(value: Value) -> str:
    """A value in a sentence, where a rate made from a rate per day needs no sixteen digits: `173.611`."""
    if isinstance(value, float) and not (rounded := float(f"{value:.6g}")).is_integer():
        return value_words(rounded)
    return value_words(value)


def then_words(outcome: Outcome) -> str:
    """An outcome as a rules file spells it; a list of preferences with commas between."""
    return outcome if isinstance(outcome, str) else ", ".join(outcome)


def span_words(span: Span) -> str:
    """`< 10`, `>= 1` or `>= 1 and < 10`; `any number` where nothing bounds it."""
    low, high = span
    bounds = ([] if low is None else [f">= {value_words(low)}"]) + ([] if high is None else [f"< {value_words(high)}"])
    return " and ".join(bounds) or "any number"


def runs(axis: Axis, mask: int) -> list[Span]:
    """The numbers in a mask as the fewest spans, ascending; null is not among them."""
    spans: list[Span] = []
    last = -2
    for cell in cells(mask):
        if axis.is_null(cell):
            continue
        low, high = axis.span_of(cell)
        spans.append((spans.pop()[0], high) if cell == last + 1 and spans else (low, high))
        last = cell
    return spans


def needed_words(axis: Axis, mask: int) -> str:
    """What a mask allows: `accuracy`, `cost or balanced`, `< 10`, `null or >= 8`, or `not chat` where that is
    shorter.
    """
    if axis.spec.is_number:
        null = ["null"] if axis.spec.nullable and mask & 1 else []
        return " or ".join(null + [span_words(span) for span in runs(axis, mask)])
    allowed = [value_words(axis.spec.listed[cell]) for cell in cells(mask)]
    refused = [value_words(axis.spec.listed[cell]) for cell in cells(axis.full & ~mask)]
    if 0 < len(refused) <= 3 and len(refused) * 3 < len(allowed):
        return "not " + " or ".join(refused)
    return " or ".join(allowed)


def condition_words(spec: AxisSpec, condition: Condition) -> str:
    """What a condition allows, without the cuts of other rules."""
    axis = cut_axis(spec, (condition,))
    return needed_words(axis, axis.mask(condition))


def clause(name: str, needed: str) -> str:
    """`task is text-classification`, `requests_per_second < 10`, `task is not chat`."""
    return f"{name} {needed}" if needed[0] in "<>" else f"{name} is {needed}"


def box_words(space: Space, box: Box) -> str:
    """`task is text-classification and requests_per_second < 10`; axes that are free are left out."""
    named = [
        clause(axis.name, needed_words(axis, mask))
        for axis, mask in zip(space.axes, box, strict=True)
        if mask != axis.full
    ]
    return " and ".join(named) or "anything at all"


def rule_words(specs: Mapping[str, AxisSpec], conditions: tuple[Condition, ...]) -> str:
    """A rule's `when` as one sentence part."""
    named = [clause(each.axis, condition_words(specs[each.axis], each)) for each in conditions]
    return " and ".join(named) or "always"


def example_value(axis: Axis, cell: int, usual: Value = None) -> Value:
    """A value in a cell that a person would name: the usual one if it lies there, else one near the bound."""
    if not axis.spec.is_number:
        return axis.spec.listed[cell]
    if axis.is_null(cell):
        return None
    if usual is not None and axis.cell_of(usual) == cell:
        return usual
    low, high = axis.span_of(cell)
    if low is not None:
        return int(low) if float(low).is_integer() else low
    if high is None:
        return 1 if axis.spec.lowest is None else int(axis.spec.lowest) + 1
    if axis.spec.whole:
        return int(high) - 1
    half = high / 2 if axis.spec.lowest == 0 else high - 1
    return int(half) if half.is_integer() else half


def workload_words(space: Space, box: Box, usual: Mapping[str, Value]) -> str:
    """One concrete workload out of a box, naming only the answers that matter there.

    `usual` gives the values that are preferred as examples. Where more than the named value would do, the words say so:
    `task chat, requests_per_second 5 (any < 10)`.
    """
    parts: list[str] = []
    for axis, mask in zip(space.axes, box, strict=True):
        if mask == axis.full:
            continue
        inside = list(cells(mask))
        default = usual.get(axis.name)
        wanted = axis.cell_of(default) if axis.name in usual else -1
        cell = wanted if wanted in inside else next((one for one in inside if not axis.is_null(one)), inside[0])
        value = value_words(example_value(axis, cell, default))
        others = axis.spec.is_number and not axis.is_null(cell)
        span = f" (any {span_words(_run_around(axis, mask, cell))})" if others else ""
        parts.append(f"{axis.name} {value}{span}")
    return ", ".join(parts) or "any workload"


def _run_around(axis: Axis, mask: int, cell: int) -> Span:
    inside = set(cells(mask)) - ({0} if axis.spec.nullable else set())
    first = last = cell
    while first - 1 in inside:
        first -= 1
    while last + 1 in inside:
        last += 1
    return axis.span_of(first)[0], axis.span_of(last)[1]

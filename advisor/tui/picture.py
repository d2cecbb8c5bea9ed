"""Latency against the budget: bars of one scale with a mark where the budget ends, and the same in words."""

from __future__ import annotations

from collections.abc import Mapping

from textual.content import Content

from advisor.core.sizing.plan import Plan
from advisor.core.workload import Workload
from advisor.report import figures
from advisor.report.outline import shown_percentiles
from advisor.tui.prose import MUTED, Lines, paragraph, text

_FULL, _HALF = "━", "╸"
_MARK, _CROSSED = "│", "┿"
_RULE = "┈"
"""Spaces would not do: Textual drops those at the start of a line that is wrapped."""
_LEAST_BAR = 8
_LEAD = 6
"""Columns before a bar: `p95 ✓ `."""


def latency_picture(plan: Plan, workload: Workload, width: int) -> Lines:
    """A bar per percentile for the answer, and for the first token where it has a budget."""
    found: Lines = []
    if plan.latency_ms is not None:
        shown = shown_percentiles(plan.latency_ms, plan.judged_latency_ms, workload.latency_percentile)
        found += _bars("Latency", shown, workload.latency_budget_ms, workload.latency_percentile, width)
    if plan.first_token_ms is not None and workload.first_token_budget_ms is not None:
        shown = shown_percentiles(plan.first_token_ms, plan.judged_first_token_ms, workload.latency_percentile)
        found += _bars("First token", shown, workload.first_token_budget_ms, workload.latency_percentile, width)
    return found


def _bars(title: str, shown: Mapping[str, float | None], budget_ms: float | None, percentile: int, width: int) -> Lines:
    had = [(name, value) for name, value in shown.items() if value is not None]
    if not had:
        return []
    labels = [figures.milliseconds(value) for _, value in had]
    budget = f"budget {figures.milliseconds(budget_ms)}" if budget_ms else ""
    room = max(_LEAST_BAR, width - _LEAD - 2 - max(len(label) for label in labels))
    scale = max([value for _, value in had] + ([budget_ms] if budget_ms else [])) * 1.02
    mark = min(room - 1, int(budget_ms / scale * room)) if budget_ms else None
    found = [Content(""), text((title, "bold $text-primary"))]
    for (name, value), label in zip(had, labels, strict=True):
        bar = _bar(value / scale * room, room, mark, inside=value <= (budget_ms or value))
        sign, style = _judged(value, budget_ms) if name == f"p{percentile}" else (" ", "$text-primary")
        found.append(Content.assemble((f"{name} ", MUTED), (sign, style), " ", (bar, style), f"  {label}"))
    if mark is not None:
        found.append(Content.styled(_under(_LEAD + mark, budget, width), MUTED))
    return [*found, *paragraph(width, twin(shown, budget_ms, percentile))]


def _under(column: int, words: str, width: int) -> str:
    """A rule that leads to a foot under the mark, its words to the right, or to the left where there is no room."""
    if column + 2 + len(words) <= width:
        return f"{_RULE * column}┘ {words}"
    return f"{words} ".ljust(column, _RULE) + "┘"


def _judged(value: float, budget_ms: float | None) -> tuple[str, str]:
    """Sign and style of the bar the budget is about; the other percentiles are only shown."""
    if not budget_ms:
        return " ", "$text-primary"
    return ("✓", "$text-success") if value <= budget_ms else ("✗", "$text-error")


def twin(shown: Mapping[str, float | None], budget_ms: float | None, percentile: int) -> str:
    """The picture in a sentence."""
    value = shown.get(f"p{percentile}")
    if value is None:
        return f"p{percentile}: not among the percentiles planned." if budget_ms else ""
    words = f"p{percentile} is {figures.milliseconds(value)}"
    if not budget_ms:
        return f"{words}; no budget was given."
    share = figures.percent(value / budget_ms)
    side = "inside" if value <= budget_ms else "over"
    gap = figures.milliseconds(abs(budget_ms - value))
    return f"{words}, {share} of the budget of {figures.milliseconds(budget_ms)}: {gap} {side}."


def _bar(cells: float, room: int, mark: int | None, *, inside: bool) -> str:
    """A bar in halves of a cell, the budget's mark drawn through it: never on the wrong side of that by rounding."""
    halves = min(2 * room, max(1, round(2 * cells)))
    if mark is not None:
        halves = min(halves, 2 * mark) if inside else max(halves, 2 * mark + 2)
    bar = (_FULL * (halves // 2) + _HALF * (halves % 2)).ljust(room)
    if mark is None:
        return bar
    return bar[:mark] + (_MARK if bar[mark] == " " else _CROSSED) + bar[mark + 1 :]

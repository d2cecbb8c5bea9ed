"""A plan that was checked by serving it, and what it would need under other traffic.

Pure: values in, blocks out. Predicted and observed stand side by side, whichever of them flatters the plan.
"""

from __future__ import annotations

from collections.abc import Sequence

from advisor.core.sizing.plan import Percentiles, Plan, WhatIf
from advisor.core.sizing.replaying import Verification
from advisor.report import figures
from advisor.report.blocks import Block, Heading, Paragraph, Table, bullets

_COLUMNS = ("part", "latency", "predicted p50", "observed p50", "predicted p95", "observed p95")


def verification_blocks(found: Sequence[Verification] | None) -> list[Block]:
    """Every part that was served: what came of it in a sentence, and its figures."""
    if found is None:
        return []
    served = [one for one in found if one.observed_ms is not None]
    blocks: list[Block] = [Heading("Served here", 2), bullets([verification_words(one) for one in found])]
    if served:
        rows = [row for one in served for row in _rows(one)]
        blocks.append(Table(_COLUMNS, tuple(rows), frozenset({2, 3, 4, 5})))
        blocks.append(Paragraph("Predicted for the same requests at the same times; latency counts from the schedule."))
    return blocks


def verification_words(one: Verification) -> str:
    """`✓ model: p95 4 % above what was predicted; 657 requests in 60 s, 11.0/s of 11.0/s delivered, 58.2 % used`."""
    if one.note is not None:
        return f"{one.role}: not served: {one.note.rstrip('.')}."
    symbol = {True: "✓", False: "✗", None: "?"}[one.agrees]
    answered = f"{one.answered:,} of {one.requests:,}" if one.answered < one.requests else f"{one.requests:,}"
    asked, given = figures.rate(one.requested_rps or 0.0), figures.rate(one.delivered_rps or 0.0)
    words = (
        f"{symbol} {one.role}: {_agreement(one)}; {answered} requests in {figures.seconds(one.seconds or 0.0)}, "
        f"{given} of {asked} delivered, {figures.percent(one.utilisation or 0.0)} used"
    )
    if one.planned_rps is not None and one.requested_rps is not None and one.planned_rps > 1.2 * one.requested_rps:
        words += f"; the plan gives a replica {figures.rate(one.planned_rps)}, more than a minute can tell about"
    return words + (f"; while it ran the machine was {', '.join(one.flags)}" if one.flags else "")


def _agreement(one: Verification) -> str:
    if one.ratio is None or one.observed_ms is None:
        return "too few requests were answered to compare anything"
    name = "p95" if one.observed_ms.p95 is not None else "p50"
    side = "above" if one.ratio >= 1 else "below"
    return f"{name} {figures.percent(abs(one.ratio - 1))} {side} what was predicted"


def _rows(one: Verification) -> list[tuple[str, ...]]:
    rows = [_row(one.role, "whole answer", one.predicted_ms, one.observed_ms)]
    if one.observed_first_token_ms is not None:
        rows.append(_row(one.role, "first token", one.predicted_first_token_ms, one.observed_first_token_ms))
    return rows


def _row(role: str, what: str, predicted: Percentiles | None, observed: Percentiles | None) -> tuple[str, ...]:
    both = [one for one in (predicted, observed) if one is not None]
    times = [*(one.p50 for one in both), *(one.p95 for one in both)]
    return (role, what, *(figures.milliseconds(each) if each is not None else "–" for each in times))


def what_if_lines(plan: Plan, per_cent: int) -> list[str]:
    """The same service under other traffic, shared in other ways."""
    if plan.replicas is None:
        return []
    return [_what_if(one, plan.replicas.mid, per_cent) for one in plan.what_if]


def _what_if(one: WhatIf, planned: int, per_cent: int) -> str:
    name = f"p{per_cent if per_cent in (50, 95, 99) else 95}"
    latency = figures.milliseconds(getattr(one.latency_ms, name))
    with_planned = f"with the planned {planned:,}, {name} is {latency}"
    if one.replicas is None:
        return f"If {one.says}: no number of replicas tried meets the budget; {with_planned}."
    return f"If {one.says}: {figures.counted(one.replicas, 'replica')}; {with_planned}."

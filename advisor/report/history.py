"""Past runs as a table. Pure: values in, blocks out; times are UTC, as the store keeps them."""

from __future__ import annotations

from datetime import datetime

from advisor.core.history import HistoryDocument, HistoryRun
from advisor.report import figures
from advisor.report.blocks import Block, Heading, Paragraph, Table

_STATES = {"broken-off": "broken off"}


def history_blocks(document: HistoryDocument) -> list[Block]:
    """What was deleted, if anything was, and every run in a line."""
    blocks: list[Block] = []
    if document.deleted:
        blocks.append(Paragraph(f"✓ deleted: {', '.join(str(run) for run in document.deleted)}", "good"))
    blocks.append(Heading("Runs" if document.runs else "No runs are kept", 1))
    if document.runs:
        columns = ("id", "started (UTC)", "command", "what", "models", "state", "cells", "reused", "outcome")
        blocks.append(Table(columns, tuple(_row(run) for run in document.runs), frozenset({0, 6, 7})))
    return blocks


def _row(run: HistoryRun) -> tuple[str, ...]:
    return (
        str(run.id),
        minute(run.started_at),
        run.command,
        run.subject,
        " ".join(run.models),
        _STATES.get(run.state, run.state),
        f"{run.cells_measured} of {run.cells}",
        str(run.cells_reused or "–"),
        figures.VERDICT_WORDS[run.verdict] if run.verdict else "–",
    )


def minute(moment: datetime) -> str:
    """`2026-11-22 10:12`."""
    return f"{moment:%Y-%m-%d %H:%M}"

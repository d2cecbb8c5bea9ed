"""docs/benchmarks.md: what the last run of each section saw, with the machine, the command and the day.

A section that runs replaces its own part of the page and leaves the others as they were, so each part names the run it
comes from. The last part, what the tool does not know, is written by hand and kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
BY_HAND = "What is not known"


@dataclass(frozen=True)
class Row:
    """One promise: what it is, what was seen, the cap, and whether it holds."""

    what: str
    seen: str
    cap: str
    holds: bool


def replaced(page: str, section: str, rows: Sequence[Row], *, machine: str, day: str) -> str:
    """The page with this section's part made anew; a section that was not there comes before the part by hand."""
    parts = re.split(r"(?m)^(?=## )", page)
    part = _part(section, rows, machine=machine, day=day)
    for place, old in enumerate(parts):
        if old.startswith(f"## {section}\n"):
            return "".join([*parts[:place], part, *parts[place + 1 :]])
    end = next((place for place, old in enumerate(parts) if old.startswith(f"## {BY_HAND}\n")), len(parts))
    return "".join([*parts[:end], part, *parts[end:]])


def _part(section: str, rows: Sequence[Row], *, machine: str, day: str) -> str:
    missed = [row for row in rows if not row.holds]
    lines = [f"## {section}", "", f"`python -m bench {section}`, {day}, {machine}.", ""]
    lines += ["| what | seen | cap | |", "|---|---|---|---|"]
    lines += [f"| {row.what} | {row.seen} | {row.cap} | {'✓' if row.holds else '✗ missed'} |" for row in rows]
    whole = "It holds." if len(rows) == 1 else f"All {len(rows)} hold."
    lines += ["", f"{len(missed)} of {len(rows)} missed." if missed else whole, ""]
    return "\n".join(lines) + "\n"

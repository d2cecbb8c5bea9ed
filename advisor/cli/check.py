"""`advisor check`: the review of declared architectures, for a terminal and for CI."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING

from advisor.advise import load_knowledge
from advisor.check.story import Asked, review
from advisor.cli.first_file import refuse_idle_options, write_first_file
from advisor.cli.options import chosen_folder, output_path
from advisor.cli.printing import coloured, to_json, write_json
from advisor.cli.reports import beside_commands, wanted_reports, write_reports
from advisor.cli.streams import put
from advisor.core.errors import AdvisorError, Problem
from advisor.report.review import review_text

if TYPE_CHECKING:
    from advisor.cli.progress import Progress


def check(options: argparse.Namespace) -> int:
    """Review, print, and end with the document's exit code; with --init the file to review is written first."""
    as_json = getattr(options, "json", False)
    wanted = wanted_reports(options.reports, output_path(options), as_json=as_json, show_waived=options.show_waived)
    today = _day(options.today)
    knowledge = load_knowledge(chosen_folder(options, "rules"), chosen_folder(options, "models"))
    if options.init:
        options.paths = [str(write_first_file(options, knowledge))]
    else:
        refuse_idle_options(options)
    asked = Asked(
        paths=tuple(options.paths),
        today=today,
        fail_level=options.fail_level,
        strict=options.strict,
        exit_zero=options.exit_zero,
        base=options.base,
    )
    reviewed = review(asked, knowledge, _teller(options))
    spoken = write_reports(reviewed.document, wanted)
    if as_json:
        write_json(to_json(reviewed.document))
    else:
        words = review_text(reviewed.document, reviewed.line_at, colour=coloured(options))
        put(beside_commands(words) + spoken if any(one.path is None for one in wanted) else words)
    return reviewed.document.exit_code


def _teller(options: argparse.Namespace) -> Callable[[str], None]:
    """Tells what takes long while it does, with the seconds since it was first told of anything."""
    progress: Progress | None = None

    def say(words: str) -> None:
        nonlocal progress
        if progress is None:
            from advisor.cli.progress import Progress  # most reviews measure nothing

            progress = Progress(options)
        progress.say(words)

    return say


def _day(said: str | None) -> date:
    """The day waivers are held against."""
    if said is None:
        return date.today()
    try:
        return datetime.strptime(said, "%Y-%m-%d").date()
    except ValueError:
        fix = "write it as year-month-day, like 2026-11-30"
        raise AdvisorError([Problem("--today", None, None, f'"{said}" is no day', fix)]) from None

"""`advisor history list|show|delete|export`: past runs out of the store."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from advisor.cli.options import output_path
from advisor.cli.printing import deliver, save, to_json, write_json
from advisor.cli.streams import put
from advisor.core.errors import EXIT_DONE, AdvisorError
from advisor.core.history import HistoryDocument
from advisor.core.report import Report, without_samples
from advisor.core.sizing.measurement import Profile
from advisor.report.blocks import Block
from advisor.report.history import history_blocks
from advisor.report.outline import profile_blocks, report_blocks
from advisor.store.history import delete_runs, past_document, past_runs
from advisor.store.output import check_output

MOST_DIGITS = 18
"""No store holds more runs than that."""


def history(options: argparse.Namespace) -> int:
    """List, show, delete, export."""
    actions = {"show": _show, "delete": _delete, "export": _export}
    return actions.get(options.history_command, _list)(options)


def _list(options: argparse.Namespace) -> int:
    output = output_path(options)
    document = HistoryDocument(runs=past_runs())
    deliver(document, history_blocks(document), options, output)
    return EXIT_DONE


def _show(options: argparse.Namespace) -> int:
    """Print a run as the command that made it did."""
    output = output_path(options)
    found = past_document(_id(options.id))
    document = found if options.samples else without_samples(found)
    deliver(document, _blocks(document), options, output)
    return EXIT_DONE


def _delete(options: argparse.Namespace) -> int:
    output = output_path(options)
    if options.all == bool(options.ids):
        raise AdvisorError("name the runs to delete, or give --all", fix="see: advisor history list")
    if options.all:
        runs = [run.id for run in past_runs() if run.state != "running"]
    else:
        runs = list(dict.fromkeys(_id(word) for word in options.ids))
    delete_runs(runs)
    document = HistoryDocument(runs=past_runs(), deleted=tuple(runs))
    deliver(document, history_blocks(document), options, output)
    return EXIT_DONE


def _export(options: argparse.Namespace) -> int:
    """Write a run's whole document, every sample in it, to a file or to stdout."""
    file = None if options.file == "-" else Path(options.file)
    if file is not None:
        check_output(file, (".json",))
    document = past_document(_id(options.id))
    if file is not None:
        save(document, _blocks(document), file)
    if file is None or getattr(options, "json", False):
        write_json(to_json(document))
    else:
        put(f"run {options.id} is written to {file}\n")
    return EXIT_DONE


def _id(word: str) -> int:
    if not (word.isascii() and word.isdigit() and len(word) <= MOST_DIGITS):
        raise AdvisorError(f'there is no run "{word[:40]}"', fix="see: advisor history list")
    return int(word)


def _blocks(document: Profile | Report) -> Sequence[Block]:
    return report_blocks(document) if isinstance(document, Report) else profile_blocks(document)

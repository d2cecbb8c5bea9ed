"""`advisor rules list|check|diff`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from advisor.cli.options import chosen_folder, folder_at, output_path
from advisor.cli.printing import deliver
from advisor.core.errors import EXIT_DONE, EXIT_FINDING, AdvisorError, Problem
from advisor.core.guide.documents import diff_document, proof_document, rules_document
from advisor.report.listings import diff_blocks, proof_blocks, rules_blocks
from advisor.store.catalog import load_catalog
from advisor.store.paths import shipped
from advisor.store.rulebook import load_rulebook

T = TypeVar("T")


def rules(options: argparse.Namespace) -> int:
    """List, prove, or compare."""
    actions = {"list": _list, "check": _check, "diff": _diff}
    return actions[options.rules_command](options)


def _list(options: argparse.Namespace) -> int:
    output = output_path(options)
    document = rules_document(load_rulebook(chosen_folder(options, "rules") or shipped("rules")))
    deliver(document, rules_blocks(document), options, output)
    return EXIT_DONE


def _check(options: argparse.Namespace) -> int:
    """Prove anew: nothing is taken from what was proved before."""
    output = output_path(options)
    folders = {kind: chosen_folder(options, kind) or shipped(kind) for kind in ("rules", "models")}
    book, problems = _proved(load_rulebook, folders["rules"])
    catalog, more = _proved(load_catalog, folders["models"])
    if book is None or catalog is None:
        raise AdvisorError([*problems, *more])
    document = proof_document(book, catalog.preferences)
    deliver(document, proof_blocks(document), options, output)
    return EXIT_DONE


def _proved(load: Callable[..., T], folder: Path) -> tuple[T | None, Sequence[Problem]]:
    """What a folder holds, or the problems that keep it from holding: one folder's must not hide the other's."""
    try:
        return load(folder, cached=False), ()
    except AdvisorError as error:
        return None, error.problems


def _diff(options: argparse.Namespace) -> int:
    output = output_path(options)
    old, new = (folder_at(name, "name a folder of rules") for name in (options.old, options.new))
    document = diff_document(load_rulebook(old), load_rulebook(new))
    deliver(document, diff_blocks(document), options, output)
    return EXIT_FINDING if document.changes else EXIT_DONE

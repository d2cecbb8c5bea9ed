"""A rules folder from disk to a proved rulebook, read and proved once per content.

A folder holds `guide.yaml` (facts and questions), `thresholds.yaml`, `impossible.yaml` and one file per table. What is
in the files is `rule_folder`'s work; this module finds them, and asks `rule_cache` first.
"""

from __future__ import annotations

from pathlib import Path

from advisor.core.errors import AdvisorError, Problem
from advisor.core.guide.rulebook import Rulebook, compile_rulebook
from advisor.store import rule_cache
from advisor.store.folder import content_hash, read_folder

GUIDE, THRESHOLDS, IMPOSSIBLE = "guide.yaml", "thresholds.yaml", "impossible.yaml"
PLAIN_FILES = (GUIDE, THRESHOLDS, IMPOSSIBLE)
"""The files of a folder that hold no table."""


def load_rulebook(folder: Path, *, cached: bool = True) -> Rulebook:
    """The rulebook in `folder`, proved. Raises AdvisorError with every problem of every file.

    With `cached`, a folder whose content was proved before by this very version is neither parsed nor proved again.
    """
    files = _read_files(folder)
    sha256 = content_hash(files)
    content = rule_cache.remembered(sha256) if cached else None
    if content is not None:
        return compile_rulebook(content, sha256)
    from advisor.store.rule_folder import prove_folder  # a remembered folder needs none of the reading

    book = prove_folder(folder, files, sha256)
    if cached:
        rule_cache.remember(sha256, book)
    return book


def _read_files(folder: Path) -> dict[str, bytes]:
    files = read_folder(folder, "rules")
    problems = [
        Problem(str(folder), None, None, f"{name} is missing", f"add {name}")
        for name in PLAIN_FILES
        if name not in files
    ]
    if problems:
        raise AdvisorError(problems)
    return files

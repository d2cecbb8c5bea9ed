"""MODEL as a person names it: an id of the catalogue, a folder, or a hub id.

An existing folder is a folder, whatever else the name could mean, unless the catalogue has that id and the folder holds
no model. Another name with "/" in it is a hub id.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from advisor.core.errors import AdvisorError, Problem
from advisor.core.model.catalog import Catalog
from advisor.core.model.entry import ModelEntry
from advisor.core.model.source import ModelSource
from advisor.store.paths import home

_PLAIN = re.compile(r"[\w./@%+=:,-]+")


class NamedModel(NamedTuple):
    """The model, its files where it has any, and how to name it again in a command."""

    entry: ModelEntry
    source: ModelSource | None
    words: str


def named_model(
    name: str, catalog: Catalog, *, say: Callable[[str], object] = lambda words: None, quiet: bool = True
) -> NamedModel:
    """The model of this name; a hub id's files are fetched, which `say` tells. Raises AdvisorError."""
    folder = Path(name)
    is_no_model = name in catalog.entries and not os.path.isfile(folder / "config.json")
    if os.path.isdir(folder) and not is_no_model:
        return _from_folder(folder, catalog, say)
    if os.path.isfile(folder):
        words = "this is a file; a model is a folder with config.json in it"
        raise AdvisorError([Problem(name, None, None, words, f"name its folder: {folder.parent}")])
    if name not in catalog.entries and (why := _out_of_reach(folder)):
        raise AdvisorError([Problem(name, None, None, why, "name a folder with config.json that you may read")])
    if "/" not in name:
        return NamedModel(catalog.get(name), None, name)
    if name.startswith((".", "/", "~")) or (name.count("/") > 1 and "@" not in name):
        words = "there is no such folder"
        raise AdvisorError([Problem(name, None, None, words, "check the path; a hub id is written owner/name")])
    return _from_hub(name, catalog, say, quiet)


def _out_of_reach(folder: Path) -> str | None:
    """Why something of this name, which is there, is no folder to us; None where nothing has the name."""
    try:
        folder.stat()
    except PermissionError as error:
        return f"cannot be read: {error.strerror}"
    except (OSError, ValueError):
        return "this link leads to no folder" if os.path.islink(folder) else None
    return None


def _from_folder(folder: Path, catalog: Catalog, say: Callable[[str], object]) -> NamedModel:
    from advisor.store.model_folder import read_model_folder

    say(f"{folder.name or folder}: reading its config and its weights")  # all of them, for their identity
    try:
        model = read_model_folder(folder, taken=catalog.entries)
        return NamedModel(model.entry, model.source, path_words(folder))
    except OSError as error:
        words = f"cannot be read: {error.strerror or error}"
        raise AdvisorError([Problem(str(folder), None, None, words, "check the path and its permissions")]) from None


def _from_hub(name: str, catalog: Catalog, say: Callable[[str], object], quiet: bool) -> NamedModel:
    from advisor.store.hub import fetch
    from advisor.store.model_folder import read_model_folder

    fetched = fetch(name, say=say, quiet=quiet)
    model = read_model_folder(fetched.folder, taken=catalog.entries, hub_id=fetched.hub_id, revision=fetched.revision)
    return NamedModel(model.entry, model.source, f"{fetched.hub_id}@{fetched.revision}")


def path_words(folder: Path) -> str:
    """A path as a command may name it without telling whose home it is in: from here, or from `~`."""
    resolved, here = folder.resolve(), Path.cwd().resolve()
    if resolved.is_relative_to(here):
        return os.path.join(".", os.path.relpath(resolved, here))
    own = home()
    under_home = resolved.relative_to(own).as_posix() if own and resolved.is_relative_to(own) else None
    return f"~/{under_home}" if under_home and _PLAIN.fullmatch(under_home) else str(resolved)


def quoted(word: str) -> str:
    """A word for a shell, which must still see `~` as somebody's home."""
    return word if word.startswith("~/") and _PLAIN.fullmatch(word[2:]) else shlex.quote(word)

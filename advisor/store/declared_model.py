"""The model that an architecture file names, looked at without fetching, running or measuring anything.

A folder is judged by its `config.json`, an id by its entry in the catalogue. What cannot be told here (a folder that is
not checked out, a hub id, a pointer of Git LFS) is no mistake of the file: it gives a reason instead of an answer.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from advisor.core.errors import AdvisorError, allowed_words
from advisor.core.model.catalog import Catalog
from advisor.core.model.cost import stages_of
from advisor.core.model.entry import ModelEntry
from advisor.core.review.found import Context, Found, found_in_config, unknown
from advisor.store.json_object import read_object
from advisor.store.model_folder import CONFIG, read_entry
from advisor.store.repository import Repository, is_plain_file, leaves
from advisor.store.safetensors import INDEX, SINGLE

READ_OF_A_MODEL = (CONFIG, "tokenizer_config.json", f"1_Pooling/{CONFIG}")
"""The files of a model folder that a review reads."""
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_ID = re.compile(r"[A-Za-z0-9][\w.-]*")


def find_model(name: str, repository: Repository, catalog: Catalog) -> Found:
    """What a declared model is. Raises AdvisorError (without a place) where the name can mean nothing."""
    folder = repository.folder / name
    if os.path.isdir(folder) and (name not in catalog.entries or os.path.isfile(folder / CONFIG)):
        return _in_folder(folder, name, repository)
    if name in catalog.entries:
        return _of_entry(catalog.entries[name])
    if name in catalog.hosted:
        return _hosted(catalog, name)
    published = next((one for one in catalog.entries.values() if one.hub_id == name), None)
    if published is not None:
        return _of_entry(published)
    if os.path.lexists(folder):
        return unknown(f"{name} is a file, and a model is a folder with {CONFIG} in it", "name its folder")
    if _HUB_ID.fullmatch(name) and not name.startswith("."):
        fix = f"name a folder with its {CONFIG}, or an id of the catalogue (see: advisor models)"
        return unknown(f"there is no folder {name} here, and nothing is fetched from a hub", fix)
    if _ID.fullmatch(name):
        known = (*catalog.entries, *catalog.hosted)
        near = allowed_words(name, known).partition(" — ")[2]
        words = f'unknown model "{name}"' + (f" — {near}" if near else "")
        raise AdvisorError(words, fix="name an id (see: advisor models), or a folder as ./NAME")
    return unknown(f"there is no folder {name} here", f"check the path, or keep its {CONFIG} in the repository")


def has_weights(folder: Path, repository: Repository) -> bool:
    """Whether a folder inside the repository holds weights that could be loaded."""
    names = [name for name in (SINGLE, INDEX) if os.path.isfile(folder / name)]
    return any(leaves(repository, os.path.relpath(folder / name, repository.folder)) is None for name in names)


def _in_folder(folder: Path, name: str, repository: Repository) -> Found:
    config = folder / CONFIG
    if not os.path.lexists(config):
        return unknown(f"{name} holds no {CONFIG}", f"commit the model's {CONFIG}; its weights may stay elsewhere")
    for file in (folder / one for one in READ_OF_A_MODEL):
        path = os.path.relpath(os.path.abspath(file), repository.folder)
        if os.path.lexists(file) and ((reason := leaves(repository, path)) or not is_plain_file(file)):
            return unknown(f"{path} {reason or 'is no plain file'}", "keep the file itself in the repository")
    inside = os.path.relpath(os.path.abspath(config), repository.folder)
    try:
        found = found_in_config(read_object(config, shown=inside).value, inside)
    except AdvisorError as error:
        return unknown(f"{inside}: {error.problems[0].message}", error.problems[0].fix)
    if found.architecture is None or found.uncounted is not None:
        return found
    try:
        entry = read_entry(folder)
    except AdvisorError as error:
        first = error.problems[0]
        return found._replace(uncounted=f"{inside}: {first.message}", uncounted_fix=first.fix)
    if entry.architecture != found.architecture:
        return found._replace(uncounted=f"{inside} names a class whose sizes are not known here")
    return found._replace(entry=entry)


def _of_entry(entry: ModelEntry) -> Found:
    embeds = entry.architecture == "decoder-only" and stages_of(entry) == ("embed",) and "retriever" in entry.roles
    return Found(entry.architecture, f"the catalogue's {entry.id}", entry=entry, contrastive=embeds)


def _hosted(catalog: Catalog, name: str) -> Found:
    model = catalog.hosted[name]
    whole = model.context_covers == "input+output"
    known = Found(
        model.architecture,
        f"as {model.provider} publishes it",
        uncounted=f"{name} runs only at {model.provider}, and its sizes are not published",
        parameters=model.parameters,
        published_context=Context(model.context_tokens, True, whole) if model.context_tokens else None,
    )
    if model.architecture is not None:
        return known
    why_not = model.unknown.get("architecture", "its architecture is not published").rstrip(".")
    return known._replace(evidence="", why_not=f"{name} is hosted: {why_not}")

"""The model that an architecture file names, looked at without fetching, running or measuring anything.

A folder is judged by its `config.json` (an adapter's by the model it is for), an id by its entry in the catalogue or,
where that leaves no doubt, by the name it is published under. What cannot be told here (a folder that is not checked
out, another hub id, a pointer of Git LFS) is no mistake of the file: it gives a reason instead of an answer.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from advisor.core.errors import AdvisorError, allowed_words
from advisor.core.model.catalog import Catalog
from advisor.core.model.cost import stages_of
from advisor.core.model.entry import ModelEntry
from advisor.core.model.published_config import QUANTISED
from advisor.core.review.checkpoints import architecture_of, size_of
from advisor.core.review.found import Context, Found, found_in_config, unknown
from advisor.store.json_object import read_object
from advisor.store.model_folder import ADAPTER, CONFIG, read_entry
from advisor.store.repository import Repository, is_plain_file, leaves
from advisor.store.safetensors import INDEX, SINGLE

READ_OF_A_MODEL = (CONFIG, "tokenizer_config.json", f"1_Pooling/{CONFIG}", ADAPTER)
"""The files of a model folder that a review reads."""
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_ID = re.compile(r"[A-Za-z0-9][\w.-]*")
_ADDRESS = re.compile(r"^(hf://|https?://(www\.)?(huggingface|hf)\.co/)")
"""What stands before an id where somebody names it as a place on the hub."""
_ONCE_WITHOUT_OWNER = ("google-bert", "google-t5", "openai-community", "facebookai", "sentence-transformers")
"""Owners whose models are found by their names alone, by the hub or by the library of the same name."""
_NAME_ANOTHER = f"name a folder with its {CONFIG}, or an id of the catalogue (see: advisor models)"


def find_model(name: str, repository: Repository, catalog: Catalog, *, hosted: bool = False) -> Found:
    """What a declared model is. Raises AdvisorError (without a place) where the name can mean nothing.

    `hosted`: it runs at somebody else's, who may call it anything.
    """
    folder = repository.folder / name
    if os.path.isdir(folder) and (name not in catalog.entries or os.path.isfile(folder / CONFIG)):
        return _in_folder(folder, name, repository, catalog)
    if name in catalog.entries:
        return _of_entry(catalog.entries[name])
    if name in catalog.hosted:
        return _hosted(catalog, name)
    if (published := _published(_ADDRESS.sub("", name).partition("@")[0].strip(" /"), catalog)) is not None:
        return published
    if os.path.lexists(folder):
        return unknown(f"{name} is a file, and a model is a folder with {CONFIG} in it", "name its folder")
    if hosted:
        return unknown(f"{name} runs at its owner's, as hosting says, and is none of those that are known here")
    if _HUB_ID.fullmatch(name) and not name.startswith("."):
        return unknown(f"there is no folder {name} here, and nothing is fetched from a hub", _NAME_ANOTHER)
    if _ID.fullmatch(name):
        known = (*catalog.entries, *catalog.hosted)
        near = allowed_words(name, known).partition(" — ")[2]
        words = f'unknown model "{name}"' + (f" — {near}" if near else "")
        raise AdvisorError(words, fix="name an id (see: advisor models) or a folder as ./NAME, or say hosting: api")
    return unknown(f"there is no folder {name} here", f"check the path, or keep its {CONFIG} in the repository")


def has_weights(folder: Path, repository: Repository) -> bool:
    """Whether a folder inside the repository holds weights that could be loaded."""
    names = [name for name in (SINGLE, INDEX) if os.path.isfile(folder / name)]
    return any(leaves(repository, os.path.relpath(folder / name, repository.folder)) is None for name in names)


def _in_folder(folder: Path, name: str, repository: Repository, catalog: Catalog) -> Found:
    config = folder / CONFIG
    if adapts := _is_adapter(folder):
        config = folder / ADAPTER
    elif not os.path.lexists(config):
        return unknown(f"{name} holds no {CONFIG}", f"commit the model's {CONFIG}; its weights may stay elsewhere")
    for file in (folder / one for one in READ_OF_A_MODEL):
        path = os.path.relpath(os.path.abspath(file), repository.folder)
        if os.path.lexists(file) and ((reason := leaves(repository, path)) or not is_plain_file(file)):
            return unknown(f"{path} {reason or 'is no plain file'}", "keep the file itself in the repository")
    inside = os.path.relpath(os.path.abspath(config), repository.folder)
    try:
        said = read_object(config, shown=inside).value
    except AdvisorError as error:
        return unknown(f"{inside}: {error.problems[0].message}", error.problems[0].fix)
    if adapts:
        return _adapted(said.get("base_model_name_or_path"), inside, repository, catalog)
    found = found_in_config(said, inside)
    if found.architecture is None or found.uncounted is not None:
        return found
    try:
        entry = read_entry(folder, allowed=(QUANTISED,))
    except AdvisorError as error:
        first = error.problems[0]
        return found._replace(uncounted=f"{inside}: {first.message}", uncounted_fix=first.fix)
    if entry.architecture != found.architecture:
        return found._replace(uncounted=f"{inside} names a class whose sizes are not known here")
    return found._replace(entry=entry, quantised=bool(said.get(QUANTISED)))


def _is_adapter(folder: Path) -> bool:
    """Whether a folder holds what was trained on top of another model, and not that model."""
    return not os.path.lexists(folder / CONFIG) and os.path.lexists(folder / ADAPTER)


def _adapted(base: object, inside: str, repository: Repository, catalog: Catalog) -> Found:
    """The model that an adapter is for: with the adapter or without, it attends alike and is about as large."""
    if not isinstance(base, str) or not base or leaves(repository, base) or _is_adapter(repository.folder / base):
        named = f'"{base[:120]}"' if isinstance(base, str) else "nothing"
        return unknown(f"{inside} names {named} as the model it is for, which cannot be told here", _NAME_ANOTHER)
    try:
        found = find_model(base, repository, catalog)
    except AdvisorError as error:
        return unknown(f"{inside} is an adapter: {error.problems[0].message}", _NAME_ANOTHER)
    if found.architecture is None:
        return unknown(f"{inside} is an adapter for {base}, and {found.why_not}", found.fix)
    return found._replace(evidence=f"{inside}: an adapter for {base}, {found.evidence}", in_folder=False)


def _published(name: str, catalog: Catalog) -> Found | None:
    """A model by the id it is published under: the catalogue's entry, else what the id itself leaves no doubt of."""
    for entry in catalog.entries.values():
        owner, _, rest = (entry.hub_id or "").lower().partition("/")
        if rest and (name.lower() == f"{owner}/{rest}" or (name.lower() == rest and owner in _ONCE_WITHOUT_OWNER)):
            return _of_entry(entry)
    architecture = architecture_of(name)
    if architecture is None:
        return None
    return Found(
        architecture,
        "as it is published under that name",
        uncounted=f"the sizes of {name} are not known here",
        uncounted_fix=_NAME_ANOTHER,
        about_parameters=size_of(name),
    )


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

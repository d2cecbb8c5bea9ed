"""A model folder as transformers writes it, read without running or unpickling anything in it.

`config.json` says what the model is, safetensors files hold its weights, tokenizer files stand beside them. Links that
lead out of the folder are followed: the hub's own cache is made of them, and files are only ever read as data. What a
folder does not tell (the tasks and languages it was trained for) nobody here makes up: whoever names the folder vouches
for them, so no role, task or language of its architecture is refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

from advisor.core.architecture import Architecture, Role
from advisor.core.characters import writable
from advisor.core.errors import AdvisorError, Problem
from advisor.core.model.anatomy import Anatomy
from advisor.core.model.entry import MAX_PARAMETERS, ModelEntry
from advisor.core.model.families import anatomy_of, positions_of
from advisor.core.model.parameters import parameter_count
from advisor.core.model.published_config import PublishedConfig, read_published
from advisor.core.model.source import ModelSource, Pooling
from advisor.core.task import TASKS, generates
from advisor.store.json_object import JsonObject, read_object
from advisor.store.safetensors import identity, weight_files

CONFIG = "config.json"
TOKENIZERS = ("tokenizer.json", "tokenizer_config.json")
"""One of these makes a tokenizer; the others it may need stand in `TOKENIZER_FILES`."""
TOKENIZER_FILES = (
    *TOKENIZERS,
    *("special_tokens_map.json", "added_tokens.json", "vocab.txt", "vocab.json", "merges.txt"),
    *("spiece.model", "sentencepiece.bpe.model", "spm.model", "tokenizer.model"),
    *("source.spm", "target.spm", "target_vocab.json"),
)
OWN_TOKENIZER_CODE = "Its tokenizer has code of its own, which is never run, so tokenising is not measured."
ADAPTER = "adapter_config.json"
ROLES: dict[Architecture, tuple[Role, ...]] = {
    "encoder-only": ("model", "retriever", "reranker"),
    "decoder-only": ("model", "generator"),
    "encoder-decoder": ("model", "generator"),
}
UNSTATED_CONTEXT = 512
"""Length taken as that of training where positions have no end, and neither tokenizer nor config say one."""
LONGEST_CONTEXT = 10_000_000
_SNAPSHOT = re.compile(r"models--(?P<owner>[^/]+?)--(?P<name>[^/]+)/snapshots/(?P<revision>[0-9a-f]{40})$")


class FolderModel(NamedTuple):
    """A model read from a folder: as an entry for the closed forms, and as the files the child reads."""

    entry: ModelEntry
    source: ModelSource


def read_model_folder(
    folder: Path,
    *,
    taken: Collection[str] = (),
    hub_id: str | None = None,
    revision: str | None = None,
    allowed: Collection[str] = (),
) -> FolderModel:
    """Read a folder. `taken` are ids its own must not be, `allowed` keys of its config as for `read_published`.

    Raises AdvisorError, one sentence for each thing wrong.
    """
    where = folder.resolve().as_posix()
    if writable(where) != where:
        words = "the path of this folder is no UTF-8, and the process that builds models could not be told of it"
        raise AdvisorError([Problem(str(folder), None, None, words, "rename it, or the folder around it")])
    snapshot = _SNAPSHOT.search(where)
    if snapshot is not None and hub_id is None:
        hub_id, revision = f"{snapshot['owner']}/{snapshot['name']}", snapshot["revision"]
    name = hub_id or _shown_name(folder)
    if os.path.exists(folder / ADAPTER):  # asked first: most adapters lie without a config of their own
        words = "this is an adapter for another model, not a model of its own"
        raise AdvisorError([Problem(str(folder / ADAPTER), None, None, words, "merge it into its model and name that")])
    file, published = read_config(folder, allowed=allowed)
    weights = weight_files(folder, str(folder))
    unused = (OWN_TOKENIZER_CODE,) if _tokenizer_has_code(folder) else ()
    entry = _entry(file, published, folder, _id_of(name, taken), name)
    source = ModelSource(
        folder=str(folder.resolve()),
        name=name,
        config=published.whole,
        weights=weights.names if weights else (),
        weights_sha256=weights.sha256 if weights else None,
        stored_parameters=weights.parameters if weights else None,
        tokenizer_sha256=_tokenizer(folder),
        pooling=_pooling(folder),
        hub_id=hub_id,
        revision=revision,
        notes=(*published.notes, *unused),
    )
    return FolderModel(entry, source)


def read_entry(folder: Path, *, allowed: Collection[str] = ()) -> ModelEntry:
    """A folder's model for the closed forms alone: its weights are not looked at. Raises AdvisorError."""
    file, published = read_config(folder, allowed=allowed)
    name = _shown_name(folder)
    return _entry(file, published, folder, _id_of(name, ()), name)


def read_config(folder: Path, *, allowed: Collection[str] = ()) -> tuple[JsonObject, PublishedConfig]:
    """What `config.json` says of the model. Raises AdvisorError with the place of everything that speaks against it."""
    path = folder / CONFIG
    if not os.path.isfile(path):
        raise AdvisorError([_without_config(folder)])
    file = read_object(path)
    published, mistakes = read_published(file.value, allowed=allowed)
    if published is None:
        problems = [file.problem(key, message, fix) for key, message, fix in mistakes]
        raise AdvisorError(sorted(problems, key=lambda one: (one.line or 0, one.column or 0)))
    return file, published


def _without_config(folder: Path) -> Problem:
    """Why a folder has no config that could be read."""
    path = folder / CONFIG
    try:
        path.stat()
    except FileNotFoundError:
        if os.path.islink(path):
            return Problem(str(path), None, None, "this link leads to no file", "fetch every file of the model")
        words = f"no {CONFIG} here, so this is no model that transformers saved"
        return Problem(str(folder), None, None, words, f"name the folder that holds {CONFIG}")
    except OSError as error:
        words = f"cannot be read: {error.strerror or error}"
        return Problem(str(path), None, None, words, "check the path and its permissions")
    return Problem(str(path), None, None, "this is no plain file", "fetch every file of the model")


def _entry(file: JsonObject, published: PublishedConfig, folder: Path, model_id: str, name: str) -> ModelEntry:
    family, shape = published.family, _shape(published)
    counted = parameter_count(shape)
    if not 1 <= counted <= MAX_PARAMETERS:
        words = f"these sizes make {counted:,} parameters, and no model has that many"
        raise AdvisorError([file.problem(None, words, "check the sizes of the config")])
    positions = positions_of(family.model_type, published.counted)
    pooled = _pooling(folder) is not None and family.architecture == "encoder-only"
    roles = ROLES[family.architecture]
    return ModelEntry(
        id=model_id,
        title=name[:200],
        architecture=family.architecture,
        roles=("retriever", "model") if pooled else roles,
        tasks=tuple(task for task in TASKS if family.architecture != "encoder-only" or not generates(task)),
        languages="many",
        model_type=family.model_type,
        transformers_class=published.transformers_class,
        config=published.counted,
        context_tokens=max(1, positions if positions is not None else _trained_length(folder, published)),
        context_is_hard=positions is not None,
        context_covers="input+output" if family.architecture == "decoder-only" else "input",
        parameters=counted,
        license="unknown",
        source=f"{CONFIG} of {name}"[:1000],
    )


def _shape(published: PublishedConfig) -> Anatomy:
    return anatomy_of(published.family.model_type, published.counted, published.transformers_class)


def _shown_name(folder: Path) -> str:
    """The folder's own name: where it lies is nobody's business in a report."""
    return "".join(sign for sign in folder.resolve().name if sign.isprintable())[:200] or "model"


def _id_of(name: str, taken: Collection[str]) -> str:
    """The name in the letters that ids are made of, told apart from the catalogue's."""
    cleaned = re.sub(r"[^a-z0-9.]+", "-", name.rpartition("/")[2].lower()).strip("-.")[:70] or "model"
    return f"folder-{cleaned}" if cleaned in taken else cleaned


def _trained_length(folder: Path, published: PublishedConfig) -> int:
    stated = _optional(folder / "tokenizer_config.json").get("model_max_length")
    for length in (stated, published.whole.get("max_position_embeddings")):
        if isinstance(length, int) and 1 < length <= LONGEST_CONTEXT:
            return length
    return UNSTATED_CONTEXT


def _tokenizer(folder: Path) -> str | None:
    """The identity of the folder's tokenizer, if it has one that can be used."""
    if _tokenizer_has_code(folder) or not any(os.path.isfile(folder / name) for name in TOKENIZERS):
        return None
    return identity([folder / name for name in TOKENIZER_FILES if os.path.isfile(folder / name)])


def _tokenizer_has_code(folder: Path) -> bool:
    return bool(_optional(folder / "tokenizer_config.json").get("auto_map"))


def _pooling(folder: Path) -> Pooling | None:
    """How a sentence encoder makes one vector of many, where the folder says that it is one."""
    said = _optional(folder / "1_Pooling" / CONFIG)
    if said.get("pooling_mode_cls_token") is True:
        return "cls"
    if said.get("pooling_mode_lasttoken") is True:
        return "last"
    return "mean" if said.get("pooling_mode_mean_tokens") is True else None


def _optional(path: Path) -> dict[str, Any]:
    """What a file beside the model says; nothing where it is missing or cannot be read, for nothing hangs on it."""
    try:
        return read_object(path).value
    except AdvisorError:
        return {}

"""The models folder and the catalogue in it, read once and then remembered.

Reading strictly costs more than a decision does, so what was read without a problem is kept as JSON in this user's
cache folder, under the hash of the folder's content and of the code that read it. An edited model is therefore never
taken for one already read, and a cache that is missing, damaged or not writable costs time, nothing else. The strict
reading itself stands in `catalog_reader`.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from advisor import __version__
from advisor.core.errors import AdvisorError, Problem
from advisor.core.guide.axis import Condition
from advisor.core.guide.rule import Rule, Table, make_table
from advisor.core.model.catalog import COMPONENT_AXES, Catalog
from advisor.core.model.entry import ModelEntry
from advisor.store.paths import PACKAGE, cache_dir

_READ_BY = ("core", "core/guide", "core/model", "store")
"""The code whose edit makes an old reading worthless."""


def load_catalog(folder: Path, *, cached: bool = True) -> Catalog:
    """The catalogue in `folder`. Raises AdvisorError with every problem of every file.

    With `cached`, a folder whose content this very code has read before is not read again.
    """
    files = _files(folder)
    memory = _memory(files) if cached else None
    if memory is not None and (known := _remembered(memory, folder)) is not None:
        return known
    from advisor.store.catalog_reader import read_catalog  # a remembered folder must not pay for its imports

    catalog = read_catalog(folder, files)
    if memory is not None:
        _remember(memory, catalog)
    return catalog


def _files(folder: Path) -> dict[str, bytes]:
    """The folder's YAML files by name. Raises AdvisorError where it cannot be listed or a file cannot be read."""
    if not folder.is_dir():
        raise AdvisorError([Problem(str(folder), None, None, "no such models folder", "name a folder of models")])
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml") and path.is_file())
        files = {path.name: path.read_bytes() for path in paths}
    except OSError as error:
        words = f"cannot be read: {error.strerror or error}"
        raise AdvisorError(
            [Problem(str(error.filename or folder), None, None, words, "check its permissions")]
        ) from None
    misnamed = [path for path in paths if path.suffix == ".yml"]
    if misnamed:
        words = "a models file ends in .yaml"
        raise AdvisorError([Problem(str(one), None, None, words, f"rename it to {one.stem}.yaml") for one in misnamed])
    return files


def _memory(files: Mapping[str, bytes]) -> Path:
    """Where what these files say would be remembered."""
    key = hashlib.sha256(f"{__version__}\0".encode())
    for name, data in files.items():
        key.update(f"{name}\0{len(data)}\0".encode())
        key.update(data)
    for part in _READ_BY:
        for file in sorted((PACKAGE / part).glob("*.py")):
            stat = file.stat()
            key.update(f"{part}\0{file.name}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
    return cache_dir() / "models" / f"{key.hexdigest()}.json"


def _remembered(memory: Path, folder: Path) -> Catalog | None:
    try:
        checksum, _, body = memory.read_bytes().partition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() != checksum:
            return None
        return _unpack(json.loads(body), folder)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _remember(memory: Path, catalog: Catalog) -> None:
    """Note what was read. Quietly does nothing where the cache cannot be written."""
    body = json.dumps(_pack(catalog), separators=(",", ":")).encode()
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=memory.parent)
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        os.replace(name, memory)  # whole or not at all: another command may be reading
    except OSError:
        Path(name).unlink(missing_ok=True)


def _pack(catalog: Catalog) -> dict[str, Any]:
    table = catalog.preferences
    return {
        "entries": [entry.model_dump(mode="json") for entry in catalog.entries.values()],
        "sections": dict(catalog.sections),
        "table": [
            table.name,
            table.over,
            table.axes,
            Path(table.file).name,
            [_pack_rule(rule) for rule in table.rules],
        ],
    }


def _unpack(packed: dict[str, Any], folder: Path) -> Catalog:
    entries = [ModelEntry.model_validate(entry) for entry in packed["entries"]]
    return Catalog({entry.id: entry for entry in entries}, _unpack_table(packed["table"], folder), packed["sections"])


def _pack_rule(rule: Rule) -> list[Any]:
    when = [[condition.axis, condition.values] for condition in rule.when]
    examples = [rule.fires, rule.silent]
    return [rule.id, rule.title, when, rule.then, rule.because, rule.source, rule.unless, *examples, rule.position]


def _unpack_table(packed: list[Any], folder: Path) -> Table:
    name, over, axes, file, rules = packed
    return make_table(
        name=name,
        over=over,
        policy="unique",
        axes=axes,
        rules=[_unpack_rule(rule) for rule in rules],
        specs=[spec for spec in COMPONENT_AXES if spec.name in axes],
        file=str(folder / file),
    )


def _unpack_rule(packed: list[Any]) -> Rule:
    name, title, when, then, because, source, unless, fires, silent, position = packed
    return Rule(
        id=name,
        title=title,
        when=tuple(Condition(axis, tuple(values)) for axis, values in when),
        then=tuple(then),
        because=because,
        source=tuple(source),
        unless=unless,
        fires=tuple(fires),
        silent=tuple(silent),
        position=position,
    )

"""The models folder and the catalogue in it, read once and then remembered.

Reading strictly costs more than a decision does, so what was read without a problem is remembered under its content.
The strict reading itself stands in `catalog_reader`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from advisor.core.guide.rule import Table, make_table
from advisor.core.model.catalog import COMPONENT_AXES, Catalog
from advisor.core.model.entry import ModelEntry
from advisor.core.model.hosted import HostedModel
from advisor.store.folder import content_hash, read_folder
from advisor.store.remembered import keep, pack_rule, place_of, recall, unpack_rule


def load_catalog(folder: Path, *, cached: bool = True) -> Catalog:
    """The catalogue in `folder`. Raises AdvisorError with every problem of every file.

    With `cached`, a folder whose content this very code has read before is not read again.
    """
    files = read_folder(folder, "models")
    place = place_of("models", content_hash(files)) if cached else None
    if place is not None and (known := _remembered(place, folder)) is not None:
        return known
    from advisor.store.catalog_reader import read_catalog  # a remembered folder must not pay for its imports

    catalog = read_catalog(folder, files)
    if place is not None:
        keep(place, _pack(catalog))
    return catalog


def _remembered(place: Path, folder: Path) -> Catalog | None:
    packed = recall(place)
    try:
        return None if packed is None else _unpack(packed, folder)
    except (ValueError, TypeError, KeyError, IndexError):
        return None


def _pack(catalog: Catalog) -> dict[str, Any]:
    table = catalog.preferences
    return {
        "entries": [entry.model_dump(mode="json") for entry in catalog.entries.values()],
        "hosted": [model.model_dump(mode="json") for model in catalog.hosted.values()],
        "sections": dict(catalog.sections),
        "table": [
            table.name,
            table.over,
            table.axes,
            Path(table.file).name,
            [pack_rule(rule) for rule in table.rules],
        ],
    }


def _unpack(packed: dict[str, Any], folder: Path) -> Catalog:
    entries = [ModelEntry.model_validate(entry) for entry in packed["entries"]]
    hosted = [HostedModel.model_validate(model) for model in packed["hosted"]]
    return Catalog(
        entries={entry.id: entry for entry in entries},
        preferences=_unpack_table(packed["table"], folder),
        sections=packed["sections"],
        hosted={model.id: model for model in hosted},
    )


def _unpack_table(packed: list[Any], folder: Path) -> Table:
    name, over, axes, file, rules = packed
    return make_table(
        name=name,
        over=over,
        policy="unique",
        axes=axes,
        rules=[unpack_rule(rule) for rule in rules],
        specs=[spec for spec in COMPONENT_AXES if spec.name in axes],
        file=str(folder / file),
    )

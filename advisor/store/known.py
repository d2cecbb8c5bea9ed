"""Looking up what earlier runs have measured: under which key a cell is kept, and which one may be used again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from pydantic import ValidationError

from advisor.core.protocol import Finished, Measure
from advisor.core.sizing.measurement import Cell
from advisor.core.sizing.reuse import reusable
from advisor.store.folder import content_hash
from advisor.store.paths import PACKAGE

_SAMPLING = ("core/sizing/statistics.py", "core/sizing/sampling.py", "core/sizing/effort.py")
_MEASURED_BY = ("profile", "core/model", *_SAMPLING, "store/machine.py", "store/cgroup.py")
"""The code a figure depends on: edited, it measures something else."""


class Known(NamedTuple):
    """A cell of an earlier run, and its number in the store."""

    cell: Cell
    number: int


def newest_cell(store: sqlite3.Connection, key: str, request: Measure) -> Known | None:
    """The newest cell measured under the conditions of this key that may be used again for the request."""
    rows = store.execute(
        "SELECT id, cell, (SELECT min(run) FROM run_cells WHERE cell = cells.id)"
        " FROM cells WHERE key = ? AND has_figure ORDER BY measured_at DESC, id DESC",
        (key,),
    )
    for number, words, run in rows:
        if run is None:  # its own run has looked at it again since: where it comes from could not be told
            continue
        try:
            cell = Cell.model_validate_json(words)
        except ValidationError:  # written by a version whose cells had another shape
            continue
        if reusable(cell, request):
            return Known(cell.model_copy(update={"reused_from": run}), number)
    return None


def how_it_finished(store: sqlite3.Connection, numbers: Sequence[int]) -> Finished | None:
    """How a request ended that measured one of the cells with these numbers, if it did."""
    places = ", ".join("?" * len(numbers))
    rows = store.execute(
        "SELECT DISTINCT finished FROM parts JOIN run_cells ON parts.run = run_cells.run"
        " AND parts.position = run_cells.part"
        f" WHERE run_cells.cell IN ({places}) AND finished IS NOT NULL ORDER BY parts.run",
        tuple(numbers),
    )
    for (words,) in rows:
        try:
            return Finished.model_validate_json(words)
        except ValidationError:
            continue
    return None


def as_json(facts: Mapping[str, object]) -> str:
    """The facts in one spelling, so that equal facts are equal text."""
    return json.dumps(facts, sort_keys=True, separators=(",", ":"))


def key_of(facts: Mapping[str, object]) -> str:
    """The key of a cell measured under these conditions."""
    return sha256(as_json(facts).encode()).hexdigest()


@lru_cache(maxsize=1)
def measuring_code() -> str:
    """A hash of the code that measures, so that nobody has to remember to say that it changed."""
    places = [PACKAGE / name for name in _MEASURED_BY]
    files = [file for place in places for file in ([place] if place.suffix else sorted(place.rglob("*.py")))]
    return content_hash({str(file.relative_to(PACKAGE)): file.read_bytes() for file in files})[:12]

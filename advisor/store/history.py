"""Past runs out of the store: a list of them, one whole document, and their end.

A run's document is put together from its parts and their cells, so a run that was killed reads like any other: it is
the same profile with fewer cells, the same report without a plan.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from advisor.core.errors import AdvisorError
from advisor.core.history import HistoryRun
from advisor.core.model.entry import ModelEntry
from advisor.core.report import Report
from advisor.core.sizing.grid import best_cells
from advisor.core.sizing.layers import told_from_cuts
from advisor.core.sizing.measurement import Cell, ProcedureCheck, Profile
from advisor.store.process import still_lives
from advisor.store.results import StoreTrouble, open_to_read, results_path, store_error, transaction, translated

T = TypeVar("T")
BROKEN_OFF = "this run ended before it could plan: the same command measures the rest and what was disturbed, and plans"


def past_runs(path: Path | None = None) -> tuple[HistoryRun, ...]:
    """Every run that is kept, newest first."""
    return _read(path, _runs) or ()


def past_document(run: int, path: Path | None = None) -> Profile | Report:
    """What a run printed, or would have printed had it not been killed. AdvisorError where there is no such run."""
    found = _read(path, lambda store: _document(store, run))
    if found is None:
        raise _no_such_run([run])
    return found


def delete_runs(runs: Sequence[int], path: Path | None = None) -> None:
    """Delete these runs, and what they measured as far as no other run rests on it. All of them or none."""
    if _read(path, lambda store: _delete(store, runs)) is None and runs:
        raise _no_such_run(runs)


def _no_such_run(runs: Sequence[int]) -> AdvisorError:
    words = f"there is no run {', '.join(str(run) for run in runs)}"
    return AdvisorError(words, fix="see: advisor history list")


def _read(path: Path | None, work: Callable[[sqlite3.Connection], T]) -> T | None:
    """What `work` finds in the store; None where nothing was ever saved. Raises AdvisorError where it is no use."""
    place = path or results_path()
    try:
        store = open_to_read(place)
        if store is None:
            return None
        with contextlib.closing(store), translated():
            store.row_factory = sqlite3.Row
            return work(store)
    except StoreTrouble as trouble:
        raise store_error(place, trouble) from trouble


def _runs(store: sqlite3.Connection) -> tuple[HistoryRun, ...]:
    rows = store.execute(
        "SELECT *, (SELECT fingerprint FROM parts WHERE run = runs.id LIMIT 1) AS fingerprint,"
        " (SELECT count(*) FROM run_cells WHERE run = runs.id) AS cells,"
        " (SELECT count(*) FROM run_cells JOIN cells ON run_cells.cell = cells.id"
        "  WHERE run_cells.run = runs.id AND cells.has_figure) AS measured,"
        " (SELECT count(reused_from) FROM run_cells WHERE run = runs.id) AS reused"
        " FROM runs ORDER BY id DESC"
    )
    return tuple(_run(store, row) for row in rows.fetchall())


def _run(store: sqlite3.Connection, row: sqlite3.Row) -> HistoryRun:
    models = store.execute("SELECT model FROM parts WHERE run = ? ORDER BY position", (row["id"],))
    return HistoryRun.model_validate(
        {
            "id": row["id"],
            "command": row["command"],
            "subject": row["subject"],
            "models": tuple(dict.fromkeys(model for (model,) in models)),
            "state": _state(row),
            "started_at": row["started_at"],
            "ended_at": row["ended_at"],
            "cells": row["cells"],
            "cells_measured": row["measured"],
            "cells_reused": row["reused"],
            "verdict": row["verdict"],
            "fingerprint": row["fingerprint"],
        }
    )


def _state(row: sqlite3.Row) -> str:
    """A run that says it is running, and whose process is gone, was killed."""
    if row["state"] == "running" and not still_lives(row["pid"], row["process_began"]):
        return "broken-off"
    return str(row["state"])


def _document(store: sqlite3.Connection, run: int) -> Profile | Report | None:
    row = store.execute("SELECT * FROM runs WHERE id = ?", (run,)).fetchone()
    if row is None:
        return None
    try:
        profiles = _profiles(store, row)
        if row["command"] == "profile":
            return profiles[0]
        unplanned = {"recommendation": json.loads(row["recommendation"] or "null"), "plan": None}
        words = json.loads(row["document"]) if row["document"] else unplanned | {"undecided": BROKEN_OFF}
        return Report.model_validate(words | {"profiles": ()}).model_copy(update={"profiles": profiles})
    except (ValidationError, IndexError) as error:
        raise StoreTrouble(f"run {run} was saved by another version of archadvisor and cannot be shown") from error


def _profiles(store: sqlite3.Connection, run: sqlite3.Row) -> tuple[Profile, ...]:
    parts = store.execute("SELECT * FROM parts WHERE run = ? ORDER BY position", (run["id"],)).fetchall()
    return tuple(_profile(store, part, ended=run["ended_at"] is not None) for part in parts)


def _profile(store: sqlite3.Connection, part: sqlite3.Row, *, ended: bool) -> Profile:
    rows = store.execute(
        "SELECT cell AS number, reused_from FROM run_cells WHERE run = ? AND part = ? ORDER BY position",
        (part["run"], part["position"]),
    ).fetchall()
    profile = Profile.model_validate(json.loads(part["profile"]) | {"cells": ()})
    kept = tuple(_cell(store, row) for row in rows)
    cells = _with_whole_models(kept, part["request"], profile.procedure_check)
    found: dict[str, Any] = {"cells": cells}
    if not ended:  # nobody was there to add it up
        times = [cell.measured_at for cell in cells if cell.measured_at is not None and cell.reused_from is None]
        last = max(times, default=datetime.fromisoformat(part["began_at"]))
        wall_s = (last - datetime.fromisoformat(part["began_at"])).total_seconds()
        found |= {"best": best_cells(cells), "wall_s": max(0.0, wall_s)}
    return profile.model_copy(update=found)


def _with_whole_models(cells: tuple[Cell, ...], request: str, check: ProcedureCheck | None) -> tuple[Cell, ...]:
    """The cells kept, and what those of cut models say of the whole one, which is told anew and never kept."""
    if all(cell.layers is None for cell in cells):
        return cells
    return told_from_cuts(cells, ModelEntry.model_validate(json.loads(request)["model"]), check)[0]


def _cell(store: sqlite3.Connection, row: sqlite3.Row) -> Cell:
    (words,) = store.execute("SELECT cell FROM cells WHERE id = ?", (row["number"],)).fetchone()
    return Cell.model_validate_json(words).model_copy(update={"reused_from": row["reused_from"]})


def _delete(store: sqlite3.Connection, runs: Sequence[int]) -> bool:
    with transaction(store):
        rows = {run: store.execute("SELECT * FROM runs WHERE id = ?", (run,)).fetchone() for run in runs}
        if missing := [run for run, row in rows.items() if row is None]:
            raise _no_such_run(missing)
        if running := [run for run, row in rows.items() if _state(row) == "running"]:
            words = f"run {', '.join(str(run) for run in running)} is being measured"
            raise AdvisorError(words, fix="end it first, or wait for its end")
        store.executemany("DELETE FROM runs WHERE id = ?", [(run,) for run in runs])
        store.execute("DELETE FROM cells WHERE id NOT IN (SELECT cell FROM run_cells)")
    with contextlib.suppress(sqlite3.Error):  # somebody measures just now: the room is given back another time
        store.execute("VACUUM")
    return True

"""How far off telling a whole model from cuts of it was on this machine, as far as an earlier run has shown.

A run that measures a model whole and in cuts shows the error of the procedure; a run of a model that cannot be measured
whole shows that error beside what it tells.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

from advisor.core.sizing.measurement import ProcedureCheck
from advisor.store.results import StoreTrouble, open_to_read, results_path, translated


def procedure_check(fingerprint: str, path: Path | None = None) -> ProcedureCheck | None:
    """The newest check on the machine of this fingerprint; None where there was none, or the store cannot be read.

    What was measured on a disturbed machine, or too shortly, checks nothing.
    """
    try:
        store = open_to_read(path or results_path())
        if store is None:
            return None
        with contextlib.closing(store), translated():
            return _newest(store, fingerprint)
    except StoreTrouble:
        return None


def _newest(store: sqlite3.Connection, fingerprint: str) -> ProcedureCheck | None:
    rows = store.execute(
        "SELECT model, profile, began_at FROM parts WHERE fingerprint = ? AND profile LIKE '%\"error_pct\":%'"
        " ORDER BY run DESC",
        (fingerprint,),
    )
    for model, profile, began_at in rows:
        told = json.loads(profile).get("extrapolations", ())
        undisturbed = [one for one in told if one.get("error_pct") is not None and not one.get("flags", True)]
        if errors := tuple(one["error_pct"] for one in undisturbed):
            return ProcedureCheck.model_validate({"model": model, "errors_pct": errors, "measured_at": began_at})
    return None

"""Runs told to a recorder without measuring anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from advisor.core.protocol import Measure
from advisor.core.sizing.measurement import Cell, CellPlan, Profile, ProfiledModel
from advisor.store.recorder import Part, Recorder
from advisor.store.results import now
from tests.core.model.tiny_models import entry
from tests.fake_child import FAKE_MACHINE, fake_cell
from tests.measuring import plans, request

PLANS = plans(batches=(1, 2, 4))
DRAFT = Profile(
    machine=FAKE_MACHINE,
    model=ProfiledModel(id="tiny", architecture="encoder-only", parameters=7, weights="random"),
    cells=(),
    best=(),
    wall_s=0.0,
)


def asked(cells: Sequence[CellPlan] = PLANS, **more: Any) -> Measure:
    return request(*cells, model=entry("bert"), **more)


def begun(path: Path, *, wanted: Measure | None = None, **options: Any) -> tuple[Recorder, Part]:
    """A recorder with one part begun."""
    recorder = Recorder("profile", "tiny", path=path, **options)
    return recorder, recorder.part("model", wanted or asked(), DRAFT)


def recorded(path: Path, *, cells: Sequence[CellPlan] = PLANS, flags: tuple[Any, ...] = (), **options: Any) -> int:
    """One whole run in the store; its id."""
    recorder, part = begun(path, wanted=asked(cells), **options)
    measured: list[Cell] = []
    for index, plan in enumerate(cells):
        measured.append(fake_cell(plan).model_copy(update={"flags": flags, "measured_at": now()}))
        part.save(index, measured[-1])
    recorder.end("done", [DRAFT.model_copy(update={"cells": tuple(measured)})])
    assert recorder.run is not None
    return recorder.run

"""How configurations differ in what they compute, and which of them cannot serve a model: pure strings."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.core.sizing.measurement import Cell, CellPlan, Deviation, Profile, Surface
from advisor.report import figures


def served_by(cell: Cell | CellPlan | Surface) -> str:
    """`bfloat16`, what serves it where that is not torch, and how many at once: `openvino bfloat16 in 2 workers`."""
    shared = f" in {cell.workers} workers" if cell.workers > 1 else ""
    return f"{_computed_by(cell)}{shared}"


def _computed_by(cell: Cell | CellPlan | Surface) -> str:
    """What its output follows from: how many work at once changes none of it."""
    return cell.dtype if cell.runtime == "torch" else f"{cell.runtime} {cell.dtype}"


def serving_lines(profile: Profile) -> list[str]:
    """How far each configuration is from float32, what it took to convert, and what is not available."""
    missing = [f"{one.runtime} {one.dtype} is not available: {one.reason}" for one in profile.not_available]
    return [*_deviations(profile.cells), *missing]


def _deviations(cells: Sequence[Cell]) -> list[str]:
    told: dict[str, str] = {}
    for cell in cells:
        name = _computed_by(cell)
        if cell.deviation is not None and name not in told:
            told[name] = f"{name}: {deviation_words(cell.deviation)}{_made(cell)}."
    return list(told.values())


def deviation_words(found: Deviation) -> str:
    """`cosine 0.9997 and relative error 2.3 % against float32 on the same weights`."""
    agrees = found.next_token_agreement
    tokens = "" if agrees is None else f", the same next token in {figures.percent(agrees)} of positions"
    return (
        f"cosine {found.cosine:.5f} and relative error {figures.percent(found.relative_error)} against float32 on the "
        f"same weights{tokens}"
    )


def _made(cell: Cell) -> str:
    computes = f"; it computes in {cell.computes_in}" if cell.computes_in else ""
    made = f"; converting took {figures.seconds(cell.conversion_s)}, once" if cell.conversion_s is not None else ""
    return f"{computes}{made}"

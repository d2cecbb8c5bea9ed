"""Fit a formula to the measured cells of each stage, and tell how far it is off where it was not told.

The one idea: a surface is only as good as what it says of cells it has not seen, so each cell is left out in turn and
predicted from the others; the last fit uses all of them. Least squares weigh the relative error, for a millisecond is
much of two and nothing of a second, and no coefficient is negative, for no term takes time away. Tiles and caches make
steps in real times that no smooth formula follows: about five per cent stays even on a quiet machine.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from statistics import median

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression

from advisor.core.sizing.latency import usable
from advisor.core.sizing.measurement import Cell, Surface
from advisor.core.sizing.surface import (
    STEP_TERMS,
    Shape,
    formula_of,
    predicted_s,
    shape_of,
    term_value,
    terms_of,
)

Points = Mapping[Shape, float]
"""Median seconds by batch size and tokens."""

_FITTED = ("forward", "embed", "rerank", "prefill", "encode", "decode")
_LEAST_SHARE = 1e-3
"""A term below this part of the largest cell's time has been fitted to zero."""


def fitted(cells: Sequence[Cell]) -> tuple[Surface, ...]:
    """A surface for each stage in each configuration that was measured, with a note in place of what cannot be had."""

    def configuration(cell: Cell) -> tuple[str, ...]:
        return (cell.stage, cell.runtime, cell.dtype, cell.device, str(cell.threads), str(cell.workers))

    kept = (cell for cell in cells if cell.stage in _FITTED and cell.layers is None and usable(cell))
    return tuple(_surface(list(group)) for _, group in groupby(sorted(kept, key=configuration), key=configuration))


def _surface(cells: Sequence[Cell]) -> Surface:
    first = cells[0]
    # of two cells at one shape the slower counts, as it does in a plan
    points: dict[Shape, float] = {}
    for cell in cells:
        points[shape_of(cell)] = max(points.get(shape_of(cell), 0.0), cell.median_s or 0.0)
    terms = _told_apart(terms_of(first.stage), points)
    empty = Surface(
        stage=first.stage,
        runtime=first.runtime,
        dtype=first.dtype,
        device=first.device,
        threads=first.threads,
        workers=first.workers,
        cells=len(points),
        formula=formula_of(terms),
        coefficients={},
        holdout_error_pct=None,
    )
    if len(points) <= len(terms) or len(terms) < 2:
        wanted = max(len(terms), 2) + 1
        few = "1 cell is" if len(points) == 1 else f"{len(points)} cells are"
        note = f"{few} too few to fit and to test: it takes {wanted} that differ in batch and length."
        return empty.model_copy(update={"note": note})
    found = _guarded(terms, points)
    if found is None:
        note = "The terms that take most of a large run came out as zero, so the fit was not used."
        return empty.model_copy(update={"note": note})
    errors, of_batches = _left_out_errors(tuple(found), points), _left_out_batches(tuple(found), points)
    return empty.model_copy(
        update={
            "formula": formula_of(tuple(found)),
            "coefficients": found,
            "holdout_error_pct": median(errors),
            "holdout_worst_pct": max(errors),
            "holdout_batch_pct": max(of_batches, default=None),
        }
    )


def _told_apart(terms: tuple[str, ...], points: Points) -> tuple[str, ...]:
    """The terms that these cells can tell apart, the first ones first: at one length all of a text grows alike."""
    kept: tuple[str, ...] = ()
    for term in terms:
        columns = _columns((*kept, term), points)
        if np.linalg.matrix_rank(columns / columns.max(axis=0)) > len(kept):
            kept = (*kept, term)
    return kept


def _guarded(terms: tuple[str, ...], points: Points) -> dict[str, float] | None:
    """The fit; without its last term where that has taken all from the one that dominates; None where that is nothing.

    A pass is mostly the arithmetic of its tokens; a decode step is reading the weights, and the arithmetic of its rows.
    """
    dominant = {"α", "β"} if terms[0] in STEP_TERMS else {"c1"}
    largest = max(points, key=lambda shape: shape[0] * shape[1])
    for tried in (terms, terms[:-1]):
        found = _fit(tried, points)
        shares = [found.get(term, 0.0) * term_value(term, *largest) / points[largest] for term in dominant]
        if len(tried) > 1 and max(shares) > _LEAST_SHARE:
            return found
    return None


def _fit(terms: tuple[str, ...], points: Points) -> dict[str, float]:
    """Non-negative least squares of the relative error; columns are scaled, so that all terms are of one size."""
    columns = _columns(terms, points)
    scale = columns.max(axis=0)
    model = LinearRegression(positive=True, fit_intercept=False).fit(columns / scale, np.ones(len(points)))
    return dict(zip(terms, (model.coef_ / scale).tolist(), strict=True))


def _columns(terms: Sequence[str], points: Points) -> NDArray[np.float64]:
    """Each term of each cell, divided by the cell's seconds [cells, terms]."""
    return np.array([[term_value(term, *shape) / seconds for term in terms] for shape, seconds in points.items()])


def _left_out_errors(terms: tuple[str, ...], points: Points) -> list[float]:
    """For each cell, how far off in per cent the others put it."""
    return [_error(terms, points, {shape}, shape) for shape in points]


def _left_out_batches(terms: tuple[str, ...], points: Points) -> list[float]:
    """For each cell of a batch size between two others, how far off those put it."""
    batches = sorted({batch for batch, _ in points})
    rows = [{shape for shape in points if shape[0] == batch} for batch in batches[1:-1]]
    return [_error(terms, points, row, shape) for row in rows for shape in row]


def _error(terms: tuple[str, ...], points: Points, left_out: Collection[Shape], shape: Shape) -> float:
    """How far off in per cent the cells that are not left out put this one."""
    others = {other: seconds for other, seconds in points.items() if other not in left_out}
    told = predicted_s(_fit(_told_apart(terms, others), others), others, *shape)
    return 100 * abs(told / points[shape] - 1)

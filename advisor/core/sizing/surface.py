"""What a fitted latency surface says: its formula, evaluated from stored coefficients.

Fitting is `advisor.predict`'s work and needs a library; reading what was fitted needs a sum. The one idea: the formula
gives the shape and the measured cells the level, so between cells a time is the formula plus the cells' own distance
from it, and at a cell it is what was measured. Nothing here speaks of a batch or a length beyond the measured ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from advisor.core.sizing.measurement import Cell, Stage, Surface

PASS_TERMS = ("c0", "c1", "c2")
STEP_TERMS = ("α", "β", "γ")
_WORDS = {"c0": "c0", "c1": "c1·b·s", "c2": "c2·b·s²", "α": "α", "β": "β·b", "γ": "γ·b·ctx"}

Shape = tuple[int, int]
"""Batch size, and the tokens a pass reads or a step attends to."""


def terms_of(stage: Stage) -> tuple[str, ...]:
    """The coefficients a stage has at most: of a whole pass, or of one decode step."""
    return STEP_TERMS if stage == "decode" else PASS_TERMS


def formula_of(terms: tuple[str, ...]) -> str:
    """The formula of these coefficients: `c0 + c1·b·s + c2·b·s²`."""
    return " + ".join(_WORDS[term] for term in terms)


def term_value(term: str, batch: float, tokens: float) -> float:
    """What a coefficient is multiplied by, for `batch` texts of `tokens` tokens (or caches so deep)."""
    values = {"c1": batch * tokens, "c2": batch * tokens * tokens, "β": batch, "γ": batch * tokens}
    return values.get(term, 1.0)


def shape_of(cell: Cell) -> Shape:
    """Where a cell stands on its surface. A step attends to its own cache and, where there is one, to the source."""
    read, depth = cell.input_tokens or 0, cell.context_tokens or 0
    return cell.batch_size, read + depth if cell.stage == "decode" else read


def smooth_s(coefficients: Mapping[str, float], batch: float, tokens: float) -> float:
    """Seconds by the formula alone."""
    return sum(value * term_value(term, batch, tokens) for term, value in coefficients.items())


def bend_s(surface: Surface | None, batch: int, before: int, tokens: float, after: int) -> float:
    """How far the formula at `tokens` lies from the straight line between two lengths; 0.0 without a fit."""
    if surface is None or after == before:
        return 0.0
    share = (tokens - before) / (after - before)
    near, here, far = (smooth_s(surface.coefficients, batch, length) for length in (before, tokens, after))
    return here - (near + share * (far - near))


def predicted_s(coefficients: Mapping[str, float], cells: Mapping[Shape, float], batch: int, tokens: int) -> float:
    """Seconds by the formula and what the measured `cells` differ from it by, between them and at the nearest beyond.

    The difference is interpolated piece by piece, first over lengths at each batch, then over batches, as times are
    when they are planned with: a length lies on a smooth line, a batch may run in another kernel than the next one.
    """
    rest = {shape: seconds - smooth_s(coefficients, *shape) for shape, seconds in cells.items()}
    batches = sorted({size for size, _ in rest})
    rows = [sorted((length, value) for (size, length), value in rest.items() if size == one) for one in batches]
    at_length = [_interpolated(tokens, row) for row in rows]
    return smooth_s(coefficients, batch, tokens) + _interpolated(batch, list(zip(batches, at_length, strict=True)))


def _interpolated(at: float, knots: Sequence[tuple[int, float]]) -> float:
    return float(np.interp(at, [place for place, _ in knots], [value for _, value in knots]))


def error_share(surface: Surface | None) -> float:
    """The share by which a time between lengths may be off: the worst that leaving a cell out showed; 0.0 unknown."""
    worst = None if surface is None else surface.holdout_worst_pct
    return 0.0 if worst is None else worst / 100


def batch_error_share(surface: Surface | None) -> float:
    """The same for a time between batch sizes: the worst that leaving out all cells of one has shown, where known."""
    worst = None if surface is None else surface.holdout_batch_pct
    return error_share(surface) if worst is None else max(worst / 100, error_share(surface))


def fits_of(surfaces: Sequence[Surface], cell: Cell) -> dict[Stage, Surface]:
    """The surfaces of the configuration that a cell was measured in, by stage."""

    def configuration(one: Cell | Surface) -> tuple[object, ...]:
        return (one.runtime, one.dtype, one.device, one.threads, one.workers)

    return {one.stage: one for one in surfaces if configuration(one) == configuration(cell)}

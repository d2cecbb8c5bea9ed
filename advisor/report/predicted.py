"""What stands between measured cells and beyond them: fitted surfaces, and whole models told from fewer layers.

Pure: values in, words and tables out. A figure that nobody measured comes with the error of how it was had.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from advisor.core.sizing.measurement import Extrapolation, ProcedureCheck, Surface
from advisor.report import figures
from advisor.report.blocks import Block, Paragraph, Table, bullets
from advisor.report.serving import served_by

_COLUMNS = ("stage", "dtype", "batch", "tokens", "depth", "layers", "a layer", "the rest", "middle off", "whole")
_CHECKED = ("measured", "off")


def predicted_blocks(
    surfaces: Sequence[Surface], extrapolations: Sequence[Extrapolation], check: ProcedureCheck | None
) -> list[Block]:
    """Both, where there are any."""
    blocks: list[Block] = [bullets(surface_words(surfaces))] if surfaces else []
    if extrapolations:
        blocks += [Paragraph(_told(extrapolations, check)), _lines(extrapolations)]
    return blocks


def surface_words(surfaces: Sequence[Surface]) -> list[str]:
    """What stands for times between cells, and how far off it is; what could not be fitted, with the reason."""
    return [f"Between cells, {one.stage} {served_by(one)}: {_fit_words(one)}" for one in surfaces]


def _fit_words(surface: Surface) -> str:
    if not surface.coefficients or surface.holdout_error_pct is None or surface.holdout_worst_pct is None:
        return f"straight lines, of unknown error. {surface.note or ''}".rstrip()
    fitted = ", ".join(f"{name} {figures.seconds(value)}" for name, value in surface.coefficients.items())
    error, worst = (figures.percent(share / 100) for share in (surface.holdout_error_pct, surface.holdout_worst_pct))
    words = f"T = {surface.formula} and each cell's own distance from it ({fitted}; interpolated)"
    batch = surface.holdout_batch_pct
    between = "" if batch is None else f", a batch size left out {figures.percent(batch / 100)} at worst"
    return f"{words}. A cell left out is put {error} off by the others (median; {worst} at worst{between})."


def _told(found: Sequence[Extrapolation], check: ProcedureCheck | None) -> str:
    """What the table below is, and how far off the same procedure was where the whole model could be measured."""
    words = "The whole model was not measured but extrapolated from cuts of it: a line through the first and last"
    checked = [one for one in found if one.error_pct is not None]
    own = [one.error_pct for one in checked if one.error_pct is not None]
    if own:
        disturbed = sum(bool(one.flags) for one in checked)
        doubt = f"; {disturbed} of these rest on flagged cells, which check nothing" if disturbed else ""
        words = "Cuts of the model were measured beside the whole one, to see what a line through them says of it"
        return f"{words}: {_off(own)} off (extrapolated against measured{doubt})."
    if check is not None:
        return f"{words}. The same procedure on {check.model} here was {_off(check.errors_pct)} off."
    return (
        f"{words}. How far off this procedure is has not been measured on this machine; on a model that fits it is "
        "shown by: advisor profile gpt2-xl --layers 8,16,24"
    )


def _off(errors_pct: Sequence[float]) -> str:
    middle, worst = figures.percent(median(errors_pct) / 100), figures.percent(max(errors_pct) / 100)
    return f"{middle} (median of {len(errors_pct)}; {worst} at worst)"


def _lines(found: Sequence[Extrapolation]) -> Table:
    checked = any(one.measured_s is not None for one in found)
    columns = _COLUMNS + (_CHECKED if checked else ())
    rows = tuple(_row(one)[: len(columns)] for one in found)
    return Table(columns, rows, frozenset(range(2, len(columns))) - {5})


def _row(one: Extrapolation) -> tuple[str, ...]:
    first, middle, last = one.layers
    return (
        one.stage,
        one.dtype,
        str(one.batch_size),
        "–" if one.input_tokens is None else str(one.input_tokens),
        "–" if one.context_tokens is None else str(one.context_tokens),
        f"{first}, {middle}, {last} of {one.of_layers}",
        figures.seconds(one.seconds_per_layer),
        figures.seconds(one.rest_s),
        figures.percent(one.third_off_pct / 100),
        figures.seconds(one.predicted_s),
        figures.seconds(one.measured_s),
        "–" if one.error_pct is None else figures.percent(one.error_pct / 100),
    )

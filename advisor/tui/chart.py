"""Throughput against batch size, drawn as cells arrive. The table beside it says the same in figures.

One stage at a time: the one measured last, since a step of one token and a whole pass share no axis. Each line has a
sign of its own, so that the chart reads without colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual_plot import HiResMode, PlotWidget
from textual_plot.axis_formatter import AxisFormatter, NumericAxisFormatter

from advisor.core.architecture import Role
from advisor.core.sizing.measurement import Cell
from advisor.report import figures
from advisor.report.serving import served_by

SIGNS = "●▲■◆○△□◇"
STYLES = ("$text-primary", "$text-success", "$text-warning", "$text-accent")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the chart: throughput by batch size for one configuration and one length."""

    name: str
    points: tuple[tuple[int, float], ...]


def lines_of(cells: Sequence[tuple[Role, Cell]]) -> tuple[str, list[Line]]:
    """The title and the lines for the stage measured last; nothing where nothing has a figure yet."""
    measured = [(role, cell) for role, cell in cells if cell.throughput_per_s is not None]
    if not measured:
        return "", []
    role, last = measured[-1]
    found: dict[str, list[tuple[int, float]]] = {}
    for other, cell in measured:
        if (other, cell.stage) == (role, last.stage) and cell.throughput_per_s is not None:
            found.setdefault(_name(cell), []).append((cell.batch_size, cell.throughput_per_s))
    title = f"{last.stage}: {last.throughput_unit} per second by batch size"
    return title, [Line(name, tuple(sorted(points))) for name, points in found.items()]


def _name(cell: Cell) -> str:
    depth = cell.context_tokens if cell.context_tokens is not None else cell.input_tokens
    where = "deep" if cell.context_tokens is not None else "tokens"
    return f"{served_by(cell)} {depth} {where}"


class _Figures(AxisFormatter):
    """Ticks at round numbers, labelled like every other figure, so that none is cut at the margin."""

    def get_ticks(self, min_: float, max_: float, max_ticks: int = 8) -> list[float]:
        return NumericAxisFormatter().get_ticks(min_, max_, max_ticks)

    def get_labels_for_ticks(self, ticks: Sequence[float]) -> list[str]:
        return [figures.short_count(int(tick)) if tick >= 10_000 else figures.digits(tick) for tick in ticks]


class Chart(PlotWidget, can_focus=False, inherit_bindings=False):
    """The plot alone: nothing to zoom, so no Tab stop and no keys."""

    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self) -> None:
        super().__init__(id="chart", allow_pan_and_zoom=False)
        self._lines: list[Line] = []
        self.set_y_formatter(_Figures())

    def on_mount(self) -> None:
        self.margin_top = 0
        self.margin_bottom = 2

    def draw(self, lines: list[Line]) -> None:
        """Draws these lines in place of the old ones."""
        self._lines = lines
        self.clear()
        if not lines:
            return
        batches = sorted({batch for line in lines for batch, _ in line.points})
        self.set_xticks([float(batch) for batch in batches])
        self.set_xlimits(0.0, batches[-1] + 1.0)
        top = 1.1 * max(rate for line in lines for _, rate in line.points)
        self.set_ylimits(0.0, top)
        self.margin_left = 2 + max(len(label) for label in _Figures().get_ticks_and_labels(0.0, top)[1])
        for number, line in enumerate(lines):
            style = self._style(number)
            x, y = [batch for batch, _ in line.points], [rate for _, rate in line.points]
            self.plot(x, y, line_style=style, hires_mode=HiResMode.BRAILLE)
            self.scatter(x, y, marker=SIGNS[number % len(SIGNS)], marker_style=style)

    def notify_style_update(self) -> None:
        """Colours come from the theme, so a new theme draws anew."""
        super().notify_style_update()
        if self.is_mounted and self._lines:
            self.draw(self._lines)

    def _style(self, number: int) -> str:
        return self.app.theme_variables[STYLES[number % len(STYLES)].removeprefix("$")]


def legend(lines: Sequence[Line]) -> Content:
    """Which sign is which line, and the best of each, in words."""
    parts: list[tuple[str, str] | str] = []
    for number, line in enumerate(lines):
        parts.append((f"{SIGNS[number % len(SIGNS)]} ", STYLES[number % len(STYLES)]))
        parts.append(f"{line.name}   ")
    return Content.assemble(*parts)

"""The second screen: what is measured now, and every cell as it arrives.

Drawing costs the very cores that are being timed. So an event only changes a value, and a clock of half a second draws
what has changed: never more than twice a second, however fast cells come.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer

from advisor.advise import measure_and_plan
from advisor.core.architecture import Role
from advisor.core.errors import AdvisorError
from advisor.core.guide.recommendation import Recommendation
from advisor.core.report import Report
from advisor.report import figures
from advisor.report.outline import cells_table
from advisor.store.recorder import Recorder
from advisor.tui.blocks import narrowed
from advisor.tui.chart import Chart, legend, lines_of
from advisor.tui.progress import Event, begun
from advisor.tui.prose import MUTED, Lines, heading, paragraph
from advisor.tui.reading import Pane, Reading
from advisor.tui.topbar import TopBar

if TYPE_CHECKING:
    from advisor.tui.app import AdvisorApp

REDRAW_SECONDS = 0.5


class MeasureScreen(Screen[None]):
    """Runs one measurement and leaves for the verdict when it is over, however it ends."""

    CSS_PATH = "measure.tcss"
    AUTO_FOCUS = "#cells"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel, keep what is measured", id="measure.cancel"),
    ]

    app: AdvisorApp

    def __init__(self, recommendation: Recommendation) -> None:
        super().__init__()
        self.recommendation = recommendation
        self.progress = begun(recommendation)
        self._drawn = self.progress
        self._began = time.monotonic()
        self._cancelling = False

    def compose(self) -> ComposeResult:
        yield TopBar("Measure")
        with Pane(id="measuring"):
            yield Reading(self._now, id="now", can_focus=False)
            yield Reading(self._cells, id="cells")
            yield Reading(self._legend, id="legend-words", can_focus=False)
            yield Chart()
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one(Chart).display = False
        self.set_interval(REDRAW_SECONDS, self._draw)
        self.run_worker(self._measure(), group="measure", exclusive=True, exit_on_error=False)

    async def action_cancel(self) -> None:
        """Stops the measurement; the verdict is made from the cells there are."""
        if self._cancelling:
            return
        self._cancelling = True
        await self.app.cancel_measurement()

    async def _measure(self) -> None:
        task = self.recommendation.workload.task
        advised, fresh = self.recommendation, self.app.fresh
        recorder = Recorder("advise", task, recommendation=advised, fresh=fresh, warn=self._note)
        try:
            child, knows = await self.app.child(), self.app.knowledge
            with recorder:
                report = await measure_and_plan(advised, knows, child, on_event=self._happened, recorder=recorder)
        except AdvisorError as error:
            report = self._unmeasured("; ".join(problem.message for problem in error.problems))
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not take the answers with it
            report = self._unmeasured(f"something went wrong inside archadvisor ({type(error).__name__}: {error})")
        self.app.show_verdict(report, recorder.run)

    def _unmeasured(self, says: str) -> Report:
        return Report(recommendation=self.recommendation, profiles=(), plan=None, undecided=says)

    def _happened(self, role: Role, event: Event) -> None:
        self.progress = self.progress.after(role, event)

    def _note(self, words: str) -> None:
        self.progress = self.progress.noting(f"{words}.")

    def _draw(self) -> None:
        """Draws what has changed since the last time, and the time gone by."""
        if self.app.screen is not self:
            return
        self.query_one("#now", Reading).show(self._now)
        if self.progress.cells != self._drawn.cells:
            _, lines = lines_of(self.progress.cells)
            self.query_one("#cells", Reading).show(self._cells)
            self.query_one("#legend-words", Reading).show(self._legend)
            chart = self.query_one(Chart)
            chart.display = bool(lines)
            chart.draw(lines)
        self._drawn = self.progress

    def _now(self, width: int) -> Lines:
        words = "Stopping; what is measured stays." if self._cancelling else self.progress.says
        gone = f"{time.monotonic() - self._began:.0f} s"
        found = paragraph(width, (words, "bold"))
        found += paragraph(width, (f"{gone} gone by, {_cells_words(self.progress.measured)}.", MUTED))
        return [*found, *(line for note in self.progress.notes for line in paragraph(width, (note, MUTED)))]

    def _cells(self, width: int) -> Lines:
        cells = [cell for _, cell in self.progress.cells]
        if not cells:
            return paragraph(width, ("Each measured shape becomes a row here.", MUTED))
        found = [Content(""), *narrowed(cells_table(cells), width)]
        for _, cell in self.progress.cells:
            if cell.note:
                found += paragraph(width, cell.note, bullet=("! ", "$text-warning"))
        return found

    def _legend(self, width: int) -> Lines:
        title, lines = lines_of(self.progress.cells)
        if not lines:
            return []
        return [*heading(title), *legend(lines).wrap(max(width, 8))]


def _cells_words(count: int) -> str:
    return f"{figures.counted(count, 'cell')} measured"

"""The first line of every screen: which step this is, and what stands."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from advisor.tui.prose import text

STEPS = ("Describe", "Measure", "Verdict")


class TopBar(Widget):
    """The steps, the current one marked, and a status at the right edge; the name goes first where room is short."""

    def __init__(self, step: str) -> None:
        super().__init__()
        self._step = step
        self._status = ("", "")

    def show_status(self, words: str, style: str = "") -> None:
        """Shows what stands now."""
        self._status = (words, style)
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return 1

    def render(self) -> Content:
        width = self.content_size.width
        words, style = self._status
        for name in ("archadvisor  ", ""):
            steps = self._steps(name)
            room = width - steps.cell_length - cell_len(words)
            if room >= 1:
                return steps + Content(" " * room) + text((words, style))
        return self._steps("")

    def _steps(self, name: str) -> Content:
        marked = [(step, "bold underline") if step == self._step else (step, "$text-muted") for step in STEPS]
        return Content.assemble((name, "bold $text-primary"), marked[0], " › ", marked[1], " › ", marked[2])

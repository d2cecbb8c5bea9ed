"""The last screen: the verdict first, the latency as a picture, then the report as every other face tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer

from advisor.core.report import Report
from advisor.report import figures
from advisor.report.outline import report_blocks
from advisor.tui import blocks
from advisor.tui.picture import latency_picture
from advisor.tui.printable import printable
from advisor.tui.prose import VERDICT_STYLES, Lines
from advisor.tui.reading import Pane, Reading
from advisor.tui.save import SaveScreen
from advisor.tui.topbar import TopBar

if TYPE_CHECKING:
    from advisor.tui.app import AdvisorApp


class VerdictScreen(Screen[None]):
    """Shows one report, saves it, and gives the command that makes it again."""

    CSS_PATH = "verdict.tcss"
    AUTO_FOCUS = "#report"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "save", "Save", id="verdict.save"),
        Binding("c", "copy", "Copy command", id="verdict.copy"),
        Binding("d", "describe", "Change answers", id="verdict.describe", key_display="d"),
    ]

    app: AdvisorApp

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.report = report

    def compose(self) -> ComposeResult:
        yield TopBar("Verdict")
        with Pane(id="reading"):
            yield Reading(self._written, id="report")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        verdict = self.report.plan.verdict if self.report.plan else "undecided"
        self.query_one(TopBar).show_status(figures.VERDICT_WORDS[verdict], VERDICT_STYLES[verdict])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a plan there is no command to copy."""
        return action != "copy" or self.report.plan is not None

    def action_save(self) -> None:
        """Asks where to save the report."""
        self.app.push_screen(SaveScreen(self.report), self._saved)

    def action_copy(self) -> None:
        """Hands the command to the terminal's clipboard; terminals that take none show it at the end of the report."""
        if self.report.plan is not None:
            self.app.copy_to_clipboard(self.report.plan.reproduce)
            self.notify("The command was handed to the terminal's clipboard; it also ends the report.", markup=False)

    def action_describe(self) -> None:
        """Back to the answers, as they were."""
        self.dismiss()

    def _saved(self, words: str | None) -> None:
        if words:
            self.notify(printable(words), markup=False)

    def _written(self, width: int) -> Lines:
        verdict, *rest = report_blocks(self.report)
        found = blocks.lines([verdict], width)
        if self.report.plan is not None:
            found += latency_picture(self.report.plan, self.report.recommendation.workload, width)
        return [*found, Content(""), *blocks.lines(rest, width)]

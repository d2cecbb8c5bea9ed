"""Asking where to save the report, and saving it: JSON or Markdown, as the ending says."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Footer, Input, Static

from advisor.core.errors import AdvisorError
from advisor.core.report import Report, without_samples
from advisor.report.markdown import render
from advisor.report.outline import report_blocks
from advisor.store.output import check_output, write_text
from advisor.tui.fields import TextField
from advisor.tui.keys import INTERRUPT
from advisor.tui.prose import text

ENDINGS = (".json", ".md")
SUGGESTED = "advisor-report.md"


class PathField(TextField):
    """Where to save, as typed."""

    BINDINGS: ClassVar[list[BindingType]] = [INTERRUPT]


class SaveScreen(ModalScreen[str]):
    """Dismisses with a sentence that says what was saved, or with nothing."""

    CSS_PATH = "save.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "save", "Save", id="save.save"),
        Binding("escape", "dismiss", "Back", id="save.back"),
        INTERRUPT,
    ]

    def __init__(self, report: Report) -> None:
        super().__init__()
        self._report = report
        self._replace: Path | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="saving"):
            yield Static(text(("Save the report", "bold $text-primary")))
            yield Static(text("A file ending in .json (every figure) or .md (to read)."), classes="explains")
            yield PathField(SUGGESTED)
            yield Static("", id="problem", classes="problem")
            yield Button("Save", compact=True)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one("#problem").display = False

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._replace = None
        self.query_one("#problem").display = False

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_save()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_save()

    def action_save(self) -> None:
        """Saves, or says why not. A file that is there is only replaced when asked a second time."""
        path = Path(self.query_one(Input).value.strip())
        try:
            path = _expanded(path)
            check_output(path, ENDINGS)
            if path.exists() and self._replace != path:
                self._replace = path
                self._complain(f"! {path} is there already: save once more to replace it")
                return
            write_text(path, rendered(self._report, path.suffix.lower()))
        except AdvisorError as error:
            problem = error.problems[0]
            self._complain(f"✗ {problem.message}: {problem.fix}" if problem.fix else f"✗ {problem.message}")
            return
        self.dismiss(f"Saved {path.resolve()}")

    def _complain(self, words: str) -> None:
        shown = self.query_one("#problem", Static)
        shown.update(text(words))
        shown.display = True


def _expanded(path: Path) -> Path:
    """The path with `~` as somebody's home. Raises AdvisorError where there is none."""
    try:
        return path.expanduser()
    except RuntimeError:
        raise AdvisorError(f"there is no home folder {path.parts[0]}", fix="write the folder out") from None


def rendered(report: Report, ending: str) -> str:
    """The report in the format of an ending: the words or the document that `advisor advise` gives."""
    if ending == ".json":
        return without_samples(report).model_dump_json(indent=2, by_alias=True) + "\n"
    return render(report_blocks(report))

"""The first screen: the questions that still matter, and beside them the advice, renewed at every change.

The screen holds what was typed; what it means is decided by `typed`, `core.questions` and the rules. Nothing typed is
ever lost: an answer given stays on screen, and a wrong one keeps its text beside the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Button, Footer, Static

from advisor.core.errors import AdvisorError
from advisor.core.guide.recommendation import Recommendation
from advisor.core.questions import QUESTIONS, Question, default_words, question, still_asked, words
from advisor.core.workload import Answers
from advisor.store.typed import Checked, checked
from advisor.tui.advice import advice_lines
from advisor.tui.fields import Answered, ChoiceField, Field, NumberField, TaskField
from advisor.tui.prose import Lines, paragraph, text
from advisor.tui.reading import Pane, Reading
from advisor.tui.task import TaskScreen
from advisor.tui.topbar import TopBar

if TYPE_CHECKING:
    from advisor.tui.app import AdvisorApp


class Row(Vertical):
    """One question: its label, its control, one line of explanation, and what is wrong with the answer."""

    def __init__(self, asked: Question) -> None:
        super().__init__(id=f"row-{asked.answer}", classes="row")
        self.asked = asked
        self.field = _field_for(asked)

    def compose(self) -> ComposeResult:
        with Horizontal(classes="answer"):
            yield Static(Content(self.asked.asks), classes="label")
            yield self.field
        yield Static(Content(""), classes="explains")
        yield Static(Content(""), classes="problem")

    def explain(self, default: str) -> None:
        """Shows the default beside the explanation."""
        self.field.show_default(default)
        lead = f"Default: {default}. " if self.asked.answer != "task" else ""
        self.query_one(".explains", Static).update(text(lead, self.asked.explains))

    def complain(self, problem: str | None) -> None:
        """Shows what is wrong, or that nothing is."""
        shown = self.query_one(".problem", Static)
        shown.display = problem is not None
        shown.update(text("✗ ", problem or ""))


def _field_for(asked: Question) -> Field:
    if asked.answer == "task":
        return TaskField()
    if asked.kind == "flag":
        return ChoiceField([("false", "no"), ("true", "yes")], "no")
    if asked.kind == "choice":
        return ChoiceField([(str(value), words(value)) for value in asked.choices], "")
    return NumberField("")


class DescribeScreen(Screen[None]):
    """Questions on the left, advice on the right; one under the other where the screen is narrow."""

    CSS_PATH = "describe.tcss"
    AUTO_FOCUS = "TaskField"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "measure", "Measure", id="describe.measure"),
    ]

    app: AdvisorApp

    def __init__(self, texts: Mapping[str, str]) -> None:
        super().__init__()
        self._texts = dict(texts)
        self.checked = Checked(None, {})
        self.recommendation: Recommendation | None = None
        self._refusal = ""
        self._drawn = False

    def compose(self) -> ComposeResult:
        yield TopBar("Describe")
        with Horizontal(id="body"):
            with Vertical(id="asking"):
                with Pane(id="questions"):
                    for asked in QUESTIONS:
                        yield Row(asked)
                with Horizontal(id="go"):
                    yield Button("Measure on this machine", id="measure", compact=True)
            with Pane(id="advice"):
                yield Reading(self._advice, id="advice-text")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        for row in self._rows():
            if typed := self._texts.get(row.asked.answer):
                row.field.fill(typed)
        self._drawn = True
        self._renew()
        if self.checked.answers is None:
            self._choose_task()

    def on_resize(self) -> None:
        self._keep_in_view()

    def on_descendant_focus(self) -> None:
        self._keep_in_view()

    def on_answered(self, message: Answered) -> None:
        message.stop()
        self._renew()

    def on_task_field_choosing(self, message: TaskField.Choosing) -> None:
        message.stop()
        self._choose_task()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_measure()

    def action_leave_field(self) -> None:
        """Leaves the field for the button, where letters are commands again."""
        self.query_one("#measure", Button).focus()

    def action_measure(self) -> None:
        """Goes on, or to the first answer that keeps it from going on."""
        wrong = [row for row in self._rows() if row.asked.answer in self.checked.problems]
        if wrong or self.checked.answers is None or self.recommendation is None:
            (wrong[0] if wrong else self._row("task")).field.focus()
            return
        self.app.go_on(self.checked.answers, self.recommendation)

    def renew(self) -> None:
        """Shows the advice again: what the machine can do has become known. Before there is a screen, it will be."""
        if self._drawn:
            self._renew()

    def _keep_in_view(self) -> None:
        """Textual scrolls to what gets the keys by the layout it has; what is laid out after that may move it away."""
        if self.focused is not None:
            self.call_after_refresh(self.focused.scroll_visible, animate=False)

    def _choose_task(self) -> None:
        self.app.push_screen(TaskScreen(self._row("task").field.said), self._task_chosen)

    def _task_chosen(self, task: str | None) -> None:
        if task is not None:
            self._row("task").field.fill(task)
            self._renew()
            self.focus_next()

    def _rows(self) -> Iterator[Row]:
        return iter(self.query(Row))

    def _row(self, answer: str) -> Row:
        return self.query_one(f"#row-{answer}", Row)

    def _renew(self) -> None:
        """Checks what is typed, advises on what holds, and asks what is left to ask."""
        self.checked = checked({row.asked.answer: row.field.said for row in self._rows()})
        answers = self.checked.answers
        self.recommendation, self._refusal = self._advised(answers)
        shown = {"task"} if answers is None else {asked.answer for asked in self._asked(answers)}
        for row in self._rows():
            row.display = row.asked.answer in shown | self.checked.problems.keys()
            row.complain(self.checked.problems.get(row.asked.answer))
            if row.display:
                row.explain(default_words(row.asked, answers) if answers else "none")
        self.query_one("#go").display = answers is not None
        button = self.query_one("#measure", Button)
        button.label = self._button_words(answers)
        button.refresh(layout=True)  # a longer label would be cut to the width of the old one
        self.query_one("#advice-text", Reading).show(self._advice)
        self._keep_in_view()

    def _advised(self, answers: Answers | None) -> tuple[Recommendation | None, str]:
        """The advice, or why there is none: a team's own rules may call a combination of answers impossible."""
        if answers is None:
            return None, "The advice stands here as soon as there is a task."
        try:
            return self.app.advise(answers), ""
        except AdvisorError as error:
            return None, "; ".join(problem.message for problem in error.problems)

    def _asked(self, answers: Answers) -> tuple[Question, ...]:
        return still_asked(answers, lambda answer: self.app.matters(answer, answers))

    def _button_words(self, answers: Answers | None) -> str:
        if self.checked.problems:
            return "Mend the answer marked ✗"
        if answers is not None and answers.hosting == "api":
            return "See the whole advice"
        return "Measure on this machine" if self.app.child_problem is None else "See the whole advice"

    def _advice(self, width: int) -> Lines:
        if self.recommendation is None or self.checked.answers is None:
            return paragraph(width, (self._refusal, "$text-muted"))
        found: Lines = []
        for answer in self.checked.problems:
            asks = question(answer).asks
            found += paragraph(
                width, (f"Without “{asks}”, which needs mending.", "$text-error"), bullet=("✗ ", "$text-error")
            )
        if self.recommendation.workload.hosting == "api":
            found += paragraph(width, "Somebody else's API cannot be measured here.", bullet=("! ", "$text-warning"))
        elif self.app.child_problem:
            found += paragraph(width, self.app.child_problem, bullet=("! ", "$text-warning"))
        could_become = self.app.could_become(self.checked.answers)
        return [*found, *([Content("")] if found else []), *advice_lines(self.recommendation, could_become, width)]

"""All tasks to choose from, each with what it means."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from advisor.core.task import TASK_WORDS, TASKS, Task
from advisor.tui.keys import QUIT
from advisor.tui.topbar import TopBar

_NAME_COLUMNS = 2 + max(len(task) for task in TASKS)
_BOTH_COLUMNS = 3 + _NAME_COLUMNS + max(len(words) for words in TASK_WORDS.values())


class TaskScreen(ModalScreen[str]):
    """Dismisses with the task chosen, or with nothing. A narrow screen shows the words of one task at a time."""

    CSS_PATH = "task.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "take", "Take it", id="task.take"),
        Binding("escape", "dismiss", "Back", id="task.back"),
        QUIT,
    ]

    def __init__(self, task: str) -> None:
        super().__init__()
        self._taken = task

    def compose(self) -> ComposeResult:
        yield TopBar("Describe")
        yield Static(Content.styled("What is to be done?", "bold $text-primary"), id="asks")
        yield OptionList(*(Option(_prompt(task, wide=True), id=task) for task in TASKS), compact=True)
        yield Static("", id="meaning")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        tasks = self.query_one(OptionList)
        tasks.highlighted = TASKS.index(next((task for task in TASKS if task == self._taken), TASKS[0]))

    def on_resize(self, event: events.Resize) -> None:
        wide = event.size.width >= _BOTH_COLUMNS
        tasks = self.query_one(OptionList)
        for task in TASKS:
            tasks.replace_option_prompt(task, _prompt(task, wide=wide))
        self.query_one("#meaning").display = not wide

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        words = next((TASK_WORDS[task] for task in TASKS if task == event.option.id), "")
        self.query_one("#meaning", Static).update(Content.styled(words, "$text-muted"))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(event.option.id)

    def action_take(self) -> None:
        """Takes the task under the cursor."""
        self.query_one(OptionList).action_select()


def _prompt(task: Task, *, wide: bool) -> Content:
    return Content(f"{task:<{_NAME_COLUMNS}}{TASK_WORDS[task]}" if wide else task)

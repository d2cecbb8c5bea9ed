"""The controls a question is answered with: a number, one of a few words, one of many tasks.

A control knows what was typed, not what it means: it posts that it changed, and the screen checks all answers together.
An empty control is an answer that was not given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from advisor.tui.keys import INTERRUPT, MOVES
from advisor.tui.printable import printable

MAX_TYPED = 1000
"""Longer than any number the reader takes and any path a disk does, so that a cut can never make a wrong one right."""


class Answered(Message):
    """A control's content changed."""


class TextField(Input):
    """A line of text. Pasted control characters are shown as what they are, never painted."""

    def __init__(self, value: str = "", *, placeholder: str = "") -> None:
        super().__init__(value, placeholder, compact=True)
        self.cursor_blink = False

    def validate_value(self, value: str) -> str:
        """What stands in the field for what was typed or pasted."""
        return printable(value)[:MAX_TYPED]

    async def on_key(self, event: events.Key) -> None:
        """Editing keys act here and now.

        Left to bubble, they would act after the letters typed behind them: on a busy machine, Backspace and a digit
        would delete the digit.
        """
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            event.stop()
            event.prevent_default()
            await self.run_action(binding.action)
            return


class NumberField(TextField):
    """A number as typed. Letters are text here, so the way out is Escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "app.focus_next", "Next", id="field.next", priority=True),
        Binding("escape", "screen.leave_field", "Leave field", id="field.leave"),
        INTERRUPT,
        *MOVES,
    ]

    def __init__(self, default: str) -> None:
        super().__init__(placeholder=default)

    @property
    def said(self) -> str:
        """What was typed; empty for nothing."""
        return self.value.strip()

    def fill(self, text: str) -> None:
        """Shows an answer given earlier."""
        with self.prevent(Input.Changed):
            self.value = text

    def show_default(self, default: str) -> None:
        """Shows what an empty field stands for."""
        self.placeholder = default

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(Answered())


class ChoiceField(Widget, can_focus=True):
    """A few words in a row, one of them taken. Nothing said shows the default, unbracketed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "take(-1)", "Previous", id="choice.previous", show=False),
        Binding("right", "take(1)", "Next", id="choice.next", show=False),
        Binding("x", "forget", "Back to default", id="choice.forget"),
        Binding("enter", "app.focus_next", "Next", id="choice.enter", show=False, priority=True),
        *MOVES,
    ]

    def __init__(self, values: Sequence[tuple[str, str]], default: str) -> None:
        """`values` are pairs of the answer as written in a file and the word shown for it."""
        super().__init__()
        self._values = tuple(values)
        self._default = default
        self.said = ""

    def fill(self, text: str) -> None:
        """Shows an answer given earlier."""
        self.said = text
        self.refresh()

    def show_default(self, default: str) -> None:
        """Shows what nothing said stands for."""
        self._default = default
        self.refresh()

    def render(self) -> Content:
        return Content("").join(self._piece(value, word) for value, word in self._values)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return sum(len(word) + 2 for _, word in self._values)

    def action_take(self, step: int) -> None:
        """Takes the word before or after the one shown; the ends hold."""
        at = min(max(self._shown() + step, 0), len(self._values) - 1)
        self._say(self._values[at][0])

    def action_forget(self) -> None:
        """Takes the answer back."""
        self._say("")

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Takes the word that was pressed: the view may move as the focus comes here, before the button is let go."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        right = 0
        for value, word in self._values:
            right += len(word) + 2
            if offset.x < right:
                self._say(value)
                return

    def _say(self, value: str) -> None:
        if value != self.said:
            self.said = value
            self.refresh()
            self.post_message(Answered())

    def _shown(self) -> int:
        """The index of the word shown as taken."""
        for number, (value, word) in enumerate(self._values):
            if value == self.said or (not self.said and word == self._default):
                return number
        return 0

    def _piece(self, value: str, word: str) -> Content:
        number = self._shown()
        if self._values[number][0] != value:
            return Content.styled(f" {word} ", "$text-muted")
        if self.said:
            return Content.styled(f"[{word}]", "bold reverse" if self.has_focus else "bold $text-primary")
        return Content.styled(f" {word} ", "underline reverse" if self.has_focus else "underline")


class TaskField(Widget, can_focus=True):
    """The task taken. Choosing another opens the list of all tasks."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Choose a task", id="task.choose"),
        *MOVES,
    ]

    class Choosing(Message):
        """The list of tasks was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.said = ""

    def fill(self, text: str) -> None:
        """Shows the task chosen."""
        self.said = text
        self.refresh(layout=True)

    def show_default(self, default: str) -> None:
        """A task has no default."""

    def render(self) -> Content:
        words = f"[{self.said}]" if self.said else "[choose a task: Enter]"
        return Content.styled(words, "bold reverse" if self.has_focus else "bold $text-primary")

    def action_choose(self) -> None:
        """Asks for the list."""
        self.post_message(self.Choosing())

    def on_click(self) -> None:
        self.action_choose()


Field = NumberField | ChoiceField | TaskField

"""A piece of text to read: written for the width it has, and scrolled with the arrows.

The scrolling container around it is no Tab stop; this widget is, once, so that the keyboard reaches all of the text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from advisor.tui.prose import Lines, stacked

Writer = Callable[[int], Lines]


class Pane(VerticalScroll, can_focus=False, inherit_bindings=False):
    """A scrolling container that is never a Tab stop and takes no keys: those belong to what is read or answered."""


class Reading(Widget):
    """Shows what a writer makes of the width at hand."""

    can_focus = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_by(-1)", "Up", id="read.up", show=False),
        Binding("down", "scroll_by(1)", "Down", id="read.down", show=False),
        Binding("left", "scroll_page(-1)", "Page up", id="read.page_up", show=False),
        Binding("right", "scroll_page(1)", "Page down", id="read.page_down", show=False),
    ]

    def __init__(self, writer: Writer = lambda width: [], *, id: str | None = None, can_focus: bool = True) -> None:
        super().__init__(id=id)
        self.can_focus = can_focus
        self._writer = writer
        self._written: tuple[int, Content] | None = None

    def show(self, writer: Writer) -> None:
        """Shows something else."""
        self._writer = writer
        self._written = None
        self.refresh(layout=True)

    def written(self, width: int) -> Content:
        """The text at a width, written once."""
        if self._written is None or self._written[0] != width:
            self._written = (width, stacked(self._writer(width)))
        return self._written[1]

    def render(self) -> Content:
        return self.written(self.content_size.width)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.written(width).plain.split("\n"))

    def action_scroll_by(self, lines: int) -> None:
        """Scrolls the container by lines."""
        self._container.scroll_relative(y=lines, animate=False)

    def action_scroll_page(self, pages: int) -> None:
        """Scrolls the container by all but one line of its height."""
        self._container.scroll_relative(y=pages * max(1, self._container.size.height - 1), animate=False)

    @property
    def _container(self) -> Pane:
        return next(node for node in self.ancestors if isinstance(node, Pane))

"""Help, written from the bindings that are live where it was asked for, so that it cannot be out of date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer

from advisor.tui.keys import QUIT
from advisor.tui.prose import MUTED, Lines, heading, pairs, paragraph
from advisor.tui.reading import Pane, Reading

Keys = Sequence[tuple[str, str]]


def live_keys(screen: Screen[Any]) -> Keys:
    """Key and meaning of every binding that is live on a screen with the focus where it is, each meaning once."""
    keys: dict[str, list[str]] = {}
    for active in screen.active_bindings.values():
        if _is_ours(active):
            shown = keys.setdefault(active.binding.description, [])
            key = screen.app.get_key_display(active.binding)
            if key not in shown:
                shown.append(key)
    return [(" ".join(shown), description) for description, shown in keys.items()]


def _is_ours(active: ActiveBinding) -> bool:
    """Bindings with an id are ours; editing keys inside a field come with the field and are no commands."""
    return active.enabled and active.binding.id is not None and bool(active.binding.description)


class HelpScreen(ModalScreen[None]):
    """The keys of the screen below, and how to get along without the mouse."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark", "dismiss", "Back", id="help.back", key_display="esc"),
        QUIT,
    ]

    def __init__(self, keys: Keys) -> None:
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        with Vertical(id="helping"), Pane():
            yield Reading(self._written, id="help-text")
        yield Footer(show_command_palette=False)

    def _written(self, width: int) -> Lines:
        found = paragraph(width, ("Keys", "bold $text-primary"))
        found += pairs(width, self._keys)
        found += heading("In a field")
        found += paragraph(
            width,
            "Letters are text in a number field: Escape leaves it. Tab goes on, Shift+Tab back. An empty field takes "
            "the default beside it. Numbers are written as in an answers file: 200, 0.5, 1e6.",
        )
        found += heading("With the mouse")
        found += paragraph(width, "Everything can be clicked, the keys in the last line too; the wheel scrolls.")
        found.append(Content(""))
        return found + paragraph(width, ("archadvisor opens no port and sends nothing.", MUTED))

"""Bindings that several screens share: the two ways out, which a modal screen would hide, and moving the focus."""

from __future__ import annotations

from textual.binding import Binding

QUIT = Binding("q", "app.quit", "Quit", id="app.quit")
INTERRUPT = Binding("ctrl+c", "app.interrupt", "Quit", id="app.interrupt", key_display="^c", priority=True)
"""Ctrl-C, shown where letters are text."""

# Keys that move the focus are taken before the focused field sees them: what is typed right behind one (or comes with
# it in one burst, as from a script) would still reach the field that is being left.
TABS = (
    Binding("tab", "app.focus_next", "Next", id="app.next", show=False, priority=True),
    Binding("shift+tab", "app.focus_previous", "Previous", id="app.previous", show=False, priority=True),
)
MOVES = (
    Binding("down", "app.focus_next", "Next question", id="field.down", show=False, priority=True),
    Binding("up", "app.focus_previous", "Previous question", id="field.up", show=False, priority=True),
)

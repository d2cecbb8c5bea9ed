"""What a long run says while it runs: a line per finished cell on stderr, where a person is there to read it."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time

from advisor.core.architecture import Role
from advisor.core.characters import visible
from advisor.core.protocol import Event, Finished, Measured, Started, Waiting
from advisor.report import figures
from advisor.report.outline import cell_name


class Progress:
    """Called with each event. `measuring` tells whether a measurement has begun."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._speaks = sys.stderr is not None and sys.stderr.isatty() and not getattr(options, "quiet", False)
        self._began = time.monotonic()
        self.measuring = False

    def __call__(self, role: Role, event: Event) -> None:
        if isinstance(event, Waiting):
            holder = f"process {event.holder_pid}" if event.holder_pid else "another process"
            self.say(f"waiting: {holder} is measuring on this machine")
        elif isinstance(event, Started):
            self.measuring = True
        elif isinstance(event, Measured):
            cell = event.cell
            figure = figures.seconds(cell.median_s) if cell.median_s is not None else cell.note or "no figure"
            self.say(f"{role}: {cell_name(cell)}: {figure}")
        elif isinstance(event, Finished):
            self.say(f"{role}: measured in {figures.seconds(event.wall_s)}")

    def say(self, words: str) -> None:
        """One line with the seconds since the start."""
        if self._speaks:
            with contextlib.suppress(OSError):  # the terminal is gone: the run is worth finishing without it
                sys.stderr.write(f"{time.monotonic() - self._began:6.1f} s  {visible(words)}\n")
                sys.stderr.flush()

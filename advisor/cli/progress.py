"""What a long run says while it runs: a line per finished cell on stderr, where a person is there to read it."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator

from advisor.core.architecture import Role
from advisor.core.characters import visible
from advisor.core.errors import AdvisorError, Problem
from advisor.core.protocol import Event, Finished, Measured, Peaked, Reused, Started, Waiting
from advisor.report import figures
from advisor.report.outline import cell_name, reused_words


class Progress:
    """Called with each event. `measuring` and `verifying` tell what has begun."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._speaks = sys.stderr is not None and sys.stderr.isatty() and not getattr(options, "quiet", False)
        self._holds_back = getattr(options, "json", False)
        self._held: list[str] = []
        self._began = time.monotonic()
        self._turn = ""
        self.measuring = False
        self.verifying = False

    def __call__(self, role: Role, event: Event) -> None:
        if isinstance(event, Waiting):
            holder = f"process {event.holder_pid}" if event.holder_pid else "another process"
            self.say(f"waiting: {holder} is measuring on this machine")
        elif isinstance(event, Reused):
            self.say(f"{role}: {reused_words(event.reused, event.cells, event.earliest, event.latest)}")
        elif isinstance(event, Peaked):
            self.say(f"what this machine can do at most: {figures.peaks(event.peaks)}")
        elif isinstance(event, Started):
            self.measuring = True
            self._say_turn(role, event)
        elif isinstance(event, Measured):
            cell = event.cell
            figure = figures.seconds(cell.median_s) if cell.median_s is not None else cell.note or "no figure"
            before = ", reused" if cell.reused_from is not None else ""
            self.say(f"{role}: {cell_name(cell)}: {figure}{before}")
        elif isinstance(event, Finished) and event.wall_s > 0:  # 0 where everything was known
            self.say(f"{role}: measured in {figures.seconds(event.wall_s)}")

    def _say_turn(self, role: Role, event: Started) -> None:
        """Which of several processes measures now; cells are told when the last one has."""
        turn = f"{role}: {event.plan.runtime} {event.plan.dtype}, process {event.process} of {event.processes}"
        if event.processes > 1 and turn != self._turn:
            self._turn = turn
            self.say(turn)

    @property
    def speaks(self) -> bool:
        """Whether a person is there to read it."""
        return self._speaks

    def say(self, words: str) -> None:
        """One line with the seconds since the start."""
        if self._speaks:
            self._write(f"{time.monotonic() - self._began:6.1f} s  {words}")

    def warn(self, words: str) -> None:
        """What ends nothing and should be known even where nobody watches. With --json it waits for the end."""
        if self._holds_back:
            self._held.append(words)
        else:
            self._write(f"advisor: warning: {words}")

    @contextlib.contextmanager
    def warnings_last(self) -> Iterator[None]:
        """Says what was held back; where the run fails, in its one document, of which stderr takes no second."""
        try:
            yield
        except AdvisorError as error:
            warnings = [Problem(None, None, None, f"warning: {words}") for words in self._held]
            raise AdvisorError([*error.problems, *warnings], exit_code=error.exit_code) from error
        for words in self._held:
            self._write(f"advisor: warning: {words}")

    def _write(self, words: str) -> None:
        if sys.stderr is not None:
            with contextlib.suppress(OSError):  # the terminal is gone: the run is worth finishing without it
                sys.stderr.write(f"{visible(words)}\n")
                sys.stderr.flush()

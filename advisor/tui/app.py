"""The application: what all screens share. It holds the knowledge and the measuring child, and knows how to end.

The child is started with the first screen, and has imported torch before the questions are answered; where it cannot be
started, the advice still stands and one sentence says what to install.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.worker import Worker, WorkerFailed, WorkerState

from advisor.advise import SERVED_BY_OTHERS, Knowledge, load_knowledge, recommendation
from advisor.core.errors import EXIT_DONE, EXIT_INTERRUPTED, AdvisorError
from advisor.core.guide.reach import matters, reachable
from advisor.core.guide.recommendation import Recommendation
from advisor.core.guide.vocabulary import said_facts
from advisor.core.report import Report
from advisor.core.workload import Answers
from advisor.run import Child
from advisor.store.rescue import rescue
from advisor.store.typed import texts_of
from advisor.tui.describe import DescribeScreen
from advisor.tui.help import HelpScreen, live_keys
from advisor.tui.keys import QUIT, TABS
from advisor.tui.measure import MeasureScreen
from advisor.tui.save import rendered
from advisor.tui.theme import DARK, LIGHT, THEMES
from advisor.tui.topbar import TopBar
from advisor.tui.verdict import VerdictScreen

WIND_UP_SECONDS = 30.0
"""How long the end waits for a cancelled measurement to plan from what it has; a plan takes a few seconds."""

ChildFactory = Callable[[], Awaitable[Child]]


class AdvisorApp(App[int], inherit_bindings=False):
    """Describe, Measure, Verdict."""

    TITLE = "archadvisor"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = True
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-narrow"), (76, "-normal")]  # noqa: RUF012 - as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "toggle_theme", "Light or dark", id="app.theme", show=False),
        Binding("p", "command_palette", "Commands", id="app.palette", show=False),
        Binding("question_mark", "help", "Help", id="app.help", key_display="?"),
        QUIT,
        *TABS,
        Binding("ctrl+c", "interrupt", "Quit at once", id="app.interrupt", key_display="^c", show=False, priority=True),
    ]

    def __init__(
        self,
        knowledge: Knowledge,
        answers: Answers | None = None,
        child_factory: ChildFactory = Child.start,
        *,
        fresh: bool = False,
    ) -> None:
        """`answers` fill the fields beforehand; `child_factory` starts the measuring child; `fresh` reuses nothing."""
        # Without colour the terminal's own two are used: greys would still be colours to a terminal.
        super().__init__(ansi_color=True if os.environ.get("NO_COLOR") else None)
        self.knowledge = knowledge
        self.fresh = fresh
        self.animation_level = "none"
        self.child_problem: str | None = None
        self._texts: Mapping[str, str] = texts_of(answers) if answers else {}
        self._child_factory = child_factory
        self._child: Child | None = None
        self._starting: Worker[None] | None = None
        self._leaving = False
        self.unseen: Report | None = None
        self.unseen_run: int | None = None
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK.name

    def on_mount(self) -> None:
        self._listen_for_signals()
        self.push_screen(DescribeScreen(self._texts))
        self._starting = self.run_worker(self._start_child(), group="child", exclusive=True, exit_on_error=False)

    async def on_unmount(self) -> None:
        await self._close_child()

    # What screens ask

    def advise(self, answers: Answers) -> Recommendation:
        """What the rules say to these answers."""
        return recommendation(answers, self.knowledge)

    def matters(self, answer: str, answers: Answers) -> bool:
        """Whether an answer can still change the advice beside the others that were given."""
        return matters(self.knowledge.rulebook, answer, said_facts(answers))

    def could_become(self, answers: Answers) -> tuple[str, ...]:
        """The architectures that answers not given yet could still lead to."""
        return tuple(str(outcome) for outcome in reachable(self.knowledge.rulebook.decision, said_facts(answers)))

    async def child(self) -> Child:
        """The warm child. Raises AdvisorError where there is none."""
        if self._starting is not None:
            await self._starting.wait()
        if self._child is None:
            raise AdvisorError(self.child_problem or "the measuring process did not start")
        return self._child

    async def cancel_measurement(self) -> None:
        """Stops the measurement in hand, if there is one."""
        if self._child is not None:
            await self._child.cancel()

    def go_on(self, answers: Answers, advised: Recommendation) -> None:
        """From the answers to a measurement, or to the advice alone where nothing can be measured."""
        if answers.hosting == "api":
            self._without_measuring(advised, SERVED_BY_OTHERS)
        elif self.child_problem is not None:
            self._without_measuring(advised, self.child_problem)
        else:
            self.push_screen(MeasureScreen(advised))

    def _without_measuring(self, advised: Recommendation, why: str) -> None:
        self.push_screen(VerdictScreen(Report(recommendation=advised, profiles=(), plan=None, undecided=why)))

    def show_verdict(self, report: Report, run: int | None) -> None:
        """From the measurement, kept as `run`, to the verdict; on the way out nobody would see it, so it is told."""
        if self._leaving:
            self.unseen, self.unseen_run = report, run
            return
        self._uncover_measurement()
        self.switch_screen(VerdictScreen(report))

    def _uncover_measurement(self) -> None:
        """Closes help, or another dialog opened over the measurement."""
        while not isinstance(self.screen, MeasureScreen):
            self.pop_screen()

    # The child

    async def _start_child(self) -> None:
        try:
            self._child = await self._child_factory()
            self._show_child("measuring process starts …")
            await self._child.ready()
            self._show_child("ready to measure", "$text-success")
        except AdvisorError as error:
            problem = error.problems[0]
            self._no_child(f"{problem.message} {problem.fix}" if problem.fix else problem.message)

    def _no_child(self, words: str) -> None:
        self.child_problem = words
        self._show_child("! advice only", "$text-warning")
        for screen in self.screen_stack:
            if isinstance(screen, DescribeScreen):
                screen.renew()

    def _show_child(self, words: str, style: str = "$text-muted") -> None:
        for screen in self.screen_stack:
            if isinstance(screen, DescribeScreen):
                screen.query_one(TopBar).show_status(words, style)

    async def _close_child(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            await child.close()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.group == "child":
            self._no_child(f"The measuring process cannot be started ({event.worker.error}).")

    # What a person does

    def action_toggle_theme(self) -> None:
        """From the dark theme to the light one and back."""
        self.theme = LIGHT.name if self.theme == DARK.name else DARK.name

    def action_help(self) -> None:
        """Shows the keys that are live now."""
        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(live_keys(self.screen)))

    def _fatal_error(self) -> None:
        """Ends without Textual's traceback: `run_app` hands the error on, and the command line has the words for it."""
        self._close_messages_no_wait()

    async def action_quit(self) -> None:
        """Quits; a measurement in hand is stopped."""
        await self._leave(EXIT_DONE)

    async def action_interrupt(self) -> None:
        """Quits at once, as Ctrl-C does everywhere."""
        await self._leave(EXIT_INTERRUPTED)

    async def _leave(self, code: int) -> None:
        """Ends with a code, a measurement in hand first. Asked a second time it waits for nothing."""
        if not self._leaving:
            self._leaving = True
            self.run_worker(self._wind_up(code), group="leave", exit_on_error=False)
        else:
            self.exit(code)

    async def _wind_up(self, code: int) -> None:
        await self._end_measurement()
        self.exit(code)

    async def _end_measurement(self) -> None:
        """Stops what is being measured, lets it become a report, and ends the child."""
        measuring = [worker for worker in self.workers if worker.group == "measure" and not worker.is_finished]
        if measuring:
            for screen in self.screen_stack:
                if isinstance(screen, MeasureScreen):
                    self._uncover_measurement()  # it says that it stops: planning takes some seconds
                    await screen.action_cancel()
            with contextlib.suppress(TimeoutError, WorkerFailed):
                await asyncio.wait_for(self.workers.wait_for_complete(measuring), WIND_UP_SECONDS)
        await self._close_child()

    def _lose_terminal(self) -> None:
        """The terminal was closed: there is nothing left to draw on, and nothing to give back."""
        void = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(void, stream)
        self.run_worker(self._vanish(), group="leave", exit_on_error=False)

    async def _vanish(self) -> None:
        await self._end_measurement()
        with contextlib.suppress(AdvisorError):  # nobody is there to be told that the disk refuses
            keep(self.unseen, self.unseen_run)
        os._exit(EXIT_INTERRUPTED)  # Textual's own way out waits for a terminal that is gone

    def _listen_for_signals(self) -> None:
        """A polite kill and a closed terminal end the app and keep what was measured."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(RuntimeError, ValueError):
            loop.add_signal_handler(signal.SIGTERM, lambda: self.run_worker(self._leave(EXIT_INTERRUPTED)))
            loop.add_signal_handler(signal.SIGHUP, self._lose_terminal)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The palette: what the keys do, by name."""
        yield SystemCommand("Light or dark", "Change the theme", self.action_toggle_theme)
        yield SystemCommand("Help", "Show the keys", self.action_help)
        yield SystemCommand("Quit", "Leave archadvisor", self.action_quit)
        if isinstance(screen, DescribeScreen):
            yield SystemCommand("Measure", "Measure the advised model on this machine", screen.action_measure)
        if isinstance(screen, MeasureScreen):
            yield SystemCommand("Cancel", "Stop, and keep what is measured", screen.action_cancel)
        if isinstance(screen, VerdictScreen):
            yield SystemCommand("Save", "Save the report", screen.action_save)
            yield SystemCommand("Change answers", "Back to the questions", screen.action_describe)
            if screen.report.plan is not None:
                yield SystemCommand("Copy command", "Copy the command that makes this again", screen.action_copy)


def run_app(
    answers: Answers | None = None,
    rules_dir: Path | None = None,
    models_dir: Path | None = None,
    *,
    fresh: bool = False,
) -> int:
    """Open the questionnaire and return the exit code: 0 when quit, 130 when interrupted.

    Raises AdvisorError where rules or models are wrong, before anything is drawn.
    """
    app = AdvisorApp(load_knowledge(rules_dir, models_dir), answers, fresh=fresh)
    code = app.run()
    if app._exception is not None:
        raise app._exception
    if where := keep(app.unseen, app.unseen_run):
        if code == EXIT_INTERRUPTED:
            raise AdvisorError(f"interrupted; what was measured so far is saved: {where}", exit_code=EXIT_INTERRUPTED)
        sys.stderr.write(f"What was measured so far is saved: {where}\n")
    return EXIT_DONE if code is None else code


def keep(report: Report | None, run: int | None) -> str | None:
    """Where a report is that nobody saw, if anything was measured for it: in the store, else in a file made now."""
    if report is None or not any(cell.median_s is not None for profile in report.profiles for cell in profile.cells):
        return None
    return str(rescue(rendered(report, ".json"))) if run is None else f"advisor history show {run}"

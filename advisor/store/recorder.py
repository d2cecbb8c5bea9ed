"""Writes one run down while it happens, and finds which of its cells an earlier run has measured already.

Each finished cell is saved at once, so whatever ends the run, the next identical command goes on where it ended. The
one idea: the measurement comes first. What another process's write keeps out waits for the next moment, in its order;
the first other thing that goes wrong with the store is said in one sentence through `warn`, and from then on the run
goes on as if there were none.
"""

from __future__ import annotations

import os
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, Self, TypeVar

from advisor.core.guide.recommendation import Recommendation
from advisor.core.history import RunCommand
from advisor.core.protocol import Finished, Measure
from advisor.core.report import Report
from advisor.core.sizing.measurement import Cell, Profile
from advisor.core.sizing.reuse import conditions
from advisor.store.known import as_json, how_it_finished, key_of, measuring_code, newest_cell
from advisor.store.process import process_began
from advisor.store.results import Busy, StoreTrouble, now, open_to_write, results_path, transaction, translated

T = TypeVar("T")
Ended = Literal["done", "interrupted", "failed"]
LAST_ATTEMPTS = 5
"""How often the end of a run asks for a store that another process holds, before what waits for it is given up."""


class Recorder:
    """One run in the store. `run` is its id as long as all of it is there; None where the store cannot be used."""

    def __init__(
        self,
        command: RunCommand,
        subject: str,
        *,
        recommendation: Recommendation | None = None,
        fresh: bool = False,
        warn: Callable[[str], object] = lambda words: None,
        path: Path | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """`fresh` looks for nothing known; `warn` is told once where the store cannot be used, and what that means."""
        self._command, self._subject, self._recommendation = command, subject, recommendation
        self._warn, self._path, self._clock = warn, path or results_path(), clock
        self._store: sqlite3.Connection | None = None
        self._waiting: deque[Callable[[sqlite3.Connection], object]] = deque()
        self._given_up = False
        self._parts = 0
        self.fresh = fresh
        self.run: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Whoever leaves without an `end` was stopped, or could not go on."""
        self.end("failed" if isinstance(error, Exception) else "interrupted")

    def part(self, role: str, request: Measure, draft: Profile) -> Part:
        """Begin a part of the run, and with the first one the run. `draft` is its profile as known before measuring."""
        position, self._parts = self._parts, self._parts + 1
        row = (position, role, draft.model.id, draft.machine.fingerprint)
        words = (request.model_dump_json(), draft.model_dump_json(exclude={"cells"}))

        def work(store: sqlite3.Connection) -> None:
            with transaction(store):  # a run without a part says nothing to anybody
                run = self._begin(store) if position == 0 else self.run
                store.execute(
                    "INSERT INTO parts (run, position, role, model, fingerprint, began_at, request, profile)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (run, *row, self.stamp(), *words),
                )
            self.run = run

        self.attempt(work)
        return Part(self, position, request, draft)

    def end(self, state: Ended, profiles: Sequence[Profile] = (), report: Report | None = None) -> None:
        """The run is over. One that measured nothing and did not come to its end leaves nothing behind."""
        if self._store is not None or self._waiting:
            self.attempt(lambda store: self._end(store, state, profiles, report))
            self._insist()
        self._close()

    def amend(self, report: Report) -> None:
        """Keep what was found out about a run after its end."""
        if self.run is None:
            return
        document = report.model_dump_json(by_alias=True, exclude={"profiles"})
        self.attempt(lambda store: store.execute("UPDATE runs SET document = ? WHERE id = ?", (document, self.run)))
        self._insist()
        self._close()

    def attempt(self, work: Callable[[sqlite3.Connection], T], *, later: bool = True) -> T | None:
        """What `work` makes of the store; None where the store fails, now or before.

        Where another process holds it, `work` is done `later`, before anything that is asked for after it.
        """
        if self._given_up:
            return None
        try:
            with translated():
                store = self._caught_up()
                return work(store)
        except Busy:
            if later:
                self._waiting.append(work)
        except StoreTrouble as trouble:
            self._give_up(trouble)
        return None

    def stamp(self) -> str:
        """The time, as the store keeps it."""
        return self._clock().isoformat()

    def _caught_up(self) -> sqlite3.Connection:
        """The store, once it has everything that waited for it."""
        if self._store is None:
            self._store = self._opened()
        while self._waiting:
            self._waiting[0](self._store)
            self._waiting.popleft()
        return self._store

    def _insist(self) -> None:
        """Bring in what still waits, or say that it is lost."""
        for left in reversed(range(LAST_ATTEMPTS)):
            if not self._waiting:
                return
            try:
                with translated():
                    self._caught_up()
            except StoreTrouble as trouble:
                if not left or not isinstance(trouble, Busy):
                    return self._give_up(trouble)

    def _opened(self) -> sqlite3.Connection:
        store, aside = open_to_write(self._path)
        if aside is not None:
            self._warn(f"{self._path} was damaged: it was moved to {aside.name}, and a new one was begun")
        return store

    def _begin(self, store: sqlite3.Connection) -> int | None:
        advised = self._recommendation.model_dump_json(by_alias=True) if self._recommendation else None
        pid = os.getpid()
        added = store.execute(
            "INSERT INTO runs (command, subject, state, started_at, pid, process_began, recommendation)"
            " VALUES (?, ?, 'running', ?, ?, ?, ?)",
            (self._command, self._subject, self.stamp(), pid, process_began(pid), advised),
        )
        return added.lastrowid

    def _end(self, store: sqlite3.Connection, state: Ended, profiles: Sequence[Profile], report: Report | None) -> None:
        with transaction(store):
            (cells,) = store.execute("SELECT count(*) FROM run_cells WHERE run = ?", (self.run,)).fetchone()
            if state != "done" and not cells:
                store.execute("DELETE FROM runs WHERE id = ?", (self.run,))
                self.run = None
                return
            for position, profile in enumerate(profiles):
                words = (profile.model_dump_json(exclude={"cells"}), self.run, position)
                store.execute("UPDATE parts SET profile = ? WHERE run = ? AND position = ?", words)
            verdict = report.plan.verdict if report is not None and report.plan is not None else None
            document = None if report is None else report.model_dump_json(by_alias=True, exclude={"profiles"})
            store.execute(
                "UPDATE runs SET state = ?, ended_at = ?, verdict = ?, document = ? WHERE id = ?",
                (state, self.stamp(), verdict, document, self.run),
            )

    def _give_up(self, trouble: StoreTrouble) -> None:
        self._given_up, self.run = True, None
        self._waiting.clear()
        self._close()
        fix = f"; {trouble.fix}" if trouble.fix else ""
        words = f"what is measured is not kept for later: {self._path}: {trouble.reason}{fix}"
        self._warn(f"{words}; measuring goes on")

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None


class Part:
    """One request of the run: its cells, by their place in it. `places` are those of a request for some of them."""

    def __init__(
        self,
        recorder: Recorder,
        position: int,
        request: Measure,
        draft: Profile,
        places: Sequence[int] | None = None,
    ) -> None:
        self._recorder, self._position, self._request, self._draft = recorder, position, request, draft
        self._places = range(len(request.cells)) if places is None else places
        code = measuring_code()
        self._facts = [conditions(request, draft.machine, plan, measured_by=code) for plan in request.cells]
        self._reused: list[int] = []

    def within(self, request: Measure, places: Sequence[int]) -> Part:
        """The same part, asked for some of its cells in another way; what is kept last of a cell is what stays."""
        return Part(self._recorder, self._position, request, self._draft, places)

    def reuse(self) -> dict[int, Cell]:
        """The cells that earlier runs have measured well enough, which become cells of this run too."""
        if self._recorder.fresh:
            return {}
        return self._recorder.attempt(self._take_known, later=False) or {}

    def save(self, index: int, cell: Cell) -> None:
        """Keep a finished cell: its figures, or why it has none."""
        facts = self._facts[index]
        words = cell.model_dump_json(exclude={"reused_from"})
        measured_at = self._recorder.stamp() if cell.measured_at is None else cell.measured_at.isoformat()
        row = (key_of(facts), as_json(facts), measured_at, cell.median_s is not None)

        def work(store: sqlite3.Connection) -> None:
            with transaction(store):
                added = store.execute(
                    "INSERT INTO cells (key, conditions, measured_at, has_figure, cell) VALUES (?, ?, ?, ?, ?)",
                    (*row, words),
                )
                self._note(store, index, added.lastrowid, None)

        self._recorder.attempt(work)

    def finished(self, event: Finished) -> None:
        """Keep how the request ended."""
        sql, words = "UPDATE parts SET finished = ? WHERE run = ? AND position = ?", event.model_dump_json()
        self._recorder.attempt(lambda store: store.execute(sql, (words, self._recorder.run, self._position)))

    def finished_before(self) -> Finished | None:
        """How a request ended whose cells are reused here."""
        return self._recorder.attempt(lambda store: how_it_finished(store, self._reused), later=False)

    def _take_known(self, store: sqlite3.Connection) -> dict[int, Cell]:
        with transaction(store):  # none of them may be deleted before it is noted as ours
            found = {index: newest_cell(store, key_of(facts), self._request) for index, facts in enumerate(self._facts)}
            known = {index: one for index, one in found.items() if one is not None}
            for index, (cell, number) in known.items():
                self._note(store, index, number, cell.reused_from)
        self._reused = [one.number for one in known.values()]
        return {index: one.cell for index, one in known.items()}

    def _note(self, store: sqlite3.Connection, index: int, number: int | None, reused_from: int | None) -> None:
        place = (self._recorder.run, self._position, self._places[index], number, reused_from)
        columns = "(run, part, position, cell, reused_from)"
        store.execute(f"INSERT OR REPLACE INTO run_cells {columns} VALUES (?, ?, ?, ?, ?)", place)

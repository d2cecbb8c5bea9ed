"""The file that keeps what was measured: one SQLite database in this user's data folder.

Here it is opened, and here stands what may be wrong with it, in words. What is written into it is `recorder`'s
business, what is read out of it `history`'s. The one idea: the file may be missing, damaged, full, read-only, busy or
of another version, and none of that may cost a measurement; a damaged file is moved aside, never deleted.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from advisor.core.errors import EXIT_UNDECIDED, AdvisorError, Problem
from advisor.store.paths import data_dir

SCHEMA = 1
"""Raised with every change to the tables that another version could not work with."""
APPLICATION = 0x61647672
"""Marks the file as ours, where SQLite has a place for that."""
BUSY_SECONDS = 3.0
"""How long to wait for another process's write, which takes milliseconds."""

_TABLES = (
    """CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        command TEXT NOT NULL, subject TEXT NOT NULL, state TEXT NOT NULL,
        started_at TEXT NOT NULL, ended_at TEXT,
        pid INTEGER NOT NULL, process_began REAL,
        recommendation TEXT, verdict TEXT, document TEXT)""",
    """CREATE TABLE parts (
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, position INTEGER NOT NULL,
        role TEXT NOT NULL, model TEXT NOT NULL, fingerprint TEXT NOT NULL, began_at TEXT NOT NULL,
        request TEXT NOT NULL, profile TEXT NOT NULL, finished TEXT,
        PRIMARY KEY (run, position))""",
    """CREATE TABLE cells (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL, conditions TEXT NOT NULL,
        measured_at TEXT NOT NULL, has_figure INTEGER NOT NULL, cell TEXT NOT NULL)""",
    "CREATE INDEX cells_by_key ON cells (key)",
    """CREATE TABLE run_cells (
        run INTEGER NOT NULL, part INTEGER NOT NULL, position INTEGER NOT NULL,
        cell INTEGER NOT NULL REFERENCES cells, reused_from INTEGER,
        PRIMARY KEY (run, part, position),
        FOREIGN KEY (run, part) REFERENCES parts (run, position) ON DELETE CASCADE)""",
    "CREATE INDEX run_cells_by_cell ON run_cells (cell)",
)


class StoreTrouble(Exception):
    """Why the file cannot be used: a clause for a sentence, and what to do about it."""

    def __init__(self, reason: str, fix: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.fix = reason, fix


class Damaged(StoreTrouble):
    """What lies there is no whole database."""

    def __init__(self, found: object) -> None:
        super().__init__(f"it is damaged ({found})", "the next measurement moves it aside and begins a new one")


class Busy(StoreTrouble):
    """Another process holds it; the next attempt may succeed."""

    def __init__(self, found: object) -> None:
        super().__init__(f"another process held it for more than {BUSY_SECONDS:g} s ({found})", _ELSEWHERE)


class _NotBegun(StoreTrouble):
    """A database without a single table: there was no room to make ours when it was made."""


def results_path() -> Path:
    """Where this user's results lie. The file may not exist yet."""
    return data_dir() / "results.sqlite3"


def now() -> datetime:
    """The time in UTC, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def open_to_write(path: Path) -> tuple[sqlite3.Connection, Path | None]:
    """The store, made where there is none, and where a damaged one was moved to. Raises StoreTrouble."""
    with translated():
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # answers are nobody else's business
        try:
            return _whole(_connected(path), create=True), None
        except Damaged:
            aside = _move_aside(path)
        return _whole(_connected(path), create=True), aside


def open_to_read(path: Path) -> sqlite3.Connection | None:
    """The store as it is, or None where nothing was ever saved. Raises StoreTrouble, Damaged where it is no store."""
    with translated():
        if not path.exists() or path.stat().st_size == 0:
            return None
        try:
            return _whole(_connected(path, "mode=rw"), create=False)
        except _NotBegun:
            return None
        except StoreTrouble as error:
            if isinstance(error, Damaged) or os.access(path.parent, os.W_OK):
                raise
        # A folder that may not be written has no place for the files that readers and writers agree by.
        return _whole(_connected(path, "mode=ro&immutable=1"), create=False)


def store_error(path: Path, trouble: StoreTrouble) -> AdvisorError:
    """The trouble as the end of a command that is about nothing but the store."""
    return AdvisorError([Problem(str(path), None, None, trouble.reason, trouble.fix)], exit_code=EXIT_UNDECIDED)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turns what SQLite or the system raises inside into StoreTrouble."""
    try:
        yield
    except sqlite3.Error as error:
        raise _trouble(error) from error
    except OSError as error:
        raise StoreTrouble(f"it cannot be used: {error.strerror or error}", _ELSEWHERE) from error


@contextlib.contextmanager
def transaction(store: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing, and nobody else's write in between."""
    store.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            store.execute("ROLLBACK")
        raise
    store.execute("COMMIT")


def _connected(path: Path, options: str = "mode=rwc") -> sqlite3.Connection:
    store = sqlite3.connect(
        f"{path.absolute().as_uri()}?{options}", uri=True, timeout=BUSY_SECONDS, isolation_level=None
    )
    store.execute("PRAGMA foreign_keys = ON")
    return store


def _whole(store: sqlite3.Connection, *, create: bool) -> sqlite3.Connection:
    """The connection, once it is clear that a whole store of this version is behind it. Closed where it is not."""
    try:
        with translated():
            if create:
                # Readers and a writer at once; a process that dies in the middle of a write leaves no half of it.
                store.execute("PRAGMA journal_mode = WAL").fetchone()
                store.execute("PRAGMA synchronous = NORMAL")
                _make_tables(store)
            _check_version(store)
            (found,) = store.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                raise Damaged(str(found).splitlines()[-1])
    except BaseException:
        store.close()
        raise
    return store


def _make_tables(store: sqlite3.Connection) -> None:
    """The tables, in a file that is new. Two processes may find it new at once: the second finds it made."""
    if _version(store) != (0, 0):
        return
    with transaction(store):
        if _version(store) == (0, 0) and not _tables(store):
            for table in _TABLES:
                store.execute(table)
            store.execute(f"PRAGMA application_id = {APPLICATION}")
            store.execute(f"PRAGMA user_version = {SCHEMA}")


def _tables(store: sqlite3.Connection) -> int:
    (count,) = store.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    return int(count)


def _version(store: sqlite3.Connection) -> tuple[int, int]:
    (application,) = store.execute("PRAGMA application_id").fetchone()
    (version,) = store.execute("PRAGMA user_version").fetchone()
    return application, version


def _check_version(store: sqlite3.Connection) -> None:
    application, version = _version(store)
    if (application, version) == (0, 0) and not _tables(store):
        raise _NotBegun("it holds nothing yet")
    if application != APPLICATION:
        raise StoreTrouble("it is a database, but none of archadvisor's", "move it away, or name another data folder")
    if version > SCHEMA:
        words = f"a newer archadvisor wrote it (its tables are version {version}, this one knows {SCHEMA})"
        raise StoreTrouble(words, "upgrade archadvisor; the file is left as it is")
    if version < SCHEMA:
        words = f"an older archadvisor wrote it (its tables are version {version}, this one needs {SCHEMA})"
        raise StoreTrouble(words, "export its runs with that version, then move the file away; it is left as it is")


def _move_aside(path: Path) -> Path | None:
    """Give the damaged file another name, with what belongs to it; None where somebody else has done it meanwhile."""
    with open(path.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            _whole(_connected(path), create=True).close()
            return None
        except Damaged:
            aside = _free_name(path)
            for ending in ("-wal", "-shm", ""):
                with contextlib.suppress(FileNotFoundError):
                    os.rename(f"{path}{ending}", f"{aside}{ending}")
            return aside


def _free_name(path: Path) -> Path:
    name = f"{path.stem}-damaged-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    names = (path.with_name(f"{name}{more}{path.suffix}") for more in ("", *(f"-{n}" for n in range(2, 1000))))
    return next(free for free in names if not free.exists())


_ELSEWHERE = "free the place, or name another data folder with XDG_DATA_HOME"
_REASONS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("SQLITE_FULL",), "there is no room left on the disk"),
    (("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_CANTOPEN", "SQLITE_AUTH"), "it may not be written"),
    (("SQLITE_IOERR", "SQLITE_TOOBIG"), "the disk refuses"),
)


def _trouble(error: sqlite3.Error) -> StoreTrouble:
    name = getattr(error, "sqlite_errorname", None) or ""
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return Damaged(error)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")):
        return Busy(error)
    for starts, reason in _REASONS:
        if name.startswith(starts):
            return StoreTrouble(f"{reason} ({error})", _ELSEWHERE)
    return StoreTrouble(f"it cannot be used ({error})", _ELSEWHERE)

"""One measurement at a time on this machine: a lock the kernel releases when its holder dies.

The lock is `flock` on a file that all users share, so it cannot go stale. The number inside is only for words ("process
4711 is measuring"); nobody decides by it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from pathlib import Path

from advisor.core.errors import EXIT_UNDECIDED, AdvisorError

LOCK_PATH = Path("/tmp/archadvisor.lock")
"""Not the temporary folder of the environment: two users, or two settings of TMPDIR, would then not see each other."""


class MachineLock:
    """The lock, held or not. `close` (or the end of the process) lets go of it."""

    def __init__(self, path: Path = LOCK_PATH) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(self) -> bool:
        """Take the lock if nobody holds it; never waits. Raises AdvisorError where the file cannot be used."""
        if self._file is not None:
            return True
        file = _open(self._path)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        _write_pid(file)
        self._file = file
        return True

    def holder_pid(self) -> int | None:
        """Who said last that it holds the lock; None where that cannot be read."""
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            word = os.read(file, 32).decode("ascii", "replace").strip()
        finally:
            os.close(file)
        return int(word) if word.isdigit() else None

    def release(self) -> None:
        """Let go; harmless where the lock is not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def is_held(path: Path = LOCK_PATH) -> bool:
    """Whether somebody measures now. Leaves the file as it is."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(file)
    return False


def _open(path: Path) -> int:
    """Open the shared file, made readable and writable for all; never through a link somebody planted."""
    flags = os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        # Without O_CREAT first: kernels refuse to "create" another user's file in a sticky folder.
        file = _open_existing(path, flags)
        if file is None:
            with contextlib.suppress(FileExistsError):
                file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | flags, 0o666)
                os.fchmod(file, 0o666)  # the umask would shut the other users out
        if file is None:
            file = os.open(path, os.O_RDONLY | flags)
    except OSError as error:
        raise AdvisorError(
            f"{path}, the file that keeps two measurements apart, cannot be opened: {error.strerror}",
            exit_code=EXIT_UNDECIDED,
            fix=f"remove {path}, or make it a plain file that everyone may read",
        ) from error
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise AdvisorError(f"{path} is not a plain file", exit_code=EXIT_UNDECIDED, fix=f"remove {path}")
    return file


def _open_existing(path: Path, flags: int) -> int | None:
    # O_NONBLOCK: a pipe planted at this path would otherwise hold the open for ever.
    for mode in (os.O_RDWR, os.O_RDONLY):
        try:
            return os.open(path, mode | os.O_NONBLOCK | flags)
        except FileNotFoundError:
            return None
        except PermissionError:
            continue
    return None


def _write_pid(file: int) -> None:
    with contextlib.suppress(OSError):  # another user's file that is only readable still locks
        if os.fstat(file).st_nlink == 1:
            os.ftruncate(file, 0)
            os.pwrite(file, f"{os.getpid()}\n".encode("ascii"), 0)

"""Writing what a run produced: checked before the work starts, written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Sequence
from pathlib import Path

from advisor.core.errors import AdvisorError, Problem

_IN_PLACE = (errno.EACCES, errno.EPERM, errno.EBUSY, errno.EROFS)
"""What replacing a file fails with that may be written all the same: in a folder that may not, or mounted by itself."""


def check_output(path: Path, endings: Sequence[str]) -> None:
    """Raise AdvisorError where `path` has an ending nobody renders, or cannot be written.

    Called before a measurement: minutes of work must not end in a missing folder.
    """
    if path.suffix.lower() not in endings:
        words = f'the ending "{path.suffix}" is not supported' if path.suffix else "the file has no ending"
        raise AdvisorError([Problem(str(path), None, None, words, f"end it in {' or '.join(endings)}")])
    if why := _impossible(path):
        raise AdvisorError([Problem(str(path), None, None, why, "name a place you may write to")])
    if path.is_dir():
        raise AdvisorError([Problem(str(path), None, None, "this is a folder, not a file", "name a file in it")])
    if path.exists() and not path.is_file():
        raise AdvisorError([Problem(str(path), None, None, "this is no plain file", "name another")])
    folder = _place(path).parent
    if not folder.is_dir():
        raise AdvisorError([Problem(str(path), None, None, f"there is no folder {folder}", "make it, or name another")])
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise AdvisorError([Problem(str(path), None, None, "may not be written", "name a place you may write to")])


def _impossible(path: Path) -> str | None:
    """Why no file can have this name, if so: it is too long, or a folder on the way may not be entered."""
    try:
        path.stat()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        return f"cannot be written: {getattr(error, 'strerror', None) or error}"
    return None


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all where a file can be replaced. AdvisorError where the disk refuses."""
    place = _place(path)
    try:
        try:
            _replace(place, text)
        except OSError as error:
            if error.errno not in _IN_PLACE or not place.is_file():
                raise
            place.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        words = f"cannot be written: {error.strerror or error}"
        raise AdvisorError(
            [Problem(str(path), None, None, words, "name a place with room that you may write to")]
        ) from None


def _place(path: Path) -> Path:
    """Where a file of this name lies: a link stays one, and what it leads to is written."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _replace(path: Path, text: str) -> None:
    import tempfile  # costs a decision that writes no file more than it may

    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".archadvisor-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(_mode(path))
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _mode(path: Path) -> int:
    """The mode a plain `open` would give: the old file's, else what the umask leaves."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def write_new(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to a file that is not there yet. Raises AdvisorError where it is, or the disk refuses."""
    try:
        with path.open("x", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
    except FileExistsError:
        words, fix = "is there already, and is not overwritten", "name another file"
        raise AdvisorError([Problem(str(path), None, None, words, fix)]) from None
    except (OSError, ValueError) as error:
        words = f"cannot be written: {getattr(error, 'strerror', None) or error}"
        raise AdvisorError([Problem(str(path), None, None, words, "name a place you may write to")]) from None

"""The Python files that an architecture file's `code` patterns name, read as text.

Patterns begin at the architecture file's folder and stay inside the repository: no absolute path, no `..` beyond its
top, no link that leads out, no folder reached through a link (so there are no loops). A folder of a million files or a
file of a gigabyte is told, not read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path

from advisor.core.characters import writable
from advisor.core.review.code import CodeFiles, SourceFile, Unread

MAX_FILES = 2000
MAX_FILE_BYTES = 1 << 20
MAX_BYTES = 32 << 20
MAX_ENTRIES = 200_000
"""Files and folders looked at for the patterns of one component."""
MAX_PATTERN = 500

_IGNORED = frozenset({".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__", ".tox", ".nox"})
"""Folders that hold no code of the repository's own."""


def read_code(folder: Path, patterns: Sequence[str], *, root: Path | None = None) -> CodeFiles:
    """The files that the patterns name, each once, in the order of the patterns and their names.

    Patterns and paths are relative to `folder`; `root` is the repository around it, or the folder itself.
    """
    folder, root = Path(os.path.realpath(folder)), Path(os.path.realpath(root or folder))
    below = folder.relative_to(root).parts
    files: dict[str, SourceFile] = {}
    unread: dict[str, Unread] = {}
    known: set[str] = set()  # by where they really are: a link is no second file
    room = MAX_BYTES
    for pattern in patterns:
        if why := _refused(pattern, len(below)):
            unread.setdefault(pattern, Unread(pattern, why, is_file=False))
            continue
        found, cut = _matching(root, _from_the_top(pattern, below))
        for path in (os.path.relpath(root / one, folder) for one in found):
            if path in unread or (real := os.path.realpath(folder / path)) in known:
                continue
            known.add(real)
            few = len(files) < MAX_FILES
            one = _read(root, folder, path, room) if few else f"more than {MAX_FILES} files are named"
            if isinstance(one, str):
                unread[path] = Unread(writable(path), one)
            else:
                files[path], room = one, room - len(one.text)
        if cut:
            unread.setdefault(pattern, Unread(pattern, cut, is_file=False))
        elif not found:
            unread.setdefault(pattern, Unread(pattern, _nothing(folder, pattern), is_file=False))
    return CodeFiles(tuple(files.values()), tuple(unread.values()))


def _refused(pattern: str, depth: int) -> str | None:
    """Why a pattern may not be used, if so. Its folder lies `depth` folders below the top of the repository."""
    parts = _names(pattern)
    if pattern.startswith(("/", "~")) or "\\" in pattern or (len(pattern) > 1 and pattern[1] == ":"):
        return "a pattern is relative to the architecture file's folder, with / between folders"
    up = parts.count("..")
    if up > depth or ".." in parts[up:]:
        return "a pattern may not leave the repository"
    if "\0" in pattern or len(pattern) > MAX_PATTERN:
        return "this is no pattern that can be looked for"
    return None


def _names(pattern: str) -> list[str]:
    return [part for part in pattern.split("/") if part not in ("", ".")]


def _from_the_top(pattern: str, below: Sequence[str]) -> list[str]:
    """The names of a pattern from the top of the repository on, where its folder lies at `below`."""
    parts = _names(pattern)
    up = parts.count("..")
    return [*map(escape, below[: len(below) - up]), *parts[up:]]


def _nothing(folder: Path, pattern: str) -> str:
    """Why a pattern has found no file, and what would find some."""
    if pattern.endswith(".ipynb"):
        return "notebooks are not read (jupyter nbconvert --to script makes a Python file of one)"
    named = "/".join(_names(pattern))
    inside = os.path.isdir(folder / named) and not os.path.islink(folder / named)
    hint = f"; it is a folder, and {f'{named}/' if named else ''}**/*.py names the files in it" if inside else ""
    return f"it matches no Python file{hint}"


def _matching(root: Path, parts: Sequence[str]) -> tuple[list[str], str | None]:
    """The Python files that match, as paths below the root, and why the search was cut short, if it was."""
    fixed: list[str] = []
    for part in parts[:-1]:
        if any(one in part for one in "*?["):
            break
        fixed.append(part)
    found: list[str] = []
    for seen, path in enumerate(_below(root, "/".join(fixed))):
        if seen >= MAX_ENTRIES:
            return sorted(found), f"there are more than {MAX_ENTRIES:,} files and folders to look through"
        if path.endswith(".py") and _matches(path.split("/"), parts):
            found.append(path)
    return sorted(found), None


def _matches(path: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether a path's names match a pattern's: `**` is any number of folders, the rest stays within a name."""
    reached = {0}  # names of the path that the pattern so far may have used up
    for number, part in enumerate(pattern):
        if part == "**":
            first, last = min(reached, default=len(path)), number == len(pattern) - 1
            reached = set(range(first + last, len(path) + last))  # at the end it stands for a file: one name at least
        else:
            reached = {at + 1 for at in reached if at < len(path) and fnmatchcase(path[at], part)}
    return len(path) in reached


def _below(root: Path, start: str) -> Iterator[str]:
    """All there is below a folder: a folder as "", the rest by its path below the root. Links are not entered."""
    at = root
    for part in start.split("/") if start else ():
        at = at / part
        if at.is_symlink():
            return
    waiting = [start]
    while waiting:
        folder = waiting.pop()
        try:
            entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
        except (OSError, ValueError):
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            yield "" if _is_folder(entry) else path
            if entry.is_dir(follow_symlinks=False) and entry.name not in _IGNORED:
                waiting.append(path)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether this is a folder, or a link to one: whatever it is called, it is no file."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _read(root: Path, folder: Path, path: str, room: int) -> SourceFile | str:
    """The file at `path` below `folder`, or why it is not read."""
    real = Path(os.path.realpath(folder / path))
    if not real.is_relative_to(root):
        return "it is a link that leads out of the repository"
    try:
        # Without O_NONBLOCK a pipe that is named like a file would wait for a writer for ever.
        handle = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        with os.fdopen(handle, "rb") as stream:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return "it is no plain file"
            data = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        return f"it cannot be read ({error.strerror or error})"
    if len(data) > MAX_FILE_BYTES:
        return f"it is larger than {MAX_FILE_BYTES >> 20} MiB"
    if len(data) > room:
        return f"the files before it hold {MAX_BYTES >> 20} MiB already"
    try:
        return SourceFile(writable(path), data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return "it is not UTF-8"

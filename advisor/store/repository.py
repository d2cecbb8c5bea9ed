"""Which part of the disk a review may read: the repository that an architecture file stands in, and nothing outside it.

Paths in a reviewed file are a stranger's words. A path that is absolute, climbs out, or leads out through a link is
refused before anything at its end is opened.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

from advisor.core.characters import writable

HIDDEN_FOLDER = ".advisor"


class Repository(NamedTuple):
    """`root` is the whole repository, `folder` what the paths of the file are relative to.

    `known_as` is the folder as people know it, where the files of an earlier state lie elsewhere for a while.
    """

    root: Path
    folder: Path
    known_as: Path


def repository_of(file: Path) -> Repository:
    """The repository of an architecture file: up to the folder with `.git`, else the file's own folder."""
    folder = folder_of(Path(os.path.abspath(file)))
    root = next((one for one in (folder, *folder.parents) if os.path.lexists(one / ".git")), folder)
    return Repository(root, folder, folder)


def folder_of(file: Path) -> Path:
    """What the paths of an architecture file are relative to: its folder, or the one around a hidden folder of ours."""
    return file.parent.parent if file.parent.name == HIDDEN_FOLDER else file.parent


def leaves(repository: Repository, name: str) -> str | None:
    """Why a path named in the file may not be followed, or None where it stays inside. It need not exist."""
    if os.path.isabs(name) or name.startswith("~"):
        return "is not relative to this file"
    if "\0" in name:
        return "is no path"
    path = os.path.normpath(repository.folder / name)
    if not _inside(path, os.path.abspath(repository.root)):
        return "leads out of the repository"
    try:
        os.stat(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        return f"cannot be followed: {error.strerror or error}"
    if not _inside(os.path.realpath(path), os.path.realpath(repository.root)):
        return "leads out of the repository through a link"
    return None


def is_plain_file(path: Path) -> bool:
    """Whether this is a file with bytes in it, and no pipe or device that a reader would wait for."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def shown(path: Path) -> str:
    """A path as people here know it, in characters that every report can hold."""
    return writable(from_here(path))


def from_here(path: Path) -> str:
    """A path from the folder that people work in, where it lies below that."""
    absolute, here = os.path.abspath(path), os.getcwd()
    return os.path.relpath(absolute, here) if _inside(absolute, here) else absolute


def _inside(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)

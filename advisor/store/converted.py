"""Models turned into another runtime's files, kept in this user's cache so that nobody waits for the same one twice.

A folder for each key, which stands for everything its files follow from. The one idea: a folder appears whole or not
at all. It is made beside its place and renamed into it, so that whoever is killed on the way leaves nothing that
another would take for a model; and what was not used for longest makes room for what is.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from advisor.core.hardware import GIB
from advisor.store.paths import cache_dir

KEPT_BYTES = 20 * GIB
"""All folders together; the newest one stays however large it is."""
_UNDONE = ".undone-"
_ABANDONED_S = 24 * 3600.0
"""A folder that is still unfinished after so long was left by a process that was killed."""


def key_of(facts: Mapping[str, object]) -> str:
    """The key of what follows from these facts, which JSON can hold."""
    return sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def converted(key: str, make: Callable[[Path], None], *, folder: Path | None = None) -> Path:
    """The folder of a key; `make` fills an empty one where there is none. What it raises is passed on.

    Where the cache cannot be written the folder is made in the working directory, which its owner removes.
    """
    home = folder or cache_dir() / "converted"
    place = home / key
    if place.is_dir():
        with suppress(OSError):
            os.utime(place)
        return place
    try:
        home.mkdir(parents=True, exist_ok=True)
        undone = Path(tempfile.mkdtemp(prefix=_UNDONE, dir=home))
    except OSError:
        elsewhere = Path(tempfile.mkdtemp(prefix="converted-", dir="."))
        make(elsewhere)
        return elsewhere
    try:
        make(undone)
        with suppress(OSError):  # another process was quicker: its files are the same
            undone.rename(place)
    finally:
        shutil.rmtree(undone, ignore_errors=True)
    _make_room(home, keep=place)
    return place


def _make_room(home: Path, *, keep: Path) -> None:
    """Remove what was abandoned, and the folders that were not used for longest until the rest is small enough."""
    with suppress(OSError):
        for one in home.glob(f"{_UNDONE}*"):
            if time.time() - one.stat().st_mtime > _ABANDONED_S:
                shutil.rmtree(one, ignore_errors=True)
        folders = [one for one in home.iterdir() if one.is_dir() and not one.name.startswith(_UNDONE)]
        total = {one: sum(file.stat().st_size for file in one.iterdir()) for one in folders}
        for oldest in sorted(folders, key=lambda one: one.stat().st_mtime):
            if sum(total.values()) <= KEPT_BYTES:
                return
            if oldest != keep:
                shutil.rmtree(oldest, ignore_errors=True)
                del total[oldest]

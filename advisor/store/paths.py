"""Where things lie: the data shipped with the package, and this user's cache and data folders.

The one place that knows the difference between a wheel (data inside the package) and a checkout (data beside it).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
NO_HOME = Path("/nonexistent")
"""The home of those who have none, as systems write it."""


def shipped(name: str) -> Path:
    """The folder of shipped data `name` (rules, models): the wheel's, else the checkout's."""
    inside = PACKAGE / "_data" / name
    return inside if inside.is_dir() else PACKAGE.parent / name


def shipped_file(name: str) -> Path:
    """The shipped file `name`: the wheel's, else the checkout's."""
    inside = PACKAGE / "_data" / name
    return inside if inside.is_file() else PACKAGE.parent / name


def home() -> Path | None:
    """This user's home; None where the system knows none, or says that it is the root of all folders."""
    try:
        found = Path.home()
    except RuntimeError:
        return None
    return None if found == Path(found.anchor) else found


def cache_dir() -> Path:
    """This user's cache folder. It may not exist and may not be writable; nothing of value lies in it."""
    from platformdirs import user_cache_path  # imported late: half of the commands never need it

    return _of_the_user(user_cache_path)


def data_dir() -> Path:
    """This user's data folder, for what was measured. It may not exist yet."""
    from platformdirs import user_data_path

    return _of_the_user(user_data_path)


def _of_the_user(place: Callable[..., Path]) -> Path:
    """The folder; where nobody has a home, one that is not there: no folder called `~` is made anywhere."""
    try:
        found = place("archadvisor", appauthor=False)
    except RuntimeError:  # newer releases of platformdirs say so, older ones leave the `~`
        return NO_HOME / "archadvisor"
    return NO_HOME / "archadvisor" if found.parts[:1] == ("~",) else found

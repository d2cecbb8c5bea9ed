"""Whether a process that wrote something down still lives: its number alone may have gone to another."""

from __future__ import annotations

SAME_SECONDS = 5.0
"""How far the beginning of a process may seem to move: it is counted from the boot by a clock that people set."""


def process_began(pid: int) -> float | None:
    """When the process began, in seconds of the wall clock; None where there is none, or none we may ask about."""
    import psutil  # only those that measure or look at runs need it

    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def still_lives(pid: int, began: float | None) -> bool:
    """Whether the process that had this number, and began then, is there now."""
    found = process_began(pid)
    return found is not None and (began is None or abs(found - began) <= SAME_SECONDS)

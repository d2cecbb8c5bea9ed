"""What else the machine did while a cell was timed, as flags. Pure: counters before, counters after, verdict.

A cell is timed in several visits; what its counters grew by is added up, because a short visit alone says nothing.
"""

from __future__ import annotations

from advisor.core.sizing.measurement import Flag
from advisor.core.values import Value
from advisor.store.machine import Load

THROTTLED_SHARE = 0.01
STOLEN_SHARE = 0.02
OTHERS_SHARE = 0.10
"""Part of the usable cores' time that others may use before it is said."""
SHORTEST_S = 0.2
"""The kernel counts in hundredths of a second: over less than this its counters say nothing."""


class Meanwhile(Value):
    """What the machine's counters grew by while a cell was timed, and how much of it was our own work."""

    elapsed_s: float = 0.0
    own_cpu_s: float = 0.0
    busy_s: float = 0.0
    stolen_s: float = 0.0
    throttled_s: float = 0.0
    swapped_pages: float = 0.0

    def plus(self, other: Meanwhile) -> Meanwhile:
        """Both together."""
        return Meanwhile(**{name: getattr(self, name) + getattr(other, name) for name in Meanwhile.model_fields})


def meanwhile(before: Load, after: Load, *, own_cpu_s: float, elapsed_s: float) -> Meanwhile:
    """What lies between two readings of the counters. What the kernel does not count has not grown."""
    names = ("busy_s", "stolen_s", "throttled_s", "swapped_pages")
    grown = {name: _grown(getattr(before, name), getattr(after, name)) for name in names}
    return Meanwhile(elapsed_s=elapsed_s, own_cpu_s=own_cpu_s, **grown)


def disturbances(seen: Meanwhile, *, cores: int) -> tuple[Flag, ...]:
    """Flags for throttling, stolen time, other load and swapping."""
    flags: list[Flag] = []
    if seen.elapsed_s >= SHORTEST_S:
        if seen.throttled_s > THROTTLED_SHARE * seen.elapsed_s:
            flags.append("throttled")
        if seen.stolen_s > STOLEN_SHARE * seen.elapsed_s * cores:
            flags.append("stolen")
        if seen.busy_s - seen.own_cpu_s > OTHERS_SHARE * seen.elapsed_s * cores:
            flags.append("other-load")
    if seen.swapped_pages > 0:
        flags.append("swapping")
    return tuple(flags)


def _grown(before: float | None, after: float | None) -> float:
    """How much a counter grew; 0 where the kernel keeps none."""
    return 0.0 if before is None or after is None else after - before

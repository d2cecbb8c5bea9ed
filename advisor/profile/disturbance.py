"""What else the machine did while a cell was timed, as flags. Pure: counters before, counters after, verdict."""

from __future__ import annotations

from advisor.core.sizing.measurement import Flag
from advisor.store.machine import Load

THROTTLED_SHARE = 0.01
STOLEN_SHARE = 0.02
OTHERS_SHARE = 0.10
"""Part of the usable cores' time that others may use before it is said."""
SHORTEST_S = 0.2
"""The kernel counts in hundredths of a second: over less than this its counters say nothing."""


def disturbances(before: Load, after: Load, *, own_cpu_s: float, elapsed_s: float, cores: int) -> tuple[Flag, ...]:
    """Flags for throttling, stolen time, other load and swapping between two readings of the counters."""
    flags: list[Flag] = []
    swapped = _grown(before.swapped_pages, after.swapped_pages)
    if elapsed_s >= SHORTEST_S:
        if _grown(before.throttled_s, after.throttled_s) > THROTTLED_SHARE * elapsed_s:
            flags.append("throttled")
        if _grown(before.stolen_s, after.stolen_s) > STOLEN_SHARE * elapsed_s * cores:
            flags.append("stolen")
        if _grown(before.busy_s, after.busy_s) - own_cpu_s > OTHERS_SHARE * elapsed_s * cores:
            flags.append("other-load")
    if swapped > 0:
        flags.append("swapping")
    return tuple(flags)


def _grown(before: float | None, after: float | None) -> float:
    """How much a counter grew; 0 where the kernel keeps none."""
    return 0.0 if before is None or after is None else after - before

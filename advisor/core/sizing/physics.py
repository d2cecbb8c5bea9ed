"""A cell held against the machine: which share of its peaks a run used, and the time no run can fall below.

Pure: a measured cell and measured peaks in, the cell with its shares out. MFU is the arithmetic of a run per second as
a share of the device's peak in that dtype, MBU its least traffic as a share of the device's read rate. The one idea: a
share above one cannot be, so it convicts the figure (or the peak, which is why that is measured once more before a cell
is refused). What fits into a cache need not come from memory, so nothing is said of its traffic.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from advisor.core.hardware import Peaks
from advisor.core.sizing.measurement import Cell, Flag

TIMES_THE_CACHE = 4
"""Only from so many times the last cache on is a run's traffic taken to come from memory."""
TOLERATED = 1.05
"""How far a share may be above one: the peak itself was measured on a machine that others use too."""


class Floor(NamedTuple):
    """The shortest time the peaks allow for one run, and which of them says so."""

    seconds: float
    bound_by: Literal["arithmetic", "memory"]


def with_shares(cell: Cell, peaks: Peaks | None) -> Cell:
    """The cell with mfu, mbu, its roofline and `fits-in-cache`, as far as the peaks are known."""
    if peaks is None or cell.device != peaks.device:
        return cell
    floor, in_cache = roofline(cell, peaks), fits_in_cache(cell, peaks)
    flags: list[Flag] = [flag for flag in cell.flags if flag != "fits-in-cache"]
    if cell.median_s is not None and in_cache:
        flags.append("fits-in-cache")
    found = {
        "mfu": _share(_of_all(cell, cell.flops), cell.median_s, peaks.arithmetic(cell.runtime, cell.dtype)),
        "mbu": _share(_of_all(cell, cell.bytes_moved), cell.median_s, peaks.bytes_per_s) if in_cache is False else None,
        "roofline_s": floor.seconds if floor else None,
        "roofline_bound": floor.bound_by if floor else None,
        "flags": tuple(flags),
    }
    return cell.model_copy(update=found)


def refused_above_peak(cell: Cell) -> Cell:
    """The cell, refused where it claims more than the machine can do."""
    if not above_peak(cell):
        return cell
    share, of = max((share, of) for share, of in ((cell.mfu or 0.0, "arithmetic"), (cell.mbu or 0.0, "memory rate")))
    note = (
        f"By its operations it used {share * 100:.3g} % of the {of} that this device was measured to have, also when "
        "that was measured again: something was not computed, so its time is not used."
    )
    return cell.model_copy(update={"flags": (*cell.flags, "above-peak"), "note": note})


def above_peak(cell: Cell) -> bool:
    """Whether a share of the cell is above what can be."""
    return max(cell.mfu or 0.0, cell.mbu or 0.0) > TOLERATED


def roofline(cell: Cell, peaks: Peaks) -> Floor | None:
    """The longer of arithmetic at its peak and traffic at its peak; None where neither can be said.

    Traffic that may come from a cache sets no floor.
    """
    floors: list[Floor] = []
    flops_per_s = peaks.arithmetic(cell.runtime, cell.dtype)
    if cell.flops and flops_per_s:
        floors.append(Floor(cell.workers * cell.flops / flops_per_s, "arithmetic"))
    if cell.bytes_moved and peaks.bytes_per_s and fits_in_cache(cell, peaks) is False:
        floors.append(Floor(cell.workers * cell.bytes_moved / peaks.bytes_per_s, "memory"))
    return max(floors, default=None)


def fits_in_cache(cell: Cell, peaks: Peaks) -> bool | None:
    """Whether what a run touches may stay in the last cache; None where either size is unknown."""
    if cell.bytes_moved is None or peaks.last_level_cache_bytes is None:
        return None
    return cell.workers * cell.bytes_moved <= TIMES_THE_CACHE * peaks.last_level_cache_bytes


def _of_all(cell: Cell, work: int | None) -> int | None:
    """What all workers do in the time of one run."""
    return None if work is None else cell.workers * work


def _share(work: int | None, seconds: float | None, peak_per_s: float | None) -> float | None:
    return work / seconds / peak_per_s if work and seconds and peak_per_s else None

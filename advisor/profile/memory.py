"""Peak memory of this process while it does one thing: reset the kernel's high-water mark, do it, read the mark.

Only the Linux kernel keeps a mark that can be reset; elsewhere the peak of the whole process so far is all there is.
The one idea: a forked worker must report what a fresh process would. It shares the library pages its parent mapped
without having them in its own count, so they are added back: the pages either of the two has, each counted once.
"""

from __future__ import annotations

import ctypes
import gc
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")
MAPS = Path("/proc/self/maps")
PRESENT, FILE = np.uint64(1 << 63), np.uint64(1 << 61)
"""Bits of an entry of the kernel's page map."""
RESET_PEAK = "5"


@dataclass(frozen=True, slots=True)
class Peak:
    """Bytes at the peak; `since_reset` is False where it is the peak of the whole process."""

    bytes: int
    since_reset: bool


def library_bytes() -> int | None:
    """Bytes of files (mostly libraries) resident in this process, or None where the kernel keeps no count."""
    return _status().get("RssFile")


def reset_peak() -> bool:
    """Give back what earlier work left in the allocator and start a new mark. False where that is impossible."""
    gc.collect()
    _trim()
    try:
        CLEAR.write_text(RESET_PEAK)
    except OSError:
        return False
    return True


def peak(*, reset: bool, parent_pid: int | None, parent_library_bytes: int | None) -> Peak:
    """The peak since `reset_peak` (whose answer is `reset`), as a process on its own would have had it.

    A worker forked from `parent_pid` reports VmHWM - RssFile + the file pages that it or its parent has; where the
    kernel does not list pages, the larger of the two counts stands for them, which is a few per cent low.
    """
    status = _status()
    if not reset or "VmHWM" not in status:
        unit = 1 if sys.platform == "darwin" else 1024
        return Peak(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, since_reset=False)
    files = status.get("RssFile", 0)
    both = None if parent_pid is None else _file_bytes_of_either(parent_pid)
    return Peak(status["VmHWM"] - files + max(both or 0, parent_library_bytes or 0, files), since_reset=True)


def _status() -> dict[str, int]:
    """The fields of /proc/self/status that are sizes, in bytes."""
    try:
        lines = STATUS.read_text().splitlines()
    except OSError:
        return {}
    fields = (line.split() for line in lines)
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in fields if len(words) == 3 and words[2] == "kB"}


def _file_bytes_of_either(parent_pid: int) -> int | None:
    """Bytes of file pages that this process or the one it was forked from has resident, or None where it is not told.

    A fork keeps addresses, so page by page the two maps can be laid over each other.
    """
    page = resource.getpagesize()
    total = 0
    try:
        with open("/proc/self/pagemap", "rb") as own, open(f"/proc/{parent_pid}/pagemap", "rb") as parents:
            for start, end in _file_ranges():
                mine, theirs = (_pages(pagemap, start // page, end // page) for pagemap in (own, parents))
                copied = (mine & PRESENT != 0) & (mine & FILE == 0)  # written since the fork: counted as its own
                total += int(np.count_nonzero((_is_file(mine) | _is_file(theirs)) & ~copied))
    except (OSError, ValueError):
        return None
    return total * page


def _file_ranges() -> list[tuple[int, int]]:
    """Address ranges of this process that a file stands behind."""
    ranges = []
    for line in MAPS.read_text().splitlines():
        addresses, _, _, _, inode, *_ = line.split(maxsplit=5)
        if inode != "0":
            start, _, end = addresses.partition("-")
            ranges.append((int(start, 16), int(end, 16)))
    return ranges


def _pages(pagemap: BinaryIO, first: int, last: int) -> npt.NDArray[np.uint64]:
    pagemap.seek(first * 8)
    words = np.frombuffer(pagemap.read((last - first) * 8), dtype=np.uint64)
    if len(words) != last - first:
        raise ValueError("the kernel lists fewer pages than are mapped")
    return words


def _is_file(pages: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    return (pages & PRESENT != 0) & (pages & FILE != 0)


def _trim() -> None:
    """Hand free pages of the C heap back to the kernel: they would count for a cell that never used them."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)

"""Peak memory of this process while it does one thing: reset the kernel's high-water mark, do it, read the mark.

Only the Linux kernel keeps a mark that can be reset; elsewhere the peak of the whole process so far is all there is.
The one idea: a forked worker must report what a fresh process would. It shares the library pages its parent mapped
without having them in its own count, so they are added back.
"""

from __future__ import annotations

import ctypes
import gc
import resource
import sys
from dataclasses import dataclass
from pathlib import Path

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")
RESET_PEAK = "5"


@dataclass(frozen=True, slots=True)
class Peak:
    """Bytes at the peak; `since_reset` is False where it is the peak of the whole process."""

    bytes: int
    since_reset: bool


def file_backed_bytes() -> int | None:
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


def peak(*, reset: bool, parent_file_backed_bytes: int | None) -> Peak:
    """The peak since `reset_peak` (whose answer is `reset`), as a process on its own would have had it.

    VmHWM - RssFile + max(RssFile of the parent, RssFile): the pages of files counted once, whoever mapped them.
    """
    status = _status()
    if not reset or "VmHWM" not in status:
        unit = 1 if sys.platform == "darwin" else 1024
        return Peak(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, since_reset=False)
    files = status.get("RssFile", 0)
    return Peak(status["VmHWM"] - files + max(parent_file_backed_bytes or 0, files), since_reset=True)


def _status() -> dict[str, int]:
    """The fields of /proc/self/status that are sizes, in bytes."""
    try:
        lines = STATUS.read_text().splitlines()
    except OSError:
        return {}
    fields = (line.split() for line in lines)
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in fields if len(words) == 3 and words[2] == "kB"}


def _trim() -> None:
    """Hand free pages of the C heap back to the kernel: they would count for a cell that never used them."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)

"""The first thing that the child does, and every process it starts: tie its life to whoever started it."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1
OOM_SCORE = 800
"""How readily the kernel picks this process when memory runs out: before the child, the parent and the user's own."""


def die_with_parent() -> None:
    """Have the kernel end this process when its parent ends, where it can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def settle(parent_pid: int) -> None:
    """The first thing a worker does: die with its parent, and be the one the kernel kills when memory runs out."""
    die_with_parent()
    if os.getppid() != parent_pid:  # it died before the line above: nobody will be told
        os._exit(1)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE))
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash must not write gigabytes of weights

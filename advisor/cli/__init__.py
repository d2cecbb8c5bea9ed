"""The command line: parse, call, render. `main` is the command `advisor`.

Nothing heavy is imported until a command needs it: `recommend` answers in a fraction of a second.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (contract: exit codes).

    Called without arguments it is the whole process, and may set the process up for being short.
    """
    # Looking for plug-ins of pydantic, of which we use none, reads the metadata of every package installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        from advisor.cli.dispatch import run
    except KeyboardInterrupt:  # Ctrl-C before there is anything to interrupt
        return 130
    if argv is not None:
        return run(list(argv))
    # Starting makes many objects that all stay: looking through them for waste again and again finds none.
    gc.set_threshold(100_000)
    code = run(sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is said: a late Ctrl-C must not take the exit code with it
    gc.freeze()  # and at exit they need not be looked through either
    return code


__all__ = ["main"]

"""Standard streams as something that can fail: closed, a reader that left, a full disk."""

from __future__ import annotations

import os
import sys

from advisor.core.errors import AdvisorError


def at_a_terminal() -> bool:
    """Whether a person sits at both ends: stdin and stdout are terminals (either may be closed altogether)."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def put(words: str) -> None:
    """Write to stdout. Raises BrokenPipeError where the reader left, AdvisorError where the disk refuses."""
    if sys.stdout is None:  # closed by the caller before we began (`>&-`)
        raise AdvisorError("stdout is closed, so there is nowhere to print")
    try:
        sys.stdout.write(words)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        give_up_stdout()
        raise AdvisorError(f"stdout cannot be written: {error.strerror or error}") from None


def flush() -> None:
    """Write out what is still held back."""
    put("")


def give_up_stdout() -> None:
    """Send what is left of stdout nowhere: Python would try once more at exit, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

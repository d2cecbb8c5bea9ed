"""Standard streams as something that can fail: closed, a reader that left, a full disk."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType

from advisor.core.errors import AdvisorError


def at_a_terminal() -> bool:
    """Whether a person sits at both ends: stdin and stdout are terminals (either may be closed altogether)."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


@contextlib.contextmanager
def drawn_on_stdout() -> Iterator[None]:
    """Textual draws on stderr. Where that is no terminal (`2>file`), its descriptor is stdout's as long as this lasts.

    Raises AdvisorError where stderr is closed altogether.
    """
    if sys.stderr is None:
        raise AdvisorError("stderr is closed, and the questionnaire needs it to draw", fix="leave 2>&- out")
    if sys.stderr.isatty():
        yield
        return
    sys.stderr.flush()
    kept = os.dup(sys.stderr.fileno())
    os.dup2(sys.stdout.fileno(), sys.stderr.fileno())
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, sys.stderr.fileno())
        os.close(kept)


def put(words: str) -> None:
    """Write to stdout. Raises BrokenPipeError where the reader left, AdvisorError where the disk refuses."""
    if sys.stdout is None:  # closed by the caller before we began (`>&-`)
        raise AdvisorError("stdout is closed, so there is nowhere to print")
    try:
        with _interrupted_later():
            _write(words)
    except BrokenPipeError:
        raise
    except OSError as error:
        give_up_stdout()
        raise AdvisorError(f"stdout cannot be written: {error.strerror or error}") from None


def _write(words: str) -> None:
    """All of the words. Unbuffered (PYTHONUNBUFFERED), Python drops what an interrupted write did not take."""
    sys.stdout.flush()
    left = memoryview(words.encode(sys.stdout.encoding, sys.stdout.errors or "strict"))
    while left:
        taken = sys.stdout.buffer.write(left)
        if taken is None:
            raise BlockingIOError(errno.EAGAIN, "its reader does not keep up, and it does not wait")
        left = left[taken:]
    sys.stdout.flush()


@contextlib.contextmanager
def _interrupted_later() -> Iterator[None]:
    """A Ctrl-C waits until all is written: half a document is worse than none. A second one does not wait."""
    came: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        came.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:  # somebody else decides, or nobody may
        yield
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if came:
        raise KeyboardInterrupt


def flush() -> None:
    """Write out what is still held back."""
    put("")


def give_up_stdout() -> None:
    """Send what is left of stdout nowhere: Python would try once more at exit, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

"""One line at a time from a person or a pipe. Prompts and remarks go to stderr, so that stdout stays data.

In a terminal the line can be edited and the tab key completes words, where Python has `readline`. Nothing here moves
the cursor or paints: what is written suits a screen reader and a terminal that knows no more than letters.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence

from advisor.cli.complaints import safe

MAX_TYPED = 1000
"""Longer than any answer: a cut can never make a wrong one right."""


def say(words: str = "") -> None:
    """One line to the person. Where nobody reads stderr, nobody misses it."""
    _write(f"{safe(words)}\n")


def ask(prompt: str, words: Sequence[str] = ()) -> str | None:
    """The line answered to `prompt`, stripped; None at the end of the input. `words` are what the tab key completes."""
    if sys.stdin is None:  # closed by the caller before we began (`<&-`)
        return None
    if sys.stdin.isatty() and None not in (sys.stdout, sys.stderr):
        return _edited(safe(prompt), words)
    _write(safe(prompt))
    line = _read_line()
    # What comes out of a pipe is on no screen: without it the questions would stand there unanswered.
    say(line or "")
    return line


def _read_line() -> str | None:
    """The next line of stdin; of a very long one only the start, so that none fills the memory."""
    line = start = sys.stdin.readline(MAX_TYPED)
    while line and not line.endswith("\n"):
        line = sys.stdin.readline(MAX_TYPED)
    return start.strip() if start else None


def _edited(prompt: str, words: Sequence[str]) -> str | None:
    _complete(words)
    with _stdout_is_stderr():
        try:
            return input(prompt).strip()[:MAX_TYPED]
        except EOFError:
            _write("\n")
            return None
        except KeyboardInterrupt:
            _write("\n")
            raise


@contextlib.contextmanager
def _stdout_is_stderr() -> Iterator[None]:
    """Python edits lines on stdout only, which is for data: while a line is edited, stdout is the other stream."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def _complete(words: Sequence[str]) -> None:
    """Let the tab key complete `words`. Without `readline` there is no tab key and no editing, and nothing else."""
    try:
        import readline
    except ImportError:
        return

    def found(start: str, number: int) -> str | None:
        matching = [word for word in words if word.startswith(start)]
        return matching[number] if number < len(matching) else None

    readline.set_completer(found)
    readline.set_completer_delims(" ")  # a task's name has hyphens in it
    if "libedit" in (readline.__doc__ or ""):  # what macOS has in its place is told in other words
        readline.parse_and_bind("bind ^I rl_complete")
        return
    readline.parse_and_bind("set enable-bracketed-paste off")  # it writes codes that a plain terminal would show
    readline.parse_and_bind("tab: complete")


def _write(text: str) -> None:
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()

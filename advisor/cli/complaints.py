"""Problems as words or as JSON, on stderr: stdout is for data."""

from __future__ import annotations

import contextlib
import sys
import traceback
from pathlib import Path

from advisor.core.characters import escaped, visible
from advisor.core.errors import AdvisorError, Problem
from advisor.core.problems import error_document
from advisor.report.caret import caret


def complain(error: AdvisorError, *, as_json: bool) -> int:
    """Say what is wrong and return the exit code."""
    if as_json:
        words = escaped(error_document(error).model_dump_json())
    else:
        words = "\n".join(problem_words(problem) for problem in error.problems)
    # Where nobody reads stderr, or it was closed before we began (`2>&-`), the exit code still speaks.
    with contextlib.suppress(OSError):
        if sys.stderr is not None:
            sys.stderr.write(words + "\n")
            sys.stderr.flush()
    return error.exit_code


def problem_words(problem: Problem) -> str:
    """`file:line:column: error: message`, the line with a caret under it, and what to do."""
    place = ":".join(str(part) for part in (problem.file, problem.line, problem.column) if part is not None)
    message = _one_line(problem.message)
    lines = [f"{_one_line(place)}: error: {message}" if place else f"advisor: {message}"]
    if problem.line is not None and problem.column is not None and problem.source_line is not None:
        lines += caret(problem.source_line, problem.line, problem.column, problem.width)
    if problem.fix:
        lines.append(f"      → {_one_line(problem.fix)}")
    return "\n".join(safe(line) for line in lines)


def safe(text: str) -> str:
    """The text without characters that would steer a terminal."""
    return visible(text)


def keep_traceback(error: Exception) -> Path | None:
    """Write the traceback to a file in the cache folder and name it; None where that cannot be done."""
    from advisor.store.output import write_text
    from advisor.store.paths import cache_dir

    path = cache_dir() / "internal-error.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, "".join(traceback.format_exception(error)))
    except (OSError, AdvisorError):
        return None
    return path


def _one_line(text: str) -> str:
    """A name with a line break in it must not look like a line of ours."""
    return text.replace("\n", " ")

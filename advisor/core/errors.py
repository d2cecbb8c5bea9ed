"""What can be wrong with what a caller gave us, as values.

A `Problem` is one mistake with its place and its mend; an `AdvisorError` carries all problems of one run and the exit
code they lead to. Nothing else in the project ends a run: the faces turn this one exception into words or JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

EXIT_DONE = 0
EXIT_FINDING = 1
EXIT_CALLER = 2
EXIT_NOTHING = 3
EXIT_UNDECIDED = 4
EXIT_INTERNAL = 5
EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it stands (1-based line and column, if it stands in a file), what it is, and what to do.

    `width` is how many columns the caret underlines; `source_line` is the text it underlines.
    """

    file: str | None
    line: int | None
    column: int | None
    message: str
    fix: str | None = None
    width: int = 1
    source_line: str | None = None


class AdvisorError(Exception):
    """A run that cannot go on, with every problem found so far and the exit code of the contract."""

    def __init__(self, problems: Sequence[Problem] | str, *, exit_code: int = EXIT_CALLER, fix: str | None = None):
        found = (Problem(None, None, None, problems, fix),) if isinstance(problems, str) else tuple(problems)
        super().__init__("; ".join(problem.message for problem in found))
        self.problems = found
        self.exit_code = exit_code


def did_you_mean(word: str, allowed: Iterable[str]) -> str | None:
    """The nearest allowed word, or None where nothing is near."""
    from difflib import get_close_matches  # only a mistake needs it

    spelled = {one.lower(): one for one in allowed}
    near = get_close_matches(word.lower(), spelled, n=1, cutoff=0.6)
    return spelled[near[0]] if near else None


def allowed_words(word: object, allowed: Iterable[str]) -> str:
    """`allowed: a, b, c — did you mean "b"?`, the second half only where a word is near."""
    names = list(allowed)
    near = did_you_mean(word, names) if isinstance(word, str) else None
    hint = f' — did you mean "{near}"?' if near else ""
    return f"allowed: {', '.join(names)}{hint}"

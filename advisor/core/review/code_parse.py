"""Python text to its syntax tree, and in words why that cannot be done.

A file that a later Python would read is told apart from one that no Python reads, as far as the line in question shows.
"""

from __future__ import annotations

import ast
import re
import sys
import warnings

_BREAKS = re.compile(r"\r\n|\r|\n")
_TOO_DEEP = "it is nested too deeply"

_LATER: tuple[tuple[tuple[int, int], re.Pattern[str], str], ...] = (
    ((3, 12), re.compile(r"\s*type\s+\w+\s*(\[[^=]*\])?\s*="), "a type statement"),
    ((3, 13), re.compile(r"\s*((async\s+)?def|class)\s+\w+\s*\[[^\]]*=.*\]\s*[(:]"), "a default of a type parameter"),
    ((3, 12), re.compile(r"\s*((async\s+)?def|class)\s+\w+\s*\[.+\]\s*[(:]"), "type parameters"),
    ((3, 14), re.compile(r"\s*except\s+[\w.]+(\s*,\s*[A-Z][\w.]*)+\s*:"), "exceptions without parentheses"),
    ((3, 14), re.compile(r"""(^|.*[^\w"'])(t|tr|rt)("|')""", re.I), "a template string"),
)
"""What Python learned when, by the look of the line it stands in."""
_NESTED_STRING = re.compile(r"f-string")
_CORRECT = "Correct the file, or leave it out of the patterns."
_EXPORT = "Export the notebook as a script (jupyter nbconvert --to script), or leave it out of the patterns."
_BY_HAND = re.compile(r"\s*(!|%%?)\w")


class Unparsable(Exception):
    """A file that is no Python that can be read here, and what to do.

    `line` is the first that is in the way, if that is known.
    """

    def __init__(self, why: str, line: int | None = None, fix: str = _CORRECT) -> None:
        super().__init__(why)
        self.line, self.fix = line, fix


def lines_of(text: str) -> list[str]:
    """The lines of a text as Python counts them."""
    return _BREAKS.split(text)


def parsed(text: str) -> ast.Module:
    """The syntax tree. Raises Unparsable."""
    if "\0" in text:
        line = len(lines_of(text[: text.index("\0")]))
        raise Unparsable(f"it does not parse as Python; line {line}: a null byte", line)
    try:
        with warnings.catch_warnings():  # a stranger's doubtful escapes are not our user's concern
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        raise _unparsable(error, text) from None
    except (RecursionError, MemoryError):  # Python's parser says so of brackets in brackets
        raise Unparsable(_TOO_DEEP) from None
    except ValueError as error:
        raise Unparsable(f"it does not parse as Python; {str(error) or 'the parser gives no reason'}") from None


def too_deep() -> Unparsable:
    """For a tree that parses and cannot be walked."""
    return Unparsable(_TOO_DEEP)


def _unparsable(error: SyntaxError, text: str) -> Unparsable:
    line, what = error.lineno or None, error.msg or "invalid syntax"
    lines = lines_of(text)
    written = lines[line - 1] if line is not None and line <= len(lines) else ""
    where = f"line {line}: " if line is not None else ""
    if what.startswith("too many nested"):
        return Unparsable(_TOO_DEEP, line)
    if _BY_HAND.match(written):
        return Unparsable(f"it does not parse as Python; {where}a command of a notebook", line, _EXPORT)
    if (later := _needs_later(written, what)) is not None:
        words = f"{later}, and this review runs on Python {_version(sys.version_info[:2])} ({where}{what})"
        return Unparsable(words, line, "Run the review with the Python that the code is written for.")
    return Unparsable(f"it does not parse as Python; {where}{what}", line)


def _needs_later(written: str, what: str) -> str | None:
    """Which later Python reads a line, where it shows that one does."""
    here = sys.version_info[:2]
    for since, look, words in _LATER:
        if here < since and look.match(written):
            return f"it needs Python {_version(since)} or later for {words}"
    if here < (3, 12) and _NESTED_STRING.match(what):
        return "it needs Python 3.12 or later if its f-string is right"
    return None


def _version(numbers: tuple[int, ...]) -> str:
    return ".".join(str(one) for one in numbers)

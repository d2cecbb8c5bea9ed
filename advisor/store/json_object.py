"""A JSON file that holds one object, read strictly, whose keys know their place.

For files that other programs wrote and a person may have to mend: `config.json` of a model, the index of its weights.
Refused are syntax that is not JSON (NaN too), duplicate keys at any depth, bytes that are not UTF-8 and files beyond a
limit. The one idea: Python's reader checks everything, and a second walk over the outermost keys finds their places.
"""

from __future__ import annotations

import json
import math
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]  # the reader's own way over a text
from pathlib import Path
from typing import Any, NoReturn

from advisor.core.errors import AdvisorError, Problem

MAX_BYTES = 4 << 20
"""A config that lists a label for every word of a vocabulary stays below this."""
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
BYTE_ORDER_MARK = "\ufeff"
_SPACE = " \t\n\r"


@dataclass(frozen=True)
class JsonObject:
    """What the file says, and at which character each outermost key stands. `file` is the path as people are shown."""

    file: str
    value: dict[str, Any]
    text: str = field(repr=False)
    keys: Mapping[str, int] = field(repr=False)

    def problem(self, key: str | None, message: str, fix: str | None = None) -> Problem:
        """A problem at a key, or at the beginning of the file where it has no such key."""
        start = self.keys.get(key, 0) if key is not None else 0
        width = len(json.dumps(key, ensure_ascii=False)) if key in self.keys else 1
        return _problem(self.file, self.text, start, message, fix, width)


def read_object(path: Path, *, shown: str | None = None, max_bytes: int = MAX_BYTES) -> JsonObject:
    """Read a file. Raises AdvisorError with its place where it holds no such object."""
    file = shown or str(path)
    try:
        kind = path.stat().st_mode
        if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):  # a pipe would keep its reader waiting for ever
            raise AdvisorError([Problem(file, None, None, "this is no plain file", "put the file itself there")])
        with path.open("rb") as stream:
            data = stream.read(max_bytes + 1)
    except OSError as error:
        words = "no such file" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror or error}"
        raise AdvisorError([Problem(file, None, None, words, "check the path and its permissions")]) from None
    if len(data) > max_bytes:
        words = f"the file is larger than {max_bytes >> 20} MiB"
        raise AdvisorError([Problem(file, None, None, words, "this is no such file as was looked for")])
    if data.startswith(LFS_POINTER):
        raise AdvisorError([lfs_problem(file)])
    return parse_object(data, file=file)


def lfs_problem(file: str) -> Problem:
    """What is wrong with a file that Git LFS has not fetched."""
    words = "this is the pointer that Git LFS leaves in place of a large file, not the file"
    return Problem(file, 1, 1, words, "fetch the file itself: git lfs pull")


def parse_object(data: bytes, *, file: str) -> JsonObject:
    """Read text. Raises AdvisorError with its place where it holds no such object."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        start = data[: error.start]
        place = start.count(b"\n") + 1, error.start - start.rfind(b"\n")
        words = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise AdvisorError([Problem(file, *place, words, "save the file as UTF-8, or fetch it again")]) from None
    if text.startswith(BYTE_ORDER_MARK):
        words = "the file begins with a byte order mark, which JSON does not have"
        raise AdvisorError([Problem(file, 1, 1, words, "save it as UTF-8 without one, or fetch it again")])
    reading = _Reading(file, text)
    value = reading.value()
    return JsonObject(file, value, text, reading.places())


class _Reading:
    """One text being read."""

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text

    def value(self) -> dict[str, Any]:
        try:
            value = json.loads(
                self.text, object_pairs_hook=self._object, parse_constant=self._constant, parse_float=self._float
            )
        except JSONDecodeError as error:
            ends = not self.text[error.pos :].strip() or error.msg.startswith("Unterminated string")
            words = "the file ends before the object does" if ends else f"not JSON here: {error.msg}"
            self._refuse(error.pos, words, "fetch the file again: it is damaged or was cut off")
        except RecursionError:
            self._refuse(0, "nested too deep", "this is no such file as was looked for")
        except ValueError:  # a whole number with more digits than Python reads
            self._refuse(0, "a number of more than 4,300 digits", "give numbers that something can have")
        if not isinstance(value, dict):
            self._refuse(0, "expected an object in braces", "this is no such file as was looked for")
        return value

    def places(self) -> dict[str, int]:
        """The character at which each outermost key begins. The text is known to be right by now."""
        decoder = json.JSONDecoder()
        places: dict[str, int] = {}
        at = self._skip(self._skip(0) + 1)
        while self.text[at] == '"':
            start = at
            key, at = scanstring(self.text, at + 1, True)
            places[key] = start
            at = self._skip(self._skip(at) + 1)
            _, at = decoder.raw_decode(self.text, at)
            at = self._skip(at)
            at = self._skip(at + 1) if self.text[at] == "," else at
        return places

    def _skip(self, at: int) -> int:
        while at < len(self.text) and self.text[at] in _SPACE:
            at += 1
        return at

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [key for key, _ in pairs]
            twice = next(key for key in names if names.count(key) > 1)
            second = self.text.find(json.dumps(twice), self.text.find(json.dumps(twice)) + 1)
            self._refuse(max(second, 0), f'the key "{twice[:60]}" stands twice', "keep one of them")
        return found

    def _float(self, word: str) -> float:
        number = float(word)
        return number if math.isfinite(number) else self._constant(word)

    def _constant(self, word: str) -> NoReturn:
        words = f"{word[:40]} is no number that JSON has"
        self._refuse(max(self.text.find(word), 0), words, "give a finite number, or null")

    def _refuse(self, at: int, message: str, fix: str) -> NoReturn:
        raise AdvisorError([_problem(self.file, self.text, at, message, fix)]) from None


def _problem(file: str, text: str, at: int, message: str, fix: str | None, width: int = 1) -> Problem:
    line_start = text.rfind("\n", 0, at) + 1
    line, column = text.count("\n", 0, at) + 1, at - line_start + 1
    source_line = text[line_start:].split("\n", 1)[0].rstrip("\r")
    shown = source_line if len(source_line) <= 400 and source_line.isprintable() else None
    return Problem(file, line, column, message, fix, width=width, source_line=shown)

"""A JSON document that a program wrote: read at once, and once more with places where something is wrong with it.

The strict reader keeps the place of every node, which takes ten times as long where a document holds every sample.
The one idea: what both readers would take for the same is taken from the quick one; whatever the strict one might
refuse is read by it alone, so that people get its words and its places.
"""

from __future__ import annotations

import json
import math
import re
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from advisor.core.characters import ACTING
from advisor.core.errors import Problem
from advisor.store.yaml import MAX_DEPTH, MAX_NUMBER_CHARACTERS, Parsed, Steps, bytes_of, parse_all

_DOUBTFUL = re.compile(rf"{ACTING.pattern}|[\ufeff\ufffe\uffff]")
"""What the strict reader refuses in a text, or would not even take for a character."""


class Written:
    """What a document says, and, once somebody asks, where it says it."""

    refused: tuple[Problem, ...] = ()

    def __init__(self, file: str, value: Any, data: bytes) -> None:
        self.file, self.value, self._data = file, value, data

    def refuses(self, path: Steps) -> bool:
        """Whether what stands at `path` was refused: nothing was."""
        return False

    def problem(self, path: Steps, message: str, fix: str | None = None, *, key: bool = False) -> Problem:
        """A problem standing at `path`."""
        return self._placed.problem(path, message, fix, key=key)

    @cached_property
    def _placed(self) -> Parsed:
        return parse_all(self._data, file=self.file, max_bytes=len(self._data))


def read_written(path: Path, *, max_bytes: int) -> Written | Parsed:
    """Read a file. Raises AdvisorError where it cannot be read at all."""
    data = bytes_of(path, max_bytes=max_bytes)
    try:
        return Written(str(path), _plainly_read(data, max_bytes), data)
    except (ValueError, RecursionError):
        return parse_all(data, file=str(path), max_bytes=max_bytes)


def _plainly_read(data: bytes, max_bytes: int) -> Any:
    """What a document says. ValueError where the strict reader might not say the same."""
    if len(data) > max_bytes:
        raise ValueError("too large")
    value = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_refused)
    if not _is_plain(value):
        raise ValueError("not plain")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refused(word: str) -> NoReturn:
    raise ValueError(word)


def _is_plain(value: Any, depth: int = 1) -> bool:
    """Whether the strict reader takes this for the same, however it is written."""
    if depth > MAX_DEPTH:
        return False
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, str):
        return not _DOUBTFUL.search(value)
    if isinstance(value, dict):
        return all(not _DOUBTFUL.search(key) and _is_plain(one, depth + 1) for key, one in value.items())
    if isinstance(value, list):
        return all(_is_plain(one, depth + 1) for one in value)
    return value is None or abs(value) < 10**MAX_NUMBER_CHARACTERS

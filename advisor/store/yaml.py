"""The one YAML reader: strict, and everything it reads knows its place in the file.

Every file a person writes comes through here: answers, rules, models. What YAML makes guessable is refused: duplicate
keys, anchors, aliases, tags, several documents, keys that are not text, NaN and infinity, bytes that are not UTF-8,
files larger than 1 MiB, nesting beyond 20 levels. Scalars are YAML 1.2's (`400e6` is a number; `yes`, `012` and
`1_000` are not what they seem). Built on libyaml's events, because composing would resolve aliases before anyone could
refuse them.
`schema` turns what was read into checked values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from advisor.core.characters import ACTING
from advisor.core.errors import AdvisorError, Problem
from advisor.store.json_object import LFS_POINTER, lfs_problem

MAX_BYTES = 1 << 20
MAX_DEPTH = 20
MAX_NUMBER_CHARACTERS = 300

Steps = tuple[str | int, ...]

_REFUSED: Any = object()
"""What stands for a value that was refused; it is left out of what holds it."""
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class Place(NamedTuple):
    """Where a node stands: 1-based line and column, and how many columns it takes on that line."""

    line: int
    column: int
    width: int


@dataclass(slots=True)
class _Node:
    """The places of one node and of what is in it, beside the plain value."""

    place: Place
    children: dict[str | int, _Node] = field(default_factory=dict)
    keys: dict[str, Place] = field(default_factory=dict)


@dataclass(frozen=True)
class Parsed:
    """What a file says as plain Python values, and where it says it."""

    file: str
    value: Any
    lines: tuple[str, ...]
    root: _Node = field(repr=False)
    refused: tuple[Problem, ...] = ()

    def place(self, path: Steps, *, key: bool = False) -> Place:
        """The place of the node at `path`, or of the nearest node above it; with `key`, of its key."""
        node = self.root
        place = node.place
        for step in path:
            child = node.children.get(step)
            if child is None:
                return node.keys.get(str(step), place) if key else place
            place = node.keys.get(str(step), child.place) if key else child.place
            node = child
        return place

    def refuses(self, path: Steps) -> bool:
        """Whether what stands at `path` was refused: it is wrong, and not missing."""
        node: _Node | None = self.root
        for step in path[:-1]:
            node = node.children.get(step) if node is not None else None
        return node is not None and str(path[-1]) in node.keys and path[-1] not in node.children

    def problem(self, path: Steps, message: str, fix: str | None = None, *, key: bool = False) -> Problem:
        """A problem standing at `path`."""
        return _problem(self.file, self.place(path, key=key), message, fix, self.lines)


def read(path: Path, *, max_bytes: int = MAX_BYTES) -> Parsed:
    """Read a file as `parse_all` reads text. Raises AdvisorError where it cannot be read at all."""
    return parse_all(bytes_of(path, max_bytes=max_bytes), file=str(path), max_bytes=max_bytes)


def bytes_of(path: Path, *, max_bytes: int) -> bytes:
    """What is in a file; of a file that is larger, one byte more than `max_bytes`. Raises AdvisorError."""
    try:
        with path.open("rb") as stream:
            data = stream.read(max_bytes + 1)
    except FileNotFoundError:
        raise AdvisorError([Problem(str(path), None, None, "no such file", "check the path")]) from None
    except IsADirectoryError:
        raise AdvisorError([Problem(str(path), None, None, "this is a folder, not a file", "name a file")]) from None
    except (OSError, ValueError) as error:  # ValueError: a name no system knows, with a NUL in it
        words = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise AdvisorError([Problem(str(path), None, None, words, "check the path and its permissions")]) from None
    if data.startswith(LFS_POINTER):
        raise AdvisorError([lfs_problem(str(path))])
    return data


def parse(text: str | bytes, *, file: str) -> Parsed:
    """Read one document from text. Raises AdvisorError with every problem, sorted by position."""
    parsed = parse_all(text, file=file)
    if parsed.refused:
        raise AdvisorError(parsed.refused)
    return parsed


def parse_all(text: str | bytes, *, file: str, max_bytes: int = MAX_BYTES) -> Parsed:
    """Read what can be read of one document; `refused` holds what could not, sorted by position.

    Raises AdvisorError only where nothing can be read: bytes that are not UTF-8, a file too large, broken syntax.
    """
    content = _decode(text, file, max_bytes)
    lines = tuple(content.split("\n"))
    builder = _Builder(file, lines)
    value, root = builder.document(content)
    refused = tuple(sorted(builder.problems, key=lambda problem: (problem.line or 0, problem.column or 0)))
    if builder.broken:
        raise AdvisorError(refused)
    return Parsed(file, value, lines, root, refused)


def _decode(text: str | bytes, file: str, max_bytes: int) -> str:
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    if len(data) > max_bytes:
        words = f"the file is larger than {max_bytes >> 20} MiB"
        raise AdvisorError([Problem(file, None, None, words, "give a smaller file")])
    try:
        content = data.decode("utf-8")
    except UnicodeDecodeError as error:
        start = data[: error.start]
        line, column = start.count(b"\n") + 1, error.start - start.rfind(b"\n")
        words = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise AdvisorError([Problem(file, line, column, words, "save the file as UTF-8")]) from None
    content = content.removeprefix("\ufeff").replace("\r\n", "\n")
    return _PAIR.sub(_joined, content) if file.lower().endswith(".json") else content


def _joined(pair: re.Match[str]) -> str:
    """A character beyond the first 65,536, which JSON may write as two escapes, as the one that YAML has for it."""
    high, low = int(pair[2], 16) - 0xD800, int(pair[3], 16) - 0xDC00
    return f"{pair[1]}\\U{0x10000 + (high << 10) + low:08x}"


def _problem(file: str, place: Place, message: str, fix: str | None, lines: tuple[str, ...]) -> Problem:
    line = lines[place.line - 1] if 0 < place.line <= len(lines) else None
    return Problem(file, place.line, place.column, message, fix, width=max(1, place.width), source_line=line)


class _Builder:
    """Turns libyaml's events into plain values with places, noting everything refused on the way."""

    def __init__(self, file: str, lines: tuple[str, ...]) -> None:
        self.file = file
        self.lines = lines
        self.problems: list[Problem] = []
        self.broken = False

    def document(self, content: str) -> tuple[Any, _Node]:
        nothing = None, _Node(Place(1, 1, 1))
        self.broken = True  # until the end is reached
        try:
            events = yaml.parse(content, Loader=_Loader)
            for event in events:
                if isinstance(event, yaml.DocumentStartEvent):
                    break
            else:
                self._refuse(Place(1, 1, 1), "the file is empty", "write at least one `key: value`")
                return nothing
            built = self._node(next(events), events, 1)
            next(events)
            if not isinstance(extra := next(events), yaml.StreamEndEvent):
                self._refuse(self._place(extra), "a second document starts here", "keep one document per file")
        except yaml.reader.ReaderError as error:
            place = self._place_of_index(content, error.position)
            self._refuse(place, "this character is not allowed in YAML", "remove it")
            return nothing
        except yaml.MarkedYAMLError as error:
            place = self._place_of_mark(error.problem_mark)
            self._refuse(place, self._syntax_words(error), self._syntax_fix(place))
            return nothing
        except yaml.YAMLError as error:
            self._refuse(Place(1, 1, 1), f"not YAML: {error}", None)
            return nothing
        except _TooDeepError as error:
            self._refuse(error.place, f"nested deeper than {MAX_DEPTH}", "flatten it")
            return nothing
        self.broken = False
        return built

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> tuple[Any, _Node]:
        place = self._place(event)
        if depth > MAX_DEPTH:
            raise _TooDeepError(place)
        if isinstance(event, yaml.AliasEvent):
            self._refuse(place, f"alias *{event.anchor} is not allowed", "write the value out")
            return _REFUSED, _Node(place)
        if (anchor := getattr(event, "anchor", None)) is not None:
            self._refuse(place, f"anchor &{anchor} is not allowed", "write the value out where it is needed")
        if (tag := getattr(event, "tag", None)) is not None:
            self._refuse(place, f"tag {tag.replace('tag:yaml.org,2002:', '!!')} is not allowed", "remove the tag")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, place), _Node(place)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, _Node(place), depth)
        return self._mapping(events, _Node(place), depth)

    def _sequence(self, events: Iterator[yaml.Event], node: _Node, depth: int) -> tuple[list[Any], _Node]:
        values: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            value, child = self._node(event, events, depth + 1)
            if value is not _REFUSED:
                node.children[len(values)] = child
                values.append(value)
        return values, node

    def _mapping(self, events: Iterator[yaml.Event], node: _Node, depth: int) -> tuple[dict[str, Any], _Node]:
        values: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key, key_node = self._node(event, events, depth + 1)
            value, value_node = self._node(next(events), events, depth + 1)
            if key is _REFUSED:
                continue
            if not isinstance(key, str):
                self._refuse(key_node.place, "a key must be text", "put quotes around it or write a word")
            elif value is _REFUSED:
                node.keys[key] = key_node.place  # it is there, so nobody may call it missing
            elif key in values:
                first = node.keys[key].line
                self._refuse(key_node.place, f'duplicate key "{key}", first on line {first}', "keep one of them")
            else:
                values[key] = value
                node.children[key], node.keys[key] = value_node, key_node.place
        return values, node

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> Any:
        text: str = event.value
        if event.style in ("'", '"', "|", ">"):  # quoted or block: text, whatever it looks like
            return self._checked_text(text, place)
        if text in _WORDS:
            return _WORDS[text]
        if len(text) > MAX_NUMBER_CHARACTERS and _FLOAT.fullmatch(text):
            self._refuse(place, "a number of more than 300 digits", "give a number that something can have")
            return _REFUSED
        if _INT.fullmatch(text):
            return int(text)
        if _NOT_FINITE.fullmatch(text):
            self._refuse(place, f"{text} is not a number here", "give a finite number, or null where it is unknown")
            return _REFUSED
        if re.fullmatch(r"[-+]?0[0-9]+", text):
            self._refuse(place, f"{text} could be meant as octal", "write it without leading zeros, or in quotes")
            return _REFUSED
        if _FLOAT.fullmatch(text):
            return self._finite(text, place)
        return self._checked_text(text, place)

    def _finite(self, text: str, place: Place) -> Any:
        number = float(text)
        if math.isfinite(number):
            return number
        self._refuse(place, f"{text} is too large for a number", "give a number that something can have")
        return _REFUSED

    def _checked_text(self, text: str, place: Place) -> Any:
        if found := ACTING.search(text):
            self._refuse(place, f"character U+{ord(found[0]):04X} is not allowed in text", "remove it")
            return _REFUSED
        return text

    def _refuse(self, place: Place, message: str, fix: str | None) -> None:
        self.problems.append(_problem(self.file, place, message, fix, self.lines))

    def _place(self, event: yaml.Event) -> Place:
        start, end = event.start_mark, event.end_mark
        if start is None or end is None:
            return Place(1, 1, 1)
        if end.line == start.line:
            width = end.column - start.column
        else:
            width = len(self.lines[start.line].rstrip()) - start.column if start.line < len(self.lines) else 1
        return Place(start.line + 1, start.column + 1, max(1, width))

    def _place_of_mark(self, mark: yaml.Mark | None) -> Place:
        return Place(mark.line + 1, mark.column + 1, 1) if mark else Place(1, 1, 1)

    @staticmethod
    def _place_of_index(content: str, index: int) -> Place:
        before = content[:index]
        return Place(before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1, 1)

    def _syntax_fix(self, place: Place) -> str | None:
        """What to do about the one mistake that is not to be seen."""
        line = self.lines[place.line - 1] if place.line <= len(self.lines) else ""
        return "indent with spaces: this is a tab" if line[place.column - 1 :].startswith("\t") else None

    @staticmethod
    def _syntax_words(error: yaml.MarkedYAMLError) -> str:
        words = " ".join(part for part in (error.problem, error.context) if part)
        return f"not valid YAML here: {words}"


class _TooDeepError(Exception):
    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.place = place

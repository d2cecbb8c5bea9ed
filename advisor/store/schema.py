"""From what was read to a checked value: pydantic's findings in our words, each at its place in the file.

`validate` never stops at the first mistake. The words name the key, what was expected, what was found, and the nearest
allowed word; none of pydantic's vocabulary reaches a person.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Literal, Protocol, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from advisor.core.errors import Problem, allowed_words
from advisor.core.values import kinds_in
from advisor.store.yaml import Steps

M = TypeVar("M", bound=BaseModel)

_BOUNDS = {
    "greater_than": ("gt", "greater than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "dict": "keys and values",
    "model": "keys and values",
    "list": "a list",
    "tuple": "a list",
    "mapping": "keys and values",
}
_THOUSANDS = re.compile(r",(?=[0-9]{3}(,|\.|$))")
"""A comma between groups of three digits; any other is taken for the one before a fraction."""
_WHOLE_NUMBER = re.compile(r"[-+]?[0-9]+([eE]\+?[0-9]+)?")
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_BOOLEAN_LOOKALIKES = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


class Read(Protocol):
    """Something read: a plain value, and a way to name a place in it."""

    @property
    def value(self) -> Any: ...

    def refuses(self, path: Steps) -> bool: ...

    def problem(self, path: Steps, message: str, fix: str | None = None, *, key: bool = False) -> Problem: ...


def validate(parsed: Read, model: type[M], *, at: Steps = (), strict: bool = False) -> tuple[M | None, list[Problem]]:
    """The value at `at` as a `model`, or None and every problem, sorted by position.

    With `strict`, for what a program has written, a figure in quotes is no figure, as in JSON, and keys that are not
    known are passed over: a later release may have added them.
    """
    value = _at(parsed.value, at)
    try:
        return _of_a_program(model, value) if strict else model.model_validate(value), []
    except ValidationError as error:
        found = [one for one in error.errors(include_url=False) if not _told_already(parsed, at, one)]
        problems = [_problem(parsed, model, at, details) for details in found]
    unique = {(problem.line, problem.column, problem.message): problem for problem in problems}
    return None, sorted(unique.values(), key=lambda problem: (problem.line or 0, problem.column or 0))


def _told_already(parsed: Read, at: Steps, details: ErrorDetails) -> bool:
    """Whether what is missing here is there, and was refused by whoever read the file."""
    if details["type"] != "missing":
        return False
    above = at + _steps_in_file(_at(parsed.value, at), details["loc"])
    return parsed.refuses((*above, details["loc"][-1]))


def _of_a_program(model: type[M], value: Any) -> M:
    try:
        return model.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        found = [one["loc"] for one in error.errors() if one["type"] == "extra_forbidden"]
    known = deepcopy(value)
    for *path, key in {_steps_in_file(value, place) for place in found}:
        _at(known, tuple(path)).pop(key)
    return model.model_validate_json(json.dumps(known), strict=True)


def _problem(parsed: Read, model: type[BaseModel], at: Steps, details: ErrorDetails) -> Problem:
    found = parsed.value
    path = at + _steps_in_file(_at(found, at), details["loc"])
    kind = details["type"]
    name = _name(path)
    if kind == "missing":
        key = details["loc"][-1]
        return parsed.problem(path, f'"{key}" is missing', f"add {key}{_choices(model, (*path[len(at) :], key))}")
    if kind == "extra_forbidden":
        allowed = sorted(_keys_allowed(model, path[len(at) : -1]))
        return parsed.problem(path, f'unknown key "{path[-1]}" — {allowed_words(path[-1], allowed)}', None, key=True)
    message, fix = _words(name, kind, details, _at(found, path))
    return parsed.problem(path, message, fix)


def _words(name: str, kind: str, details: ErrorDetails, value: object) -> tuple[str, str | None]:
    """The sentence for a wrong value, and what to do about it."""
    context: Mapping[str, Any] = details.get("ctx", {})
    shown = _shown(value)
    if kind in ("literal_error", "enum"):
        allowed = [quoted or bare for quoted, bare in re.findall(r"'([^']*)'|(\d+)", str(context["expected"]))]
        if isinstance(value, str) and value in allowed and f"'{value}'" not in str(context["expected"]):
            return f"{name} must be a number, and {shown} is text", f"write {value}, without quotes"
        return f"unknown {name} {shown} — {allowed_words(value, allowed)}", None
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return f"{name} must be {words} {_plain(context[key])}, got {shown}", None
    if kind in ("too_short", "too_long"):
        limit = context.get("min_length", context.get("max_length"))
        words = "at least" if kind == "too_short" else "at most"
        return f"{name} needs {words} {limit} entries", None
    if kind == "string_too_short" and not value:
        return f"{name} is empty", "write something, or leave it out where it may be left out"
    if kind in ("string_too_short", "string_too_long"):
        limit = context.get("min_length", context.get("max_length"))
        words = "at least" if kind == "string_too_short" else "at most"
        return f"{name} has {len(str(value)):,} characters, and must have {words} {limit:,}", None
    if kind == "string_pattern_mismatch":
        return f"{name} {shown} does not have the form {context['pattern']}", None
    expected = _KINDS.get(kind.removesuffix("_type").removesuffix("_from_float").removesuffix("_parsing"))
    if kind.startswith("model_"):
        expected = _KINDS["model"]
    if expected is None:
        ours = details["msg"].removeprefix("Value error, ") if kind == "value_error" else f"{shown} is none"
        return f"{name}: {ours}", None
    return f"{name} must be {expected}, got {shown}", _type_fix(expected, value)


def _type_fix(expected: str, value: object) -> str | None:
    if value is None:
        return "give a value, or leave the line out where there is a default"
    if not isinstance(value, str):
        return None
    if expected == "true or false":
        meant = _BOOLEAN_LOOKALIKES.get(value.lower())
        return f"write {meant}" if meant else "write true or false, without quotes"
    if expected in ("a number", "a whole number"):
        bare = _THOUSANDS.sub("", value.replace("_", "")).replace(",", ".")
        numbers = _NUMBER if expected == "a number" else _WHOLE_NUMBER
        return f"write {bare}" if numbers.fullmatch(bare) else "write digits, no unit"
    return None


def _steps_in_file(value: object, location: tuple[str | int, ...]) -> Steps:
    """pydantic's location without the steps it adds for unions and validators."""
    steps: list[str | int] = []
    for number, step in enumerate(location):
        inside = (isinstance(value, dict) and step in value) or (
            isinstance(value, list) and isinstance(step, int) and step < len(value)
        )
        if inside:
            steps.append(step)
            value = value[step]  # type: ignore[index]
        elif number == len(location) - 1 and isinstance(value, dict) and not steps:
            break
    return tuple(steps)


def _at(value: Any, path: Steps) -> Any:
    for step in path:
        value = value[step]
    return value


def _name(path: Steps) -> str:
    names = [step for step in path if isinstance(step, str)]
    return str(names[-1]) if names else "the document"


def _shown(value: object) -> str:
    if isinstance(value, str):
        return f'"{value[:60]}…"' if len(value) > 60 else f'"{value}"'
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "keys and values"
    return _plain(value)


def _plain(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    text = str(value)
    return text if len(text) <= 24 else f"{text[:12]}… ({len(text)} digits)"


def _keys_allowed(model: type[BaseModel], path: Steps) -> set[str]:
    """The keys of the model that stands at `path` inside `model`."""
    kinds: list[Any] = [model]
    for step in path:
        kinds = [inner for kind in kinds for inner in _inside(kind, step)]
    keys: set[str] = set()
    for kind in _models(kinds):
        keys |= {info.alias or name for name, info in kind.model_fields.items()}
    return keys


def _choices(model: type[BaseModel], path: Steps) -> str:
    """`: 1` or `: weak, default or strong`, where what stands at `path` inside `model` is one of few words."""
    kinds: list[Any] = [model]
    for step in path:
        kinds = [inner for kind in kinds for inner in _inside(kind, step)]
    flat = [one for kind in kinds for one in kinds_in(kind)]
    *others, last = [str(word) for one in flat if get_origin(one) is Literal for word in get_args(one)] or [""]
    return f": {', '.join(others)}{' or ' if others else ''}{last}" if last else ""


def _inside(kind: Any, step: str | int) -> Iterator[Any]:
    for flat in kinds_in(kind):
        if isinstance(flat, type) and issubclass(flat, BaseModel):
            for name, info in flat.model_fields.items():
                if step in (name, info.alias):
                    yield info.annotation
        elif get_origin(flat) in (list, tuple, dict):
            yield from (argument for argument in get_args(flat) if argument is not Ellipsis)


def _models(kinds: list[Any]) -> Iterator[type[BaseModel]]:
    for kind in kinds:
        yield from (flat for flat in kinds_in(kind) if isinstance(flat, type) and issubclass(flat, BaseModel))

"""Remembers rulebooks that were proved, as JSON in this user's cache folder.

The key is the hash of the folder's content and of the code that read and proved it, so neither an edited rule nor an
edited proof is ever taken for one already proved. A cache that is missing, damaged or not writable costs time, nothing
else: it is read again only if its own checksum holds.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from advisor import __version__
from advisor.core.guide.axis import Condition
from advisor.core.guide.rule import Impossible, Rule
from advisor.core.guide.rulebook import Content, Fact, Question, Rulebook, TableContent, Threshold, content_of
from advisor.store.paths import PACKAGE, cache_dir

_READ_BY = ("core/guide", "core/workload.py", "core/task.py", "core/architecture.py", "core/errors.py", "store")
"""The code whose edit makes an old proof worthless."""


def remembered(sha256: str) -> Content | None:
    """What the folder with this hash states, if it was proved before; None otherwise."""
    try:
        checksum, _, body = _path(sha256).read_bytes().partition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() != checksum:
            return None
        return _unpack(json.loads(body))
    except (OSError, ValueError, TypeError, KeyError, IndexError):
        return None


def remember(sha256: str, book: Rulebook) -> None:
    """Note that this folder was proved. Quietly does nothing where the cache cannot be written."""
    body = json.dumps(_pack(content_of(book)), separators=(",", ":")).encode()
    path = _path(sha256)
    half = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        os.replace(half, path)  # whole or not at all: another command may be reading
    except OSError:
        with contextlib.suppress(OSError):
            half.unlink(missing_ok=True)


def _path(sha256: str) -> Path:
    code = hashlib.sha256(f"{__version__}\0{sha256}\0".encode())
    for part in _READ_BY:
        place = PACKAGE / part
        for file in sorted(place.glob("*.py")) if place.is_dir() else [place]:
            stat = file.stat()
            code.update(f"{file.name}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
    return cache_dir() / "rules" / f"{code.hexdigest()}.json"


def _pack(content: Content) -> dict[str, Any]:
    return {
        "version": content.version,
        "facts": [[one.id, one.says, one.section] for one in content.facts],
        "questions": [[one.id, one.asks, one.answer, one.source] for one in content.questions],
        "thresholds": [[one.name, one.value, one.says, one.source] for one in content.thresholds],
        "impossible": [[_pack_when(one.when), one.reason] for one in content.impossible],
        "tables": [
            [one.name, one.over, one.policy, one.axes, one.file, [_pack_rule(rule) for rule in one.rules]]
            for one in content.tables
        ],
    }


def _unpack(packed: dict[str, Any]) -> Content:
    return Content(
        version=packed["version"],
        facts=tuple(Fact(*one) for one in packed["facts"]),
        questions=tuple(Question(i, asks, answer, tuple(source)) for i, asks, answer, source in packed["questions"]),
        thresholds=tuple(Threshold(name, v, says, tuple(source)) for name, v, says, source in packed["thresholds"]),
        impossible=tuple(Impossible(_unpack_when(when), reason) for when, reason in packed["impossible"]),
        tables=tuple(
            TableContent(name, over, policy, tuple(axes), tuple(_unpack_rule(rule) for rule in rules), file)
            for name, over, policy, axes, file, rules in packed["tables"]
        ),
    )


def _pack_when(when: Iterable[Condition]) -> list[Any]:
    return [[one.axis, one.values, one.spans] for one in when]


def _unpack_when(packed: list[Any]) -> tuple[Condition, ...]:
    return tuple(
        Condition(axis, tuple(values), tuple((low, high) for low, high in spans)) for axis, values, spans in packed
    )


def _pack_rule(rule: Rule) -> list[Any]:
    words = [rule.id, rule.title, rule.because, rule.strength, rule.architecture, rule.unless]
    return [*words, _pack_when(rule.when), rule.then, rule.source, rule.fires, rule.silent, rule.position]


def _unpack_rule(packed: list[Any]) -> Rule:
    name, title, because, strength, architecture, unless, when, then, source, fires, silent, position = packed
    return Rule(
        id=name,
        title=title,
        when=_unpack_when(when),
        then=then if isinstance(then, str) else tuple(then),
        because=because,
        source=tuple(source),
        strength=strength,
        architecture=architecture,
        unless=unless,
        fires=tuple(fires),
        silent=tuple(silent),
        position=position,
    )

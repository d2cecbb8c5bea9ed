"""What was read and proved before, kept as JSON in this user's cache folder.

The key is the hash of a folder's content and of the code that read it, so neither an edited rule nor an edited proof is
ever taken for one already proved. A cache that is missing, damaged or not writable costs time, nothing else: what is in
it counts only if its own checksum holds.
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
from advisor.core.guide.rule import Rule
from advisor.store.paths import PACKAGE, cache_dir

_READ_BY = ("core", "core/guide", "core/model", "core/model/families", "store")
"""The code whose edit makes an old reading worthless."""


def place_of(kind: str, sha256: str) -> Path:
    """Where the content with this hash is remembered, as read by this very code."""
    key = hashlib.sha256(f"{__version__}\0{sha256}\0".encode())
    for part in _READ_BY:
        for file in sorted((PACKAGE / part).glob("*.py")):
            stat = file.stat()
            key.update(f"{part}\0{file.name}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
    return cache_dir() / kind / f"{key.hexdigest()}.json"


def recall(place: Path) -> Any:
    """What was kept there; None where nothing is, or nothing whole."""
    try:
        checksum, _, body = place.read_bytes().partition(b"\n")
        return json.loads(body) if hashlib.sha256(body).hexdigest().encode() == checksum else None
    except (OSError, ValueError):
        return None


def keep(place: Path, packed: Any) -> None:
    """Keep it there. Quietly does nothing where the cache cannot be written."""
    body = json.dumps(packed, separators=(",", ":")).encode()
    half = place.with_suffix(f".{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        half.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        os.replace(half, place)  # whole or not at all: another command may be reading
    except OSError:
        with contextlib.suppress(OSError):
            half.unlink(missing_ok=True)


def pack_when(when: Iterable[Condition]) -> list[Any]:
    """Conditions as JSON has them."""
    return [[one.axis, one.values, one.spans] for one in when]


def unpack_when(packed: list[Any]) -> tuple[Condition, ...]:
    """Conditions from what `pack_when` made."""
    return tuple(
        Condition(axis, tuple(values), tuple((low, high) for low, high in spans)) for axis, values, spans in packed
    )


def pack_rule(rule: Rule) -> list[Any]:
    """A rule as JSON has it."""
    words = [rule.id, rule.title, rule.because, rule.strength, rule.architecture, rule.unless]
    return [*words, pack_when(rule.when), rule.then, rule.source, rule.fires, rule.silent, rule.position]


def unpack_rule(packed: list[Any]) -> Rule:
    """A rule from what `pack_rule` made."""
    name, title, because, strength, architecture, unless, when, then, source, fires, silent, position = packed
    return Rule(
        id=name,
        title=title,
        when=unpack_when(when),
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

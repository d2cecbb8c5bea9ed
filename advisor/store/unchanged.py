"""Whether the model in a folder is still the one that a commit has: the same bytes in every file that a look reads.

Bytes are compared by their hashes, so nothing of a commit's weights is taken out. Where a commit has the pointer that
Git LFS keeps in place of a large file, that names the hash of the file it stands for.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from advisor.store.declared_model import READ_OF_A_MODEL
from advisor.store.git import Blob, Snapshot
from advisor.store.json_object import LFS_POINTER
from advisor.store.model_folder import TOKENIZER_FILES
from advisor.store.safetensors import INDEX

MAX_POINTER_BYTES = 1024
"""The length that Git LFS gives its pointers at most."""
_READ = frozenset((*READ_OF_A_MODEL, *TOKENIZER_FILES, INDEX))
_NAMED = re.compile(rb"^oid sha256:([0-9a-f]{64})$", re.MULTILINE)


def same_model(before: Snapshot, then: str, now: Path) -> bool:
    """Whether the folder `now` holds the model that the commit has in `then`. What cannot be read differs."""
    below = "" if then == "." else f"{then}/"
    names = {name.removeprefix(below) for name in before.files if name.startswith(below)}
    try:
        names |= {*os.listdir(now), *(name for name in READ_OF_A_MODEL if os.path.lexists(now / name))}
        return all(_same(before, below + name, now / name) for name in sorted(names) if _is_read(name))
    except OSError:
        return False


def _is_read(name: str) -> bool:
    """Whether a look at a model reads this file of its folder."""
    return name in _READ or (name.endswith(".safetensors") and "/" not in name)


def _same(before: Snapshot, name: str, path: Path) -> bool:
    blob = before.files.get(name)
    if blob is None or not path.is_file():
        return False
    if blob.size == path.stat().st_size and blob.sha == _name_in_git(path, blob):
        return True
    pointed = _named_by(bytes(before.contents([name])[name])) if blob.size <= MAX_POINTER_BYTES else None
    return pointed is not None and pointed == _sha256(path)


def _name_in_git(path: Path, like: Blob) -> str:
    """The name git would give to the bytes of a file, in the kind of hash that this repository is made of."""
    digest = hashlib.new("sha1" if len(like.sha) == 40 else "sha256", b"blob %d\0" % like.size, usedforsecurity=False)
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: digest).hexdigest()


def _named_by(pointer: bytes) -> str | None:
    """The hash of the file that a pointer of Git LFS stands for; None where it is no pointer."""
    found = _NAMED.search(pointer) if pointer.startswith(LFS_POINTER) else None
    return found[1].decode() if found else None


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

"""Weight files in the safetensors format: which there are, what their headers list, and who they are.

Nothing is loaded: a header is read, never a tensor. Pickled weights can run code when they are opened, so they are
never opened at all. The one idea: whatever is wrong with a file (a pointer left by Git LFS, a download cut off) shows
in its first bytes and its size, before seconds are spent on building.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

from advisor.core.errors import AdvisorError, Problem
from advisor.store.json_object import LFS_POINTER, parse_object, read_object

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json", "model.ckpt.index", "tf_model.h5", "flax_model.msgpack")
MAX_HEADER_BYTES = 100 * 10**6
"""The format's own limit."""
MAX_INDEX_BYTES = 32 << 20
FLOATS = frozenset(("F64", "F32", "F16", "BF16"))
_LENGTH = struct.Struct("<Q")
FETCH_AGAIN = "fetch the file again: it is damaged or was cut off"


@dataclass(frozen=True, slots=True)
class WeightFiles:
    """The weight files of a folder, by name in the order they are read, and how many numbers they hold."""

    names: tuple[str, ...]
    parameters: int
    sha256: str


def weight_files(folder: Path, shown: str) -> WeightFiles | None:
    """The folder's weights; None where it has none at all. Raises AdvisorError where there are some of no use."""
    names = _names(folder, shown)
    if not names:
        pickled = next((name for name in PICKLES if os.path.isfile(folder / name)), None)
        if pickled is not None:
            words = "its weights are not in the safetensors format, and other formats can run code when opened"
            fix = "save it once more with save_pretrained(), or fetch a revision that has model.safetensors"
            raise AdvisorError([Problem(f"{shown}/{pickled}", None, None, words, fix)])
        return None
    counts = [_numbers_in(folder / name, f"{shown}/{name}") for name in names]
    return WeightFiles(names, sum(counts), identity([folder / name for name in names]))


def _names(folder: Path, shown: str) -> tuple[str, ...]:
    """The single file, or the shards that the index lists: transformers looks for them in this order."""
    if os.path.isfile(folder / SINGLE):
        return (SINGLE,)
    if not os.path.isfile(folder / INDEX):
        _refuse_weights_out_of_reach(folder, shown)
        return ()
    index = read_object(folder / INDEX, shown=f"{shown}/{INDEX}", max_bytes=MAX_INDEX_BYTES)
    listed = index.value.get("weight_map")
    if not isinstance(listed, dict) or not all(isinstance(name, str) for name in listed.values()) or not listed:
        raise AdvisorError([index.problem("weight_map", "weight_map names no weight files", FETCH_AGAIN)])
    names = tuple(sorted(set(listed.values())))
    for name in names:
        if name != Path(name).name or not name.endswith(".safetensors"):
            words = f'weight_map names "{name[:80]}", which is no safetensors file of this folder'
            raise AdvisorError([index.problem("weight_map", words, "weights are files beside their index")])
        if not os.path.isfile(folder / name):
            words = f"{name} is listed here and missing from the folder"
            raise AdvisorError([index.problem("weight_map", words, "fetch every file of the model")])
    return names


def _refuse_weights_out_of_reach(folder: Path, shown: str) -> None:
    """Weights that are meant to be here are not replaced by random ones in silence."""
    for name in (SINGLE, INDEX):
        if os.path.lexists(folder / name):
            words = "this leads to no file" if os.path.islink(folder / name) else "this is no plain file"
            raise AdvisorError([Problem(f"{shown}/{name}", None, None, words, "fetch every file of the model")])
    stray = next((one for one in sorted(os.listdir(folder)) if one.endswith(".safetensors")), None)
    if stray is not None:
        words = f"weights are looked for in {SINGLE}, or in the files that {INDEX} lists, and neither is here"
        fix = f"rename a single file to {SINGLE}, or fetch the index of several"
        raise AdvisorError([Problem(f"{shown}/{stray}", None, None, words, fix)])


def _numbers_in(path: Path, shown: str) -> int:
    """How many floating-point numbers the header lists. The file is exactly as long as the header says."""

    def refuse(words: str, fix: str = FETCH_AGAIN) -> AdvisorError:
        return AdvisorError([Problem(shown, None, None, words, fix)])

    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            start = stream.read(len(LFS_POINTER))
            stream.seek(0)
            length = _LENGTH.unpack(stream.read(_LENGTH.size))[0] if size >= _LENGTH.size else 0
            if start == LFS_POINTER:
                words = "this is the pointer that Git LFS leaves in place of a large file, not the file"
                raise refuse(words, "fetch the file itself: git lfs pull")
            if not 2 <= length <= min(size - _LENGTH.size, MAX_HEADER_BYTES):
                raise refuse("this is no safetensors file: its header does not fit into it")
            header = stream.read(length)
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror or error}", "check its permissions") from None
    tensors = {name: one for name, one in parse_object(header, file=shown).value.items() if name != "__metadata__"}
    try:
        ends = [int(one["data_offsets"][1]) for one in tensors.values()]
        counted = sum(_size(one["shape"]) for one in tensors.values() if one["dtype"] in FLOATS)
    except (TypeError, KeyError, IndexError, ValueError):
        raise refuse("its header does not list tensors as the format wants it") from None
    expected = _LENGTH.size + length + max(ends, default=0)
    if size != expected:
        raise refuse(f"{size:,} bytes are here and its header speaks of {expected:,}")
    return counted


def _size(shape: Sequence[object]) -> int:
    """How many numbers a tensor of this shape has. ValueError where it is no shape."""
    sizes = [size for size in shape if isinstance(size, int) and size >= 0]
    if len(sizes) < len(shape):
        raise ValueError(shape)
    return prod(sizes)


def identity(paths: Sequence[Path]) -> str:
    """One hash over the bytes of weight files: of a single file its own SHA-256, of several that of their list."""
    digests: Mapping[str, str] = {path.name: _sha256(path) for path in paths}
    if len(digests) == 1:
        return next(iter(digests.values()))
    listing = "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(listing.encode()).hexdigest()


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        words = f"cannot be read: {error.strerror or error}"
        raise AdvisorError([Problem(str(path), None, None, words, "check its permissions")]) from None

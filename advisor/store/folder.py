"""A folder of YAML files as bytes by name, and one hash over all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from advisor.core.errors import AdvisorError, Problem


def read_folder(folder: Path, kind: str) -> dict[str, bytes]:
    """The YAML files of a folder of `kind` (rules, models). Raises AdvisorError where it or a file cannot be read."""
    if not folder.is_dir():
        raise AdvisorError([Problem(str(folder), None, None, f"no such {kind} folder", f"name a folder of {kind}")])
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml") and path.is_file())
        files = {path.name: path.read_bytes() for path in paths}
    except OSError as error:
        words = f"cannot be read: {error.strerror or error}"
        raise AdvisorError(
            [Problem(str(error.filename or folder), None, None, words, "check its permissions")]
        ) from None
    misnamed = [path for path in paths if path.suffix == ".yml"]
    if misnamed:
        words = f"a {kind} file ends in .yaml"
        raise AdvisorError([Problem(str(one), None, None, words, f"rename it to {one.stem}.yaml") for one in misnamed])
    return files


def content_hash(files: Mapping[str, bytes]) -> str:
    """One hash over the names and the bytes of a folder's files; where the folder lies does not enter."""
    whole = hashlib.sha256()
    for name, data in sorted(files.items()):
        whole.update(f"{name}\0{len(data)}\0".encode())
        whole.update(data)
    return whole.hexdigest()

"""What is installed, and what this release was tested with: read from package metadata, importing none of it."""

from __future__ import annotations

import platform
import re
from importlib import metadata
from pathlib import Path

from advisor.store.paths import PACKAGE

RUNTIME_PACKAGES = ("ctranslate2", "openvino", "torchao")
SHOWN = (
    "archadvisor",
    "torch",
    "transformers",
    "safetensors",
    "tokenizers",
    "scikit-learn",
    "numpy",
    "pydantic",
    "textual",
    "nvidia-ml-py",
    *RUNTIME_PACKAGES,
)
_PIN = re.compile(r"([A-Za-z0-9._-]+)==(\S+)")
_PYTHON = re.compile(r"Programming Language :: Python :: (3\.\d+)")


def installed_versions() -> dict[str, str | None]:
    """The versions that matter in a bug report; None for what is not installed."""
    return {"python": platform.python_version(), "kernel": platform.release()} | {
        name: _version(name) for name in SHOWN
    }


def installed_runtimes() -> dict[str, str]:
    """The versions of what can serve models beside torch, of those that are installed. None of it is imported."""
    found = {name: _version(name) for name in RUNTIME_PACKAGES}
    return {name: version for name, version in found.items() if version is not None}


def release_pins(folder: Path | None = None) -> dict[str, str]:
    """The exact versions this release was tested with, of those that are shown."""
    places = [PACKAGE / "_data", PACKAGE.parent] if folder is None else [folder]
    for place in places:
        try:
            lines = (place / "constraints.txt").read_text("utf-8").splitlines()
        except OSError:
            continue
        pins = {found[1]: found[2] for line in lines if (found := _PIN.fullmatch(line.strip()))}
        return {name: pins[name] for name in SHOWN if name in pins}
    return {}


def release_pythons() -> tuple[str, ...]:
    """The versions of Python that this release names as its own."""
    try:
        named = metadata.metadata("archadvisor").get_all("Classifier") or []
    except metadata.PackageNotFoundError:
        return ()
    return tuple(found[1] for line in named if (found := _PYTHON.fullmatch(line)))


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None

"""A place for what was measured when a run ends before anybody named one."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

from advisor.store.paths import data_dir


def rescue_file() -> Path:
    """A new file in this user's data folder, or in the temporary one where that cannot be written."""
    name = f"interrupted-{datetime.now():%Y%m%d-%H%M%S}.json"
    folder = data_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder / name
    except OSError:
        return Path(tempfile.gettempdir()) / name

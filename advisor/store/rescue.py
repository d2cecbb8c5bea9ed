"""Where what was measured goes when a run ends early and the store could not keep it: a file of its own."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

from advisor.core.errors import AdvisorError
from advisor.store.output import write_text
from advisor.store.paths import data_dir


def rescue(words: str) -> Path:
    """Write the words to a new file in this user's data folder, else in the temporary one. AdvisorError if neither."""
    name = f"interrupted-{datetime.now():%Y%m%d-%H%M%S-%f}.json"
    folder = data_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / name, words)
        return folder / name
    except (OSError, AdvisorError):
        path = Path(tempfile.gettempdir()) / name
        write_text(path, words)
        return path

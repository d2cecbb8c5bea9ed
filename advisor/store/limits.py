"""The limits that this project ships with its measurements, from `limits.yaml` to a checked value.

They are nobody's to set from the command line: a figure that counts with one person counts with all.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import get_args

from advisor.core.errors import AdvisorError
from advisor.core.hardware import Dtype
from advisor.core.sizing.closeness import Limits
from advisor.store.paths import shipped_file
from advisor.store.schema import validate
from advisor.store.yaml import read


@lru_cache(maxsize=1)
def shipped_limits() -> Limits:
    """The limits of this release. Raises AdvisorError with every problem of the file."""
    return load_limits(shipped_file("limits.yaml"))


def load_limits(file: Path) -> Limits:
    """The limits in a file. Raises AdvisorError with every problem of it."""
    parsed = read(file)
    limits, problems = validate(parsed, Limits)
    if limits is None or parsed.refused:
        raise AdvisorError([*parsed.refused, *problems])
    missing = [dtype for dtype in get_args(Dtype) if dtype not in limits.least_cosine]
    if missing:
        words = f"no limit for {', '.join(missing)}"
        raise AdvisorError([parsed.problem(("least_cosine",), words, "give one for every dtype", key=True)])
    return limits

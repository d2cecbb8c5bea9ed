"""The command line: parse, call, render. `main` is the command `advisor`.

Nothing heavy is imported until a command needs it: `recommend` answers in a fraction of a second.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (contract: exit codes)."""
    # Looking for plug-ins of pydantic, of which we use none, reads the metadata of every package installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from advisor.cli.dispatch import run

    return run(list(sys.argv[1:] if argv is None else argv))


__all__ = ["main"]

"""Real git repositories for tests."""

from __future__ import annotations

import subprocess
from pathlib import Path


def git(folder: Path, *words: str) -> str:
    """What git says in a folder, as somebody whose settings are nobody's."""
    author = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgsign=false")
    command = ["git", "-C", str(folder), *author, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def committed(folder: Path) -> None:
    """Commit everything that lies in the repository."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "a state")

"""A repository of git, which comparing needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.check.versions import git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    return tmp_path

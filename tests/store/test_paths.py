"""Where things lie for those who have a home, and for those who have none."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.store import paths


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user whom the system does not know, as containers run them."""
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)


@pytest.mark.usefixtures("homeless")
def test_who_has_no_home_gets_no_folder_called_tilde() -> None:
    assert paths.home() is None
    for place in (paths.data_dir(), paths.cache_dir()):
        assert place.is_relative_to(paths.NO_HOME)
        assert place.name == "archadvisor"


def test_the_folders_are_those_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert paths.data_dir() == tmp_path / "archadvisor"

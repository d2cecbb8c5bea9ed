"""A place for what was measured when nobody named one."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from advisor.store.rescue import rescue_file


def test_it_lies_in_the_users_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("advisor.store.rescue.data_dir", lambda: tmp_path / "deep" / "data")
    path = rescue_file()
    assert path.parent == tmp_path / "deep" / "data"
    assert path.suffix == ".json"
    assert list(path.parent.iterdir()) == []


def test_where_that_cannot_be_made_it_lies_in_the_temporary_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr("advisor.store.rescue.data_dir", lambda: tmp_path / "file" / "data")
    assert rescue_file().parent == Path(tempfile.gettempdir())

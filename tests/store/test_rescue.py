"""A place for what was measured when a run ends early and the store could not keep it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from advisor.store.rescue import rescue


def test_it_lies_in_the_users_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("advisor.store.rescue.data_dir", lambda: tmp_path / "deep" / "data")
    path = rescue("{}\n")
    assert path.parent == tmp_path / "deep" / "data"
    assert path.suffix == ".json"
    assert path.read_text() == "{}\n"
    assert list(path.parent.iterdir()) == [path]


def test_where_that_cannot_be_made_it_lies_in_the_temporary_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr("advisor.store.rescue.data_dir", lambda: tmp_path / "file" / "data")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "elsewhere"))
    path = rescue("{}\n")
    assert path.parent == tmp_path / "elsewhere"
    assert path.read_text() == "{}\n"

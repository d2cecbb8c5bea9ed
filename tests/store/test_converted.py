"""The cache of converted models: whole or not at all, the oldest out first."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from advisor.store import converted as module
from advisor.store.converted import converted, key_of


def write(folder: Path) -> None:
    (folder / "model").write_bytes(b"x" * 100)


def test_a_model_is_converted_once(tmp_path: Path) -> None:
    made = converted("a", write, folder=tmp_path)

    def never(folder: Path) -> None:
        raise AssertionError("made again")

    assert converted("a", never, folder=tmp_path) == made
    assert (made / "model").stat().st_size == 100


def test_a_conversion_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        write(folder)
        raise ValueError("no such operator")

    with pytest.raises(ValueError, match="no such operator"):
        converted("a", fail, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_what_another_one_is_making_is_not(tmp_path: Path) -> None:
    abandoned, in_the_making = tmp_path / ".undone-old", tmp_path / ".undone-new"
    for folder in (abandoned, in_the_making):
        folder.mkdir()
        write(folder)
    os.utime(abandoned, (1000, 1000))
    converted("a", write, folder=tmp_path)
    assert {one.name for one in tmp_path.iterdir()} == {"a", ".undone-new"}


def test_what_was_not_used_for_longest_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_BYTES", 250)
    for age, key in enumerate(("old", "older", "new")):
        os.utime(converted(key, write, folder=tmp_path), (1000 - age if key != "new" else 2000,) * 2)
    converted("newest", write, folder=tmp_path)
    assert {one.name for one in tmp_path.iterdir()} == {"new", "newest"}


def test_where_the_cache_cannot_be_written_the_model_is_converted_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    made = converted("a", write, folder=tmp_path / "file" / "below")
    assert (made / "model").exists()


def test_equal_facts_have_one_key_whatever_their_order() -> None:
    assert key_of({"a": 1, "b": [2]}) == key_of({"b": [2], "a": 1})
    assert key_of({"a": 1}) != key_of({"a": 2})

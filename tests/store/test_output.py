"""Files written whole, and refused before the work starts."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from advisor.core.errors import AdvisorError
from advisor.store.output import check_output, write_text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("report.pdf", 'the ending ".pdf" is not supported'),
        ("report", "has no ending"),
        ("none/report.json", "there is no folder"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(AdvisorError) as caught:
        check_output(tmp_path / name, (".json", ".md"))
    assert words in caught.value.problems[0].message
    assert ".json or .md" in (caught.value.problems[0].fix or "") or "folder" in words


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "x.json").mkdir()
    with pytest.raises(AdvisorError, match="a folder"):
        check_output(tmp_path / "x.json", (".json",))


def test_the_old_file_stays_whole_when_the_disk_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AdvisorError, match="No space left"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_link_stays_a_link_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    link = tmp_path / "report.json"
    link.symlink_to(Path("shared") / "newest.json")
    check_output(link, (".json",))
    write_text(link, "new")
    assert link.is_symlink()
    assert (tmp_path / "shared" / "newest.json").read_text() == "new"


def test_a_link_into_a_folder_that_is_not_there_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "report.json").symlink_to(tmp_path / "none" / "report.json")
    with pytest.raises(AdvisorError, match="there is no folder"):
        check_output(tmp_path / "report.json", (".json",))


def test_what_is_no_plain_file_is_not_replaced_by_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(AdvisorError, match="no plain file"):
        check_output(tmp_path / "pipe.json", (".json",))


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EACCES])
def test_a_file_that_cannot_be_replaced_is_written_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    path = tmp_path / "report.json"
    path.write_text("a longer old text")

    def held(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "replace", held)
    write_text(path, "new")
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["report.json"]
    path.unlink()
    with pytest.raises(AdvisorError, match="cannot be written"):
        write_text(path, "new")


def test_a_new_file_has_the_mode_the_umask_leaves(tmp_path: Path) -> None:
    write_text(tmp_path / "a.md", "x")
    (tmp_path / "b.md").write_text("x")
    assert (tmp_path / "a.md").stat().st_mode == (tmp_path / "b.md").stat().st_mode

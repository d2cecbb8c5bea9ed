"""What a look at a model shows is known since a commit that has the same model, and new since one that has another."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import advisor.run.child
from advisor.core.review.document import CheckDocument
from tests.check.declaring import component, only, reviewed, written
from tests.check.versions import committed, git
from tests.fake_child import fake_command
from tests.folders import change_config, saved
from tests.measuring import ROOT

CHAT = {"task": "chat", "requests_per_second": 2, "input_tokens": 8, "output_tokens": 8}


@pytest.fixture(autouse=True)
def every_model_sees_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(advisor.run.child, "COMMAND", tuple(fake_command(seen="bidirectional")))


@pytest.fixture
def file(repository: Path) -> Path:
    saved(repository / "m", "llama")
    return written(repository, component("one", CHAT, "decoder-only", model="m"))


def since_head(file: Path) -> CheckDocument:
    made = reviewed(file, base="HEAD")
    assert made.base is not None
    assert made.base.notes == ()
    return made


def sees_ahead_since(file: Path) -> str | None:
    """Whether that the model sees ahead is new or known."""
    return only(since_head(file), "GEN-102").baseline


def test_what_only_a_look_shows_is_known_of_a_model_that_did_not_change(file: Path) -> None:
    (file.parent / "m" / "README.md").write_text("a model")
    committed(file.parent)
    (file.parent / "m" / "README.md").write_text("our model")  # nobody who looks at a model reads that
    made = since_head(file)
    assert only(made, "GEN-102").baseline == "known"
    assert made.base is not None
    assert made.base.introduced == ()


def test_a_model_that_moved_is_still_the_same(file: Path) -> None:
    committed(file.parent)
    git(file.parent, "mv", "m", "models")
    written(file.parent, component("one", CHAT, "decoder-only", model="models"))
    assert sees_ahead_since(file) == "known"


@pytest.mark.parametrize("changed", ["weights", "config", "no weights then"])
def test_of_another_model_it_is_new(file: Path, changed: str) -> None:
    weights = file.parent / "m" / "model.safetensors"
    whole = weights.read_bytes()
    if changed == "no weights then":
        weights.unlink()
    committed(file.parent)
    weights.write_bytes(whole if changed != "weights" else whole[:-1] + bytes([whole[-1] ^ 1]))
    if changed == "config":
        change_config(file.parent / "m", initializer_range=0.01)
    assert sees_ahead_since(file) == "new"


@pytest.mark.parametrize(("same", "expected"), [(True, "known"), (False, "new")])
def test_a_pointer_of_git_lfs_counts_as_the_file_it_names(file: Path, same: bool, expected: str) -> None:
    weights = file.parent / "m" / "model.safetensors"
    whole = weights.read_bytes()
    named = hashlib.sha256(whole if same else b"other").hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{named}\nsize {len(whole)}\n"
    weights.write_text(pointer)
    committed(file.parent)
    weights.write_bytes(whole)
    assert sees_ahead_since(file) == expected


def test_a_repository_of_longer_hashes_is_compared_as_well(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--object-format=sha256")
    saved(tmp_path / "m", "llama")
    file = written(tmp_path, component("one", CHAT, "decoder-only", model="m"))
    committed(tmp_path)
    assert sees_ahead_since(file) == "known"

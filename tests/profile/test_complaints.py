"""Whatever goes wrong in a library or on a disk reaches a person as one sentence."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from advisor.profile import worker
from advisor.profile.complaints import first_line, is_out_of_memory
from advisor.profile.orders import REPLIES, Job, NotBuiltReply
from tests.core.model.tiny_models import entry


def test_the_first_line_of_an_error_is_enough_and_one_without_words_has_its_kind() -> None:
    assert first_line(ValueError("wrong here\nand a page of details")) == "wrong here"
    assert first_line(RuntimeError("")) == "RuntimeError"
    assert len(first_line(ValueError("x" * 5000))) == 300
    assert first_line(ValueError("not this field:\n  it is no number\nat all")) == "not this field: it is no number"
    assert first_line(KeyError("frob")) == "'frob' is not known to it"


def test_memory_that_ran_out_is_told_by_its_words() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 3 TB"))
    assert not is_out_of_memory(RuntimeError("shapes do not match"))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (IndexError("list index out of range"), "IndexError: list index out of range"),
    ],
)
def test_a_worker_that_cannot_build_its_model_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception, words: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    ignore: Callable[[int], None] = lambda number: None  # noqa: E731
    monkeypatch.setattr(torch, "set_num_threads", ignore)
    monkeypatch.setattr(torch, "set_num_interop_threads", ignore)
    monkeypatch.setattr(worker, "stand", fail)
    model, said = entry("bert"), tmp_path / "replies"
    job = Job(model=model, dtype="float32", device="cpu", threads=1, seed=0, file_backed_bytes=None, parent_pid=1)
    with open(os.devnull, "rb") as orders, said.open("wb") as replies:
        worker.serve(job, orders, replies)
    reply = REPLIES.validate_json(said.read_bytes())
    assert isinstance(reply, NotBuiltReply)
    assert (reply.flag, reply.note.startswith("The model could not be built: ")) == ("crashed", True)
    assert words in reply.note

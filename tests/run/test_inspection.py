"""The parent's side of an inspection against a child that answers, fails or misbehaves as told."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

import pytest

from advisor.core.errors import EXIT_UNDECIDED, AdvisorError
from advisor.core.model.source import ModelSource
from advisor.core.protocol import Inspect
from advisor.run import inspection
from advisor.run.inspection import inspect
from tests.core.model.tiny_models import entry
from tests.fake_child import fake_command
from tests.measuring import ROOT, alive, children_of, wait_until


@pytest.fixture(autouse=True)
def tests_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def asked(model_type: str = "bert") -> Inspect:
    source = ModelSource(folder="/nowhere", name="nothing", config={})
    return Inspect(id=7, model=entry(model_type), source=source, memory_limit_bytes=2**34)


async def test_what_was_seen_comes_back() -> None:
    seen = await inspect(asked("t5"), fake_command())
    assert (seen.id, len(seen.looks)) == (7, 6)


@pytest.mark.parametrize(
    ("then", "words"),
    [("crash", "fake fell over"), ("kill", "killed from outside"), ("exit-137", "memory"), ("silent", "had nothing")],
)
async def test_a_process_that_dies_ends_in_one_sentence(then: str, words: str) -> None:
    with pytest.raises(AdvisorError, match=words) as raised:
        await inspect(asked(), fake_command(then=then))
    assert raised.value.exit_code == EXIT_UNDECIDED
    assert "Traceback" not in str(raised.value)


async def test_nonsense_on_stdout_does_not_hide_the_answer() -> None:
    assert (await inspect(asked(), fake_command(then="garbage"))).id == 7


async def test_a_process_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "SECONDS", 0.5)
    with pytest.raises(AdvisorError, match="no answer"):
        await inspect(asked(), fake_command(then="hang"))


async def test_a_refusal_is_handed_on_with_its_mend() -> None:
    with pytest.raises(AdvisorError, match="needs torch") as raised:
        await inspect(asked(), fake_command(fail="Measuring needs torch."))
    assert raised.value.exit_code == EXIT_UNDECIDED
    assert raised.value.problems[0].fix == "pip install 'archadvisor[profile]'"


async def test_leaving_early_ends_the_process_and_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(children_of(os.getpid()))
    task = asyncio.create_task(inspect(asked(), fake_command(then="hang")))
    while not set(children_of(os.getpid())) - before:
        await asyncio.sleep(0.01)
    (started,) = set(children_of(os.getpid())) - before
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    wait_until(lambda: not alive(started), "the end of the process")
    assert list(tmp_path.iterdir()) == []

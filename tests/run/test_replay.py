"""The parent's side of a replay against a child that serves, fails or misbehaves as told."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from advisor.core.errors import EXIT_UNDECIDED, AdvisorError
from advisor.core.protocol import Replay
from advisor.core.sizing.replaying import ReplayPlan
from advisor.run import replay as replaying
from advisor.run.replay import replay
from advisor.store.lock import MachineLock
from tests.core.model.tiny_models import entry
from tests.fake_child import fake_command
from tests.measuring import ROOT, children_of, wait_until


@pytest.fixture(autouse=True)
def tests_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def asked(requests: int = 5, model_type: str = "bert") -> Replay:
    plan = ReplayPlan(
        stages=("forward",),
        runtime="torch",
        dtype="float32",
        threads=1,
        max_batch_size=2,
        arrivals_s=tuple(0.05 * number for number in range(requests)),
        input_tokens=(8,) * requests,
        first_context=(0,) * requests,
        steps=(0,) * requests,
        seconds=1.0,
        seconds_limit=30.0,
    )
    return Replay(id=7, model=entry(model_type), plan=plan)


async def test_what_came_of_the_schedule_comes_back_and_the_lock_is_free_again(tmp_path: Path) -> None:
    result = await replay(asked(), command=fake_command(), lock_path=tmp_path / "lock")
    assert len(result.done_s) == 5
    assert all(done is not None for done in result.done_s)
    assert MachineLock(tmp_path / "lock").acquire()


@pytest.mark.parametrize(
    ("then", "words"),
    [("crash", "fake fell over"), ("kill", "killed from outside"), ("exit-137", "memory"), ("silent", "had nothing")],
)
async def test_a_process_that_dies_ends_in_one_sentence(tmp_path: Path, then: str, words: str) -> None:
    with pytest.raises(AdvisorError, match=words) as raised:
        await replay(asked(), command=fake_command(then=then), lock_path=tmp_path / "lock")
    assert raised.value.exit_code == EXIT_UNDECIDED


async def test_a_process_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "SECONDS", -29.5)
    with pytest.raises(AdvisorError, match="no answer"):
        await replay(asked(), command=fake_command(then="hang"), lock_path=tmp_path / "lock")


async def test_a_refusal_is_handed_on(tmp_path: Path) -> None:
    with pytest.raises(AdvisorError, match="could not be served"):
        await replay(asked(), command=fake_command(fail="It could not be served."), lock_path=tmp_path / "lock")


async def test_leaving_early_kills_the_process_and_frees_the_lock(tmp_path: Path) -> None:
    before = set(children_of(os.getpid()))
    job = replay(asked(), command=fake_command(then="hang"), lock_path=tmp_path / "lock")
    task = asyncio.ensure_future(job)
    while not set(children_of(os.getpid())) - before:
        await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    wait_until(lambda: not set(children_of(os.getpid())) - before, "the end of the process")
    assert MachineLock(tmp_path / "lock").acquire()


async def test_nothing_is_served_while_another_process_measures(tmp_path: Path) -> None:
    lock = MachineLock(tmp_path / "lock")
    assert lock.acquire()
    task = asyncio.ensure_future(replay(asked(), command=fake_command(), lock_path=tmp_path / "lock"))
    done, _ = await asyncio.wait({task}, timeout=1.0)
    assert not done
    lock.release()
    assert len((await task).done_s) == 5

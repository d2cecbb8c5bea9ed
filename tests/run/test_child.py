"""The parent's side against a child that measures known functions or misbehaves as told."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from advisor.core.errors import EXIT_UNDECIDED, AdvisorError
from advisor.core.protocol import Event, Finished, Measured, Started
from advisor.run import Child
from advisor.run import child as child_module
from advisor.run import process as process_module
from advisor.store.lock import MachineLock
from tests.fake_child import fake_command, true_seconds
from tests.measuring import ROOT, alive, environment, hear, plans, request, wait_until

THREE = plans(batches=(1, 4, 8))


async def start(lock: Path, **options: object) -> Child:
    return await Child.start(command=fake_command(**options), lock_path=lock, env=environment())


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "lock"


async def test_cells_arrive_one_by_one_and_then_the_end(lock: Path) -> None:
    async with await start(lock) as child:
        heard = await hear(child, request(*THREE))
    assert heard.started == [0, 1, 2]
    for index, plan in enumerate(THREE):
        assert heard.cells[index].median_s == pytest.approx(true_seconds(plan), rel=0.01)
    assert heard.finished is not None
    assert not heard.finished.cancelled


async def test_a_ready_child_tells_its_machine(lock: Path) -> None:
    async with await start(lock) as child:
        ready = await child.ready()
        assert ready.pid == child.pid
        assert ready.machine.cores_usable == 2


async def test_a_child_serves_one_request_after_the_other(lock: Path) -> None:
    async with await start(lock) as child:
        first = child.pid
        for number in (1, 2, 3):
            assert len((await hear(child, request(*THREE, number=number))).cells) == 3
        assert child.pid == first


@pytest.mark.parametrize(
    ("then", "flag", "word"),
    [("crash", "crashed", "the fake fell over"), ("kill", "killed", "killed"), ("exit-137", "killed", "killed")],
)
async def test_a_child_that_dies_leaves_flagged_cells_and_no_exception(
    lock: Path, then: str, flag: str, word: str
) -> None:
    async with await start(lock, after=1, then=then) as child:
        heard = await hear(child, request(*THREE))
        assert heard.flags(0) == ()
        assert heard.flags(1) == heard.flags(2) == (flag,)
        assert word in heard.note(1)
        assert "Traceback" not in heard.note(1)


async def test_the_next_request_starts_a_dead_child_again(lock: Path) -> None:
    async with await start(lock, after=1, then="kill") as child:
        first = child.pid
        await hear(child, request(*THREE))
        assert child.pid is None
        heard = await hear(child, request(THREE[0], number=2))
        assert heard.flags(0) == ()
        assert child.pid not in (None, first)


async def test_a_child_killed_between_requests_is_started_again(lock: Path) -> None:
    async with await start(lock) as child:
        ready = await child.ready()
        os.kill(ready.pid, signal.SIGKILL)
        while child.pid is not None:
            await asyncio.sleep(0.02)
        assert (await hear(child, request(*THREE))).flags(2) == ()


async def test_nonsense_on_stdout_harms_nothing_and_is_kept_for_words(lock: Path) -> None:
    async with await start(lock, after=1, then="garbage") as child:
        heard = await hear(child, request(*THREE))
        assert [heard.flags(index) for index in range(3)] == [(), (), ()]
        assert any("no event" in words for words in child.words)
        assert all(words.isprintable() for words in child.words)


async def test_a_child_that_closes_its_mouth_is_ended(lock: Path) -> None:
    async with await start(lock, after=1, then="silent") as child:
        ready = await child.ready()
        heard = await hear(child, request(*THREE))
        assert heard.flags(1) == ("hung",)
        assert not alive(ready.pid)


async def test_a_frozen_child_is_ended_after_its_time_limit(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "LATE_SECONDS", 0.2)
    async with await start(lock, after=1, then="hang") as child:
        ready = await child.ready()
        heard = await hear(child, request(*THREE, seconds_total=0.2))
        assert heard.flags(0) == ()
        assert heard.flags(1) == heard.flags(2) == ("hung",)
        assert not alive(ready.pid)


async def test_a_cancelled_request_keeps_what_was_measured(lock: Path) -> None:
    async with await start(lock, cell_seconds=0.3) as child:

        async def stop_after_the_first(event: Event) -> None:
            if isinstance(event, Measured) and event.index == 0:
                await child.cancel()

        heard = await hear(child, request(*THREE), stop_after_the_first)
        assert heard.flags(0) == ()
        assert heard.flags(2) == ("cancelled",)
        assert heard.finished is not None
        assert heard.finished.cancelled
        assert (await hear(child, request(*THREE, number=2))).flags(2) == ()


async def test_a_child_that_ignores_a_cancel_is_ended(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "CANCEL_SECONDS", 0.2)
    async with await start(lock, after=0, then="hang") as child:

        async def stop(event: Event) -> None:
            if isinstance(event, Started):
                await child.cancel()

        heard = await hear(child, request(*THREE), stop)
        assert heard.flags(0) == heard.flags(2) == ("cancelled",)
        assert heard.finished is not None
        assert heard.finished.cancelled


async def test_cancelling_nothing_is_harmless(lock: Path) -> None:
    async with await start(lock) as child:
        await child.cancel()
        assert (await hear(child, request(*THREE))).flags(0) == ()


async def test_a_caller_who_leaves_early_gets_a_clean_child_next_time(lock: Path) -> None:
    async with await start(lock, cell_seconds=0.1) as child:
        events = child.measure(request(*THREE))
        async for event in events:
            if isinstance(event, Measured):
                break
        await events.aclose()
        heard = await hear(child, request(*THREE, number=2))
        assert [heard.flags(index) for index in range(3)] == [(), (), ()]


async def test_a_task_cancelled_in_the_middle_lets_go_of_the_lock(lock: Path) -> None:
    async with await start(lock, cell_seconds=0.2) as child:
        running = asyncio.create_task(hear(child, request(*THREE)))
        while not lock.exists() or MachineLock(lock).acquire():
            await asyncio.sleep(0.02)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert MachineLock(lock).acquire()


async def test_two_on_one_machine_measure_one_after_the_other(lock: Path) -> None:
    order: list[str] = []

    async def measured_by(child: Child, name: str) -> list[int | None]:
        def note(event: Event) -> None:
            if isinstance(event, Started | Finished):
                order.append(name)

        return (await hear(child, request(*THREE), note)).waited

    async with await start(lock, cell_seconds=0.1) as one, await start(lock, cell_seconds=0.1) as two:
        waits = await asyncio.gather(measured_by(one, "one"), measured_by(two, "two"))
    assert order in (["one"] * 4 + ["two"] * 4, ["two"] * 4 + ["one"] * 4)
    assert sorted(map(len, waits)) == [0, 1]
    assert [os.getpid()] in waits


async def test_a_request_waiting_for_the_machine_can_be_cancelled(lock: Path) -> None:
    held = MachineLock(lock)
    assert held.acquire()
    async with await start(lock) as child:
        heard = await hear(child, request(*THREE), lambda event: child.cancel())
        assert heard.waited == [os.getpid()]
        assert heard.started == []
        assert heard.flags(0) == ("cancelled",)


async def test_an_unusable_lock_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    async with await start(tmp_path / "lock") as child:
        heard = await hear(child, request(*THREE))
        assert heard.failed is not None
        assert heard.failed.fix


async def test_missing_libraries_are_one_sentence_with_its_fix(lock: Path) -> None:
    async with await start(lock, fail="Measuring needs torch, which is not installed here.") as child:
        with pytest.raises(AdvisorError, match="torch") as caught:
            await child.ready()
        assert caught.value.exit_code == EXIT_UNDECIDED
        assert caught.value.problems[0].fix == "pip install 'archadvisor[profile]'"
        heard = await hear(child, request(*THREE))
        assert heard.failed is not None
        assert "torch" in heard.failed.says


async def test_a_child_that_dies_before_it_is_ready_is_told_with_its_last_words(lock: Path) -> None:
    broken = [sys.executable, "-c", "import sys; sys.exit('libgomp.so.1: cannot open shared object file')"]
    async with await Child.start(command=broken, lock_path=lock) as child:
        with pytest.raises(AdvisorError, match=r"libgomp.*not ready"):
            await child.ready()
        heard = await hear(child, request(*THREE))
        assert heard.failed is not None


async def test_a_child_that_is_never_ready_is_given_up(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "READY_SECONDS", 0.2)
    async with await start(lock, ready_seconds=600) as child:
        with pytest.raises(AdvisorError, match="not ready"):
            await child.ready()


async def test_a_program_that_does_not_exist_is_said_in_a_sentence(lock: Path) -> None:
    with pytest.raises(AdvisorError, match="cannot be started"):
        await Child.start(command=["/nowhere/python"], lock_path=lock)


async def test_a_flood_of_words_neither_blocks_nor_fills_the_memory(lock: Path) -> None:
    loud = [
        sys.executable,
        "-c",
        "import sys, runpy; sys.argv = sys.argv[1:]; sys.stderr.write('x' * 20_000_000 + '\\nlast\\n');"
        "sys.stdout.write('y' * 20_000_000 + '\\n'); sys.stdout.flush();"
        "runpy.run_path(sys.argv[0], run_name='__main__')",
        *fake_command()[1:],
    ]
    async with await Child.start(command=loud, lock_path=lock, env=environment()) as child:
        assert (await hear(child, request(*THREE))).flags(2) == ()
        assert "last" in child.words
        assert max(map(len, child.words)) < 20_000_000


async def test_closing_ends_the_process_and_its_folder(lock: Path) -> None:
    child = await start(lock)
    ready = await child.ready()
    folder = os.readlink(f"/proc/{ready.pid}/cwd")
    assert os.listdir(folder) == []
    await child.close()
    assert not alive(ready.pid)
    assert not Path(folder).exists()
    await child.close()


async def test_a_child_that_ignores_the_end_of_its_input_is_killed(lock: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "CLOSE_SECONDS", 0.2)
    child = await start(lock)
    ready = await child.ready()
    os.kill(ready.pid, signal.SIGSTOP)
    await child.close()
    assert not alive(ready.pid)


async def test_interrupting_the_terminal_does_not_reach_the_child_first(lock: Path) -> None:
    async with await start(lock) as child:
        ready = await child.ready()
        assert os.getsid(ready.pid) != os.getsid(0)
        assert os.getpgid(ready.pid) != os.getpgid(0)


def test_a_parent_killed_leaves_no_process_and_no_lock(lock: Path) -> None:
    code = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from advisor.run import Child\n"
        "from tests.fake_child import fake_command\n"
        "from tests.measuring import plans, request\n"
        "async def main():\n"
        "    child = await Child.start(command=fake_command(cell_seconds=60), lock_path=Path(sys.argv[1]))\n"
        "    async for event in child.measure(request(*plans())):\n"
        "        print(child.pid, flush=True)\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", code, str(lock)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment(), cwd=ROOT) as parent:
        assert parent.stdout is not None
        child_pid = int(parent.stdout.readline())
        assert not MachineLock(lock).acquire()
        parent.kill()
        parent.wait()
    wait_until(lambda: not alive(child_pid), "the end of the child")
    assert MachineLock(lock).acquire()


def test_the_parents_side_imports_no_torch() -> None:
    heavy = {"torch", "transformers", "advisor.profile", "textual"}
    code = f"import sys, advisor.run; print(sorted({heavy} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"

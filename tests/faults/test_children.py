"""What a measuring child may do to its parent beyond dying: flood it, stand still, or go by a wrong clock."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from advisor.core.protocol import Started
from advisor.run import Child
from advisor.run import child as child_module
from advisor.run import process as process_module
from tests.fake_child import fake_command, true_seconds
from tests.faults.running import MARK, left_behind, state
from tests.measuring import ROOT, alive, children_of, environment, hear, plans, request, wait_until

THREE = plans(batches=(1, 4, 8))
MEBIBYTE = 2**20


def unruly(code: str, **options: object) -> list[str]:
    """The fake child with some lines of a test run when it has said `started` for the second cell."""
    lines = f"""
        import os, runpy, sys, threading, time
        sys.argv = {fake_command(**options)[1:]!r}
        fake = runpy.run_path(sys.argv[0], run_name="fake")
        def misbehave(how):
{textwrap.indent(textwrap.dedent(code), " " * 12)}
        fake["serve"].__globals__["misbehave"] = misbehave
        fake["main"]()
    """
    return [sys.executable, "-c", textwrap.dedent(lines)]


FLOODS = {
    "nonsense": "while True: os.write(1, b'nonsense\\n' * 8000)",
    "a line without end": "while True: os.write(1, b'x' * 65536)",
    "events of nobody": 'while True: os.write(1, b\'{"event":"finished","id":77,"parameters":1,"wall_s":1}\\n\' * 900)',
    "stderr": "while True: os.write(2, b'words without end ' * 4000)",
}


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_child_that_never_stops_talking_is_ended_and_fills_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flood: str
) -> None:
    monkeypatch.setattr(child_module, "LATE_SECONDS", 1.0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    command = unruly(FLOODS[flood], after=1, then="flood")
    async with await Child.start(command=command, lock_path=tmp_path / "lock", env=environment()) as child:
        ready = await child.ready()
        heard = await hear(child, request(*THREE, seconds_total=1.0))
    assert heard.flags(0) == ()
    assert heard.flags(1) == heard.flags(2) == ("hung",)
    assert not alive(ready.pid)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 200 * MEBIBYTE


async def test_a_child_that_floods_before_it_is_ready_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "READY_SECONDS", 1.0)
    flood = [sys.executable, "-c", "import os\nwhile True: os.write(1, b'nonsense\\n' * 8000)"]
    async with await Child.start(command=flood, lock_path=tmp_path / "lock") as child:
        heard = await hear(child, request(*THREE))
        assert heard.failed is not None
        assert "not ready" in heard.failed.says


async def test_a_child_that_closes_stdout_and_measures_on_is_ended(tmp_path: Path) -> None:
    command = unruly("os.close(1); threading.Event().wait()", after=0, then="x")
    async with await Child.start(command=command, lock_path=tmp_path / "lock", env=environment()) as child:
        ready = await child.ready()
        heard = await hear(child, request(*THREE))
        assert heard.flags(0) == heard.flags(2) == ("hung",)
        assert not alive(ready.pid)
        assert (await hear(child, request(*THREE[:0], number=2))).finished is not None


async def test_a_child_that_starts_others_takes_them_along(tmp_path: Path) -> None:
    code = "import subprocess; subprocess.Popen(['sleep', '600'], stdout=2); os.kill(os.getpid(), 9)"
    command = unruly(code, after=0, then="x")
    own = environment() | {MARK: str(tmp_path)}
    async with await Child.start(command=command, lock_path=tmp_path / "lock", env=own) as child:
        assert (await hear(child, request(*THREE))).flags(0) == ("killed",)
    wait_until(lambda: not left_behind(tmp_path), "the end of what the child started")


STANDS_STILL = """
    import asyncio, os, signal, sys
    from pathlib import Path
    import advisor.run.child as module
    from tests.fake_child import fake_command
    from tests.measuring import hear, plans, request
    module.LATE_SECONDS = 0.2
    def stand_still(event):
        if event.event == "started" and event.index == 0:
            os.kill(os.getpid(), signal.SIGSTOP)
    async def main():
        command = fake_command(cell_seconds=0.1)
        async with await module.Child.start(command=command, lock_path=Path(sys.argv[1])) as child:
            heard = await hear(child, request(*plans(batches=(1, 4, 8)), seconds_total=0.4), stand_still)
        print([heard.cells[index].median_s is not None for index in range(3)])
    asyncio.run(main())
"""


def test_a_parent_that_stood_still_beyond_every_limit_still_takes_what_was_measured(tmp_path: Path) -> None:
    """Suspended in the terminal for longer than a run may take: the child was done long ago, and nothing is late."""
    command = [sys.executable, "-c", textwrap.dedent(STANDS_STILL), str(tmp_path / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment(), cwd=ROOT) as parent:
        wait_until(lambda: state(parent.pid) == "T", "the stop")
        time.sleep(1.5)
        parent.send_signal(signal.SIGCONT)
        out, _ = parent.communicate(timeout=60)
    assert out.strip() == "[True, True, True]"


async def test_a_wall_clock_that_jumps_changes_no_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jumps = iter(range(0, 10**9, 86_400))
    monkeypatch.setattr(time, "time", lambda: float(next(jumps)))
    clock = "import itertools, time; time.time = lambda c=itertools.count(10**9, -86400): float(next(c))"
    command = [sys.executable, "-c", f"{clock}\nimport runpy, sys; sys.argv = {fake_command()[1:]!r}\n"]
    command[-1] += "runpy.run_path(sys.argv[0], run_name='__main__')"
    async with await Child.start(command=command, lock_path=tmp_path / "lock", env=environment()) as child:
        heard = await hear(child, request(*THREE))
    for index, plan in enumerate(THREE):
        assert heard.cells[index].median_s == pytest.approx(true_seconds(plan), rel=0.01)
    assert heard.finished is not None
    assert 0 <= heard.finished.wall_s < 3600


def test_no_figure_and_no_limit_asks_for_the_time_of_day() -> None:
    """A clock that is set, or that summer moves, must change none of them. Stamps of a run in the store may ask."""
    for room in ("core", "profile", "run", "report"):
        for path in (ROOT / "advisor" / room).rglob("*.py"):
            assert not re.search(r"\btime\.time(_ns)?\b|\bfrom time import .*\btime\b", path.read_text()), path


@pytest.mark.real
async def test_a_worker_that_stood_still_spoils_no_median(tmp_path: Path) -> None:
    """Stopped for a second in the middle of its samples: the figure stays what it was, or says that it is none."""
    async with await Child.start(lock_path=tmp_path / "lock") as child:
        calm = (await hear(child, request(*plans(batches=(1,)), latency_budget_s=None))).cells[0]

        def stop_and_go(event: object) -> None:
            if isinstance(event, Started):
                wait_until(lambda: bool(children_of(child.pid or 0)), "a worker")
                (worker,) = children_of(child.pid or 0)
                wait_until(lambda: busy_seconds(worker) > 0.5, "some samples")
                os.kill(worker, signal.SIGSTOP)
                wait_until(lambda: state(worker) == "T", "the stop")
                time.sleep(1)
                os.kill(worker, signal.SIGCONT)

        shaken = (await hear(child, request(*plans(batches=(1,)), latency_budget_s=None), stop_and_go)).cells[0]
    assert calm.median_s is not None
    assert shaken.median_s is not None
    assert shaken.median_s < 5 * calm.median_s
    assert shaken.outliers or "not-steady" in shaken.flags or max(shaken.samples_s or ()) < 1


def busy_seconds(pid: int) -> float:
    """Processor time a process has used."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

"""A long session: many measurements in one questionnaire, and it holds no more than at first.

`make fuzz` runs two hundred; the ordinary run a few, enough to see what every measurement would leave behind.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import pytest

from advisor.advise import Knowledge
from advisor.core.report import Report
from advisor.run import Child
from advisor.tui.app import AdvisorApp
from advisor.tui.describe import DescribeScreen
from advisor.tui.measure import MeasureScreen
from advisor.tui.verdict import VerdictScreen
from tests.fake_child import fake_command
from tests.tui.conftest import TICKETS, Opened, StubChild

ROUNDS = int(os.environ.get("SOAK_ROUNDS", "90"))
WARM_UP = 70
"""Rounds until what is filled once is filled: the screen library's caches of drawn lines are, after some fifty."""
MEBIBYTE = 2**20
HELD_EACH_BYTES = MEBIBYTE // 5
"""What a measurement may leave behind; a screen and its report that stayed would be several times that."""


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(sys.platform != "linux", reason="reads memory and open files from /proc")
async def test_many_measurements_hold_no_more_than_a_few(
    knowledge: Knowledge, report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("advisor.core.sizing.planning.plan", lambda *_, **__: report.plan)  # seconds each, held by none

    async def start() -> Child:
        return await Child.start(command=fake_command(), lock_path=tmp_path / "lock")

    app = AdvisorApp(knowledge, TICKETS, start)
    async with app.run_test(size=(80, 24)) as pilot:
        it = Opened(app, pilot, StubChild())
        for number in range(ROUNDS):
            monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / str(number)))  # nothing is known yet: all is measured
            app.screen.query_one("#measure").focus()
            await it.press("m")
            await it.show(VerdictScreen)
            assert all(cell.median_s is not None for cell in app.screen.report.profiles[0].cells)
            await it.press("d")
            await it.show(DescribeScreen)
            if number == WARM_UP:
                gc.collect()
                resident, files = resident_bytes(), open_files()
        gc.collect()
        assert resident_bytes() - resident < 4 * MEBIBYTE + (ROUNDS - WARM_UP) * HELD_EACH_BYTES
        assert open_files() <= files
        kept = [type(one) for one in gc.get_objects() if isinstance(one, VerdictScreen | MeasureScreen)]
        assert kept == []

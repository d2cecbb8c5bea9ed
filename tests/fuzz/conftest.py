"""Says after a run how many made-up examples were tried and how they ended."""

from __future__ import annotations

import pytest

from tests.fuzz.running import counted


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not counted:
        return
    terminalreporter.section("made-up examples by way in and exit code")
    for (way, code), times in sorted(counted.items()):
        terminalreporter.line(f"{way:<16} exit {code}: {times:>7}")
    terminalreporter.line(f"{'in all':<16}         {sum(counted.values()):>7}")

"""The command line run in this process, with a child that measures known functions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import advisor.run.child
from advisor.cli import main
from tests.fake_child import fake_command


@dataclass
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        return json.loads(self.err)


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run `advisor` with these arguments; the child is the fake one."""
    monkeypatch.setattr(advisor.run.child, "COMMAND", tuple(fake_command()))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    def go(*arguments: str) -> Ran:
        try:
            code = main(arguments)
        except SystemExit as error:  # --help and --version end the way argparse ends them
            code = int(error.code or 0)
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return go

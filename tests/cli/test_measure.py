"""`advisor profile` and `advisor advise` with a child whose times are known."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import advisor.run.child
from tests.cli.conftest import Run
from tests.fake_child import fake_command

ROOT = Path(__file__).resolve().parents[2]
TICKETS = str(ROOT / "examples" / "ticket-routing.yaml")


def test_a_profile_has_every_key_of_the_contract(run: Run) -> None:
    done = run("profile", "bert-base", "--batch", "1,8", "--input-tokens", "128", "--json")
    assert done.code == 0
    document = done.document
    assert set(document) >= {"schema_version", "kind", "machine", "model", "cells", "best", "surfaces", "wall_s"}
    expected = {
        "id": "bert-base",
        "architecture": "encoder-only",
        "parameters": 109_482_240,
        "weights": "random",
    }
    assert {key: document["model"][key] for key in expected} == expected
    shapes = {(cell["dtype"], cell["batch_size"], cell["input_tokens"]) for cell in document["cells"]}
    assert shapes == {(dtype, batch, 128) for dtype in ("float32", "bfloat16") for batch in (1, 8)}
    assert all(cell["samples_s"] is None for cell in document["cells"])


def test_samples_are_kept_on_request(run: Run) -> None:
    cells = run("profile", "bert-base", "--batch", "1", "--samples", "--json").document["cells"]
    assert all(len(cell["samples_s"]) == cell["samples"] for cell in cells)


def test_cuts_of_a_model_are_measured_beside_it_and_shown_with_their_error(run: Run) -> None:
    asked = ("profile", "bert-base", "--layers", "8,2,4", "--batch", "1", "--input-tokens", "64", "--dtype", "float32")
    document = run(*asked, "--json").document
    assert [cell["layers"] for cell in document["cells"]] == [8, 2, 4, None]
    (line,) = document["extrapolations"]
    assert line["layers"] == [2, 4, 8]
    assert line["error_pct"] is not None
    assert "extrapolated against measured" in " ".join(run(*asked).out.split())


@pytest.mark.parametrize(
    ("layers", "words"),
    [("2,4", "three different numbers"), ("2,4,12", "bert-base has 12 layers"), ("0,2,4", "whole number from 1")],
)
def test_layers_that_are_no_cuts_are_refused(run: Run, layers: str, words: str) -> None:
    done = run("profile", "bert-base", "--layers", layers)
    assert done.code == 2
    assert words in done.err


def test_what_was_asked_for_and_is_not_installed_is_told_beside_what_was_measured(run: Run) -> None:
    asked = ("profile", "t5-small", "--runtime", "torch,ctranslate2", "--dtype", "float32", "--batch", "1")
    document = run(*asked, "--json").document
    assert {cell["runtime"] for cell in document["cells"]} == {"torch"}
    (missing,) = document["not_available"]
    assert (missing["runtime"], missing["dtype"]) == ("ctranslate2", "float32")
    shown = " ".join(run(*asked).out.split())
    assert "ctranslate2 float32 is not available: ctranslate2 is not installed" in shown


def test_where_nothing_that_was_asked_for_can_serve_the_model_it_is_undecided(run: Run) -> None:
    done = run("profile", "gpt2", "--runtime", "openvino")
    assert done.code == 4
    assert "openvino is not installed" in done.err


def test_an_unknown_runtime_is_refused_with_those_there_are(run: Run) -> None:
    done = run("profile", "bert-base", "--runtime", "onnx")
    assert done.code == 2
    assert 'unknown runtime "onnx"' in done.err
    assert "ctranslate2" in done.err


def test_the_plan_takes_the_fastest_configuration_whatever_runs_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advisor.run.child, "COMMAND", tuple(fake_command(installed="openvino")))
    report = run("advise", TICKETS, "--runtime", "torch,openvino", "--dtype", "float32,int8", "--json").document
    serving = report["plan"]["stages"][0]["serving"]
    assert (serving["runtime"], serving["dtype"]) == ("openvino", "int8")
    assert "--runtime torch,openvino" in report["plan"]["reproduce"]
    assert "--dtype float32,int8" in report["plan"]["reproduce"]
    cells = report["profiles"][0]["cells"]
    best = report["profiles"][0]["best"][0]
    assert {cells[best[key]]["runtime"] for key in ("throughput_cell", "latency_cell")} == {"openvino"}


def test_quick_tries_what_is_installed_in_one_dtype_and_beyond_it_in_all(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advisor.run.child, "COMMAND", tuple(fake_command(installed="openvino")))
    asked = ("profile", "bert-base", "--batch", "1", "--input-tokens", "32", "--json")
    quick, standard = run(*asked).document, run(*asked, "--effort", "standard").document
    assert {(cell["runtime"], cell["dtype"]) for cell in quick["cells"]} == {
        *(("torch", dtype) for dtype in ("float32", "bfloat16")),
        ("openvino", "int8"),
    }
    assert {(cell["runtime"], cell["dtype"]) for cell in standard["cells"]} == {
        *(("torch", dtype) for dtype in ("float32", "bfloat16")),
        *(("openvino", dtype) for dtype in ("float32", "bfloat16", "int8")),
    }


def test_more_effort_measures_in_more_processes_and_is_named_where_a_plan_is_reproduced(run: Run) -> None:
    report = run("advise", TICKETS, "--effort", "standard", "--json").document
    cells = report["profiles"][0]["cells"]
    whole = {cell["dtype"]: cell for cell in cells if "passed-over" not in cell["flags"]}
    assert {(cell["processes"], cell["ci_method"]) for cell in whole.values()} == {(3, "student-t")}
    assert set(whole) == {"bfloat16"}, "the fake child takes twice as long in float32"
    assert {stage["serving"]["dtype"] for stage in report["plan"]["stages"]} == {"bfloat16"}
    assert report["plan"]["reproduce"].endswith("--effort standard")
    assert " in 3" in run("advise", TICKETS, "--effort", "standard").out


def test_what_was_measured_with_more_effort_serves_a_request_for_less_alone(run: Run) -> None:
    def reused(effort: str) -> bool:
        arguments = ("--batch", "1", "--runtime", "torch", "--effort", effort, "--json")
        cells = run("profile", "bert-base", *arguments).document["cells"]
        return all(cell["reused_from"] is not None for cell in cells)

    asked = ("quick", "standard", "quick", "thorough", "standard")
    assert [reused(effort) for effort in asked] == [False, False, True, False, True]


@pytest.mark.parametrize("model", ["bert-base", "minilm-l6", "gpt2", "t5-small", "t5-base"])
def test_every_family_is_profiled_in_its_stages(run: Run, model: str) -> None:
    document = run("profile", model, "--json").document
    stages = {cell["stage"] for cell in document["cells"]}
    expected = {
        "encoder-only": {"forward"},
        "decoder-only": {"prefill", "decode"},
        "encoder-decoder": {"encode", "decode"},
    }[document["model"]["architecture"]]
    assert stages == expected or stages == {"embed"}
    assert {best["stage"] for best in document["best"]} == stages


def test_a_report_holds_recommendation_profiles_and_plan(run: Run) -> None:
    done = run("advise", TICKETS, "--json")
    report = done.document
    assert done.code == {"meets": 0, "misses": 1, "undecided": 4}[report["plan"]["verdict"]]
    assert report["recommendation"]["architecture"] == "encoder-only"
    assert len(report["profiles"][0]["cells"]) >= 12
    plan = report["plan"]
    assert plan["stages"][0]["role"] == "model"
    assert plan["reproduce"].startswith("advisor advise --set task=text-classification")


def test_the_command_to_reproduce_a_plan_names_the_folders_it_was_decided_from(run: Run) -> None:
    folder = str(ROOT / "rules")
    plan = run("advise", TICKETS, "--rules", folder, "--json").document["plan"]
    assert shlex.split(plan["reproduce"])[-2:] == ["--rules", folder]


def test_words_markdown_and_json_show_the_same_figures(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    words = run("advise", TICKETS, "--output", str(path))
    plan = run("advise", TICKETS, "--json").document["plan"]
    from advisor.report import figures

    for figure in (figures.milliseconds(plan["latency_ms"]["p95"]), plan["verdict"]):
        assert figure in words.out
        assert figure in path.read_text()


def test_hosting_behind_an_api_is_recommended_but_not_measured(run: Run) -> None:
    done = run("advise", "--set", "task=chat", "--set", "hosting=api", "--json")
    assert done.code == 4
    assert done.document["plan"] is None
    assert done.document["recommendation"]["architecture"] == "decoder-only"


def test_a_corpus_pipeline_is_undecided_and_names_what_was_not_measured(run: Run) -> None:
    settings = ["task=retrieval-augmented-generation", "input_tokens=256", "output_tokens=16"]
    done = run("advise", *[word for one in settings for word in ("--set", one)], "--json")
    assert done.code == 4
    stages = {stage["role"]: stage for stage in done.document["plan"]["stages"]}
    assert set(stages) == {"retriever", "index", "reranker", "generator"}
    assert stages["retriever"]["origin"] is not None
    assert stages["index"]["latency_ms"] is None
    assert (stages["reranker"]["stage"], stages["reranker"]["note"]) == ("rerank", None)
    assert stages["reranker"]["latency_ms"] is not None
    missing = [one["says"] for one in done.document["plan"]["findings"] if one["id"] == "PLAN-007"]
    assert [says.split()[0] for says in missing] == ["index"]


def test_no_model_that_fits_is_undecided(run: Run) -> None:
    done = run("advise", "--set", "task=text-classification", "--set", "memory_limit_gib=0.05", "--json")
    assert done.code == 4
    assert done.document["recommendation"]["components"][0]["model"] is None


def test_a_child_that_dies_leaves_flagged_cells_and_a_verdict(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advisor.run.child, "COMMAND", tuple(fake_command(after=3, then="kill")))
    done = run("advise", TICKETS, "--json")
    assert done.code in (0, 1, 4)
    cells = done.document["profiles"][0]["cells"]
    assert sum(cell["median_s"] is not None for cell in cells) == 3
    assert all("killed" in cell["flags"] for cell in cells[3:])


def test_a_child_that_cannot_start_is_undecided_in_one_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advisor.run.child, "COMMAND", (sys.executable, "-c", "raise SystemExit('no torch here')"))
    done = run("advise", TICKETS)
    assert done.code == 4
    assert "Traceback" not in done.err
    assert done.out == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_keeps_what_was_measured(tmp_path: Path, number: signal.Signals) -> None:
    script = (
        "import sys, advisor.run.child, advisor.cli.progress as progress\n"
        "from advisor.cli import main\n"
        "from tests.fake_child import fake_command\n"
        "advisor.run.child.COMMAND = tuple(fake_command(after=2, then='hang'))\n"
        "first = progress.Progress.__call__\n"
        "def call(self, role, event):\n"
        "    first(self, role, event)\n"
        "    if event.event == 'started' and event.index == 2: print('third', flush=True)\n"
        "progress.Progress.__call__ = call\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    output = tmp_path / "kept.json"
    command = [sys.executable, "-c", script, "advise", TICKETS, "--json", "--output", str(output)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "third\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert out == ""
    assert json.loads(err)["exit_code"] == 130
    kept = json.loads(output.read_text())
    assert sum(cell["median_s"] is not None for cell in kept["profiles"][0]["cells"]) == 2

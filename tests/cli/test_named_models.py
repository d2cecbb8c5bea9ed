"""A folder or a hub id where a catalogue id could stand: `advisor profile FOLDER`, `advisor advise --model FOLDER`."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.folders import change_config, saved, sentence_encoder, with_tokenizer
from tests.measuring import ROOT, environment

CLASSIFY = ("--set", "task=text-classification", "--set", "requests_per_second=20", "--set", "input_tokens=32")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "our models" / "Tickets v2"
    made.mkdir(parents=True)
    saved(made, "bert")
    with_tokenizer(made)
    return made


def test_a_folder_is_profiled_in_its_own_stages_too(run: Run, folder: Path) -> None:
    done = run("profile", str(folder), "--input-tokens", "8,16", "--json")
    assert done.code == 0
    model, cells = done.document["model"], done.document["cells"]
    assert (model["id"], model["name"], model["weights"]) == ("tickets-v2", "Tickets v2", "real")
    assert re.fullmatch("[0-9a-f]{64}", model["weights_sha256"])
    assert model["parameters"] == model["stored_parameters"]
    assert {cell["stage"] for cell in cells} == {"load", "forward", "tokenize"}
    assert [cell["dtype"] for cell in cells if cell["stage"] == "load"] == ["float32", "bfloat16"]
    shapes = {(cell["batch_size"], cell["input_tokens"]) for cell in cells if cell["stage"] == "tokenize"}
    assert shapes == {(batch, tokens) for batch in (1, 8) for tokens in (8, 16)}


def test_batches_that_were_asked_for_are_all_tokenised(run: Run, folder: Path) -> None:
    cells = run("profile", str(folder), "--batch", "1,2,4", "--input-tokens", "8", "--json").document["cells"]
    assert [cell["batch_size"] for cell in cells if cell["stage"] == "tokenize"] == [1, 2, 4]


def test_a_profile_names_the_folder_and_not_where_it_lies(run: Run, folder: Path) -> None:
    done = run("profile", str(folder), "--input-tokens", "8")
    assert "From the folder Tickets v2; weights sha256" in " ".join(done.out.split())
    assert str(folder.parent) not in done.out
    assert str(folder.parent) not in run("profile", str(folder), "--input-tokens", "8", "--json").out


def test_a_folder_without_weights_says_that_its_weights_are_random(run: Run, folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    document = run("profile", str(folder), "--input-tokens", "8", "--json").document
    assert document["model"]["weights"] == "random"
    assert "no safetensors" in document["model"]["notes"][0]
    assert "load" not in {cell["stage"] for cell in document["cells"]}


def test_a_sentence_encoder_embeds_where_it_is_profiled(run: Run) -> None:
    cells = run("profile", str(sentence_encoder()), "--input-tokens", "16", "--json").document["cells"]
    assert {cell["stage"] for cell in cells} == {"load", "embed", "tokenize"}


def test_advise_plans_with_a_folder_and_its_tokenising(run: Run, folder: Path) -> None:
    with_it = run("advise", *CLASSIFY, "--model", str(folder), "--json").document
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()
    without = run("advise", *CLASSIFY, "--model", str(folder), "--json").document
    assert with_it["plan"]["stages"][0]["model"] == "tickets-v2"
    assert with_it["plan"]["latency_ms"]["p50"] > without["plan"]["latency_ms"]["p50"]
    assert [one["id"] for one in with_it["plan"]["findings"]].count("PLAN-010") == 1
    assert "PLAN-010" not in [one["id"] for one in without["plan"]["findings"]]


def test_the_command_that_reproduces_a_plan_names_the_folder_again(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    plan = run("advise", *CLASSIFY, "--model", folder.name, "--json").document["plan"]
    words = shlex.split(plan["reproduce"])
    assert words[words.index("--model") + 1] == f"./{folder.name}"
    again = run(*words[1:], "--json").document["plan"]
    assert again["replicas"] == plan["replicas"]


def test_a_folder_of_another_architecture_is_refused(run: Run, tmp_path: Path) -> None:
    saved(tmp_path, "gpt2")
    done = run("advise", *CLASSIFY, "--model", str(tmp_path), "--json")
    assert done.code == 2
    assert "decoder-only" in done.error["problems"][0]["message"]


def test_a_bad_folder_ends_in_2_with_its_place(run: Run, folder: Path) -> None:
    change_config(folder, auto_map={"AutoModel": "own.Model"})
    done = run("profile", str(folder), "--json")
    assert done.code == 2
    assert done.out == ""
    problem = done.error["problems"][0]
    assert problem["file"].endswith("config.json")
    assert problem["line"] > 1
    assert problem["fix"]
    words = run("profile", str(folder))
    assert "Traceback" not in words.err
    assert "config.json:" in words.err


def test_two_folders_with_other_weights_are_not_taken_for_one_another(run: Run, folder: Path) -> None:
    run("profile", str(folder), "--input-tokens", "8")
    again = run("profile", str(folder), "--input-tokens", "8", "--json").document
    assert all(cell["reused_from"] is not None for cell in again["cells"])
    assert again["model"]["weights"] == "real"
    saved(folder, "bert", initializer_range=0.5)
    other = run("profile", str(folder), "--input-tokens", "8", "--json").document
    assert other["model"]["weights_sha256"] != again["model"]["weights_sha256"]
    assert all(cell["reused_from"] is None for cell in other["cells"])


NO_SOCKETS = """
import socket, sys
class Blocked(socket.socket):
    def connect(self, *words): raise AssertionError("a socket was connected")
    connect_ex = connect
socket.socket = Blocked
def refuse(*words, **more): raise AssertionError("a name was looked up")
socket.getaddrinfo = refuse
socket.create_connection = refuse
"""


@pytest.mark.real
def test_a_folder_is_measured_where_no_socket_may_be_opened(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(NO_SOCKETS)
    env = environment()
    env["PYTHONPATH"] = f"{tmp_path / 'site'}{os.pathsep}{env['PYTHONPATH']}"
    command = [str(Path(sys.executable).parent / "advisor"), "profile", str(folder), "--input-tokens", "8"]
    done = subprocess.run(
        [*command, "--batch", "1", "--dtype", "float32", "--json"], capture_output=True, text=True, env=env, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["model"]["weights"] == "real"
    assert all(cell["median_s"] is not None for cell in document["cells"]), document["cells"]

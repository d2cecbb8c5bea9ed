"""`advisor advise --profile FILE`: measured there, planned here, and no child is started."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import advisor.run.child
from advisor.cli.arguments import parser
from advisor.core.hardware import GIB
from tests.cli.conftest import Run
from tests.fake_child import FAKE_MACHINE, fake_command

ROOT = Path(__file__).resolve().parents[2]
TICKETS = str(ROOT / "examples" / "ticket-routing.yaml")
RAG = ["--set", "task=retrieval-augmented-generation", "--set", "input_tokens=128", "--set", "output_tokens=16"]


@pytest.fixture
def made(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a profile with the fake child, after which no child can be started any more."""

    def go(model: str, *options: str) -> str:
        path = tmp_path / f"{model}.json"
        monkeypatch.setattr(advisor.run.child, "COMMAND", tuple(fake_command()))
        assert run("profile", model, *options, "--samples", "--output", str(path)).code == 0
        monkeypatch.setattr(advisor.run.child, "COMMAND", (sys.executable, "-c", "raise SystemExit('a child')"))
        return str(path)

    return go


def changed(path: str, *keys: str | int, to: object) -> str:
    """The file with the value at these keys changed."""
    document = json.loads(Path(path).read_text())
    place = document
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = to
    Path(path).write_text(json.dumps(document, indent=2))
    return path


def test_the_plan_is_the_one_that_the_measuring_machine_would_have_made(run: Run, made: Any, tmp_path: Path) -> None:
    there = tmp_path / "report.json"
    assert run("advise", TICKETS, "--samples", "--output", str(there)).code in (0, 1)
    made("bert-base", "--batch", "1")  # from here on nothing can be measured
    done = run("advise", TICKETS, "--profile", str(there), "--json")
    before, after = json.loads(there.read_text()), done.document
    for key in before["plan"].keys() - {"reproduce"}:
        assert after["plan"][key] == before["plan"][key], key
    jsonschema.validate(after, run("schema", "report").document)


def test_a_length_between_cells_is_planned_with_the_surface_in_the_file(run: Run, made: Any) -> None:
    path = made("bert-base", "--batch", "1,4,8", "--input-tokens", "32,64,256")
    stage = run("advise", TICKETS, "--profile", path, "--json").document["plan"]["stages"][0]
    assert stage["origin"] == "interpolated"
    assert 0 <= stage["error_pct"] < 1, "the fake child's times are exact"
    worse = json.loads(Path(path).read_text())
    for surface in worse["surfaces"]:
        surface["holdout_error_pct"] = 12.0
    Path(path).write_text(json.dumps(worse))
    assert "interpolated ± 12 %" in run("advise", TICKETS, "--profile", path).out
    bad = changed(path, "surfaces", 0, "coefficients", "c1", to=-1.0)
    refused = run("advise", TICKETS, "--profile", bad)
    assert refused.code == 2
    assert "none takes time away" in refused.err


def test_a_profile_without_single_runs_is_planned_and_says_what_it_lacks(run: Run, made: Any) -> None:
    path = made("bert-base", "--input-tokens", "64,128")
    cells = [cell | {"samples_s": None} for cell in json.loads(Path(path).read_text())["cells"]]
    plan = run("advise", TICKETS, "--profile", changed(path, "cells", to=cells), "--json").document["plan"]
    (finding,) = [one for one in plan["findings"] if one["id"] == "PLAN-002"]
    assert "made with --samples" in finding["says"]


def test_the_report_names_the_machine_and_the_file(run: Run, made: Any) -> None:
    path = made("bert-base", "--input-tokens", "64,128")
    document = run("advise", TICKETS, "--profile", path, "--json").document
    assert document["measured_on"] == [
        {
            "role": "model",
            "model": "bert-base",
            "file": path,
            "machine": "Fake CPU",
            "device": "cpu",
            "fingerprint": FAKE_MACHINE.fingerprint,
            "this_machine": False,
        }
    ]
    words = run("advise", TICKETS, "--profile", path).out
    assert "Measured elsewhere" in words
    assert "Fake CPU" in words
    assert "like this machine" not in words


def test_the_command_to_reproduce_gives_the_same_plan(run: Run, made: Any) -> None:
    path = made("bert-base", "--input-tokens", "64,128")
    first = run("advise", TICKETS, "--profile", path, "--json").document["plan"]
    assert shlex.split(first["reproduce"])[-2:] == ["--profile", path]
    again = run(*shlex.split(first["reproduce"])[1:], "--json").document["plan"]
    assert again == first


def test_the_memory_limit_is_that_of_the_machine_that_was_measured(run: Run, made: Any) -> None:
    path = changed(made("bert-base", "--input-tokens", "128"), "machine", "memory_limit_bytes", to=GIB // 8)
    done = run("advise", TICKETS, "--profile", path, "--json")
    assert done.code == 1
    assert done.document["plan"]["binding"] == "memory"


def test_a_card_is_planned_with_its_own_memory(run: Run, made: Any) -> None:
    path = made("bert-base", "--input-tokens", "128")
    document = json.loads(Path(path).read_text())
    for cell in document["cells"]:
        cell["device"] = "cuda:0"
    card = {"device": "cuda:0", "name": "Fake H1", "memory_bytes": GIB, "memory_limit_bytes": GIB // 8}
    document["machine"]["device_details"] = [card]
    Path(path).write_text(json.dumps(document))
    done = run("advise", TICKETS, "--profile", path, "--json")
    assert done.document["plan"]["binding"] == "memory"
    assert done.document["measured_on"][0]["machine"] == "Fake H1"
    assert done.document["plan"]["stages"][0]["serving"]["device"] == "cuda:0"


def test_a_length_that_was_not_measured_is_undecided_and_the_command_closes_the_gap(run: Run, made: Any) -> None:
    path = made("bert-base", "--input-tokens", "32,64")
    done = run("advise", TICKETS, "--profile", path, "--json")
    assert done.code == 4
    (command,) = done.document["to_measure"]
    assert command.startswith("advisor profile bert-base --input-tokens 128 ")
    assert command in run("advise", TICKETS, "--profile", path).out
    words = shlex.split(command)[1:]
    closed = made(words[1], *words[2 : words.index("--samples")])
    done = run("advise", TICKETS, "--profile", closed, "--json")
    assert done.code in (0, 1)
    assert done.document["to_measure"] == []


def test_what_is_still_to_be_measured_is_measured_of_the_models_that_were_given(
    run: Run, made: Any, tmp_path: Path
) -> None:
    rules, models = (str(shutil.copytree(ROOT / name, tmp_path / f"my {name}")) for name in ("rules", "models"))
    path = made("bert-base", "--input-tokens", "32")
    done = run("advise", TICKETS, "--profile", path, "--rules", rules, "--models", models, "--json")
    (command,) = done.document["to_measure"]
    words = shlex.split(command)
    assert words[words.index("--models") + 1] == models
    assert "--rules" not in words, "advisor profile has no such option"
    parser().parse_args(words[1:])


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"name": "search"}, "./search"),
        ({"name": "owner/search", "hub_id": "owner/search", "revision": "abc123"}, "owner/search@abc123"),
    ],
)
def test_what_is_still_to_be_measured_of_a_model_outside_the_catalogue_is_named_as_it_was(
    run: Run, made: Any, files: dict[str, str], named: str
) -> None:
    path = made("bert-base", "--input-tokens", "32")
    model = json.loads(Path(path).read_text())["model"] | {"id": "search"} | files
    done = run("advise", TICKETS, "--profile", changed(path, "model", to=model), "--json")
    (command,) = done.document["to_measure"]
    assert shlex.split(command)[:3] == ["advisor", "profile", named]


def test_a_part_without_a_profile_is_undecided_and_named(run: Run, made: Any) -> None:
    generator = made("gpt2", "--input-tokens", "128", "--output-tokens", "16")
    done = run("advise", *RAG, "--profile", generator, "--json")
    assert done.code == 4
    stages = {stage["role"]: stage for stage in done.document["plan"]["stages"]}
    assert stages["generator"]["latency_ms"] is not None
    assert stages["retriever"]["latency_ms"] is None
    assert any("minilm-l6" in command for command in done.document["to_measure"])


def test_a_profile_for_each_part_of_a_pipeline_finds_its_part(run: Run, made: Any) -> None:
    files = [made("gpt2", "--input-tokens", "128", "--output-tokens", "16"), made("minilm-l6", "--input-tokens", "32")]
    done = run("advise", *RAG, "--profile", files[0], "--profile", files[1], "--json")
    measured = {one["role"]: one["model"] for one in done.document["measured_on"]}
    assert measured == {"retriever": "minilm-l6", "generator": "gpt2"}


@pytest.mark.parametrize(
    ("answers", "words"), [(["--set", "task=chat"], "needs decoder-only"), (["--set", "task=translation"], "needs enc")]
)
def test_a_model_of_another_architecture_is_refused_at_its_place(
    run: Run, made: Any, answers: list[str], words: str
) -> None:
    path = made("bert-base", "--input-tokens", "128")
    done = run("advise", *answers, "--profile", path, "--json")
    assert done.code == 2
    (problem,) = done.error["problems"]
    assert words in problem["message"]
    assert '"architecture"' in Path(path).read_text().splitlines()[problem["line"] - 1]
    assert done.out == ""


def test_two_profiles_for_one_part_are_refused(run: Run, made: Any) -> None:
    path = made("bert-base", "--input-tokens", "128")
    done = run("advise", TICKETS, "--profile", path, "--profile", path, "--json")
    assert done.code == 2
    assert "already" in done.error["problems"][0]["message"]


def test_an_architecture_the_catalogue_knows_better_is_refused(run: Run, made: Any) -> None:
    path = changed(made("gpt2", "--input-tokens", "128"), "model", "architecture", to="encoder-only")
    done = run("advise", TICKETS, "--profile", path, "--json")
    assert done.code == 2
    assert "the catalogue's gpt2 is decoder-only" in done.error["problems"][0]["message"]


@pytest.mark.parametrize(
    "option", [["--batch", "1"], ["--device", "cpu"], ["--dtype", "float32"], ["--fresh"], ["--model", "bert-base"]]
)
def test_an_option_that_would_have_no_effect_is_refused(run: Run, option: list[str]) -> None:
    done = run("advise", TICKETS, "--profile", "x.json", *option, "--json")
    assert done.code == 2
    assert "no effect" in done.error["problems"][0]["message"]


def test_hosting_behind_an_api_plans_nothing_from_a_profile(run: Run, made: Any) -> None:
    path = made("bert-base", "--input-tokens", "128")
    done = run("advise", TICKETS, "--set", "hosting=api", "--profile", path, "--json")
    assert done.code == 4
    assert done.document["plan"] is None


def test_planning_from_a_profile_imports_no_torch() -> None:
    script = (
        "import sys\n"
        "from advisor.cli import main\n"
        f"main(['advise', {TICKETS!r}, '--profile', {str(ROOT / 'examples' / 'report.json')!r}])\n"
        "print([name for name in ('torch', 'transformers') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == "[]"
    assert "Measured" in done.stdout


@pytest.mark.parametrize(
    ("model", "answers", "words"),
    [
        ("gpt2", ["task=chat", "input_tokens_max=900"], "900 + 256 = 1,156 are needed"),
        ("bert-base", ["task=text-classification", "input_tokens=600"], "the input has up to 600"),
    ],
)
def test_a_text_beyond_the_positions_of_the_model_is_planned_by_nobody(
    run: Run, made: Any, model: str, answers: list[str], words: str
) -> None:
    said = [word for answer in answers for word in ("--set", answer)]
    done = run("advise", *said, "--profile", made(model), "--json")
    assert done.code == 4
    assert done.document["plan"]["verdict"] == "undecided"
    assert done.document["plan"]["first_thing_to_change"].startswith("Name a model with a longer context")
    assert words in done.document["plan"]["first_thing_to_change"]
    assert done.document["to_measure"] == []

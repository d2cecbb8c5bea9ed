"""Hub ids: what is fetched, what never is, and the one sentence where nothing can be. Each in a process of its own,
for the hub's library reads its settings when it is imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.folders import change_config, saved, with_tokenizer
from tests.hub_server import REVISION, Hub, running_hub
from tests.measuring import ROOT, environment

NAME = "some-team/Tiny-BERT"

SCRIPT = """
import json, sys
from advisor.core.errors import AdvisorError
from advisor.store.catalog import load_catalog
from advisor.store.named_model import named_model
from advisor.store.paths import shipped
said = []
try:
    entry, source, words = named_model(sys.argv[1], load_catalog(shipped("models")), say=said.append)
    print(json.dumps({"id": entry.id, "source": source.model_dump(), "words": words, "said": said}))
except AdvisorError as error:
    problem = error.problems[0]
    print(json.dumps({"exit_code": error.exit_code, "message": problem.message, "fix": problem.fix}))
print("torch" in sys.modules or "transformers" in sys.modules, file=sys.stderr)
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A hub with one good model, which also has code, pickles and a second copy of its weights."""
    folder = tmp_path / "published"
    folder.mkdir()
    saved(folder, "bert")
    with_tokenizer(folder)
    for name in ("modeling.py", "pytorch_model.bin", "model-00001-of-00002.safetensors", "onnx/model.safetensors"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("never fetched")
    with running_hub() as running:
        running.models[NAME] = folder
        yield running


def asked(name: str, home: Path, hub: Hub | None, **more: str) -> Any:
    """What a process says that names this model. Without a hub there is nothing at the hub's address."""
    address = hub.address if hub is not None else "http://127.0.0.1:9"
    env = environment(HF_ENDPOINT=address, HF_HOME=str(home), HF_HUB_ETAG_TIMEOUT="3", **more)
    env.pop("HF_HUB_OFFLINE", None) if "HF_HUB_OFFLINE" not in more else None
    done = subprocess.run([sys.executable, "-c", SCRIPT, name], capture_output=True, text=True, env=env, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip().endswith("False"), done.stderr
    return json.loads(done.stdout)


def test_a_hubs_model_is_fetched_without_its_code_and_pickles(hub: Hub, tmp_path: Path) -> None:
    found = asked(NAME, tmp_path / "home", hub)
    assert found["id"] == "tiny-bert"
    source = found["source"]
    assert (source["name"], source["hub_id"], source["revision"]) == (NAME, NAME, REVISION)
    assert source["weights"] == ["model.safetensors"]
    assert source["tokenizer_sha256"] is not None
    assert found["words"] == f"{NAME}@{REVISION}"
    assert hub.fetched == {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert all(NAME in words for words in found["said"])


def test_what_was_fetched_once_is_found_without_a_network(hub: Hub, tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = asked(NAME, home, hub)
    assert asked(NAME, home, None)["source"] == first["source"]
    assert asked(f"{NAME}@{REVISION}", home, None)["source"] == first["source"]
    assert asked(NAME, home, hub, HF_HUB_OFFLINE="1")["source"] == first["source"]


def test_no_network_and_no_cache_is_undecided(tmp_path: Path) -> None:
    refused = asked(NAME, tmp_path / "home", None)
    assert refused["exit_code"] == 4
    assert NAME in refused["message"]
    assert "cannot be reached" in refused["message"]
    assert "folder" in refused["fix"]


@pytest.mark.parametrize("name", ["some-team/no-such-model", "nobody/here"])
def test_a_name_that_leads_nowhere_is_the_callers_mistake(hub: Hub, tmp_path: Path, name: str) -> None:
    refused = asked(name, tmp_path / "home", hub)
    assert refused["exit_code"] == 2
    assert f"the hub has no model {name}" in refused["message"]


def test_a_revision_that_does_not_exist_is_named(hub: Hub, tmp_path: Path) -> None:
    refused = asked(f"{NAME}@v9", tmp_path / "home", hub)
    assert (refused["exit_code"], refused["message"]) == (2, f"{NAME} has no revision v9")


def test_a_gate_is_a_gate(hub: Hub, tmp_path: Path) -> None:
    hub.gated.add(NAME)
    refused = asked(NAME, tmp_path / "home", hub)
    assert refused["exit_code"] == 2
    assert "gated" in refused["message"]
    assert "log in" in refused["fix"]


def test_a_hub_that_is_down_is_undecided(hub: Hub, tmp_path: Path) -> None:
    hub.down = True
    assert asked(NAME, tmp_path / "home", hub)["exit_code"] == 4


def test_a_model_of_pickles_alone_is_refused_before_anything_large_is_fetched(hub: Hub, tmp_path: Path) -> None:
    for file in hub.models[NAME].rglob("*.safetensors"):
        file.unlink()
    refused = asked(NAME, tmp_path / "home", hub)
    assert refused["exit_code"] == 2
    assert "no safetensors" in refused["message"]
    assert hub.fetched == set()


def test_a_model_that_cannot_be_measured_is_refused_before_its_weights_are_fetched(hub: Hub, tmp_path: Path) -> None:
    change_config(hub.models[NAME], auto_map={"AutoModel": "modeling.Own"})
    refused = asked(NAME, tmp_path / "home", hub)
    assert refused["exit_code"] == 2
    assert "auto_map" in refused["message"]
    assert hub.fetched == {"config.json"}


def test_a_cache_that_cannot_be_written_is_said(hub: Hub, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    refused = asked(NAME, blocked, hub)
    assert refused["exit_code"] == 4
    assert "could not be fetched" in refused["message"]
    assert os.path.isfile(blocked)


@pytest.mark.real
def test_a_hubs_model_is_profiled_with_its_revision_recorded(hub: Hub, tmp_path: Path) -> None:
    command = [str(Path(sys.executable).parent / "advisor"), "profile", NAME, "--batch", "1", "--input-tokens", "8"]
    env = environment(HF_ENDPOINT=hub.address, HF_HOME=str(tmp_path / "home"))
    env.pop("HF_HUB_OFFLINE", None)
    done = subprocess.run(
        [*command, "--dtype", "float32", "--json"], capture_output=True, text=True, env=env, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    model = json.loads(done.stdout)["model"]
    assert (model["name"], model["hub_id"], model["revision"], model["weights"]) == (NAME, NAME, REVISION, "real")
    assert done.stderr == "", "nobody watches, so nothing is told"

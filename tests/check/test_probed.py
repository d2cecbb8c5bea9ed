"""A model with weights is looked at where that can be done; elsewhere its config is judged, and nothing is started."""

from __future__ import annotations

from pathlib import Path

import pytest

import advisor.inspecting
import advisor.run.child
from tests.check.declaring import component, failing, only, reviewed, written
from tests.fake_child import fake_command
from tests.folders import saved
from tests.measuring import ROOT


@pytest.fixture(autouse=True)
def tests_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def declared(folder: Path, *, architecture: str, task: str, model_type: str) -> Path:
    saved(folder / "m", model_type)
    workload = {"task": task, "requests_per_second": 200, "input_tokens": 8}
    if task == "chat":
        workload["output_tokens"] = 8
    return written(folder, component("one", workload, architecture, model="m"))


def seeing(monkeypatch: pytest.MonkeyPatch, pattern: str) -> None:
    monkeypatch.setattr(advisor.run.child, "COMMAND", tuple(fake_command(seen=pattern)))


def test_a_decoder_that_sees_ahead_is_the_mistake_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeing(monkeypatch, "bidirectional")
    file = declared(tmp_path, architecture="decoder-only", task="chat", model_type="llama")
    assert failing(reviewed(file)) == {"GEN-102": "error"}


def test_an_encoder_whose_layers_are_causal_is_not_what_is_declared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeing(monkeypatch, "causal")
    file = declared(tmp_path, architecture="encoder-only", task="text-classification", model_type="bert")
    made = reviewed(file)
    assert failing(made) == {"ARC-002": "error"}
    assert "by a probe" in only(made, "ARC-002").message


def test_without_the_extra_the_config_is_judged_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advisor.inspecting, "can_inspect", lambda: False)
    monkeypatch.setattr(advisor.run.child, "COMMAND", ("false",))
    file = declared(tmp_path, architecture="encoder-only", task="text-classification", model_type="bert")
    made = reviewed(file)
    found = only(made, "ARC-004")
    assert (found.outcome, "is not installed" in found.message) == ("not-checked", True)
    assert only(made, "ARC-002").outcome == "pass"
    assert (made.exit_code, reviewed(file, strict=True).exit_code) == (0, 4)


def test_a_config_without_weights_is_believed_and_that_is_said(tmp_path: Path) -> None:
    file = declared(tmp_path, architecture="encoder-only", task="text-classification", model_type="bert")
    (tmp_path / "m" / "model.safetensors").unlink()
    made = reviewed(file)
    assert (only(made, "ARC-002").outcome, only(made, "ARC-004").outcome) == ("pass", "not-checked")


def test_attention_without_a_name_is_inconclusive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seeing(monkeypatch, "nameless")
    file = declared(tmp_path, architecture="decoder-only", task="chat", model_type="llama")
    made = reviewed(file)
    assert (only(made, "ARC-004").outcome, made.exit_code) == ("inconclusive", 4)


def test_weights_that_are_a_pointer_are_not_probed_and_that_is_said(tmp_path: Path) -> None:
    file = declared(tmp_path, architecture="encoder-only", task="text-classification", model_type="bert")
    (tmp_path / "m" / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    found = only(reviewed(file), "ARC-004")
    assert (found.outcome, "Git LFS" in found.message) == ("not-checked", True)
    assert "git lfs pull" in (found.fix or "")

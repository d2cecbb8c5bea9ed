"""Ten commands at once on one machine: they measure one after the other, all finish, and all are written down."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from advisor.core.sizing.measurement import Profile
from tests.faults.running import Run, left_behind
from tests.measuring import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

TEN = range(1, 11)
TINY_BERT = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "vocab_size": 97,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 40,
    "max_position_embeddings": 64,
    "type_vocab_size": 2,
}


def assert_all_finish(folder: Path, model: str, **child: object) -> None:
    words = ("--input-tokens", "8", "--dtype", "float32", "--runtime", "torch", "--json", "--samples")
    runs = [Run(folder, "profile", model, "--batch", str(batch), *words, **child) for batch in TEN]
    for batch, run in zip(TEN, runs, strict=True):
        code, out, err = run.ended()
        assert code == 0, err
        assert err == ""
        (cell,) = Profile.model_validate_json(out).cells
        assert (cell.batch_size, cell.median_s is not None) == (batch, True)
    code, out, _ = Run(folder, "history", "list", "--json").ended()
    assert code == 0
    assert len(json.loads(out)["runs"]) == len(TEN)
    wait_until(lambda: not left_behind(folder), "the end of every process")


def test_one_command_given_twice_at_once_measures_once(tmp_path: Path) -> None:
    words = ("--batch", "1,8", "--input-tokens", "8", "--dtype", "float32", "--json")
    runs = [Run(tmp_path, "profile", "bert-base", *words, cell_seconds=0.5) for _ in range(2)]
    found = []
    for run in runs:
        code, out, err = run.ended()
        assert (code, err) == (0, "")
        found.append([cell.reused_from is not None for cell in Profile.model_validate_json(out).cells])
    assert sorted(found) == [[False, False], [True, True]]


def test_ten_commands_at_once_all_finish(tmp_path: Path) -> None:
    assert_all_finish(tmp_path, "bert-base", cell_seconds=0.1)


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="the extra `profile` is not installed: no torch")
def test_ten_real_measurements_at_once_all_finish(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(TINY_BERT))
    assert_all_finish(tmp_path, str(folder), real=True)

"""`advisor inspect MODEL_DIR`: verdicts, exit codes and documents, with a child that has seen what it is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import advisor.run.child
from advisor.core.inspection import Inspection
from advisor.core.protocol import Inspected
from advisor.inspecting import can_inspect, inspect_folder, judged
from advisor.store.model_folder import read_model_folder
from tests.cli.conftest import Run
from tests.fake_child import fake_command, fake_looks
from tests.folders import change_config, saved, sentence_encoder, with_tokenizer
from tests.measuring import ROOT


@pytest.fixture(autouse=True)
def tests_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def sees(monkeypatch: pytest.MonkeyPatch, run: Run) -> Any:
    """Let the child see this: `sees(seen="bidirectional")`."""

    def told(**options: object) -> None:
        monkeypatch.setattr(advisor.run.child, "COMMAND", tuple(fake_command(**options)))

    return told


@pytest.fixture
def decoder(tmp_path: Path) -> Path:
    folder = tmp_path / "our decoder"
    saved(folder, "llama")
    with_tokenizer(folder)
    return folder


@pytest.mark.parametrize("model_type", ["bert", "gpt2", "t5"])
def test_a_model_that_is_what_it_claims_ends_with_0(run: Run, tmp_path: Path, model_type: str) -> None:
    saved(tmp_path / "m", model_type)
    done = run("inspect", str(tmp_path / "m"))
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("✓ m is what it claims: ")


def test_a_decoder_that_sees_ahead_ends_with_1_and_the_mistake_is_named(run: Run, sees: Any, decoder: Path) -> None:
    sees(seen="bidirectional")
    done = run("inspect", str(decoder))
    assert done.code == 1
    assert done.out.startswith("✗ our decoder claims to be decoder-only, but its attention is that of encoder-only")
    assert "GEN-102" in done.out
    assert "G41" in done.out
    document = run("inspect", str(decoder), "--json").document
    assert (document["agrees"], document["mask_found"], document["probe"]["architecture"]) == (
        False,
        "bidirectional",
        "encoder-only",
    )
    assert [(one["rule"], one["level"]) for one in document["remarks"]] == [("GEN-102", "error")]


def test_an_encoder_that_only_looks_back_is_not_what_it_claims_and_no_mistake_of_a_writer(
    run: Run, sees: Any, tmp_path: Path
) -> None:
    sees(seen="causal")
    saved(tmp_path / "m", "bert")
    document = run("inspect", str(tmp_path / "m"), "--json").document
    assert (document["agrees"], document["remarks"]) == (False, [])


def test_a_prefix_is_a_decoders_too(run: Run, sees: Any, decoder: Path) -> None:
    sees(seen="prefix")
    done = run("inspect", str(decoder))
    assert done.code == 0
    assert "prefix, all see the first 2 tokens" in done.out


def test_attention_without_a_name_is_undecided(run: Run, sees: Any, decoder: Path) -> None:
    sees(seen="nameless")
    done = run("inspect", str(decoder))
    assert done.code == 4
    assert done.out.startswith("? our decoder claims to be decoder-only; some of its attention has no name")
    assert run("inspect", str(decoder), "--json").document["agrees"] is None


def test_a_class_of_another_architecture_is_a_claim_that_does_not_hold(run: Run, tmp_path: Path) -> None:
    saved(tmp_path / "m", "bert")
    change_config(tmp_path / "m", architectures=["BertForCausalLM"])
    done = run("inspect", str(tmp_path / "m"), "--json")
    assert done.code == 1
    claim = done.document["claim"]
    assert (claim["architecture"], claim["by"], claim["model_type"]) == ("decoder-only", "architectures", "bert")
    assert claim["architectures"] == ["BertForCausalLM"]


@pytest.mark.parametrize("change", [{"architectures": ["GPT2LMHeadModel"]}, {"is_encoder_decoder": True}])
def test_a_config_that_contradicts_itself_is_no_claim_that_holds(
    run: Run, tmp_path: Path, change: dict[str, Any]
) -> None:
    saved(tmp_path / "m", "bert")
    change_config(tmp_path / "m", **change)
    done = run("inspect", str(tmp_path / "m"), "--json")
    assert (done.code, done.document["agrees"], done.document["remarks"]) == (1, False, [])
    assert "contradicts itself" in " ".join(done.document["notes"])


def test_an_encoder_that_its_config_turns_into_a_decoder_is_looked_at_as_one(
    run: Run, sees: Any, tmp_path: Path
) -> None:
    sees(seen="causal")
    saved(tmp_path / "m", "bert")
    change_config(tmp_path / "m", is_decoder=True)
    done = run("inspect", str(tmp_path / "m"), "--json")
    assert done.code == 0
    assert (done.document["claim"]["by"], done.document["mask_found"]) == ("is_decoder", "causal")


def test_masks_are_drawn_once_for_layers_that_are_alike(run: Run, tmp_path: Path) -> None:
    saved(tmp_path / "m", "t5")
    out = run("inspect", str(tmp_path / "m")).out
    assert "encoder, self-attention, layers 0–1: bidirectional" in out
    drawn = out[out.index("decoder, self-attention, layers 0–1: causal") :].split("\n\n")[1]
    assert [line.split() for line in drawn.splitlines()] == [
        ["0", "1", "2", "3"],
        ["0", "■", "·", "·", "·"],
        ["1", "■", "■", "·", "·"],
        ["2", "■", "■", "■", "·"],
        ["3", "■", "■", "■", "■"],
    ]


def test_a_decoder_in_a_narrow_cone_is_warned_of_and_an_encoder_only_shown(
    run: Run, sees: Any, decoder: Path, tmp_path: Path
) -> None:
    sees(cosine=0.93)
    done = run("inspect", str(decoder))
    assert done.code == 0
    assert "EMB-101" in done.out
    assert "G40" in done.out
    assert "0.93 (0.92–0.94): they crowd into a narrow cone" in done.out
    assert "The reference, minilm-l6, has 0.05 (0.04–0.07)" in done.out
    saved(tmp_path / "m", "bert")
    document = run("inspect", str(tmp_path / "m"), "--json").document
    assert document["anisotropy"]["narrow"] is True
    assert document["remarks"] == []


def test_a_decoder_whose_vectors_are_spread_out_is_not_warned_of(run: Run, sees: Any, decoder: Path) -> None:
    sees(cosine=0.1)
    assert run("inspect", str(decoder), "--json").document["remarks"] == []


def test_a_config_that_takes_its_mask_away_says_so(run: Run, sees: Any, decoder: Path) -> None:
    sees(seen="bidirectional")
    change_config(decoder, is_causal=False)
    assert "config.json sets is_causal to false" in run("inspect", str(decoder)).out


def test_a_window_wider_than_the_text_is_said_not_to_have_been_seen(tmp_path: Path) -> None:
    saved(tmp_path, "mistral", sliding_window=40)
    model = read_model_folder(tmp_path)
    about = {"id": 1, "parameters": 7, "weights": "real", "looks": fake_looks("decoder-only")}
    assert judged(model, Inspected(**about, tokens=4, window=3)).notes == ()
    (note,) = judged(model, Inspected(**about, tokens=4, window=40)).notes
    assert "a window of 40 tokens" in note
    assert "4 were read" in note


def test_the_same_is_written_to_a_file(run: Run, decoder: Path, tmp_path: Path) -> None:
    for name in ("found.json", "found.md"):
        assert run("inspect", str(decoder), "--output", str(tmp_path / name)).code == 0
    written = Inspection.model_validate_json((tmp_path / "found.json").read_text())
    assert written.agrees
    assert (tmp_path / "found.md").read_text().startswith("# ✓ our decoder is what it claims: decoder-only\n")


def test_where_the_folder_lies_is_not_told(run: Run, decoder: Path) -> None:
    assert str(decoder.parent) not in run("inspect", str(decoder), "--json").out


@pytest.mark.parametrize("name", ["nowhere", "a-file", "empty", "bert-base"])
def test_what_is_no_model_folder_ends_with_2(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "a-file").write_text("")
    (tmp_path / "empty").mkdir()
    done = run("inspect", str(tmp_path / name), "--json")
    assert (done.code, done.out) == (2, "")
    assert done.error["problems"][0]["fix"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model_type": "mamba"}, 'a model of the type "mamba" is made of is not known here'),
        ({"model_type": "brt"}, 'did you mean "bert"?'),
        ({"model_type": "rwkv"}, "types that can be looked at"),
        ({"quantization_config": {"bits": 4}}, "its weights are quantised"),
    ],
)
def test_a_sound_config_of_a_kind_that_is_not_known_ends_with_4(
    run: Run, tmp_path: Path, change: dict[str, object], words: str
) -> None:
    saved(tmp_path / "m", "bert")
    change_config(tmp_path / "m", **change)
    done = run("inspect", str(tmp_path / "m"), "--json")
    assert (done.code, done.out) == (4, "")
    (problem,) = done.error["problems"]
    assert words in f"{problem['message']} {problem['fix']}"
    assert problem["line"] is not None


def test_a_config_with_a_mistake_in_it_ends_with_2(run: Run, tmp_path: Path) -> None:
    saved(tmp_path / "m", "bert")
    change_config(tmp_path / "m", num_attention_heads=0, quantization_config={"bits": 4})
    assert run("inspect", str(tmp_path / "m")).code == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fail": "Measuring needs torch, which is not installed here."}, "needs torch"),
        ({"then": "kill"}, "killed from outside"),
        ({"then": "crash"}, "the fake fell over"),
    ],
)
def test_what_cannot_be_looked_at_here_ends_with_4(
    run: Run, sees: Any, decoder: Path, options: dict[str, object], words: str
) -> None:
    sees(**options)
    done = run("inspect", str(decoder))
    assert (done.code, done.out) == (4, "")
    assert words in done.err
    assert "Traceback" not in done.err


def test_whoever_asks_whether_it_could_be_done_loads_nothing_heavy() -> None:
    script = (
        "import sys, advisor.inspecting, advisor.cli.inspect; advisor.inspecting.can_inspect();"
        "print([name for name in ('torch', 'transformers', 'sklearn', 'textual') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert can_inspect()


@pytest.mark.real
def test_a_real_sentence_encoder_is_found_to_be_what_the_example_says() -> None:
    command = [sys.executable, "-m", "advisor", "inspect", str(sentence_encoder()), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    found, example = json.loads(done.stdout), json.loads((ROOT / "examples" / "inspection.json").read_text())
    measured, shown = found.pop("anisotropy"), example.pop("anisotropy")
    example["model"]["name"] = "model"  # the folder's own name
    assert found == example
    assert measured["mean_cosine"] == pytest.approx(shown["mean_cosine"], abs=1e-3)
    assert measured["mean_cosine"] == pytest.approx(measured["reference"]["mean_cosine"], abs=1e-3)
    assert measured["ci95"] == pytest.approx(shown["ci95"], abs=2e-3)
    assert measured["narrow"] is False


@pytest.mark.real
def test_a_real_decoder_without_its_mask_is_found_out(decoder: Path) -> None:
    change_config(decoder, is_causal=False)
    found = inspect_folder(decoder)
    assert (found.claim.architecture, found.probe.architecture, found.agrees) == ("decoder-only", "encoder-only", False)
    assert [source.id for remark in found.remarks for source in remark.source][:2] == ["G41", "G05"]

"""One request answered in this process: folders that are whole, bare, damaged or too large."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from advisor.core.attention import architecture_of, named
from advisor.core.protocol import Inspect, Inspected, NotInspected
from advisor.profile import inspection
from advisor.profile.inspection import answer
from advisor.store.model_folder import read_model_folder
from tests.folders import change_config, saved, with_tokenizer

TEXTS = ("the cat sleeps", "a red house", "the old river runs")


def asked(folder: Path, **more: Any) -> Inspect:
    model = read_model_folder(folder)
    limits: dict[str, Any] = {"memory_limit_bytes": 2**34, "texts": TEXTS}
    return Inspect(id=3, model=model.entry, source=model.source, **(limits | more))


def inspected(folder: Path, **more: Any) -> Inspected:
    found = answer(asked(folder, **more))
    assert isinstance(found, Inspected), found
    return found


def refused(folder: Path, **more: Any) -> NotInspected:
    found = answer(asked(folder, **more))
    assert isinstance(found, NotInspected), found
    return found


def test_a_whole_folder_is_inspected_with_its_weights(tmp_path: Path) -> None:
    module = saved(tmp_path, "llama")
    with_tokenizer(tmp_path)
    found = inspected(tmp_path)
    assert (found.id, found.weights, found.tokens, found.window) == (3, "real", 12, None)
    assert found.parameters == sum(one.numel() for one in module.parameters())
    assert found.cosine is not None
    assert architecture_of([named(look) for look in found.looks]) == "decoder-only"


def test_a_folder_without_weights_is_inspected_all_the_same_but_not_its_embeddings(tmp_path: Path) -> None:
    saved(tmp_path, "bert")
    with_tokenizer(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    found = inspected(tmp_path)
    assert (found.weights, found.cosine) == ("random", None)
    assert architecture_of([named(look) for look in found.looks]) == "encoder-only"


def test_a_folder_without_a_tokenizer_says_why_its_embeddings_were_not_compared(tmp_path: Path) -> None:
    saved(tmp_path, "bert")
    found = inspected(tmp_path)
    assert found.cosine is None
    assert any("no tokenizer" in note for note in found.notes)


def test_the_window_of_a_config_is_told(tmp_path: Path) -> None:
    saved(tmp_path, "mistral", sliding_window=5)
    assert inspected(tmp_path).window == 5


def test_what_does_not_fit_is_refused_with_its_sum_before_anything_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path, "bert")
    monkeypatch.setattr(inspection, "built", lambda *_, **__: pytest.fail("built"))
    found = refused(tmp_path, memory_limit_bytes=2**20)
    assert "weights" in found.says
    assert "limit" in found.says


def test_the_dtype_that_fits_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path, "bert")
    asked_for: list[str] = []

    def refusal(entry: Any, plan: Any, **limits: Any) -> tuple[str, str] | None:
        asked_for.append(plan.dtype)
        return ("does-not-fit", "It does not fit.") if plan.dtype == "float32" else None

    monkeypatch.setattr(inspection, "refusal", refusal)
    assert inspected(tmp_path).weights == "real"
    assert asked_for == ["float32", "bfloat16"]


def test_weights_damaged_meanwhile_end_in_one_sentence(tmp_path: Path) -> None:
    saved(tmp_path, "bert")
    request = asked(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"\0" * 100)
    found = answer(request)
    assert isinstance(found, NotInspected)
    assert "weights" in found.says
    assert "\n" not in found.says


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "Memory ran out"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "Memory ran out"),
        (KeyError("x"), "KeyError"),
        (ValueError("it has no name\nand more"), "It has no name."),
    ],
)
def test_whatever_a_library_raises_becomes_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    saved(tmp_path, "bert")
    monkeypatch.setattr(inspection, "built", fail)
    assert words in refused(tmp_path).says
    assert "\n" not in refused(tmp_path).says


def test_too_few_positions_to_show_a_mask_are_refused(tmp_path: Path) -> None:
    saved(tmp_path, "bert", max_position_embeddings=2)
    assert "positions for 2 tokens" in refused(tmp_path).says


def test_an_encoder_that_its_config_turns_into_a_decoder_looks_back(tmp_path: Path) -> None:
    saved(tmp_path, "bert")
    change_config(tmp_path, is_decoder=True)
    model = read_model_folder(tmp_path, allowed=("is_decoder",))
    found = answer(Inspect(id=1, model=model.entry, source=model.source, memory_limit_bytes=2**34))
    assert isinstance(found, Inspected)
    assert {named(look).pattern for look in found.looks} == {"causal"}


@pytest.mark.parametrize(
    ("model_type", "half", "name", "architecture"),
    [
        ("t5", "encoder", "T5EncoderModel", "encoder-only"),
        ("t5", "encoder", "T5ForTokenClassification", "encoder-only"),
        ("bart", "decoder", "BartForCausalLM", "decoder-only"),
    ],
)
def test_half_of_an_encoder_decoder_is_built_alone(
    tmp_path: Path, model_type: str, half: Any, name: str, architecture: str
) -> None:
    module = saved(tmp_path, model_type, transformers_class=name)
    with_tokenizer(tmp_path)
    model = read_model_folder(tmp_path, allowed=("is_decoder",))
    entry = model.entry.model_copy(update={"transformers_class": name})
    limits: dict[str, Any] = {"memory_limit_bytes": 2**34, "texts": TEXTS}
    found = answer(Inspect(id=1, model=entry, source=model.source, half=half, **limits))
    assert isinstance(found, Inspected), found
    assert (found.weights, found.notes) == ("real", ())
    assert found.parameters == sum(one.numel() for one in module.parameters())
    assert architecture_of([named(look) for look in found.looks]) == architecture
    assert (found.cosine is None) == (half == "decoder")


def test_a_config_that_takes_the_mask_away_is_built_that_way(tmp_path: Path) -> None:
    saved(tmp_path, "llama")
    change_config(tmp_path, is_causal=False)
    found = inspected(tmp_path)
    assert {named(look).pattern for look in found.looks} == {"bidirectional"}


def without(folder: Path, beginning: str) -> None:
    """The folder's weights but those whose names begin so."""
    file = folder / "model.safetensors"
    kept = {name: one for name, one in load_file(file).items() if not name.startswith(beginning)}
    save_file(kept, file, metadata={"format": "pt"})


def test_weights_are_its_own_where_no_more_is_missing_than_what_stands_on_top(tmp_path: Path) -> None:
    saved(tmp_path, "bert")
    with_tokenizer(tmp_path)
    without(tmp_path, "pooler.")
    found = inspected(tmp_path)
    assert found.weights == "real"
    assert found.cosine is not None
    assert any("on top of its layers" in note for note in found.notes)
    assert not any("random" in note for note in found.notes)


def test_files_that_hold_a_part_of_a_model_alone_are_not_taken_for_the_model(tmp_path: Path) -> None:
    saved(tmp_path, "bart")
    file = tmp_path / "model.safetensors"
    start = "model.encoder."  # as a stack is saved that was taken out of its model
    stack = {name.removeprefix(start): one for name, one in load_file(file).items() if name.startswith(start)}
    save_file(stack, file, metadata={"format": "pt"})
    change_config(tmp_path, architectures=["BartEncoder"])
    assert "None of the weights in its files" in refused(tmp_path).says


def test_a_missing_layer_makes_the_weights_random(tmp_path: Path) -> None:
    saved(tmp_path, "bert")
    without(tmp_path, "encoder.layer.0.attention")
    found = inspected(tmp_path)
    assert found.weights == "random"
    assert any("random" in note for note in found.notes)

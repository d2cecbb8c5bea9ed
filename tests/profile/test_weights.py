"""A folder's own weights: what transformers saved is what is measured, or it is said what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from advisor.core.model.cost import anatomy
from advisor.core.model.parameters import parameter_count
from advisor.profile.build import DTYPES, NotBuilt, build, count_parameters
from advisor.profile.weights import WithWeights, load
from advisor.store.model_folder import read_model_folder
from tests.core.model.tiny_models import ALL_VARIATIONS, built, entry
from tests.folders import change_config, saved
from tests.profile.test_build import output


def loaded(folder: Path, dtype: str = "float32") -> WithWeights:
    model = read_model_folder(folder)
    return load(model.entry, model.source, dtype)


@pytest.mark.parametrize(("model_type", "change"), ALL_VARIATIONS)
def test_a_saved_model_of_every_family_gives_what_transformers_gives(
    tmp_path: Path, model_type: str, change: dict[str, Any]
) -> None:
    module = saved(tmp_path, model_type, **change)
    model = read_model_folder(tmp_path)
    found = load(model.entry, model.source, "float32")
    usual = type(module).from_pretrained(tmp_path).eval()
    assert type(found.model) is type(module)
    assert found.real
    assert torch.equal(output(found.model), output(usual))
    assert model.source.notes == ()
    assert count_parameters(found.model) == model.entry.parameters == parameter_count(anatomy(model.entry))


@pytest.mark.parametrize("model_type", ["bert", "llama", "t5"])
def test_weights_are_converted_to_the_dtype_that_is_measured(tmp_path: Path, model_type: str) -> None:
    module = saved(tmp_path, model_type)
    found = loaded(tmp_path, "bfloat16")
    assert {one.dtype for one in found.model.parameters()} == {DTYPES["bfloat16"]}
    usual = type(module).from_pretrained(tmp_path, dtype=torch.bfloat16).eval()
    assert torch.equal(output(found.model), output(usual))


def test_a_loaded_model_neither_drops_out_nor_keeps_gradients(tmp_path: Path) -> None:
    saved(tmp_path, "bert")
    found = loaded(tmp_path)
    assert not found.model.training
    assert not any(one.requires_grad for one in found.model.parameters())


def test_weights_in_several_files_are_one_model(tmp_path: Path) -> None:
    module = built(entry("bert"))
    module.save_pretrained(tmp_path, max_shard_size="10KB")
    assert len(read_model_folder(tmp_path).source.weights) > 1
    found = loaded(tmp_path)
    assert found.real
    assert torch.equal(output(found.model), output(type(module).from_pretrained(tmp_path).eval()))


def test_weights_that_the_files_lack_keep_a_model_from_being_called_real(tmp_path: Path) -> None:
    config = transformers.BertConfig(**entry("bert").config)
    transformers.BertForMaskedLM(config).save_pretrained(tmp_path)  # a model without a pooler
    model = read_model_folder(tmp_path)
    found = load(model.entry, model.source, "float32")
    assert not found.real
    assert "BertForMaskedLM" in model.source.notes[0]
    assert any("pooler" in note and "random" in note for note in found.notes)
    assert any("cls.predictions" in note for note in found.notes)
    assert output(found.model).isfinite().all()


def test_files_and_config_that_do_not_belong_together_are_refused_in_one_sentence(tmp_path: Path) -> None:
    saved(tmp_path, "bert")
    change_config(tmp_path, intermediate_size=48)
    with pytest.raises(NotBuilt, match=r"is 40 × 24 in the files and 48 × 24 by config\.json|40 .* 48"):
        loaded(tmp_path)


def test_a_file_that_is_damaged_after_it_was_looked_at_is_refused_in_one_sentence(tmp_path: Path) -> None:
    saved(tmp_path, "bert")
    model = read_model_folder(tmp_path)
    whole = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(NotBuilt, match="cannot be loaded") as refused:
        load(model.entry, model.source, "float32")
    assert "\n" not in str(refused.value)


def test_a_folder_without_weights_is_built_from_all_of_its_config(tmp_path: Path) -> None:
    saved(tmp_path, "gpt2", scale_attn_by_inverse_layer_idx=True)
    (tmp_path / "model.safetensors").unlink()
    model = read_model_folder(tmp_path)
    module = build(model.entry, "float32", config=model.source.config)
    assert module.config.scale_attn_by_inverse_layer_idx
    assert "scale_attn_by_inverse_layer_idx" in model.source.notes[0]


def test_a_config_that_transformers_cannot_read_is_refused_in_one_sentence(tmp_path: Path) -> None:
    saved(tmp_path, "bert")
    change_config(tmp_path, layer_norm_eps="small")
    with pytest.raises(NotBuilt, match="config") as refused:
        loaded(tmp_path)
    assert "\n" not in str(refused.value)


def test_older_spellings_of_a_config_describe_the_same_model(tmp_path: Path) -> None:
    module = saved(tmp_path, "llama", rope_parameters={"rope_type": "default", "rope_theta": 50.0})
    expected = output(type(module).from_pretrained(tmp_path).eval())
    change_config(
        tmp_path,
        rope_parameters=...,
        rope_theta=50.0,
        rope_scaling=None,
        num_key_value_heads=...,
        head_dim=...,
        dtype=...,
        torch_dtype="float16",
        pretraining_tp=1,
    )
    assert read_model_folder(tmp_path).source.notes == ()
    found = loaded(tmp_path)
    assert found.real
    assert {one.dtype for one in found.model.parameters()} == {torch.float32}
    assert torch.equal(output(found.model), expected)


def test_a_deberta_config_may_write_its_attentions_as_one_word(tmp_path: Path) -> None:
    saved(tmp_path, "deberta-v2", pos_att_type=["p2c", "c2p"], relative_attention=True)
    expected = loaded(tmp_path)
    change_config(tmp_path, pos_att_type="p2c|c2p", architectures=...)
    model = read_model_folder(tmp_path)
    assert model.entry.config["pos_att_type"] == ["p2c", "c2p"]
    assert "names no class" in model.source.notes[0]
    assert torch.equal(output(loaded(tmp_path).model), output(expected.model))

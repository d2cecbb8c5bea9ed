"""Models cut to fewer layers: the same tables and head, and as many parameters as the built module then has."""

from __future__ import annotations

import pytest

from advisor.core.model.cost import anatomy, stages_of, weight_bytes
from advisor.core.model.cut import cut, cut_source, depth, period
from advisor.core.model.entry import ModelEntry
from advisor.core.model.source import ModelSource
from advisor.store.catalog import load_catalog
from advisor.store.paths import shipped
from tests.core.model.tiny_models import TINY, built, entry

CATALOG = load_catalog(shipped("models")).entries


@pytest.mark.parametrize("model_type", sorted(TINY))
def test_a_cut_model_is_the_one_transformers_builds(model_type: str) -> None:
    whole = entry(model_type)
    step = period(whole)
    fewer = cut(whole, 4 * step)
    module = built(fewer)
    assert sum(parameter.numel() for parameter in module.parameters()) == fewer.parameters
    assert depth(fewer) == 4 * step
    assert stages_of(fewer) == stages_of(whole)


@pytest.mark.parametrize(
    "id_", ["bert-base", "gpt2-xl", "gpt3-175b", "llama-2-7b", "t5-base", "bart-large", "qwen3-0.6b"]
)
def test_each_layer_of_a_model_weighs_the_same(id_: str) -> None:
    model = CATALOG[id_]
    one, two, whole = (weight_bytes(cut(model, count), "bfloat16") for count in (1, 2, depth(model)))
    assert whole == one + (depth(model) - 1) * (two - one)
    assert whole == weight_bytes(model, "bfloat16")


def test_a_model_of_one_layer_run_again_and_again_weighs_the_same_however_it_is_cut() -> None:
    model = entry("albert", num_hidden_layers=12)
    assert weight_bytes(cut(model, 1), "float32") == weight_bytes(model, "float32")
    assert depth(cut(model, 3)) == 3


def test_not_cut_is_the_model_itself() -> None:
    model = CATALOG["gpt2"]
    assert cut(model, None) is model
    assert cut(model, 3).config == model.config | {"n_layer": 3}
    assert cut(CATALOG["t5-base"], 3).config["num_decoder_layers"] == 3
    assert {stack.num_layers for stack in anatomy(cut(CATALOG["bart-base"], 3)).stacks} == {3}


def test_layers_that_come_round_are_cut_in_whole_rounds() -> None:
    assert period(CATALOG["modernbert-base"]) == 3
    assert period(CATALOG["bert-base"]) == 1
    assert period(entry("gemma2", num_hidden_layers=26)) == 2
    assert period(entry("gemma3_text", num_hidden_layers=26, sliding_window_pattern=6)) == 6
    assert period(entry("gemma3_text", num_hidden_layers=5, sliding_window_pattern=6)) == 1


def test_stacks_of_different_depth_are_not_cut() -> None:
    lopsided: ModelEntry = CATALOG["t5-base"]
    lopsided = lopsided.model_copy(update={"config": lopsided.config | {"num_decoder_layers": 4}})
    with pytest.raises(ValueError, match="stacks of 4 and 12 layers"):
        depth(lopsided)


def test_a_cut_model_keeps_the_tokenizer_of_its_files_and_loses_the_weights() -> None:
    source = ModelSource(
        folder="/x",
        name="x",
        config={"n_layer": 12},
        weights=("model.safetensors",),
        tokenizer_sha256="t",
        pooling="cls",
    )
    fewer = cut_source(source, cut(CATALOG["gpt2"], 2))
    assert fewer is not None
    assert (fewer.weights, fewer.tokenizer_sha256, fewer.pooling) == ((), "t", "cls")
    assert fewer.config["n_layer"] == 2
    assert cut_source(None, CATALOG["gpt2"]) is None

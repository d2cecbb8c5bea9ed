"""What a config may say, against the config classes of transformers themselves."""

from __future__ import annotations

import inspect
import json
from importlib import import_module
from typing import Any

import pytest
import torch
import transformers
from transformers.activations import ACT2FN

from advisor.core.model.families import (
    ACTIVATIONS,
    FAMILIES,
    MAX_SIZE,
    UNFUSED_ACTIVATION,
    config_mistakes,
    positions_of,
)

from .tiny_models import TINY, built, entry


def config_class(model_type: str) -> Any:
    return getattr(transformers, FAMILIES[model_type].transformers_class).config_class


def read_by_name(model_type: str) -> str:
    """The source of a model type, which reads some keys by name that its config class does not list."""
    package = config_class(model_type).__module__.rpartition(".")[0]
    return "".join(inspect.getsource(import_module(f"{package}.{kind}_{package.rpartition('.')[2]}")) for kind in KINDS)


KINDS = ("configuration", "modeling")


@pytest.mark.parametrize("model_type", FAMILIES)
def test_every_key_is_one_of_the_transformers_config(model_type: str) -> None:
    config, source = config_class(model_type)(), read_by_name(model_type)
    assert config.model_type == model_type
    known = {key.name for key in FAMILIES[model_type].keys if hasattr(config, key.name)}
    assert {key.name for key in FAMILIES[model_type].keys if f'"{key.name}", ' in source} | known == {
        key.name for key in FAMILIES[model_type].keys
    }


@pytest.mark.parametrize("model_type", FAMILIES)
def test_defaults_are_those_of_transformers(model_type: str) -> None:
    config, source = config_class(model_type)(), read_by_name(model_type)
    for key in FAMILIES[model_type].keys:
        if hasattr(config, key.name) and key.default is not None:
            assert getattr(config, key.name) == key.default, key.name
        elif not hasattr(config, key.name):
            written = json.dumps(key.default) if isinstance(key.default, str) else repr(key.default)
            assert f'"{key.name}", {written})' in source, key.name


@pytest.mark.parametrize("model_type", FAMILIES)
def test_optional_keys_may_be_left_out_of_what_is_built(model_type: str) -> None:
    required = {key.name: TINY[model_type][key.name] for key in FAMILIES[model_type].keys if key.required}
    assert config_mistakes(model_type, required | {"vocab_size": 200_000}) == []  # room for the tokens assumed


def test_activations_are_known_to_transformers_and_only_one_is_written_out() -> None:
    assert set(ACTIVATIONS) <= set(ACT2FN)
    # a fused activation is one call of torch; the other builds its result from several tensors
    names = {name: set(type(ACT2FN[name]).forward.__code__.co_names) for name in ACTIVATIONS}
    assert {name for name, used in names.items() if {"tanh", "pow"} <= used} == {UNFUSED_ACTIVATION}


@pytest.mark.parametrize("word", next(key.words for key in FAMILIES["t5"].keys if key.name == "feed_forward_proj"))
def test_every_feed_forward_word_builds(word: str) -> None:
    built(entry("t5", feed_forward_proj=word), device="meta")


@pytest.mark.parametrize(
    ("model_type", "change", "key", "words"),
    [
        ("bert", {"hiden_size": 24}, "hiden_size", 'did you mean "hidden_size"?'),
        ("bert", {"is_decoder": True}, "is_decoder", "unknown config key"),
        ("gpt2", {"hidden_size": 24}, "hidden_size", "unknown config key"),
        ("bert", {"hidden_size": "24"}, "hidden_size", "hidden_size is '24', expected a whole number"),
        ("bert", {"hidden_size": 24.0}, "hidden_size", "expected a whole number"),
        ("bert", {"hidden_size": True}, "hidden_size", "hidden_size is true, expected a whole number"),
        ("bert", {"hidden_size": 0}, "hidden_size", "expected a whole number from 1"),
        ("bert", {"hidden_size": None}, "hidden_size", "expected a whole number from 1"),
        ("bert", {"vocab_size": MAX_SIZE + 1}, "vocab_size", f"from 1 to {MAX_SIZE}"),
        ("bert", {"num_attention_heads": 5}, "num_attention_heads", "does not divide hidden_size 24"),
        ("bert", {"hidden_act": "glu"}, "hidden_act", "expected one of gelu"),
        ("bert", {"layer_norm_eps": "1e-12"}, "layer_norm_eps", "expected a number"),
        ("bert", {"layer_norm_eps": 0}, "layer_norm_eps", "with a decimal point"),
        ("bert", {"layer_norm_eps": 1.5}, "layer_norm_eps", "from 0.0 to 1.0"),
        ("bert", {"hidden_act": None}, "hidden_act", "expected one of gelu"),
        ("bert", {"pad_token_id": 97}, "pad_token_id", "outside the vocabulary of 97"),
        ("gpt2", {"tie_word_embeddings": "no"}, "tie_word_embeddings", "expected true or false"),
        ("gpt2", {"tie_word_embeddings": None}, "tie_word_embeddings", "expected true or false"),
        ("llama", {"num_key_value_heads": 3}, "num_key_value_heads", "does not divide num_attention_heads 4"),
        ("llama", {"rope_parameters": {"rope_type": "yarn", "factor": 4.0}}, "rope_parameters", "rope_type: default"),
        ("llama", {"head_dim": 5}, "head_dim", "rotary positions need an even width"),
        ("t5", {"feed_forward_proj": "gated-relu-x"}, "feed_forward_proj", "expected one of relu"),
        ("t5", {"relative_attention_num_buckets": 3}, "relative_attention_num_buckets", "from 4 to"),
        ("t5", {"d_kv": [64]}, "d_kv", "expected a whole number"),
        ("mistral", {"sliding_window": 1}, "sliding_window", "from 2 to"),
        ("qwen3", {"num_key_value_heads": None}, "num_key_value_heads", "expected a whole number"),
        ("mt5", {"tie_word_embeddings": False}, "tie_word_embeddings", "unknown config key"),
        ("bart", {"decoder_attention_heads": 5}, "decoder_attention_heads", "does not divide d_model 24"),
        ("roberta", {"pad_token_id": None}, "pad_token_id", "expected a whole number from 0"),
        ("roberta", {"max_position_embeddings": 2}, "max_position_embeddings", "leaves no position"),
        ("modernbert", {"num_attention_heads": 8}, "config", "rotary positions need an even width"),
        ("gemma", {"head_dim": None}, "head_dim", "expected a whole number"),
        ("gemma2", {"sliding_window": None}, "sliding_window", "from 2 to"),
        ("gemma3_text", {"sliding_window_pattern": 0}, "sliding_window_pattern", "from 1 to"),
        ("gpt_neox", {"hidden_act": "gelu_slow"}, "hidden_act", "gelu_fast"),
        ("opt", {"word_embed_proj_dim": "512"}, "word_embed_proj_dim", "expected a whole number"),
        ("phi3", {"pad_token_id": 32000}, "pad_token_id", "outside the vocabulary of 97"),
        ("deberta", {"pos_att_type": ["c2p", "c2c"]}, "pos_att_type", "expected some of c2p, p2c"),
        ("deberta", {"pos_att_type": "c2p|c2p"}, "pos_att_type", "each once"),
        ("deberta-v2", {"pos_att_type": []}, "pos_att_type", "expected some of c2p, p2c"),
        ("deberta-v2", {"max_relative_positions": -2}, "max_relative_positions", "from -1 to"),
        ("distilbert", {"n_heads": 5}, "n_heads", "does not divide dim 24"),
        ("distilbert", {"hidden_size": 24}, "hidden_size", "unknown config key"),
        ("mpnet", {"relative_attention_num_buckets": 16}, "relative_attention_num_buckets", "from 32 to"),
        ("mpnet", {"max_position_embeddings": 2}, "max_position_embeddings", "leaves no position"),
        ("electra", {"embedding_size": 0}, "embedding_size", "from 1 to"),
        ("albert", {"num_attention_heads": 7}, "num_attention_heads", "does not divide hidden_size 24"),
        ("m2m_100", {"d_model": 2}, "d_model", "from 4 to"),
        ("pegasus", {"pad_token_id": 97}, "pad_token_id", "outside the vocabulary of 97"),
    ],
)
def test_a_wrong_config_is_told_by_its_key(model_type: str, change: dict[str, Any], key: str, words: str) -> None:
    mistakes = config_mistakes(model_type, TINY[model_type] | change)
    assert [path for path, _, _ in mistakes] == [("config", key) if key != "config" else ("config",)]
    assert words in mistakes[0][1]


def test_a_missing_key_is_named() -> None:
    config = {name: value for name, value in TINY["bert"].items() if name != "hidden_size"}
    assert [message for _, message, _ in config_mistakes("bert", config)] == ["config key hidden_size is missing"]


def test_all_mistakes_come_at_once() -> None:
    config = TINY["bert"] | {"hidden_size": -1, "vocab": 3, "type_vocab_size": None}
    assert {path[-1] for path, _, _ in config_mistakes("bert", config)} == {"hidden_size", "vocab", "type_vocab_size"}


def test_the_padding_token_that_transformers_assumes_must_be_in_the_vocabulary() -> None:
    config = {name: value for name, value in TINY["modernbert"].items() if name != "pad_token_id"}
    assert [(path, words) for path, words, _ in config_mistakes("modernbert", config)] == [
        (("config",), "pad_token_id 50283 is outside the vocabulary of 97")
    ]


@pytest.mark.parametrize(
    ("model_type", "config", "usable"),
    [
        ("bert", {}, 64),
        ("roberta", {}, 64),
        ("xlm-roberta", {"pad_token_id": 4}, 61),
        ("mpnet", {}, 64),
        ("bart", {}, 64),
        ("mbart", {}, 64),
        ("marian", {}, 64),
        ("pegasus", {}, 64),
        ("m2m_100", {}, None),
        ("t5", {}, None),
        ("deberta", {}, None),
        ("deberta-v2", {"position_biased_input": True}, 64),
        ("opt", {}, 64),
    ],
)
def test_the_longest_text_that_runs_is_the_number_of_usable_positions(
    model_type: str, config: dict[str, Any], usable: int | None
) -> None:
    tiny = entry(model_type, **config)
    assert positions_of(model_type, tiny.config) == usable
    writes = tiny.architecture == "encoder-decoder"
    module, source = built(tiny), {"decoder_input_ids": torch.ones(1, 1).long()} if writes else {}
    ids = torch.full((1, usable or 100), 50)
    module(input_ids=ids, **source)
    if usable is not None:
        with pytest.raises((IndexError, RuntimeError)):
            module(input_ids=torch.full((1, usable + 1), 50), **source)


@pytest.mark.parametrize("model_type", ["marian", "m2m_100"])
def test_the_padding_token_that_transformers_assumes_is_the_one_assumed_here(model_type: str) -> None:
    config = TINY[model_type] | {"vocab_size": 60_000}
    config.pop("pad_token_id", None)
    assert config_mistakes(model_type, config) == []
    table = built(entry(model_type).model_copy(update={"config": config}), device="meta").get_input_embeddings()
    assert table.padding_idx == next(key.default for key in FAMILIES[model_type].keys if key.name == "pad_token_id")


def test_a_null_stands_for_the_default_where_transformers_has_none() -> None:
    assert config_mistakes("llama", TINY["llama"] | {"num_key_value_heads": None, "head_dim": None}) == []
    assert config_mistakes("gpt2", TINY["gpt2"] | {"n_inner": None, "pad_token_id": None}) == []


TRIED = [None, True, False, 0, 1, 2, 8, 64, 0.0, 0.5, 1.0, 1e-6, 3.5, "gelu", "relu", "silu", "gelu_new", "gated-gelu"]
TRIED += ["c2p", "p2c|c2p", ["p2c"], ["c2p", "p2c"], "none", "layer_norm", -1, -2]
TRIED += ["", "no", [], {"rope_type": "default", "rope_theta": 10000.0}, {"rope_type": "default"}]
TRIED += [{"rope_type": "default", "rope_theta": 500000}]


@pytest.mark.parametrize(
    ("model_type", "chosen"), [(name, one) for name, family in FAMILIES.items() for one in family.classes]
)
def test_whatever_value_is_taken_can_be_built(model_type: str, chosen: str) -> None:
    for key in FAMILIES[model_type].keys:
        for value in TRIED:
            if not config_mistakes(model_type, TINY[model_type] | {key.name: value}):
                built(entry(model_type, transformers_class=chosen, **{key.name: value}), device="meta")

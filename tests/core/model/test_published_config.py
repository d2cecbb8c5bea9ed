"""A published config in our terms: nothing that changes a model is dropped in silence."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import transformers

from advisor.core.model.families import FAMILIES, anatomy_of
from advisor.core.model.parameters import parameter_count
from advisor.core.model.published_config import HARMLESS, HARMLESS_ENDINGS, REFUSED, read_published
from advisor.store.catalog import load_catalog
from advisor.store.paths import shipped
from tests.core.model.tiny_models import TINY

ENTRIES = load_catalog(shipped("models")).entries
TAKEN_ALONG = (
    "initializer",
    "init_std",
    "eps",
    "rope",
    "dropout",
    "drop",
    "token_id",
    "use_cache",
    "summary",
    "pooler",
)
"""Words in keys of transformers' own that no family needs: training, tokens, heads of other uses."""


@pytest.mark.parametrize("model_id", ENTRIES)
def test_every_entry_of_the_catalogue_is_read_back_from_its_own_config(model_id: str) -> None:
    entry = ENTRIES[model_id]
    saved = entry.config | {"model_type": entry.model_type, "architectures": [entry.transformers_class]}
    published, mistakes = read_published(saved)
    assert mistakes == []
    assert published is not None
    assert published.transformers_class == entry.transformers_class
    assert published.notes == ()
    shape = anatomy_of(entry.model_type, published.counted, published.transformers_class)
    assert parameter_count(shape) == entry.parameters


@pytest.mark.parametrize(
    ("model_type", "named", "words"),
    [
        ("t5", "T5EncoderModel", "of which T5EncoderModel is one half"),
        ("bert", "BertForMaskedLM", "without what BertForMaskedLM puts on top of it"),
    ],
)
def test_a_class_that_is_not_measured_is_told_with_what_it_is_to_the_measured_one(
    model_type: str, named: str, words: str
) -> None:
    config = transformers.AutoConfig.for_model(model_type, **TINY[model_type])
    published, _ = read_published(config.to_dict() | {"architectures": [named]})
    assert published is not None
    (note,) = published.notes
    assert words in note


@pytest.mark.parametrize("model_type", TINY)
def test_what_transformers_writes_of_a_plain_model_needs_no_note(model_type: str) -> None:
    config = transformers.AutoConfig.for_model(model_type, **TINY[model_type])
    written = config.to_dict() | {"architectures": [FAMILIES[model_type].transformers_class]}
    published, mistakes = read_published(written)
    assert mistakes == []
    assert published is not None
    assert published.notes == ()


@pytest.mark.parametrize("model_type", TINY)
def test_no_key_of_transformers_own_is_called_harmless_that_a_family_counts(model_type: str) -> None:
    counted = {key.name for key in FAMILIES[model_type].keys if key.kind in ("size", "flag", "words")}
    told_apart = {"tie_word_embeddings", "num_labels", "max_position_embeddings", "n_positions", "classifier_bias"}
    assert not counted & HARMLESS - told_apart


@pytest.mark.parametrize("model_type", TINY)
def test_every_key_of_transformers_own_is_known_one_way_or_another(model_type: str) -> None:
    fields = {one.name for one in dataclasses.fields(type(transformers.AutoConfig.for_model(model_type)))}
    known = {key.name for key in FAMILIES[model_type].keys} | HARMLESS | set(REFUSED)
    unusual = {name: _other_than_usual(model_type, name) for name in fields - known}
    for name, value in unusual.items():
        if name.endswith(HARMLESS_ENDINGS) or any(word in name for word in TAKEN_ALONG):
            continue
        published, mistakes = read_published(TINY[model_type] | {"model_type": model_type, name: value})
        assert mistakes or (published is not None and any(name in note for note in published.notes)), name


def _other_than_usual(model_type: str, name: str) -> Any:
    """A value of the key that is not transformers' own default."""
    usual = getattr(transformers.AutoConfig.for_model(model_type), name, None)
    if isinstance(usual, bool):
        return not usual
    return usual + 1 if isinstance(usual, int | float) else ["sliding_attention"] if name == "layer_types" else 7


@pytest.mark.parametrize("key", REFUSED)
def test_a_key_that_makes_another_module_is_refused_and_its_plain_value_is_not(key: str) -> None:
    plain = TINY["bert"] | {"model_type": "bert", "architectures": ["BertModel"]}
    for fine in REFUSED[key][0]:
        assert read_published(plain | {key: fine})[1] == []
    (at, words, fix), *others = read_published(plain | {key: {"x": 1}})[1]
    assert (at, others) == (key, [])
    assert words.startswith(key)
    assert fix


def test_a_classifier_has_as_many_labels_as_its_config_lists() -> None:
    three = {"id2label": {"0": "a", "1": "b", "2": "c"}, "architectures": ["BertForSequenceClassification"]}
    published, _ = read_published(TINY["bert"] | {"model_type": "bert"} | three)
    assert published is not None
    assert published.counted["num_labels"] == 3


_DROPOUT = {"attention_dropout": 0.0, "activation_dropout": 0.0, "dropout": 0.1, "init_std": 0.02}
_KIN_OF_BART = _DROPOUT | {
    "add_bias_logits": False,
    "classif_dropout": 0.0,
    "classifier_dropout": 0.0,
    "decoder_layerdrop": 0.0,
    "encoder_layerdrop": 0.0,
    "gradient_checkpointing": False,
    "id2label": {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"},
    "is_encoder_decoder": True,
    "label2id": {"LABEL_0": 0, "LABEL_1": 1, "LABEL_2": 2},
    "max_length": 512,
    "use_cache": True,
    "vocab_size": 97,
}
PUBLISHED: dict[str, dict[str, Any]] = {
    "distilbert": {
        "activation": "gelu",
        "architectures": ["DistilBertForSequenceClassification"],
        "attention_dropout": 0.1,
        "dropout": 0.1,
        "finetuning_task": "sst-2",
        "id2label": {"0": "NEGATIVE", "1": "POSITIVE"},
        "label2id": {"NEGATIVE": 0, "POSITIVE": 1},
        "output_past": True,
        "pad_token_id": 0,
        "qa_dropout": 0.1,
        "seq_classif_dropout": 0.2,
        "sinusoidal_pos_embds": False,
        "tie_weights_": True,
    },
    "mpnet": {
        "architectures": ["MPNetModel"],
        "bos_token_id": 0,
        "eos_token_id": 2,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-05,
        "pad_token_id": 1,
        "relative_attention_num_buckets": 32,
        "torch_dtype": "float32",
    },
    "camembert": {
        "architectures": ["CamembertModel"],
        "bos_token_id": 5,
        "classifier_dropout": None,
        "eos_token_id": 6,
        "output_past": True,
        "pad_token_id": 1,
        "position_embedding_type": "absolute",
        "use_cache": True,
    },
    "electra": {
        "architectures": ["ElectraModel"],
        "generator_size": "0.25",
        "position_embedding_type": "absolute",
        "summary_activation": "gelu",
        "summary_last_dropout": 0.1,
        "summary_type": "first",
        "summary_use_proj": True,
    },
    "albert": {
        "architectures": ["AlbertModel"],
        "attention_probs_dropout_prob": 0,
        "bos_token_id": 2,
        "classifier_dropout_prob": 0.1,
        "down_scale_factor": 1,
        "eos_token_id": 3,
        "gap_size": 0,
        "hidden_act": "gelu_new",
        "hidden_dropout_prob": 0,
        "inner_group_num": 1,
        "net_structure_type": 0,
        "num_hidden_groups": 1,
        "num_memory_blocks": 0,
    },
    "mbart": {
        "activation_function": "relu",
        "add_final_layer_norm": True,
        "architectures": ["MBartForConditionalGeneration"],
        "forced_eos_token_id": 2,
        "normalize_before": True,
        "normalize_embedding": True,
        "output_past": True,
        "scale_embedding": True,
        "static_position_embeddings": False,
        "task_specific_params": {"translation_en_to_ro": {"decoder_start_token_id": 250020}},
    },
    "marian": {
        "_num_labels": 3,
        "activation_function": "swish",
        "add_final_layer_norm": False,
        "architectures": ["MarianMTModel"],
        "bad_words_ids": [[96]],
        "decoder_start_token_id": 96,
        "decoder_vocab_size": 97,
        "extra_pos_embeddings": 97,
        "forced_eos_token_id": 0,
        "normalize_before": False,
        "normalize_embedding": False,
        "num_beams": 6,
        "num_hidden_layers": 2,
        "scale_embedding": True,
        "share_encoder_decoder_embeddings": True,
        "static_position_embeddings": True,
    },
    "pegasus": {
        "activation_function": "relu",
        "add_final_layer_norm": True,
        "architectures": ["PegasusForConditionalGeneration"],
        "extra_pos_embeddings": 1,
        "force_bos_token_to_be_generated": False,
        "length_penalty": 0.8,
        "normalize_before": True,
        "normalize_embedding": False,
        "num_beams": 8,
        "scale_embedding": True,
        "static_position_embeddings": True,
    },
    "m2m_100": {
        "activation_function": "relu",
        "architectures": ["M2M100ForConditionalGeneration"],
        "decoder_start_token_id": 2,
        "early_stopping": True,
        "num_beams": 5,
        "num_hidden_layers": 2,
        "scale_embedding": True,
        "tokenizer_class": "NllbTokenizer",
    },
}
"""What the files on the hub say beside the sizes, which are tiny here."""


@pytest.mark.parametrize("model_type", PUBLISHED)
def test_a_config_as_it_is_published_needs_no_note(model_type: str) -> None:
    own = _KIN_OF_BART if FAMILIES[model_type].architecture == "encoder-decoder" else {}
    stated = TINY[model_type] | own | PUBLISHED[model_type] | {"model_type": model_type}
    published, mistakes = read_published(stated)
    assert mistakes == []
    assert published is not None
    assert published.notes == ()
    assert published.transformers_class == stated["architectures"][0]


@pytest.mark.parametrize(
    ("model_type", "change"),
    [
        ("bart", {"normalize_before": True}),
        ("bart", {"normalize_embedding": False}),
        ("mbart", {"static_position_embeddings": True}),
        ("marian", {"decoder_vocab_size": 98}),
    ],
)
def test_what_an_older_config_says_of_another_module_is_noted(model_type: str, change: dict[str, Any]) -> None:
    published, _ = read_published(TINY[model_type] | {"model_type": model_type} | change)
    assert published is not None
    assert any(next(iter(change)) in note for note in published.notes)


@pytest.mark.parametrize(
    ("model_type", "change"),
    [
        ("marian", {"share_encoder_decoder_embeddings": False}),
        ("albert", {"num_hidden_groups": 2}),
        ("albert", {"inner_group_num": 2}),
    ],
)
def test_a_make_of_a_known_type_that_has_no_closed_form_is_refused(model_type: str, change: dict[str, Any]) -> None:
    published, ((key, words, fix),) = read_published(TINY[model_type] | {"model_type": model_type} | change)
    assert published is None
    assert key == next(iter(change))
    assert words.startswith(str(key))
    assert fix

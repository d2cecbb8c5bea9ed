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

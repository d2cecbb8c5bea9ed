"""The shipped models against transformers, against the closed forms, and against the guide they cite."""

from __future__ import annotations

import pytest
import torch
import transformers

from advisor.core.model.catalog import OURS
from advisor.core.model.cost import anatomy
from advisor.core.model.entry import ModelEntry
from advisor.core.model.families import config_mistakes, positions_of
from advisor.core.model.parameters import parameter_count
from advisor.store.catalog import load_catalog
from advisor.store.paths import shipped
from advisor.store.yaml import read

CATALOG = load_catalog(shipped("models"), cached=False)
ENTRIES = list(CATALOG.entries.values())
of_every_model = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)

GUIDE_FIGURES = {
    "bert-base": 110e6,
    "bert-large": 340e6,
    "gpt2": 117e6,
    "gpt2-xl": 1.5e9,
    "gpt3-175b": 175e9,
    "llama-2-7b": 7e9,
    "llama-2-70b": 70e9,
    "t5-small": 60e6,
    "t5-11b": 11e9,
}
"""What the guide's document says of a model, where that is not what the module has."""

MAKERS_ADVICE = {"e5-mistral-7b": 4096, "qwen3-0.6b": 32768, "qwen3-8b": 32768}
"""Contexts below the number of positions, as the model card advises them."""

GUIDE_NAMES = [
    "bert-base",
    "bert-large",
    "roberta-base",
    "deberta-base",
    "modernbert-base",
    "minilm-l6",
    "e5-base",
    "gte-base",
    "minilm-l6-cross-encoder",
    "text-embedding-ada-002",
    "gpt2",
    "gpt2-xl",
    "gpt3-175b",
    "llama-2-7b",
    "llama-2-70b",
    "mistral-7b",
    "e5-mistral-7b",
    "claude",
    "gemini",
    "gpt-4",
    "t5-small",
    "t5-11b",
    "bart-base",
    "mt5-base",
    "flan-t5-base",
    "palm",
]
"""An entry for each model the guide's document names."""

LICENSES = {"Apache-2.0", "MIT", "Llama 2 Community License", "none: the weights were never published"}


def config_of(entry: ModelEntry) -> transformers.PretrainedConfig:
    return getattr(transformers, entry.transformers_class).config_class(**entry.config)


@of_every_model
def test_the_parameters_stated_are_those_of_the_built_module(entry: ModelEntry) -> None:
    with torch.device("meta"):
        module = getattr(transformers, entry.transformers_class)(config_of(entry))
    assert sum(parameter.numel() for parameter in module.parameters()) == entry.parameters
    assert parameter_count(anatomy(entry)) == entry.parameters


@of_every_model
def test_the_config_is_taken_as_it_stands(entry: ModelEntry) -> None:
    config = config_of(entry)
    assert config.model_type == entry.model_type
    assert config_mistakes(entry.model_type, entry.config) == []
    for key, value in entry.config.items():
        kept_as = "scale_decoder_outputs" if (entry.model_type, key) == ("t5", "tie_word_embeddings") else key
        assert getattr(config, kept_as) == value, key


@of_every_model
def test_a_hard_context_is_the_number_of_positions_or_what_its_maker_advises(entry: ModelEntry) -> None:
    positions = positions_of(entry.model_type, entry.config)
    assert entry.context_is_hard == (positions is not None)
    if positions is not None:
        assert entry.context_tokens == MAKERS_ADVICE.get(entry.id, positions)


@of_every_model
def test_the_guides_own_figure_stands_beside_the_count_where_it_gives_one(entry: ModelEntry) -> None:
    assert entry.source_parameters == GUIDE_FIGURES.get(entry.id)
    if entry.source_parameters is not None:
        assert entry.source_parameters != entry.parameters
        assert entry.parameters == pytest.approx(entry.source_parameters, rel=0.07)


@of_every_model
def test_every_model_says_where_it_comes_from_and_what_may_be_done_with_it(entry: ModelEntry) -> None:
    assert (entry.hub_id is None) == ("hub_id" in entry.unknown)
    assert entry.hub_id is None or f"model card of {entry.hub_id}" in entry.source
    assert entry.license in LICENSES
    assert (len(entry.language_names) > 4) == (entry.languages == "many")


@pytest.mark.parametrize("model_id", GUIDE_NAMES)
def test_every_model_the_guide_names_has_an_entry(model_id: str) -> None:
    assert CATALOG.find(model_id).id == model_id


def test_the_facts_cited_are_the_guides_and_stand_in_the_sections_named() -> None:
    guide = {fact["id"]: fact["section"] for fact in read(shipped("rules") / "guide.yaml").value["facts"]}
    assert {fact: guide[fact] for fact in CATALOG.sections} == dict(CATALOG.sections)


def test_no_section_is_listed_that_nothing_cites() -> None:
    cited = {fact for rule in CATALOG.preferences.rules for fact in rule.source}
    cited |= {fact for entry in ENTRIES for fact in entry.context_source}
    assert cited - {OURS} == set(CATALOG.sections)

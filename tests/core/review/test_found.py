"""What a config says a model is, held against the library whose configs they are."""

from __future__ import annotations

import pytest
from transformers.models.auto import configuration_auto, modeling_auto

from advisor.core.model.families import FAMILIES
from advisor.core.review.found import CLASS_PREFIX, UNCOUNTED, found_in_config

WHOLE = {**{name: FAMILIES[name].architecture for name in FAMILIES}, **UNCOUNTED}


@pytest.mark.parametrize("model_type", WHOLE)
def test_a_model_type_is_what_transformers_makes_of_it(model_type: str) -> None:
    config = configuration_auto.CONFIG_MAPPING[model_type]()
    writes = model_type in modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    fills = model_type in modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES
    if config.is_encoder_decoder:
        expected = "encoder-decoder"
    else:
        expected = "encoder-only" if fills else "decoder-only"
        assert fills or writes
    assert WHOLE[model_type] == expected


@pytest.mark.parametrize("model_type", WHOLE)
def test_the_class_that_transformers_builds_contradicts_nothing(model_type: str) -> None:
    named = modeling_auto.MODEL_MAPPING_NAMES[model_type]
    for one in (named,) if isinstance(named, str) else named:
        found = found_in_config({"model_type": model_type, "architectures": [one]}, "config.json")
        assert found.architecture == WHOLE[model_type], found
        if model_type in CLASS_PREFIX:
            assert one.startswith(CLASS_PREFIX[model_type])


def test_every_counted_type_has_the_beginning_of_its_classes() -> None:
    assert set(CLASS_PREFIX) == set(FAMILIES)

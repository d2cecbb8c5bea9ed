"""What a config says a model is, held against the library whose configs they are."""

from __future__ import annotations

import pytest
from transformers.models.auto import configuration_auto, modeling_auto

from advisor.core.inspection import claim_of
from advisor.core.model.claimed import CLASS_PREFIX, UNCOUNTED, claimed
from advisor.core.model.families import FAMILIES
from advisor.core.review.found import found_in_config

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


@pytest.mark.parametrize(
    ("config", "architecture", "mask"),
    [
        ({"model_type": "bert", "architectures": ["BertLMHeadModel"]}, "decoder-only", "bidirectional"),
        (
            {"model_type": "bert", "architectures": ["BertLMHeadModel"], "is_decoder": False},
            "decoder-only",
            "bidirectional",
        ),
        ({"model_type": "bert", "architectures": ["BertLMHeadModel"], "is_decoder": True}, "decoder-only", None),
        ({"model_type": "bert", "architectures": ["BertModel"], "is_decoder": True}, "decoder-only", None),
        ({"model_type": "t5", "architectures": ["T5WithLMHeadModel"]}, "encoder-decoder", None),
        ({"model_type": "bart", "architectures": ["BartForCausalLM"]}, "decoder-only", None),
        ({"model_type": "qwen3", "architectures": ["Qwen3Model"], "is_causal": False}, "encoder-only", None),
        (
            {"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "is_causal": False},
            "decoder-only",
            "bidirectional",
        ),
        ({"model_type": "t5", "architectures": ["T5ForTokenClassification"]}, "encoder-only", None),
        (
            {"model_type": "umt5", "architectures": ["UMT5ForTokenClassification"], "is_encoder_decoder": False},
            "encoder-only",
            None,
        ),
        ({"model_type": "mbart", "architectures": ["MBartForCausalLM"]}, "decoder-only", None),
    ],
    ids=str,
)
def test_a_review_and_an_inspection_read_the_same_claim(
    config: dict[str, object], architecture: str, mask: str | None
) -> None:
    found = found_in_config(config, "config.json")
    claim = claim_of(config, WHOLE[str(config["model_type"])])
    assert (found.architecture, found.mask_found, claim.architecture) == (architecture, mask, architecture)


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "bert", "architectures": ["BertForMaskedLM"], "is_decoder": True},
        {"model_type": "bert", "architectures": ["BertForConditionalGeneration"]},
        {"model_type": "llama", "architectures": ["LlamaForMaskedLM"]},
        {"model_type": "bart", "architectures": ["BartForMaskedLM"]},
    ],
    ids=str,
)
def test_a_class_that_no_such_model_has_is_a_contradiction(config: dict[str, object]) -> None:
    assert found_in_config(config, "config.json").architecture is None
    assert claimed(config, WHOLE[str(config["model_type"])]).contradiction

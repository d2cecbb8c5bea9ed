"""What a config claims, and whether what was seen agrees with it."""

from __future__ import annotations

from typing import Any

import pytest

from advisor.core.architecture import Architecture
from advisor.core.inspection import (
    Claim,
    Cosine,
    Probe,
    agreement,
    claim_of,
    half_of,
    is_narrow,
    mask_found,
    probe_of,
    sees_ahead,
)
from advisor.core.unrelated import REFERENCE, SENTENCES
from tests.core.test_attention import CROSS, DECODER, ENCODER, everything, layers


def claim(architecture: Architecture) -> Claim:
    return Claim(architecture=architecture, by="model_type", model_type="some")


def probe(*found: Any) -> Probe:
    return probe_of(layers(*found))


@pytest.mark.parametrize(
    ("config", "family", "architecture", "by"),
    [
        ({"model_type": "bert"}, "encoder-only", "encoder-only", "model_type"),
        ({"architectures": ["BertForMaskedLM"]}, "encoder-only", "encoder-only", "architectures"),
        ({"architectures": ["LlamaForCausalLM"]}, "encoder-only", "decoder-only", "architectures"),
        ({"architectures": ["GPT2LMHeadModel"]}, "decoder-only", "decoder-only", "architectures"),
        ({"architectures": ["LlamaModel"]}, "decoder-only", "decoder-only", "model_type"),
        ({"architectures": ["T5ForConditionalGeneration"]}, "encoder-only", "encoder-decoder", "architectures"),
        ({"architectures": ["T5EncoderModel"]}, "encoder-decoder", "encoder-only", "architectures"),
        ({"is_decoder": True}, "encoder-only", "decoder-only", "is_decoder"),
        ({"is_decoder": False}, "encoder-only", "encoder-only", "model_type"),
        ({"is_encoder_decoder": True}, "decoder-only", "encoder-decoder", "is_encoder_decoder"),
        ({"architectures": "nonsense", "is_decoder": "yes"}, "encoder-only", "encoder-only", "model_type"),
        ({"architectures": [7]}, "decoder-only", "decoder-only", "model_type"),
    ],
)
def test_a_config_claims_by_its_class_its_flags_or_its_type(
    config: dict[str, Any], family: Architecture, architecture: str, by: str
) -> None:
    made = claim_of({"model_type": "some"} | config, family)
    assert (made.architecture, made.by) == (architecture, by)


def test_a_class_that_is_one_stack_of_its_family_is_known_as_half() -> None:
    encoder = claim_of({"model_type": "t5", "architectures": ["T5EncoderModel"]}, "encoder-decoder")
    decoder = claim_of({"model_type": "bart", "architectures": ["BartForCausalLM"]}, "encoder-decoder")
    assert half_of(encoder, "encoder-decoder") == ("T5EncoderModel", "encoder")
    assert half_of(decoder, "encoder-decoder") == ("BartForCausalLM", "decoder")
    assert half_of(decoder, "decoder-only") is None
    assert half_of(claim("encoder-decoder"), "encoder-decoder") is None


def test_a_model_agrees_with_what_it_is() -> None:
    assert agreement(claim("encoder-only"), probe(ENCODER)) is True
    assert agreement(claim("decoder-only"), probe(ENCODER)) is False
    assert agreement(claim("encoder-decoder"), probe(ENCODER, DECODER, CROSS)) is True
    assert agreement(claim("encoder-decoder"), probe(ENCODER, ("decoder", "self", everything), CROSS)) is False


def test_a_layer_without_a_name_leaves_it_open() -> None:
    nameless = ("decoder", "self", lambda i, j: i == j)
    assert agreement(claim("decoder-only"), probe(DECODER, nameless)) is None


def test_one_layer_that_sees_ahead_is_enough_for_the_mistake() -> None:
    leaking = probe(DECODER, ("decoder", "self", everything))
    assert mask_found(leaking) == "bidirectional"
    assert sees_ahead(claim("decoder-only"), leaking)
    assert not sees_ahead(claim("decoder-only"), probe(DECODER))


def test_an_encoder_may_see_ahead_and_a_stack_that_writes_may_not() -> None:
    assert not sees_ahead(claim("encoder-only"), probe(ENCODER))
    assert not sees_ahead(claim("encoder-decoder"), probe(ENCODER, DECODER, CROSS))
    assert sees_ahead(claim("encoder-decoder"), probe(ENCODER, ("decoder", "self", everything), CROSS))


def test_the_mask_found_is_that_of_the_stack_that_writes() -> None:
    assert mask_found(probe(ENCODER, DECODER, CROSS)) == "causal"
    assert mask_found(probe(ENCODER)) == "bidirectional"
    assert mask_found(probe(("decoder", "self", lambda i, j: j <= i or j < 3))) == "prefix"
    assert mask_found(probe(("decoder", "self", lambda i, j: i == j))) is None


def test_a_cone_is_narrow_only_where_the_whole_interval_says_so() -> None:
    def cosine(low: float) -> Cosine:
        return Cosine(mean_cosine=0.8, ci95=(low, 0.9), sentences=40, pooling="last", width=8)

    assert is_narrow(cosine(0.51))
    assert not is_narrow(cosine(0.49))
    assert not is_narrow(REFERENCE)


def test_no_two_unrelated_sentences_end_alike_or_stand_twice() -> None:
    assert len(set(SENTENCES)) == len(SENTENCES) == REFERENCE.sentences
    last = [sentence.split()[-1] for sentence in SENTENCES]
    assert len(set(last)) == len(last)
    assert all(word.isalpha() for word in last)

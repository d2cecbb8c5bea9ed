"""Gemma and what followed it: Llama's layers with heads as wide as stated, and a tied head over a large vocabulary.

From the second make on there is a norm after each part too, and most layers look back through a window only: the last
layer of each round looks back to the first token. The second make limits its scores by a function that no fused
attention computes; the third normalises queries and keys in its place.
"""

from __future__ import annotations

from collections.abc import Mapping

from advisor.core.model.anatomy import Anatomy, Stack
from advisor.core.model.families.family import (
    ACTIVATIONS,
    TOKENS,
    UNFUSED_ACTIVATION,
    Config,
    Family,
    Key,
    sizes,
)
from advisor.core.model.families.llama import NUMBERS, SIZES, gated_stack, keys, rotary_decoder, with_head

SECOND_MAKES_ROUND = 2
"""Layers of a round where no config says so: one with a window, one without."""
_HEADS = sizes("num_key_value_heads", "head_dim")
_BIAS = Key("attention_bias", "flag", default=False)
_LATER_KEYS = (
    *SIZES,
    *_HEADS,
    _BIAS,
    Key("tie_word_embeddings", "flag", default=True),
    Key("hidden_activation", "word", default="gelu_pytorch_tanh", words=ACTIVATIONS),
    # a window keeps one token less than it is wide, so 1 would keep none
    Key("sliding_window", "size", default=4096, least=2),
    *NUMBERS,
    Key("pad_token_id", "token", default=0, nullable=True),
    *TOKENS[1:],
)


def _stack(config: Config) -> Stack:
    return gated_stack(config, head_dim=config["head_dim"], biases="qkvo" if config["attention_bias"] else "")


def _gemma(config: Config) -> Anatomy:
    return with_head(config, _stack(config))


def _later(config: Config, *, full_every: int) -> Stack:
    return _stack(config)._replace(
        norms=4,
        window=config["sliding_window"],
        full_every=full_every,
        unfused_activation=config["hidden_activation"] == UNFUSED_ACTIVATION,
    )


def _gemma2(config: Config) -> Anatomy:
    return with_head(config, _later(config, full_every=SECOND_MAKES_ROUND)._replace(fused_attention=False))


def _gemma3(config: Config) -> Anatomy:
    stack = _later(config, full_every=config["sliding_window_pattern"])
    return with_head(config, stack._replace(query_key_norm=2 * stack.head_dim))


_FAMILIES = (
    rotary_decoder("gemma", "Gemma", (*keys(tied=True, padded=0), *_HEADS, _BIAS), _gemma, own_width=True),
    rotary_decoder("gemma2", "Gemma2", (*_LATER_KEYS, Key("rope_parameters", "rope")), _gemma2),
    rotary_decoder(
        "gemma3_text",
        "Gemma3",
        (*_LATER_KEYS, Key("sliding_window_pattern", "size", default=6)),
        _gemma3,
        bare="TextModel",
    ),
)
FAMILIES: Mapping[str, Family] = {family.model_type: family for family in _FAMILIES}

"""Command R, Aya and what followed them: Llama's layers with attention and MLP side by side under one norm.

The norms have a scale and no shift. In the second make most layers look back through a window only: the last layer of
each round looks back to the first token.
"""

from __future__ import annotations

from collections.abc import Mapping

from advisor.core.model.anatomy import Anatomy, Stack
from advisor.core.model.families.family import ACTIVATIONS, TOKENS, Config, Family, Key, numbers
from advisor.core.model.families.llama import SIZES, gated_stack, rotary_decoder, with_head

_KEYS = (
    *SIZES,
    Key("num_key_value_heads", "size"),
    Key("attention_bias", "flag", default=False),
    Key("tie_word_embeddings", "flag", default=True),
    Key("hidden_act", "word", words=ACTIVATIONS),
    Key("rope_parameters", "rope"),
    *numbers("layer_norm_eps", "initializer_range", "attention_dropout"),
    Key("pad_token_id", "token", default=0, nullable=True),
    *TOKENS[1:],
)
_SETTLED = {
    "position_embedding_type": "rope_gptj",
    "order_of_interleaved_layers": "local_attn_first",
    "layer_switch": 4,
    "use_embedding_sharing": True,
    "use_gated_activation": True,
    "use_parallel_block": True,
}
"""What the config of the second make says besides, which no class reads."""


def _stack(config: Config) -> Stack:
    stack = gated_stack(config, head_dim=None, biases="qkvo" if config["attention_bias"] else "")
    return stack._replace(norms=1)


def _cohere(config: Config) -> Anatomy:
    stack = _stack(config)
    normed = stack.query_size + stack.key_value_size if config["use_qk_norm"] else 0  # a scale for every head
    return with_head(config, stack._replace(query_key_norm=normed))


def _cohere2(config: Config) -> Anatomy:
    every = config["sliding_window_pattern"]
    return with_head(config, _stack(config)._replace(window=config["sliding_window"], full_every=every))


_FAMILIES = (
    rotary_decoder("cohere", "Cohere", (*_KEYS, Key("use_qk_norm", "flag", default=False)), _cohere),
    rotary_decoder(
        "cohere2",
        "Cohere2",
        (
            *_KEYS,
            Key("sliding_window", "size", default=4096, least=2),
            Key("sliding_window_pattern", "size", default=4),
        ),
        _cohere2,
        settled=_SETTLED,
    ),
)
FAMILIES: Mapping[str, Family] = {family.model_type: family for family in _FAMILIES}

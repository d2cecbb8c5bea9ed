"""Llama and its kin: decoders with rotary positions, a gated MLP, and heads that share keys and values.

They differ in which projections have a bias, in norms over queries and keys, and in whether attention looks back
without end. Where norms stand, whether projections are laid out as one matrix, and in which layers positions are turned
changes no count. The class without an LM head is what embedding models of this kin are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from advisor.core.model.anatomy import Anatomy, Head, Stack
from advisor.core.model.families.family import (
    ACTIVATIONS,
    TOKENS,
    UNFUSED_ACTIVATION,
    Config,
    Family,
    Key,
    numbers,
    sizes,
)

_SHARED_HEADS = ("num_key_value_heads", "num_attention_heads")
_WHOLE_HEADS = ("num_attention_heads", "hidden_size")
SIZES = (
    *sizes("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"),
    *sizes("max_position_embeddings"),
)
THIRD_OLMOS_ROUND = 4
"""Layers of a round: the last of them looks back to the first token."""
NUMBERS = numbers("rms_norm_eps", "initializer_range", "attention_dropout")


def keys(*, tied: bool = False, padded: int | None = None, one_rope: bool = True) -> tuple[Key, ...]:
    """The keys that all of them have, with what holds where nothing is said: of the LM head, and of the padding token.

    A row of the word table is set aside for that token, so it must be in the vocabulary. `one_rope` says that positions
    are turned alike in all layers: the key says something else where they are not.
    """
    return (
        *SIZES,
        Key("tie_word_embeddings", "flag", default=tied),
        Key("hidden_act", "word", words=ACTIVATIONS),
        *((Key("rope_parameters", "rope"),) if one_rope else ()),
        *NUMBERS,
        Key("pad_token_id", "token", default=padded, nullable=True),
        *TOKENS[1:],
    )


def with_head(config: Config, decoder: Stack) -> Anatomy:
    """The whole of a decoder over its word table; its LM head shares the table or has one of its own."""
    head: Head = "tied" if config["tie_word_embeddings"] else "own"
    return Anatomy(
        vocab_size=config["vocab_size"], hidden_size=decoder.hidden_size, encoder=None, decoder=decoder, head=head
    )


def gated_stack(config: Config, *, head_dim: int | None, biases: str) -> Stack:
    """Llama's layers; heads are as wide as the states give them where no width is said."""
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    return Stack(
        num_layers=config["num_hidden_layers"],
        hidden_size=hidden,
        num_attention_heads=heads,
        num_key_value_heads=config["num_key_value_heads"] or heads,
        head_dim=head_dim or hidden // heads,
        intermediate_size=config["intermediate_size"],
        mlp_matrices=3,
        norm_values=1,
        attention_biases=biases,
        mlp_bias=False,
        final_norm=True,
        unfused_activation=config.get("hidden_act") == UNFUSED_ACTIVATION,
    )


def _llama(config: Config) -> Anatomy:
    biases = "qkvo" if config["attention_bias"] else ""
    stack = gated_stack(config, head_dim=config["head_dim"], biases=biases)
    return with_head(config, stack._replace(mlp_bias=config["mlp_bias"]))


def _mistral(config: Config) -> Anatomy:
    stack = gated_stack(config, head_dim=config["head_dim"], biases="")
    return with_head(config, stack._replace(window=config["sliding_window"]))


def _qwen2(config: Config) -> Anatomy:
    return with_head(config, gated_stack(config, head_dim=None, biases="qkv"))


def _qwen3(config: Config) -> Anatomy:
    stack = gated_stack(config, head_dim=config["head_dim"], biases="qkvo" if config["attention_bias"] else "")
    return with_head(config, stack._replace(query_key_norm=2 * stack.head_dim))  # one scale each for all heads


def _phi3(config: Config) -> Anatomy:
    stack = gated_stack(config, head_dim=None, biases="")
    return with_head(config, stack._replace(window=config["sliding_window"]))


def _olmo(config: Config, *, window: int | None, full_every: int) -> Anatomy:
    stack = gated_stack(config, head_dim=None, biases="qkvo" if config["attention_bias"] else "")
    normed = stack.query_size + stack.key_value_size
    return with_head(config, stack._replace(query_key_norm=normed, window=window, full_every=full_every))


def _olmo2(config: Config) -> Anatomy:
    return _olmo(config, window=None, full_every=0)


def _olmo3(config: Config) -> Anatomy:
    return _olmo(config, window=config["sliding_window"], full_every=THIRD_OLMOS_ROUND)


def _with_biases(config: Config) -> Anatomy:
    stack = gated_stack(config, head_dim=None, biases="qkvo" if config["attention_bias"] else "")
    return with_head(config, stack._replace(mlp_bias=config["mlp_bias"]))


def rotary_decoder(
    model_type: str,
    name: str,
    keys: tuple[Key, ...],
    anatomy: Callable[[Config], Anatomy],
    *,
    own_width: bool = False,
    bare: str = "Model",
    settled: Config | None = None,
) -> Family:
    """A family whose classes begin with a name: the one that writes, and `bare`, the one without an LM head.

    `own_width` says that heads are as wide as stated, so that the states need not be a multiple of them.
    """
    return Family(
        model_type,
        "decoder-only",
        {f"{name}ForCausalLM": None, f"{name}{bare}": "none"},
        keys,
        anatomy,
        positions_key="max_position_embeddings",
        divides=(_SHARED_HEADS,) if own_width else (_WHOLE_HEADS, _SHARED_HEADS),
        rotary=True,
        settled=settled or {},
    )


_ATTENTION_BIAS = Key("attention_bias", "flag", default=False)
_MLP_BIAS = Key("mlp_bias", "flag", default=False)
_FAMILIES = (
    rotary_decoder(
        "llama",
        "Llama",
        (*keys(), Key("num_key_value_heads", "size"), Key("head_dim", "size"), _ATTENTION_BIAS, _MLP_BIAS),
        _llama,
    ),
    rotary_decoder(
        "mistral",
        "Mistral",
        (
            *keys(),
            *sizes("num_key_value_heads"),
            Key("head_dim", "size"),
            # null looks back without end; a window keeps one token less than it is wide, so 1 would keep none
            Key("sliding_window", "size", required=True, least=2, nullable=True),
        ),
        _mistral,
    ),
    rotary_decoder("qwen2", "Qwen2", (*keys(), *sizes("num_key_value_heads")), _qwen2),
    rotary_decoder(
        "qwen3",
        "Qwen3",
        (*keys(), *sizes("num_key_value_heads", "head_dim"), _ATTENTION_BIAS),
        _qwen3,
        own_width=True,
    ),
    rotary_decoder(
        "phi3",
        "Phi3",
        (
            *keys(padded=32000),
            Key("num_key_value_heads", "size"),
            Key("sliding_window", "size", least=2),
            *numbers("embd_pdrop", "resid_pdrop"),
        ),
        _phi3,
        settled={"full_attn_mod": 1, "interpolate_factor": 1},
    ),
    rotary_decoder("olmo2", "Olmo2", (*keys(padded=1), Key("num_key_value_heads", "size"), _ATTENTION_BIAS), _olmo2),
    rotary_decoder(
        "olmo3",
        "Olmo3",
        (
            *keys(padded=1, one_rope=False),
            Key("num_key_value_heads", "size"),
            Key("sliding_window", "size", default=4096, least=2),
            _ATTENTION_BIAS,
        ),
        _olmo3,
    ),
    rotary_decoder(
        "granite",
        "Granite",
        (*keys(), Key("num_key_value_heads", "size"), _ATTENTION_BIAS, _MLP_BIAS),
        _with_biases,
    ),
    rotary_decoder(
        "smollm3",
        "SmolLM3",
        (*keys(tied=True, padded=128004), *sizes("num_key_value_heads"), _ATTENTION_BIAS, _MLP_BIAS),
        _with_biases,
        settled={"pretraining_tp": 2},
    ),
)
FAMILIES: Mapping[str, Family] = {family.model_type: family for family in _FAMILIES}

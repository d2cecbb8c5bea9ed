"""DeBERTa (2020) and its second make, which DeBERTa-v3 was trained in: content and position are attended to apart.

Each layer compares the words with each other, words with relative positions (c2p) and positions with words (p2c). The
first make looks at as many distances as the text is long, the second always at all of its table.
"""

from __future__ import annotations

from collections.abc import Mapping

from advisor.core.model.anatomy import Anatomy, Disentangled, Stack
from advisor.core.model.families.family import (
    ACTIVATIONS,
    LABELS,
    TOKENS,
    UNFUSED_ACTIVATION,
    Config,
    Family,
    Key,
    numbers,
    sizes,
)

_KEYS = (
    *sizes("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"),
    *sizes("max_position_embeddings"),
    Key("type_vocab_size", "size", default=0, least=0),
    Key("position_biased_input", "flag", default=True),
    Key("relative_attention", "flag", default=False),
    Key("max_relative_positions", "size", default=-1, least=-1),
    Key("pos_att_type", "words", words=("c2p", "p2c")),
    Key("hidden_act", "word", default="gelu", words=ACTIVATIONS),
    Key("pooler_hidden_act", "word", default="gelu", words=ACTIVATIONS),
    *numbers("layer_norm_eps", "initializer_range"),
    *numbers("hidden_dropout_prob", "attention_probs_dropout_prob", "pooler_dropout"),
    *TOKENS,
    LABELS,
)


def _terms(config: Config) -> frozenset[str]:
    """What is compared besides the words: `c2p`, `p2c`, stated as a list or as transformers reads it from one word."""
    stated = config["pos_att_type"] or ()
    return frozenset(stated.split("|") if isinstance(stated, str) else stated)


def _first_make(config: Config) -> Anatomy:
    width, terms = config["hidden_size"], _terms(config)
    if not config["relative_attention"]:
        return _shape(config, biases="qvo", relative=Disentangled())
    relative = Disentangled(
        rows=2 * _span(config),
        terms=len(terms),
        projections=len(terms),
        parameters=len(terms) * width * width + width * ("p2c" in terms),  # only p2c's has a bias
        as_long_as_the_text=True,
    )
    return _shape(config, biases="qvo", relative=relative)


def _second_make(config: Config) -> Anatomy:
    width, terms, shared = config["hidden_size"], _terms(config), config["share_att_key"]
    buckets, norm_values = config["position_buckets"], 2 if config["norm_rel_ebd"] == "layer_norm" else 0
    if not config["relative_attention"]:  # the norm is built all the same
        return _shape(config, biases="qkvo", relative=Disentangled(norm_values=norm_values))
    relative = Disentangled(
        rows=2 * (buckets if buckets > 0 else _span(config)),
        terms=len(terms),
        projections=2 if shared else len(terms),
        parameters=0 if shared else len(terms) * (width * width + width),
        norm_values=norm_values,
    )
    return _shape(config, biases="qkvo", relative=relative)


def _span(config: Config) -> int:
    """How many distances either way there are: as many as positions, unless the config says another number."""
    stated: int = config["max_relative_positions"]
    positions: int = config["max_position_embeddings"]
    return stated if stated > 0 else positions


def _shape(config: Config, *, biases: str, relative: Disentangled) -> Anatomy:
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    encoder = Stack(
        num_layers=config["num_hidden_layers"],
        hidden_size=hidden,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        head_dim=hidden // heads,
        intermediate_size=config["intermediate_size"],
        mlp_matrices=2,
        norm_values=2,
        attention_biases=biases,
        mlp_bias=True,
        final_norm=False,
        unfused_activation=config["hidden_act"] == UNFUSED_ACTIVATION,
        disentangled=relative,
        fused_attention=False,
    )
    return Anatomy(
        vocab_size=config["vocab_size"],
        hidden_size=hidden,
        encoder=encoder,
        decoder=None,
        head="none",
        position_rows=config["max_position_embeddings"] if config["position_biased_input"] else 0,
        type_rows=config["type_vocab_size"],
        embedding_norm_values=2,
        labels=config["num_labels"],
    )


def _family(model_type: str, name: str, keys: tuple[Key, ...], *, second: bool) -> Family:
    return Family(
        model_type,
        "encoder-only",
        {f"{name}Model": None, f"{name}ForSequenceClassification": "classifier"},
        keys,
        _second_make if second else _first_make,
        positions_key="max_position_embeddings",
        positions_flag="position_biased_input",
        divides=(("num_attention_heads", "hidden_size"),),
    )


_SECOND_KEYS = (
    *_KEYS,
    Key("position_buckets", "size", default=-1, least=-1),
    Key("share_att_key", "flag", default=False),
    Key("norm_rel_ebd", "word", default="none", words=("none", "layer_norm")),
)

FAMILIES: Mapping[str, Family] = {
    "deberta": _family("deberta", "Deberta", _KEYS, second=False),
    "deberta-v2": _family("deberta-v2", "DebertaV2", _SECOND_KEYS, second=True),
}

"""BART and its kin: encoder-decoders of two stacks of BERT's kind over one word table.

They differ in where the norms stand (mBART, Pegasus and M2M-100 normalise before each part, and once more at the end),
in whether what was looked up is normalised, and in their positions: learned, waves kept in a table among the weights,
or waves computed as far as a text goes, which have no end.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Literal, NamedTuple

from advisor.core.model.anatomy import Anatomy, Stack
from advisor.core.model.families.family import (
    ACTIVATIONS,
    UNFUSED_ACTIVATION,
    Config,
    Family,
    Key,
    numbers,
    padding,
    sizes,
)

_OFFSET = 2
"""Rows that each table of learned positions has more than there are positions."""


class _Make(NamedTuple):
    """What one model of the kin has that another has not."""

    positions: Literal["learned", "waves", "computed"]
    embedding_norm: bool
    final_norm: bool

    @property
    def settled(self) -> dict[str, bool]:
        """The same as configs said it while one class served for all of them."""
        return {
            "normalize_before": self.final_norm,
            "add_final_layer_norm": self.final_norm,
            "normalize_embedding": self.embedding_norm,
            "static_position_embeddings": self.positions != "learned",
        }


def _anatomy(make: _Make, config: Config) -> Anatomy:
    def stack(name: str, *, cross_attention: bool) -> Stack:
        hidden, heads = config["d_model"], config[f"{name}_attention_heads"]
        return Stack(
            num_layers=config[f"{name}_layers"],
            hidden_size=hidden,
            num_attention_heads=heads,
            num_key_value_heads=heads,
            head_dim=hidden // heads,
            intermediate_size=config[f"{name}_ffn_dim"],
            mlp_matrices=2,
            norm_values=2,
            attention_biases="qkvo",
            mlp_bias=True,
            final_norm=make.final_norm,
            cross_attention=cross_attention,
            unfused_activation=config["activation_function"] == UNFUSED_ACTIVATION,
        )

    rows: int = config["max_position_embeddings"] + (_OFFSET if make.positions == "learned" else 0)
    return Anatomy(
        vocab_size=config["vocab_size"],
        hidden_size=config["d_model"],
        encoder=stack("encoder", cross_attention=False),
        decoder=stack("decoder", cross_attention=True),
        head="tied" if config["tie_word_embeddings"] else "own",
        position_rows=0 if make.positions == "computed" else rows,
        embedding_norm_values=2 if make.embedding_norm else 0,
        word_tables=1 if config["tie_word_embeddings"] else 3,  # each stack's own, and the one that nobody shares then
    )


def _family(model_type: str, written_by: str, make: _Make, *keys: Key) -> Family:
    return Family(
        model_type,
        "encoder-decoder",
        {written_by: None},
        (
            *sizes("vocab_size", "max_position_embeddings"),
            # computed waves are spread over half the width less one, which must not be nothing
            Key("d_model", "size", required=True, least=4 if make.positions == "computed" else 1),
            *sizes("encoder_layers", "encoder_attention_heads", "encoder_ffn_dim"),
            *sizes("decoder_layers", "decoder_attention_heads", "decoder_ffn_dim"),
            Key("activation_function", "word", words=ACTIVATIONS),
            *numbers("dropout", "attention_dropout", "activation_dropout", "init_std"),
            Key("tie_word_embeddings", "flag", default=True),
            Key("eos_token_id", "token"),
            *keys,
        ),
        partial(_anatomy, make),
        positions_key=None if make.positions == "computed" else "max_position_embeddings",
        divides=(("encoder_attention_heads", "d_model"), ("decoder_attention_heads", "d_model")),
        settled=make.settled,
    )


_BEGINNING, _START = Key("bos_token_id", "token"), Key("decoder_start_token_id", "token")
_PLAIN, _SCALED = (Key("scale_embedding", "flag", default=default) for default in (False, True))

FAMILIES: Mapping[str, Family] = {
    "bart": _family(
        "bart",
        "BartForConditionalGeneration",
        _Make("learned", embedding_norm=True, final_norm=False),
        *(padding(1), _BEGINNING, _START, _PLAIN),
    ),
    "mbart": _family(
        "mbart",
        "MBartForConditionalGeneration",
        _Make("learned", embedding_norm=True, final_norm=True),
        *(padding(1), _BEGINNING, _START, _PLAIN),
    ),
    "marian": _family(
        "marian",
        "MarianMTModel",
        _Make("waves", embedding_norm=False, final_norm=False),
        *(padding(58100), _BEGINNING, _PLAIN),
    ),
    "pegasus": _family(
        "pegasus",
        "PegasusForConditionalGeneration",
        _Make("waves", embedding_norm=False, final_norm=True),
        *(padding(0), _START, _PLAIN),
    ),
    "m2m_100": _family(
        "m2m_100",
        "M2M100ForConditionalGeneration",
        _Make("computed", embedding_norm=False, final_norm=True),
        *(padding(1), _BEGINNING, _START, _SCALED),
    ),
}

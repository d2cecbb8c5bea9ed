"""The model types the closed forms know: which config values each needs, and what they mean.

One idea: a family is a row of data plus one small translation into `Anatomy`. To add a model type, write its keys and
its translation and put it in `FAMILIES`; counting, costs, checks and documents follow. Config keys are those of the
transformers config class, and no others: a key that would change the module without changing the count is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from advisor.core.architecture import Architecture
from advisor.core.errors import allowed_words
from advisor.core.model.anatomy import Anatomy, Stack

Config = Mapping[str, Any]
Mistake = tuple[tuple[str | int, ...], str, str | None]
"""Where in the entry, what is wrong, what to do."""

MAX_SIZE = 10_000_000
"""No single size of a published model comes near this: beyond it a figure is a slip of the pen."""

ACTIVATIONS = ("gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "silu")
UNFUSED_ACTIVATION = "gelu_new"
"""The one of them that transformers writes out in tensor operations."""


class Key(NamedTuple):
    """One config key. `default` is transformers' own, used where the key is left out; a required key has none.

    `words` are those a word may be, `least` is the smallest a size may be.
    """

    name: str
    kind: Literal["size", "flag", "word", "number", "token", "rope"]
    required: bool = False
    default: Any = None
    words: tuple[str, ...] = ()
    least: int = 1

    @property
    def may_be_null(self) -> bool:
        """Whether null is as good as leaving the key out: transformers works such a value out, or goes without."""
        return self.kind in ("size", "token", "rope") and not self.required and self.default is None


class Family(NamedTuple):
    """One transformers model type: the class that is built, its config keys, and its shape.

    `positions_key` names the config key that says where the learned or rotary positions end; None where positions are
    relative and have no end. `divides` lists pairs of keys of which the first must divide the second. `rotary`
    positions turn the values of a head in pairs.
    """

    model_type: str
    architecture: Architecture
    transformers_class: str
    keys: tuple[Key, ...]
    anatomy: Callable[[Config], Anatomy]
    positions_key: str | None
    divides: tuple[tuple[str, str], ...] = ()
    rotary: bool = False


def _sizes(*names: str) -> tuple[Key, ...]:
    return tuple(Key(name, "size", required=True) for name in names)


def _numbers(*names: str) -> tuple[Key, ...]:
    return tuple(Key(name, "number") for name in names)


_TOKENS = tuple(Key(name, "token") for name in ("pad_token_id", "bos_token_id", "eos_token_id"))


def _bert(config: Config) -> Anatomy:
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
        attention_bias=True,
        mlp_bias=True,
        final_norm=False,
        unfused_activation=config["hidden_act"] == UNFUSED_ACTIVATION,
    )
    return Anatomy(
        vocab_size=config["vocab_size"],
        hidden_size=hidden,
        encoder=encoder,
        decoder=None,
        head="pooler",
        position_rows=config["max_position_embeddings"],
        type_rows=config["type_vocab_size"],
        embedding_norm_values=2,
    )


def _gpt2(config: Config) -> Anatomy:
    hidden, heads = config["n_embd"], config["n_head"]
    decoder = Stack(
        num_layers=config["n_layer"],
        hidden_size=hidden,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        head_dim=hidden // heads,
        intermediate_size=config["n_inner"] or 4 * hidden,
        mlp_matrices=2,
        norm_values=2,
        attention_bias=True,
        mlp_bias=True,
        final_norm=True,
        unfused_activation=config["activation_function"] == UNFUSED_ACTIVATION,
    )
    return Anatomy(
        vocab_size=config["vocab_size"],
        hidden_size=hidden,
        encoder=None,
        decoder=decoder,
        head="tied" if config["tie_word_embeddings"] else "own",
        position_rows=config["n_positions"],
    )


def _llama(config: Config) -> Anatomy:
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    decoder = Stack(
        num_layers=config["num_hidden_layers"],
        hidden_size=hidden,
        num_attention_heads=heads,
        num_key_value_heads=config["num_key_value_heads"] or heads,
        head_dim=config["head_dim"] or hidden // heads,
        intermediate_size=config["intermediate_size"],
        mlp_matrices=3,
        norm_values=1,
        attention_bias=config["attention_bias"],
        mlp_bias=config["mlp_bias"],
        final_norm=True,
        unfused_activation=config["hidden_act"] == UNFUSED_ACTIVATION,
    )
    head: Literal["tied", "own"] = "tied" if config["tie_word_embeddings"] else "own"
    return Anatomy(vocab_size=config["vocab_size"], hidden_size=hidden, encoder=None, decoder=decoder, head=head)


def _t5(config: Config) -> Anatomy:
    def stack(num_layers: int, *, cross_attention: bool) -> Stack:
        return Stack(
            num_layers=num_layers,
            hidden_size=config["d_model"],
            num_attention_heads=config["num_heads"],
            num_key_value_heads=config["num_heads"],
            head_dim=config["d_kv"],
            intermediate_size=config["d_ff"],
            mlp_matrices=3 if config["feed_forward_proj"].startswith("gated-") else 2,
            norm_values=1,
            attention_bias=False,
            mlp_bias=False,
            final_norm=True,
            cross_attention=cross_attention,
            relative_buckets=config["relative_attention_num_buckets"],
            # transformers reads `gated-gelu` as the activation it writes out
            unfused_activation=config["feed_forward_proj"] == "gated-gelu",
        )

    return Anatomy(
        vocab_size=config["vocab_size"],
        hidden_size=config["d_model"],
        encoder=stack(config["num_layers"], cross_attention=False),
        decoder=stack(config["num_decoder_layers"] or config["num_layers"], cross_attention=True),
        # transformers 5 ties T5's head whatever the config says; `tie_word_embeddings` only scales the head's input.
        head="tied",
    )


FAMILIES: Mapping[str, Family] = {
    family.model_type: family
    for family in (
        Family(
            "bert",
            "encoder-only",
            "BertModel",
            (
                *_sizes("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"),
                *_sizes("max_position_embeddings", "type_vocab_size"),
                Key("hidden_act", "word", words=ACTIVATIONS),
                *_numbers("layer_norm_eps", "initializer_range"),
                *_numbers("hidden_dropout_prob", "attention_probs_dropout_prob"),
                *_TOKENS,
            ),
            _bert,
            positions_key="max_position_embeddings",
            divides=(("num_attention_heads", "hidden_size"),),
        ),
        Family(
            "gpt2",
            "decoder-only",
            "GPT2LMHeadModel",
            (
                *_sizes("vocab_size", "n_positions", "n_embd", "n_layer", "n_head"),
                Key("n_inner", "size"),
                Key("tie_word_embeddings", "flag", default=True),
                Key("activation_function", "word", default="gelu_new", words=ACTIVATIONS),
                *_numbers("layer_norm_epsilon", "initializer_range", "attn_pdrop", "embd_pdrop", "resid_pdrop"),
                *_TOKENS,
            ),
            _gpt2,
            positions_key="n_positions",
            divides=(("n_head", "n_embd"),),
        ),
        Family(
            "llama",
            "decoder-only",
            "LlamaForCausalLM",
            (
                *_sizes("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"),
                *_sizes("max_position_embeddings"),
                Key("num_key_value_heads", "size"),
                Key("head_dim", "size"),
                Key("tie_word_embeddings", "flag", default=False),
                Key("attention_bias", "flag", default=False),
                Key("mlp_bias", "flag", default=False),
                Key("hidden_act", "word", words=ACTIVATIONS),
                Key("rope_parameters", "rope"),
                *_numbers("rms_norm_eps", "initializer_range", "attention_dropout"),
                *_TOKENS,
            ),
            _llama,
            positions_key="max_position_embeddings",
            divides=(("num_attention_heads", "hidden_size"), ("num_key_value_heads", "num_attention_heads")),
            rotary=True,
        ),
        Family(
            "t5",
            "encoder-decoder",
            "T5ForConditionalGeneration",
            (
                *_sizes("vocab_size", "d_model", "d_kv", "d_ff", "num_layers", "num_heads"),
                Key("num_decoder_layers", "size"),
                Key("relative_attention_num_buckets", "size", default=32, least=4),  # half for each direction
                Key("relative_attention_max_distance", "size", default=128),
                Key("feed_forward_proj", "word", default="relu", words=("relu", "gelu", "gated-gelu", "gated-silu")),
                Key("tie_word_embeddings", "flag", default=True),
                *_numbers("layer_norm_epsilon", "initializer_factor", "dropout_rate"),
                Key("pad_token_id", "token"),
                Key("eos_token_id", "token"),
            ),
            _t5,
            positions_key=None,
        ),
    )
}


def anatomy_of(model_type: str, config: Config) -> Anatomy:
    """The shape of a model of a known type whose config has no mistakes."""
    family = FAMILIES[model_type]
    return family.anatomy({key.name: config.get(key.name, key.default) for key in family.keys})


def config_mistakes(model_type: str, config: Config) -> list[Mistake]:
    """Everything wrong with a config of a known type: keys that are unknown or missing, values out of their range."""
    family = FAMILIES[model_type]
    known = {key.name: key for key in family.keys}
    found = [_unknown_key(model_type, name, known) for name in config if name not in known]
    for key in family.keys:
        if key.name in config:
            found += _value_mistakes(key, config[key.name])
        elif key.required:
            found.append((("config",), f"config key {key.name} is missing", f"{model_type} needs it to be built"))
    return found or [
        *_division_mistakes(family, config),
        *_head_mistakes(family, config),
        *_token_mistakes(family, config),
    ]


def _unknown_key(model_type: str, name: str, known: Mapping[str, Key]) -> Mistake:
    words = f'unknown config key "{name}" for model_type {model_type} — {allowed_words(name, known)}'
    return ("config", name), words, None


def _value_mistakes(key: Key, value: Any) -> Iterator[Mistake]:
    if value is None and key.may_be_null:
        return
    expected = _expected(key, value)
    if expected is not None:
        yield ("config", key.name), f"{key.name} is {_shown(value)}, expected {expected}", None


def _expected(key: Key, value: Any) -> str | None:
    """What the value should have been, or None where it is fine."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if key.kind == "size":
        return None if whole and key.least <= value <= MAX_SIZE else f"a whole number from {key.least} to {MAX_SIZE}"
    if key.kind == "token":
        return None if whole and 0 <= value <= MAX_SIZE else f"a whole number from 0 to {MAX_SIZE}"
    if key.kind == "flag":
        return None if isinstance(value, bool) else "true or false"
    if key.kind == "word":
        return None if isinstance(value, str) and value in key.words else f"one of {', '.join(key.words)}"
    if key.kind == "rope":
        return None if _is_plain_rope(value) else "{rope_type: default, rope_theta: a number above 0}"
    # transformers takes no whole number where a fraction belongs
    return None if isinstance(value, float) and 0 <= value <= 1 else "a number from 0.0 to 1.0, with a decimal point"


def _is_plain_rope(value: Any) -> bool:
    """Whether these are unscaled rotary positions: scaled ones would need the child to know their other keys."""
    if not isinstance(value, dict) or set(value) != {"rope_type", "rope_theta"} or value["rope_type"] != "default":
        return False
    theta = value["rope_theta"]
    return isinstance(theta, int | float) and not isinstance(theta, bool) and theta > 0


def _division_mistakes(family: Family, config: Config) -> Iterator[Mistake]:
    for part, whole in family.divides:
        divisor, size = config.get(part), config.get(whole)
        if divisor and size and size % divisor:
            words = f"{part} {divisor} does not divide {whole} {size}"
            yield ("config", part), words, "transformers cannot build such a model"


def _head_mistakes(family: Family, config: Config) -> Iterator[Mistake]:
    for stack in anatomy_of(family.model_type, config).stacks if family.rotary else ():
        if stack.head_dim % 2:
            words = f"heads are {stack.head_dim} wide, and rotary positions need an even width"
            yield ("config", "head_dim") if "head_dim" in config else ("config",), words, "check head_dim and the heads"


def _token_mistakes(family: Family, config: Config) -> Iterator[Mistake]:
    for key in family.keys:
        if key.kind == "token" and (config.get(key.name) or 0) >= config["vocab_size"]:
            words = f"{key.name} {config[key.name]} is outside the vocabulary of {config['vocab_size']}"
            yield ("config", key.name), words, "token ids run from 0 to vocab_size - 1"


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 40 else text[:39] + "…"

"""What a published `config.json` says in our terms: which class is built, the values the closed forms need, the rest.

Pure: a dict in, a reading out; places in the file are `store.model_folder`'s work. The one idea: every key of a real
config is either counted by the closed forms, known to change nothing that is timed, refused because it makes another
module than these weights belong to, or named in a note. None is dropped in silence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from advisor.core.errors import allowed_words
from advisor.core.model.claimed import HALVES, own_code
from advisor.core.model.families import FAMILIES, Family, config_mistakes
from advisor.core.model.families.family import complete

Finding = tuple[str | None, str, str | None]
"""The key it stands at (None for the whole file), what is wrong, what to do."""

COUNTED_KINDS = ("size", "flag", "word", "words")
"""Kinds of keys that closed forms read; the others (dropout, rotary bases, most token ids) only reach the module."""
CHECK = "compare it with the config that the model was published with"
PADDING = "pad_token_id"
"""The one token that some models number positions from."""

HARMLESS = frozenset(
    (
        # what the file says of itself, and where it came from
        *("architectures", "model_type", "transformers_version", "torch_dtype", "dtype", "name_or_path"),
        *("_name_or_path", "tokenizer_class", "vocab_file", "language", "license", "finetuning_task"),
        *("task_specific_params", "sentence_transformers", "_num_labels", "model_max_length", "n_ctx"),
        *("max_position_embeddings", "n_positions"),
        # labels and the way results are handed over
        *("id2label", "label2id", "num_labels", "problem_type", "use_cache", "output_attentions"),
        *("output_hidden_states", "output_past", "return_dict", "torchscript", "use_bfloat16", "padding_idx"),
        # training
        *("initializer_range", "initializer_factor", "initializer_cutoff_factor", "init_std"),
        *("gradient_checkpointing", "dropout", "dropout_rate", "embd_pdrop", "attn_pdrop", "resid_pdrop"),
        *("layerdrop", "encoder_layerdrop", "decoder_layerdrop", "sparse_prediction", "sparse_pred_ignore_index"),
        # numbers inside an operation
        *("layer_norm_eps", "layer_norm_epsilon", "rms_norm_eps", "norm_eps", "rope_theta", "rope_scaling"),
        *("rope_parameters", "rotary_pct", "rotary_emb_base", "partial_rotary_factor", "rope_local_base_freq"),
        *("original_max_position_embeddings", "query_pre_attn_scalar", "attn_logit_softcapping"),
        *("embedding_multiplier", "residual_multiplier", "attention_multiplier", "logits_scaling"),
        *(
            "logit_scale",
            "final_logit_softcapping",
            "no_rope_layers",
            "no_rope_layer_interval",
            "_sliding_window_pattern",
        ),
        # heads for other uses of the model
        *("summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type"),
        *("summary_use_proj", "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers"),
        *("pooler_size_per_head", "pooler_type", "pooler_dropout", "classifier_activation", "classifier_bias"),
        *("classifier_pooling", "decoder_bias", "directionality"),
        *("tie_word_embeddings", "scale_decoder_outputs", "max_window_layers"),
        # generation
        *("prefix", "max_length", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups"),
        *("diversity_penalty", "temperature", "top_k", "top_p", "typical_p", "repetition_penalty", "length_penalty"),
        *("no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids", "num_return_sequences"),
        *("return_dict_in_generate", "output_scores", "suppress_tokens", "begin_suppress_tokens"),
        *("remove_invalid_values", "exponential_decay_length_penalty", "cache_implementation"),
        # the same said twice, or how it is run
        *("is_encoder_decoder", "is_gated_act", "dense_act_fn", "tie_encoder_decoder", "deterministic_flash_attn"),
        *("repad_logits_with_grad", "reference_compile", "global_rope_theta", "local_rope_theta"),
        *("force_bos_token_to_be_generated", "transformers.js_config"),
        # read by no class of today
        *("extra_pos_embeddings", "add_bias_logits", "tie_weights_", "generator_size", "down_scale_factor", "gap_size"),
        *("net_structure_type", "num_memory_blocks"),
    )
)
"""Keys that change nothing a stage does once the model is built, or that say what another key says."""
HARMLESS_ENDINGS = ("_token_id", "_token_ids", "_dropout", "_dropout_prob", "_dropout_ratio")

PLAIN_VALUES: Mapping[str, Any] = {
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
    "reorder_and_upcast_attn": False,
    "pretraining_tp": 1,
    "legacy": True,
    "chunk_size_feed_forward": 0,
    "rope_interleaved": False,
    "is_llama_config": True,
}
"""Keys that transformers reads, and the value at which they do nothing."""
REPEATED: Mapping[str, str] = {
    "pooler_hidden_size": "hidden_size",
    "num_hidden_layers": "encoder_layers",
    "decoder_vocab_size": "vocab_size",
    "hidden_act": "hidden_activation",
    "hidden_activation": "hidden_act",
    "sliding_window_size": "sliding_window",
}
"""Keys that do nothing where they say the same as another."""

OWN_CODE = "auto_map"
QUANTISED = "quantization_config"
"""Says how the weights are stored in fewer bits; of what they make when they are unpacked it says nothing."""
REFUSED: Mapping[str, tuple[tuple[Any, ...], str, str]] = {
    OWN_CODE: ((None, {}), "names code of its own", "only models that transformers builds by itself are measured"),
    QUANTISED: ((None, {}), "says that its weights are quantised", "name the model's original weights"),
    "pruned_heads": ((None, {}), "cuts heads out of some layers", "name the whole model"),
    "share_encoder_decoder_embeddings": (
        (None, True),
        "gives each stack words of its own",
        "name a model whose stacks share one word table",
    ),
    "num_hidden_groups": ((None, 1), "makes layers that differ", "name a model whose layers are one and the same"),
    "inner_group_num": ((None, 1), "makes layers that differ", "name a model whose layers are one and the same"),
    "per_layer_config": ((None, {}), "makes layers that differ", "name a model whose layers are alike"),
    "is_decoder": ((None, False), "turns an encoder into a decoder", "name a decoder's own model type"),
    "add_cross_attention": ((None, False), "adds a second attention to every layer", "name a plain encoder or decoder"),
    "position_embedding_type": (
        (None, "absolute"),
        "asks for positions that transformers 5 no longer builds",
        "name a model with absolute positions",
    ),
}
"""Keys, the values at which they are fine, and what is said of any other."""

_OURS = ("attn_implementation", "experts_implementation", "_attn_implementation", "_experts_implementation")
"""How attention is computed is chosen here: a config could name code to fetch."""


class PublishedConfig(NamedTuple):
    """A config as read: the family, the class to build, the keys for the closed forms, and all keys for the class.

    `notes` are sentences on what is measured in place of what the file says, and on keys nobody here knows.
    """

    family: Family
    transformers_class: str
    counted: dict[str, Any]
    whole: dict[str, Any]
    notes: tuple[str, ...]


def read_published(
    config: Mapping[str, Any], *, allowed: Collection[str] = ()
) -> tuple[PublishedConfig | None, list[Finding]]:
    """The reading, or None and everything that speaks against it.

    `allowed` are keys of `REFUSED` that may say what they like, for a model that is built and never counted.
    """
    model_type = config.get("model_type")
    if not isinstance(model_type, str):
        words = "config.json has no model_type: it does not say what kind of model this is"
        return None, [("model_type" if "model_type" in config else None, words, "name a transformers model")]
    refused = [one for one in _refusals(config) if one[0] not in allowed]
    family = FAMILIES.get(model_type)
    if family is None:
        words = f'unknown model_type "{model_type[:80]}" — {allowed_words(model_type, FAMILIES)}'
        return None, [*refused, ("model_type", words, "models of these types can be counted and measured")]
    chosen, notes = _class_of(config, family)
    counted = _counted(_respelled(config), family, chosen)
    refused += [(_key_of(at), words, fix or CHECK) for at, words, fix in config_mistakes(model_type, counted)]
    if refused:
        return None, refused
    notes += _unknown_keys(config, family)
    if config.get(OWN_CODE):
        notes.append(f"config.json names code of its own; the {chosen} that transformers took in is measured.")
    whole = {key: value for key, value in config.items() if not key.startswith((*_OURS, OWN_CODE))}
    return PublishedConfig(family, chosen, counted, whole, tuple(notes)), []


def of_unknown_kind(config: Mapping[str, Any], *, allowed: Collection[str] = ()) -> bool:
    """Whether a config that `read_published` refuses is sound all the same, and only of a kind nobody here knows."""
    model_type = config.get("model_type")
    family = FAMILIES.get(model_type) if isinstance(model_type, str) else None
    if family is None:
        return isinstance(model_type, str) and bool(model_type)
    counted = _counted(_respelled(config), family, _class_of(config, family)[0])
    refused = any(one[0] not in allowed for one in _refusals(config))
    return refused and not config_mistakes(family.model_type, counted)


def _key_of(at: tuple[str | int, ...]) -> str | None:
    return str(at[1]) if len(at) > 1 else None


def _refusals(config: Mapping[str, Any]) -> Iterator[Finding]:
    family = FAMILIES.get(str(config.get("model_type")))
    settled = {} if family is None else family.settled
    for key, (fine, what, fix) in REFUSED.items():
        if key not in config or config[key] in (*fine, settled.get(key)):
            continue
        if key != OWN_CODE or own_code(config):
            yield key, f"{key} {what}", fix


def _respelled(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same with what is spelled in an older or newer way spelled as the families do."""
    changed: dict[str, Any] = {}
    if isinstance(config.get("pos_att_type"), str):
        changed["pos_att_type"] = [word for word in config["pos_att_type"].split("|") if word]
    every = _full_attention_every(config.get("layer_types"), first=0)
    if every is not None and "global_attn_every_n_layers" not in config:
        changed["global_attn_every_n_layers"] = every
    every = _full_attention_every(config.get("layer_types"), first=1)
    if every is not None:  # transformers asks these first too
        changed["sliding_window_pattern"] = every
    return {**config, **changed}


def _full_attention_every(layer_types: Any, *, first: int) -> int | None:
    """The distance between layers that attend to everything, where it is the same throughout.

    `first` is the number of the first layer: with 0 such a layer begins each round, with 1 it ends it.
    """
    if not isinstance(layer_types, list) or not layer_types:
        return None
    full = [kind == "full_attention" for kind in layer_types]
    numbers = range(first, first + len(full))
    return next((every for every in range(1, len(full) + 2) if full == [one % every == 0 for one in numbers]), None)


def _counted(config: Mapping[str, Any], family: Family, transformers_class: str) -> dict[str, Any]:
    """The keys that the closed forms read."""
    head = family.classes[transformers_class]
    counted = {}
    for key in family.keys:
        if key.name in config and (key.kind in COUNTED_KINDS or key.name == PADDING):
            counted[key.name] = config[key.name]
    labels = config.get("id2label")
    if head == "classifier" and isinstance(labels, dict) and labels:  # which transformers believes before num_labels
        counted["num_labels"] = len(labels)
    return counted


def _class_of(config: Mapping[str, Any], family: Family) -> tuple[str, list[str]]:
    """The class to build: the one the file names where its cost is known, else the family's own."""
    named = config.get("architectures")
    first = named[0] if isinstance(named, list) and named and isinstance(named[0], str) else None
    own = family.transformers_class
    if first is not None and first in family.classes:
        return first, []
    if first is None:
        return own, [f"config.json names no class, so {own} is measured."]
    if family.architecture == "encoder-decoder" and first.endswith(HALVES):
        return own, [f"config.json names {first[:80]}; {own} is measured, of which {first[:80]} is one half."]
    return own, [f"config.json names {first[:80]}; {own} is measured, without what {first[:80]} puts on top of it."]


def _unknown_keys(config: Mapping[str, Any], family: Family) -> list[str]:
    known, respelled = {key.name for key in family.keys} | HARMLESS | set(REFUSED), _respelled(config)
    unknown = [
        key
        for key, value in config.items()
        if key not in known
        and not key.endswith(HARMLESS_ENDINGS)
        and not key.startswith(_OURS)
        and not _says_nothing(key, value, respelled, family)
    ]
    if not unknown:
        return []
    shown = ", ".join(key[:60] for key in sorted(unknown)[:8]) + (", …" if len(unknown) > 8 else "")
    return [f"config.json also sets {shown}: the module is built with it, the closed forms know nothing of it."]


def _says_what_is_counted(key: str, value: Any, config: Mapping[str, Any], family: Family) -> bool:
    """Whether these are the layers with a window and without, or the width of heads, that the closed forms count."""
    decoder = family.anatomy(complete(family, config)).decoder
    if decoder is None:
        every = config.get("global_attn_every_n_layers", 1)
        return key == "layer_types" and bool(_full_attention_every(value, first=0) == every)
    if key == "head_dim":
        return value is None or bool(value == decoder.head_dim)
    return bool(value == ["full_attention" if window is None else "sliding_attention" for window in decoder.windows])


def _says_nothing(key: str, value: Any, config: Mapping[str, Any], family: Family) -> bool:
    """Whether this is the value at which the key does nothing: for most of them null, or false."""
    if key in family.settled:
        return bool(value == family.settled[key])
    if key in REPEATED:
        return value is None or bool(value == config.get(REPEATED[key]))
    if key in ("layer_types", "head_dim"):
        return _says_what_is_counted(key, value, config, family)
    if key == "sliding_window":
        return value is None or config.get("use_sliding_window") is False
    return bool(value == PLAIN_VALUES[key]) if key in PLAIN_VALUES else value is None or value is False

"""Tiny models of every family, as entries and as the modules transformers builds from them."""

from __future__ import annotations

from math import lcm
from typing import Any

import torch
import transformers
from hypothesis import strategies as st

from advisor.core.model.entry import ModelEntry
from advisor.core.model.families import FAMILIES, Family, Key, positions_of

_BERT = {
    "vocab_size": 97,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 40,
    "max_position_embeddings": 64,
    "type_vocab_size": 2,
}
_ROBERTA = _BERT | {"max_position_embeddings": 66, "type_vocab_size": 1}
_LLAMA = {name: value for name, value in _BERT.items() if name != "type_vocab_size"}
_QWEN = _LLAMA | {"num_key_value_heads": 2}
_GEMMA = _QWEN | {"head_dim": 10, "sliding_window": 5}
_EVEN_PART = {"hidden_size": 32}
"""A quarter of each head turns, and of the eight values that makes two."""
_DEBERTA = _LLAMA | {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_biased_input": False}
_MPNET = _LLAMA | {"max_position_embeddings": 66}
_NARROW = _BERT | {"embedding_size": 10}
_BART = {
    "vocab_size": 97,
    "d_model": 24,
    "max_position_embeddings": 64,
    "encoder_layers": 2,
    "encoder_attention_heads": 4,
    "encoder_ffn_dim": 40,
    "decoder_layers": 2,
    "decoder_attention_heads": 4,
    "decoder_ffn_dim": 40,
}
_T5 = {"vocab_size": 97, "d_model": 24, "d_kv": 10, "d_ff": 40, "num_layers": 2, "num_heads": 4}

TINY: dict[str, dict[str, Any]] = {
    "bert": _BERT,
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "distilbert": {
        "vocab_size": 97,
        "dim": 24,
        "n_layers": 2,
        "n_heads": 4,
        "hidden_dim": 40,
        "max_position_embeddings": 64,
    },
    "mpnet": _MPNET,
    "electra": _NARROW,
    "albert": _NARROW,
    "modernbert": _LLAMA | {"pad_token_id": 0, "local_attention": 8},
    "deberta": _DEBERTA,
    "deberta-v2": _DEBERTA,
    "gpt2": {
        "vocab_size": 97,
        "n_positions": 64,
        "n_embd": 24,
        "n_layer": 2,
        "n_head": 4,
        "bos_token_id": 0,
        "eos_token_id": 0,
    },
    "gptj": {"vocab_size": 97, "n_positions": 64, "n_embd": 32, "n_layer": 2, "n_head": 4, "rotary_dim": 4},
    "llama": _LLAMA,
    "mistral": _QWEN | {"sliding_window": None},
    "qwen2": _QWEN,
    "qwen3": _QWEN | {"head_dim": 10},
    "phi3": _LLAMA | {"pad_token_id": 0},
    "olmo2": _LLAMA,
    "olmo3": _LLAMA | {"sliding_window": 5},
    "granite": _LLAMA,
    "smollm3": _QWEN | {"pad_token_id": 0},
    "gemma": _QWEN | {"head_dim": 10},
    "gemma2": _GEMMA,
    "gemma3_text": _GEMMA | {"sliding_window_pattern": 2},
    "cohere": _LLAMA,
    "cohere2": _LLAMA | {"sliding_window": 5, "sliding_window_pattern": 2},
    "gpt_neox": _LLAMA,
    "phi": _LLAMA | _EVEN_PART,
    "stablelm": _QWEN | _EVEN_PART,
    "starcoder2": _QWEN,
    "opt": {name: value for name, value in _LLAMA.items() if name != "intermediate_size"} | {"ffn_dim": 40},
    "t5": _T5,
    "mt5": _T5,
    "bart": _BART,
    "mbart": _BART,
    "marian": _BART | {"pad_token_id": 96},
    "pegasus": _BART,
    "m2m_100": _BART,
}

VARIATIONS: dict[str, list[dict[str, Any]]] = {
    "bert": [
        {},
        {"type_vocab_size": 1, "num_attention_heads": 1},
        {"transformers_class": "BertForSequenceClassification", "num_labels": 1},
    ],
    "roberta": [{}, {"transformers_class": "RobertaForSequenceClassification", "num_labels": 3}],
    "xlm-roberta": [{}, {"transformers_class": "XLMRobertaForSequenceClassification", "num_labels": 1}],
    "camembert": [{}, {"transformers_class": "CamembertForSequenceClassification", "num_labels": 1}],
    "distilbert": [
        {},
        {"sinusoidal_pos_embds": True, "activation": "relu"},
        {"transformers_class": "DistilBertForSequenceClassification", "num_labels": 1},
    ],
    "mpnet": [
        {},
        {"relative_attention_num_buckets": 40},
        {"transformers_class": "MPNetForSequenceClassification", "num_labels": 1},
    ],
    "electra": [
        {},
        {"embedding_size": 24, "type_vocab_size": 1},
        {"transformers_class": "ElectraForSequenceClassification", "num_labels": 3},
    ],
    "albert": [
        {},
        {"embedding_size": 24, "num_hidden_layers": 5, "hidden_act": "gelu"},
        {"transformers_class": "AlbertForSequenceClassification", "num_labels": 1},
    ],
    "modernbert": [
        {},
        {"num_hidden_layers": 5, "norm_bias": True, "attention_bias": True, "mlp_bias": True},
        {"global_attn_every_n_layers": 1, "transformers_class": "ModernBertForSequenceClassification", "num_labels": 1},
        {"classifier_bias": True, "transformers_class": "ModernBertForSequenceClassification", "norm_bias": True},
    ],
    "deberta": [
        {},
        {"pos_att_type": ["c2p"], "max_relative_positions": 5, "type_vocab_size": 2},
        {"pos_att_type": "p2c", "position_biased_input": True},
        {"relative_attention": False, "pos_att_type": None, "position_biased_input": True},
        {"transformers_class": "DebertaForSequenceClassification", "num_labels": 1},
    ],
    "deberta-v2": [
        {},
        {"share_att_key": True, "position_buckets": 6, "norm_rel_ebd": "layer_norm"},
        {"pos_att_type": ["p2c"], "max_relative_positions": 5, "type_vocab_size": 2},
        {"pos_att_type": "c2p", "position_biased_input": True, "share_att_key": True},
        {"relative_attention": False, "pos_att_type": None},
        {"transformers_class": "DebertaV2ForSequenceClassification", "num_labels": 1},
    ],
    "gpt2": [{}, {"tie_word_embeddings": False}, {"n_inner": 30}],
    "gptj": [{}, {"tie_word_embeddings": True, "n_inner": 30}, {"transformers_class": "GPTJModel"}],
    "llama": [
        {},
        {"num_key_value_heads": 2},
        {"num_key_value_heads": 1, "tie_word_embeddings": True},
        {"head_dim": 10, "attention_bias": True, "mlp_bias": True, "num_key_value_heads": 2},
        {"transformers_class": "LlamaModel"},
    ],
    "mistral": [
        {},
        {"sliding_window": 5, "head_dim": 10},
        {"transformers_class": "MistralModel", "sliding_window": 5},
    ],
    "qwen2": [{}, {"tie_word_embeddings": True, "num_key_value_heads": 1}, {"transformers_class": "Qwen2Model"}],
    "qwen3": [{}, {"tie_word_embeddings": True, "attention_bias": True}, {"transformers_class": "Qwen3Model"}],
    "phi3": [
        {},
        {"sliding_window": 5, "num_key_value_heads": 2, "tie_word_embeddings": True},
        {"transformers_class": "Phi3Model"},
    ],
    "olmo2": [{}, {"num_key_value_heads": 2, "attention_bias": True}, {"transformers_class": "Olmo2Model"}],
    "olmo3": [
        {},
        {"num_hidden_layers": 5, "num_key_value_heads": 2, "attention_bias": True},
        {"transformers_class": "Olmo3Model"},
    ],
    "granite": [
        {},
        {"num_key_value_heads": 2, "tie_word_embeddings": True, "attention_bias": True, "mlp_bias": True},
        {"transformers_class": "GraniteModel"},
    ],
    "smollm3": [
        {},
        {"num_hidden_layers": 5, "tie_word_embeddings": False, "attention_bias": True, "mlp_bias": True},
        {"transformers_class": "SmolLM3Model"},
    ],
    "gemma": [{}, {"tie_word_embeddings": False, "attention_bias": True}, {"transformers_class": "GemmaModel"}],
    "gemma2": [
        {},
        {"num_hidden_layers": 5, "tie_word_embeddings": False, "attention_bias": True},
        {"transformers_class": "Gemma2Model"},
    ],
    "gemma3_text": [
        {},
        {"num_hidden_layers": 5, "sliding_window_pattern": 3, "tie_word_embeddings": False},
        {"num_hidden_layers": 3, "sliding_window_pattern": 6, "attention_bias": True},
        {"transformers_class": "Gemma3TextModel"},
    ],
    "cohere": [
        {},
        {"num_key_value_heads": 2, "use_qk_norm": True, "attention_bias": True},
        {"tie_word_embeddings": False},
        {"transformers_class": "CohereModel"},
    ],
    "cohere2": [
        {},
        {"num_hidden_layers": 5, "num_key_value_heads": 2, "attention_bias": True, "sliding_window_pattern": 4},
        {"transformers_class": "Cohere2Model"},
    ],
    "gpt_neox": [
        {},
        {"use_parallel_residual": False, "tie_word_embeddings": True},
        {"attention_bias": False, "hidden_act": "gelu_fast"},
        {"transformers_class": "GPTNeoXModel"},
    ],
    "phi": [
        {},
        {"num_key_value_heads": 2, "qk_layernorm": True, "tie_word_embeddings": True},
        {"transformers_class": "PhiModel"},
    ],
    "stablelm": [
        {},
        {"use_qkv_bias": True, "use_parallel_residual": True},
        {"qk_layernorm": True, "tie_word_embeddings": True},
        {"transformers_class": "StableLmModel"},
    ],
    "starcoder2": [
        {},
        {"sliding_window": 5, "tie_word_embeddings": False},
        {"use_bias": False, "transformers_class": "Starcoder2Model"},
    ],
    "opt": [
        {},
        {"word_embed_proj_dim": 10, "do_layer_norm_before": False},
        {"word_embed_proj_dim": 10, "tie_word_embeddings": False, "_remove_final_layer_norm": True},
        {"enable_bias": False, "layer_norm_elementwise_affine": False},
    ],
    "t5": [
        {},
        {"feed_forward_proj": "gated-gelu", "num_decoder_layers": 3},
        {"feed_forward_proj": "gated-silu", "relative_attention_num_buckets": 8},
        {"tie_word_embeddings": False},
    ],
    "mt5": [{}, {"feed_forward_proj": "relu", "num_decoder_layers": 1}],
    "bart": [
        {},
        {"decoder_layers": 3, "decoder_ffn_dim": 30, "decoder_attention_heads": 2, "scale_embedding": True},
    ],
    "mbart": [{}, {"encoder_layers": 3, "encoder_ffn_dim": 30, "activation_function": "relu"}],
    "marian": [{}, {"decoder_layers": 3, "scale_embedding": True, "activation_function": "swish"}],
    "pegasus": [{}, {"decoder_attention_heads": 2, "decoder_ffn_dim": 30}, {"tie_word_embeddings": False}],
    "m2m_100": [{}, {"encoder_layers": 1, "decoder_ffn_dim": 30, "scale_embedding": False}],
}

ALL_VARIATIONS = [(model_type, change) for model_type, changes in VARIATIONS.items() for change in changes]


def entry(model_type: str, *, transformers_class: str | None = None, **change: Any) -> ModelEntry:
    """A tiny entry; its stated parameters are not those of the module, which nothing here may lean on."""
    family = FAMILIES[model_type]
    return ModelEntry(
        id=f"tiny-{model_type}".replace("_", "-"),
        title="tiny",
        architecture=family.architecture,
        roles=("model",),
        tasks=("text-classification",),
        languages="one",
        model_type=model_type,
        transformers_class=transformers_class or family.transformers_class,
        config=TINY[model_type] | change,
        context_tokens=positions_of(model_type, TINY[model_type] | change) or 64,
        context_is_hard=positions_of(model_type, TINY[model_type] | change) is not None,
        context_covers="input",
        parameters=1,
        license="none",
        hub_id="none/none",
        source="none",
    )


def built(model: ModelEntry, *, device: str = "cpu", attention: str | None = "eager") -> transformers.PreTrainedModel:
    """The module transformers builds from an entry; with None it chooses the attention itself."""
    cls = getattr(transformers, model.transformers_class)
    config = cls.config_class(**model.config)
    if attention is not None:
        config._attn_implementation = attention
    torch.manual_seed(0)
    with torch.device(device):
        module: transformers.PreTrainedModel = cls(config)
    return module.eval().requires_grad_(False)


def random_config(model_type: str) -> st.SearchStrategy[dict[str, Any]]:
    """Any small config of a family, optional keys now and then left out."""
    family = FAMILIES[model_type]
    needed = {key.name: _values(key) for key in family.keys if key.required}
    optional = {key.name: _values(key) for key in family.keys if not key.required and key.kind not in NOT_COUNTED}
    drawn = st.fixed_dictionaries(needed, optional=optional)
    return st.tuples(drawn, st.integers(1, 6)).map(lambda both: _made_to_fit(family, *both))


NOT_COUNTED = ("number", "token", "rope")
"""Kinds of keys that change no parameter."""


def _values(key: Key) -> st.SearchStrategy[Any]:
    """What a key may be, small."""
    if key.kind == "flag":
        return st.booleans()
    if key.kind == "word":
        return st.sampled_from(key.words)
    if key.kind == "words":
        return st.lists(st.sampled_from(key.words), min_size=1, unique=True) | st.none()
    most = 4 if "layers" in key.name else 6 if "head" in key.name else 50
    least = 3 if "position" in key.name else key.least  # RoBERTa loses a row to the padding token, MPNet two
    found: st.SearchStrategy[Any] = st.integers(least, max(most, least))
    if "head_dim" in key.name:
        found = found.map(lambda half: 2 * half)  # rotary positions turn values in pairs
    return found | st.none() if key.may_be_null else found


def _made_to_fit(family: Family, config: dict[str, Any], factor: int) -> dict[str, Any]:
    """Sizes that others must divide made multiples of them, the inner pair of a chain first; rotary heads even."""
    step = 2 * factor if family.rotary else factor
    least = {key.name: key.least for key in family.keys}
    config = config | {"pad_token_id": 0}  # the only token that every vocabulary has
    for whole in dict.fromkeys(whole for _, whole in reversed(family.divides)):
        parts = [config[part] for part, other in family.divides if other == whole and config.get(part)]
        config = config | ({whole: step * lcm(*parts) * least[whole]} if parts else {})
    return config

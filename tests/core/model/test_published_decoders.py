"""Configs of decoders as they were published: all of it is understood, and the parameters come out as published."""

from __future__ import annotations

from typing import Any

import pytest

from advisor.core.model.families import anatomy_of
from advisor.core.model.parameters import parameter_count
from advisor.core.model.published_config import read_published

_TRAINED = {"initializer_range": 0.02, "use_cache": True, "torch_dtype": "bfloat16", "attention_dropout": 0.0}
_ROPE = {"rope_theta": 10000.0, "rope_scaling": None}
_GEMMA = _TRAINED | {"attention_bias": False, "bos_token_id": 2, "head_dim": 256, "pad_token_id": 0}
_GEMMA |= {"rms_norm_eps": 1e-06, "cache_implementation": "hybrid", "hidden_activation": "gelu_pytorch_tanh"}
_PHI3_CODE = {"AutoConfig": "configuration_phi3.Phi3Config", "AutoModelForCausalLM": "modeling_phi3.Phi3ForCausalLM"}

PUBLISHED: dict[str, dict[str, Any]] = {
    "gemma-2b": _TRAINED | _ROPE | {
        "architectures": ["GemmaForCausalLM"],
        "model_type": "gemma",
        "attention_bias": False,
        "bos_token_id": 2,
        "eos_token_id": 1,
        "head_dim": 256,
        "hidden_act": "gelu",
        "hidden_activation": None,
        "hidden_size": 2048,
        "intermediate_size": 16384,
        "max_position_embeddings": 8192,
        "num_attention_heads": 8,
        "num_hidden_layers": 18,
        "num_key_value_heads": 1,
        "pad_token_id": 0,
        "rms_norm_eps": 1e-06,
        "vocab_size": 256000,
    },
    "gemma-2-2b": _GEMMA | {
        "architectures": ["Gemma2ForCausalLM"],
        "model_type": "gemma2",
        "attn_logit_softcapping": 50.0,
        "eos_token_id": [1, 107],
        "final_logit_softcapping": 30.0,
        "hidden_act": "gelu_pytorch_tanh",
        "hidden_size": 2304,
        "intermediate_size": 9216,
        "max_position_embeddings": 8192,
        "num_attention_heads": 8,
        "num_hidden_layers": 26,
        "num_key_value_heads": 4,
        "query_pre_attn_scalar": 256,
        "rope_theta": 10000.0,
        "sliding_window": 4096,
        "sliding_window_size": 4096,
        "vocab_size": 256000,
    },
    "gemma-3-1b-it": _GEMMA | {
        "architectures": ["Gemma3ForCausalLM"],
        "model_type": "gemma3_text",
        "attn_logit_softcapping": None,
        "eos_token_id": [1, 106],
        "final_logit_softcapping": None,
        "hidden_size": 1152,
        "intermediate_size": 6912,
        "max_position_embeddings": 32768,
        "num_attention_heads": 4,
        "num_hidden_layers": 26,
        "num_key_value_heads": 1,
        "query_pre_attn_scalar": 256,
        "rope_local_base_freq": 10000,
        "rope_scaling": None,
        "rope_theta": 1000000,
        "sliding_window": 512,
        "sliding_window_pattern": 6,
        "vocab_size": 262144,
    },
    "Phi-3-mini-4k-instruct": _TRAINED | _ROPE | {
        "architectures": ["Phi3ForCausalLM"],
        "model_type": "phi3",
        "attention_bias": False,
        "bos_token_id": 1,
        "embd_pdrop": 0.0,
        "eos_token_id": 32000,
        "hidden_act": "silu",
        "hidden_size": 3072,
        "intermediate_size": 8192,
        "max_position_embeddings": 4096,
        "num_attention_heads": 32,
        "num_hidden_layers": 32,
        "num_key_value_heads": 32,
        "original_max_position_embeddings": 4096,
        "pad_token_id": 32000,
        "resid_pdrop": 0.0,
        "rms_norm_eps": 1e-05,
        "sliding_window": 2047,
        "tie_word_embeddings": False,
        "vocab_size": 32064,
    },
    "pythia-160m": {
        "architectures": ["GPTNeoXForCausalLM"],
        "model_type": "gpt_neox",
        "bos_token_id": 0,
        "eos_token_id": 0,
        "hidden_act": "gelu",
        "hidden_size": 768,
        "initializer_range": 0.02,
        "intermediate_size": 3072,
        "layer_norm_eps": 1e-05,
        "max_position_embeddings": 2048,
        "num_attention_heads": 12,
        "num_hidden_layers": 12,
        "rotary_emb_base": 10000,
        "rotary_pct": 0.25,
        "tie_word_embeddings": False,
        "torch_dtype": "float16",
        "use_cache": True,
        "use_parallel_residual": True,
        "vocab_size": 50304,
    },
    "opt-350m": {
        "architectures": ["OPTForCausalLM"],
        "model_type": "opt",
        "activation_dropout": 0.0,
        "activation_function": "relu",
        "attention_dropout": 0.0,
        "bos_token_id": 2,
        "do_layer_norm_before": False,
        "dropout": 0.1,
        "eos_token_id": 2,
        "ffn_dim": 4096,
        "hidden_size": 1024,
        "init_std": 0.02,
        "layerdrop": 0.0,
        "max_position_embeddings": 2048,
        "num_attention_heads": 16,
        "num_hidden_layers": 24,
        "pad_token_id": 1,
        "prefix": "</s>",
        "torch_dtype": "float16",
        "use_cache": True,
        "vocab_size": 50272,
        "word_embed_proj_dim": 512,
    },
    "SmolLM3-3B": _TRAINED | _ROPE | {
        "architectures": ["SmolLM3ForCausalLM"],
        "model_type": "smollm3",
        "attention_bias": False,
        "eos_token_id": 128012,
        "hidden_act": "silu",
        "hidden_size": 2048,
        "intermediate_size": 11008,
        "layer_types": ["full_attention"] * 36,
        "max_position_embeddings": 65536,
        "max_window_layers": 28,
        "mlp_bias": False,
        "no_rope_layer_interval": 4,
        "no_rope_layers": [1, 1, 1, 0] * 9,
        "num_attention_heads": 16,
        "num_hidden_layers": 36,
        "num_key_value_heads": 4,
        "pad_token_id": 128004,
        "pretraining_tp": 2,
        "rms_norm_eps": 1e-06,
        "sliding_window": None,
        "use_sliding_window": False,
        "vocab_size": 128256,
    },
    "OLMo-2-0425-1B": _TRAINED | _ROPE | {
        "architectures": ["Olmo2ForCausalLM"],
        "model_type": "olmo2",
        "attention_bias": False,
        "eos_token_id": 100257,
        "hidden_act": "silu",
        "hidden_size": 2048,
        "intermediate_size": 8192,
        "max_position_embeddings": 4096,
        "num_attention_heads": 16,
        "num_hidden_layers": 16,
        "num_key_value_heads": 16,
        "pad_token_id": 100277,
        "rms_norm_eps": 1e-06,
        "tie_word_embeddings": False,
        "vocab_size": 100352,
    },
    "granite-3.0-2b-base": _TRAINED | {
        "architectures": ["GraniteForCausalLM"],
        "model_type": "granite",
        "attention_bias": False,
        "attention_multiplier": 0.015625,
        "bos_token_id": 0,
        "embedding_multiplier": 12.0,
        "eos_token_id": 0,
        "hidden_act": "silu",
        "hidden_size": 2048,
        "intermediate_size": 8192,
        "logits_scaling": 8.0,
        "max_position_embeddings": 4096,
        "mlp_bias": False,
        "num_attention_heads": 32,
        "num_hidden_layers": 40,
        "num_key_value_heads": 8,
        "pad_token_id": 0,
        "residual_multiplier": 0.22,
        "rms_norm_eps": 1e-05,
        "rope_scaling": None,
        "rope_theta": 10000,
        "tie_word_embeddings": True,
        "vocab_size": 49155,
    },
    "c4ai-command-r7b-12-2024": _TRAINED | {
        "architectures": ["Cohere2ForCausalLM"],
        "model_type": "cohere2",
        "attention_bias": False,
        "bos_token_id": 5,
        "cache_implementation": "hybrid",
        "eos_token_id": 255001,
        "head_dim": 128,
        "hidden_act": "silu",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "layer_norm_eps": 1e-05,
        "layer_switch": 4,
        "logit_scale": 0.25,
        "max_position_embeddings": 8192,
        "num_attention_heads": 32,
        "num_hidden_layers": 32,
        "num_key_value_heads": 8,
        "order_of_interleaved_layers": "local_attn_first",
        "pad_token_id": 0,
        "position_embedding_type": "rope_gptj",
        "rope_scaling": None,
        "rope_theta": 50000,
        "rotary_pct": 1.0,
        "sliding_window": 4096,
        "sliding_window_pattern": 4,
        "use_embedding_sharing": True,
        "use_gated_activation": True,
        "use_parallel_block": True,
        "use_parallel_embedding": False,
        "use_qk_norm": False,
        "vocab_size": 256000,
    },
    "gpt-j-6b": {
        "architectures": ["GPTJForCausalLM"],
        "model_type": "gptj",
        "activation_function": "gelu_new",
        "attn_pdrop": 0.0,
        "bos_token_id": 50256,
        "embd_pdrop": 0.0,
        "eos_token_id": 50256,
        "gradient_checkpointing": False,
        "initializer_range": 0.02,
        "layer_norm_epsilon": 1e-05,
        "n_embd": 4096,
        "n_head": 16,
        "n_inner": None,
        "n_layer": 28,
        "n_positions": 2048,
        "resid_pdrop": 0.0,
        "rotary": True,
        "rotary_dim": 64,
        "scale_attn_weights": True,
        "summary_activation": None,
        "summary_first_dropout": 0.1,
        "summary_proj_to_labels": True,
        "summary_type": "cls_index",
        "summary_use_proj": True,
        "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50, "temperature": 1.0}},
        "tie_word_embeddings": False,
        "tokenizer_class": "GPT2Tokenizer",
        "use_cache": True,
        "vocab_size": 50400,
    },
    "phi-2": _TRAINED | _ROPE | {
        "architectures": ["PhiForCausalLM"],
        "model_type": "phi",
        "bos_token_id": 50256,
        "embd_pdrop": 0.0,
        "eos_token_id": 50256,
        "hidden_act": "gelu_new",
        "hidden_size": 2560,
        "intermediate_size": 10240,
        "layer_norm_eps": 1e-05,
        "max_position_embeddings": 2048,
        "num_attention_heads": 32,
        "num_hidden_layers": 32,
        "num_key_value_heads": 32,
        "partial_rotary_factor": 0.4,
        "qk_layernorm": False,
        "resid_pdrop": 0.1,
        "tie_word_embeddings": False,
        "vocab_size": 51200,
    },
    "stablelm-2-1_6b": _TRAINED | {
        "architectures": ["StableLmForCausalLM"],
        "model_type": "stablelm",
        "bos_token_id": 100257,
        "eos_token_id": 100257,
        "hidden_act": "silu",
        "hidden_dropout": 0.0,
        "hidden_size": 2048,
        "intermediate_size": 5632,
        "layer_norm_eps": 1e-05,
        "max_position_embeddings": 4096,
        "num_attention_heads": 32,
        "num_hidden_layers": 24,
        "num_key_value_heads": 32,
        "partial_rotary_factor": 0.25,
        "rope_theta": 10000,
        "tie_word_embeddings": False,
        "use_qkv_bias": True,
        "vocab_size": 100352,
    },
    "starcoder2-3b": {
        "architectures": ["Starcoder2ForCausalLM"],
        "model_type": "starcoder2",
        "activation_function": "gelu",
        "attention_dropout": 0.1,
        "attention_softmax_in_fp32": True,
        "bos_token_id": 0,
        "embedding_dropout": 0.1,
        "eos_token_id": 0,
        "hidden_act": "gelu_pytorch_tanh",
        "hidden_size": 3072,
        "initializer_range": 0.018042,
        "intermediate_size": 12288,
        "layer_norm_epsilon": 1e-05,
        "max_position_embeddings": 16384,
        "mlp_type": "default",
        "norm_epsilon": 1e-05,
        "norm_type": "layer_norm",
        "num_attention_heads": 24,
        "num_hidden_layers": 30,
        "num_key_value_heads": 2,
        "residual_dropout": 0.1,
        "rope_theta": 999999.4420358813,
        "scale_attention_softmax_in_fp32": True,
        "scale_attn_weights": True,
        "sliding_window": 4096,
        "torch_dtype": "bfloat16",
        "use_bias": True,
        "use_cache": True,
        "vocab_size": 49152,
    },
}  # fmt: skip
PUBLISHED["OLMo-3-7B"] = _TRAINED | {
    "architectures": ["Olmo3ForCausalLM"],
    "model_type": "olmo3",
    "attention_bias": False,
    "bos_token_id": None,
    "eos_token_id": 100257,
    "hidden_act": "silu",
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "max_position_embeddings": 65536,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 32,
    "pad_token_id": 100277,
    "rms_norm_eps": 1e-06,
    "rope_scaling": {"rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 8192},
    "rope_theta": 500000,
    "sliding_window": 4096,
    "tie_word_embeddings": False,
    "vocab_size": 100278,
}
PARAMETERS = {"gemma-3-1b-it": 999_885_952, "Phi-3-mini-4k-instruct": 3_821_079_552}
"""Exact numbers that others state of these models."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_decoder_is_understood_to_its_last_key(name: str) -> None:
    published, mistakes = read_published(PUBLISHED[name])
    assert mistakes == []
    assert published is not None
    assert published.notes == ()
    assert [published.transformers_class] == PUBLISHED[name]["architectures"]
    if name in PARAMETERS:
        shape = anatomy_of(PUBLISHED[name]["model_type"], published.counted, published.transformers_class)
        assert parameter_count(shape) == PARAMETERS[name]


def test_code_that_transformers_has_taken_in_is_told_and_left_out() -> None:
    published, mistakes = read_published(PUBLISHED["Phi-3-mini-4k-instruct"] | {"auto_map": _PHI3_CODE})
    assert mistakes == []
    assert published is not None
    (note,) = published.notes
    assert "the Phi3ForCausalLM that transformers took in is measured" in note
    assert "auto_map" not in published.whole


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("Phi-3-mini-4k-instruct", {"AutoModelForCausalLM": "modeling_better.BetterPhiForCausalLM"}),
        ("Phi-3-mini-4k-instruct", {"AutoModelForCausalLM": ["modeling_phi3.Phi3ForCausalLM"]}),
        ("pythia-160m", {"AutoModelForCausalLM": "modeling_gpt_neox.GPTNeoXForCausalLM"}),
        ("phi-2", ["modeling_phi.PhiForCausalLM"]),
    ],
)
def test_other_code_is_refused(name: str, named: object) -> None:
    _, mistakes = read_published(PUBLISHED[name] | {"auto_map": named})
    assert [key for key, _, _ in mistakes] == ["auto_map"]


@pytest.mark.parametrize(
    ("name", "layers", "full_every"),
    [
        ("gemma-3-1b-it", (["sliding_attention"] * 3 + ["full_attention"]) * 6 + ["sliding_attention"] * 2, 4),
        ("gemma-3-1b-it", ["sliding_attention"] * 26, 27),
        ("gemma-2-2b", ["sliding_attention", "full_attention"] * 13, 2),
        ("OLMo-3-7B", (["sliding_attention"] * 3 + ["full_attention"]) * 8, 4),
    ],
)
def test_layers_listed_one_by_one_say_how_often_one_looks_back_to_the_start(
    name: str, layers: list[str], full_every: int
) -> None:
    stated = {key: value for key, value in PUBLISHED[name].items() if key != "sliding_window_pattern"}
    published, _ = read_published(stated | {"layer_types": layers})
    assert published is not None
    assert published.notes == ()
    decoder = anatomy_of(stated["model_type"], published.counted).decoder
    assert decoder is not None
    assert decoder.full_every == full_every
    assert decoder.windows == tuple(None if one == "full_attention" else decoder.window for one in layers)


@pytest.mark.parametrize("name", ["gemma-2-2b", "gemma-3-1b-it"])
def test_layers_in_an_order_that_is_not_counted_are_noted(name: str) -> None:
    published, _ = read_published(
        PUBLISHED[name] | {"layer_types": ["full_attention"] * 3 + ["sliding_attention"] * 23}
    )
    assert published is not None
    assert any("layer_types" in note for note in published.notes)


def test_a_width_of_heads_that_is_not_counted_is_noted() -> None:
    published, _ = read_published(PUBLISHED["phi-2"] | {"head_dim": 96})
    assert published is not None
    assert any("head_dim" in note for note in published.notes)
    published, _ = read_published(PUBLISHED["phi-2"] | {"head_dim": 80})
    assert published is not None
    assert published.notes == ()

"""Closed-form counts against the modules that transformers builds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.core.model.cost import anatomy
from advisor.core.model.families import FAMILIES, anatomy_of, config_mistakes
from advisor.core.model.parameters import parameter_count, parameter_parts

from .tiny_models import ALL_VARIATIONS, TINY, built, entry, random_config

REAL_SIZES: list[tuple[str, dict[str, Any]]] = [
    # BERT-large; MiniLM as a cross-encoder
    ("bert", {"vocab_size": 30522, "hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16}
     | {"intermediate_size": 4096, "max_position_embeddings": 512}),
    ("bert", {"vocab_size": 30522, "hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12}
     | {"intermediate_size": 1536, "max_position_embeddings": 512, "num_labels": 1}
     | {"transformers_class": "BertForSequenceClassification"}),
    # RoBERTa base, XLM-RoBERTa large
    ("roberta", {"vocab_size": 50265, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12}
     | {"intermediate_size": 3072, "max_position_embeddings": 514}),
    ("xlm-roberta", {"vocab_size": 250002, "hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16}
     | {"intermediate_size": 4096, "max_position_embeddings": 514}),
    # CamemBERT base, DistilBERT base, all-mpnet-base-v2
    ("camembert", {"vocab_size": 32005, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12}
     | {"intermediate_size": 3072, "max_position_embeddings": 514}),
    ("distilbert", {"vocab_size": 30522, "dim": 768, "n_layers": 6, "n_heads": 12, "hidden_dim": 3072}
     | {"max_position_embeddings": 512}),
    ("mpnet", {"vocab_size": 30527, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12}
     | {"intermediate_size": 3072, "max_position_embeddings": 514}),
    # ELECTRA small and base, ALBERT base and xxlarge
    ("electra", {"vocab_size": 30522, "hidden_size": 256, "num_hidden_layers": 12, "num_attention_heads": 4}
     | {"intermediate_size": 1024, "embedding_size": 128, "max_position_embeddings": 512}),
    ("electra", {"vocab_size": 30522, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12}
     | {"intermediate_size": 3072, "embedding_size": 768, "max_position_embeddings": 512}),
    ("albert", {"vocab_size": 30000, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12}
     | {"intermediate_size": 3072, "embedding_size": 128, "max_position_embeddings": 512}),
    ("albert", {"vocab_size": 30000, "hidden_size": 4096, "num_hidden_layers": 12, "num_attention_heads": 64}
     | {"intermediate_size": 16384, "embedding_size": 128, "max_position_embeddings": 512}),
    # ModernBERT base; DeBERTa base of 2020, DeBERTa-v3 base
    ("modernbert", {"vocab_size": 50368, "hidden_size": 768, "num_hidden_layers": 22, "num_attention_heads": 12}
     | {"intermediate_size": 1152, "max_position_embeddings": 8192, "local_attention": 128, "pad_token_id": 50283}),
    ("deberta", {"vocab_size": 50265, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12}
     | {"intermediate_size": 3072, "max_position_embeddings": 512}),
    ("deberta-v2", {"vocab_size": 128100, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12}
     | {"intermediate_size": 3072, "max_position_embeddings": 512, "position_buckets": 256}
     | {"share_att_key": True, "norm_rel_ebd": "layer_norm"}),
    # GPT-2 XL, GPT-3
    ("gpt2", {"vocab_size": 50257, "n_positions": 1024, "n_embd": 1600, "n_layer": 48, "n_head": 25}),
    ("gpt2", {"vocab_size": 50257, "n_positions": 2048, "n_embd": 12288, "n_layer": 96, "n_head": 96}),
    # LLaMA-2 13B and 70B, Llama 3 8B (shared key-value heads), Llama 3.2 1B (tied), SmolLM2 360M
    ("llama", {"vocab_size": 32000, "hidden_size": 5120, "num_hidden_layers": 40, "num_attention_heads": 40}
     | {"intermediate_size": 13824}),
    ("llama", {"vocab_size": 32000, "hidden_size": 8192, "num_hidden_layers": 80, "num_attention_heads": 64}
     | {"intermediate_size": 28672, "num_key_value_heads": 8}),
    ("llama", {"vocab_size": 128256, "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32}
     | {"intermediate_size": 14336, "num_key_value_heads": 8}),
    ("llama", {"vocab_size": 128256, "hidden_size": 2048, "num_hidden_layers": 16, "num_attention_heads": 32}
     | {"intermediate_size": 8192, "num_key_value_heads": 8, "head_dim": 64, "tie_word_embeddings": True}),
    ("llama", {"vocab_size": 49152, "hidden_size": 960, "num_hidden_layers": 32, "num_attention_heads": 15}
     | {"intermediate_size": 2560, "num_key_value_heads": 5, "tie_word_embeddings": True}),
    # Mistral 7B, and as an embedding model; Qwen2.5 0.5B, Qwen3 0.6B
    ("mistral", {"vocab_size": 32000, "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32}
     | {"intermediate_size": 14336, "num_key_value_heads": 8, "sliding_window": 4096}),
    ("mistral", {"vocab_size": 32000, "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32}
     | {"intermediate_size": 14336, "num_key_value_heads": 8, "transformers_class": "MistralModel"}),
    ("qwen2", {"vocab_size": 151936, "hidden_size": 896, "num_hidden_layers": 24, "num_attention_heads": 14}
     | {"intermediate_size": 4864, "num_key_value_heads": 2, "tie_word_embeddings": True}),
    ("qwen3", {"vocab_size": 151936, "hidden_size": 1024, "num_hidden_layers": 28, "num_attention_heads": 16}
     | {"intermediate_size": 3072, "num_key_value_heads": 8, "head_dim": 128, "tie_word_embeddings": True}),
    # Gemma 7B, Gemma 2 2B, Gemma 3 1B; Phi-3 mini, OLMo 2 and 3 7B, Granite 3.0 2B, SmolLM3 3B
    ("gemma", {"vocab_size": 256000, "hidden_size": 3072, "num_hidden_layers": 28, "num_attention_heads": 16}
     | {"intermediate_size": 24576, "num_key_value_heads": 16, "head_dim": 256}),
    ("gemma2", {"vocab_size": 256000, "hidden_size": 2304, "num_hidden_layers": 26, "num_attention_heads": 8}
     | {"intermediate_size": 9216, "num_key_value_heads": 4, "head_dim": 256, "sliding_window": 4096}),
    ("gemma3_text", {"vocab_size": 262144, "hidden_size": 1152, "num_hidden_layers": 26, "num_attention_heads": 4}
     | {"intermediate_size": 6912, "num_key_value_heads": 1, "head_dim": 256, "sliding_window": 512}
     | {"sliding_window_pattern": 6}),
    ("phi3", {"vocab_size": 32064, "hidden_size": 3072, "num_hidden_layers": 32, "num_attention_heads": 32}
     | {"intermediate_size": 8192, "num_key_value_heads": 32, "sliding_window": 2047, "pad_token_id": 32000}),
    ("olmo2", {"vocab_size": 100352, "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32}
     | {"intermediate_size": 11008}),
    ("olmo3", {"vocab_size": 100278, "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32}
     | {"intermediate_size": 11008, "sliding_window": 4096}),
    ("granite", {"vocab_size": 49155, "hidden_size": 2048, "num_hidden_layers": 40, "num_attention_heads": 32}
     | {"intermediate_size": 8192, "num_key_value_heads": 8, "tie_word_embeddings": True}),
    ("smollm3", {"vocab_size": 128256, "hidden_size": 2048, "num_hidden_layers": 36, "num_attention_heads": 16}
     | {"intermediate_size": 11008, "num_key_value_heads": 4, "pad_token_id": 128004}),
    # Pythia 160M, GPT-NeoX 20B; Phi-2, StableLM 2 1.6B, StarCoder2 3B; OPT 125M and 350M (narrower words); GPT-J
    ("gpt_neox", {"vocab_size": 50304, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12}
     | {"intermediate_size": 3072, "max_position_embeddings": 2048}),
    ("gpt_neox", {"vocab_size": 50432, "hidden_size": 6144, "num_hidden_layers": 44, "num_attention_heads": 64}
     | {"intermediate_size": 24576, "max_position_embeddings": 2048, "hidden_act": "gelu_fast"}),
    ("phi", {"vocab_size": 51200, "hidden_size": 2560, "num_hidden_layers": 32, "num_attention_heads": 32}
     | {"intermediate_size": 10240, "num_key_value_heads": 32}),
    ("stablelm", {"vocab_size": 100352, "hidden_size": 2048, "num_hidden_layers": 24, "num_attention_heads": 32}
     | {"intermediate_size": 5632, "num_key_value_heads": 32, "use_qkv_bias": True}),
    ("starcoder2", {"vocab_size": 49152, "hidden_size": 3072, "num_hidden_layers": 30, "num_attention_heads": 24}
     | {"intermediate_size": 12288, "num_key_value_heads": 2, "sliding_window": 4096}),
    ("opt", {"vocab_size": 50272, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12}
     | {"ffn_dim": 3072, "max_position_embeddings": 2048, "word_embed_proj_dim": 768}),
    ("opt", {"vocab_size": 50272, "hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16}
     | {"ffn_dim": 4096, "max_position_embeddings": 2048, "word_embed_proj_dim": 512, "do_layer_norm_before": False}),
    ("gptj", {"vocab_size": 50400, "n_positions": 2048, "n_embd": 4096, "n_layer": 28, "n_head": 16}),
    # T5-3B and 11B, whose attention is wider than their states; Flan-T5 base, gated; mT5 base
    ("t5", {"vocab_size": 32128, "d_model": 1024, "d_kv": 128, "d_ff": 16384, "num_layers": 24, "num_heads": 32}),
    ("t5", {"vocab_size": 32128, "d_model": 1024, "d_kv": 128, "d_ff": 65536, "num_layers": 24, "num_heads": 128}),
    ("t5", {"vocab_size": 32128, "d_model": 768, "d_kv": 64, "d_ff": 2048, "num_layers": 12, "num_heads": 12}
     | {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}),
    ("mt5", {"vocab_size": 250112, "d_model": 768, "d_kv": 64, "d_ff": 2048, "num_layers": 12, "num_heads": 12}),
    # mBART-50 large, OPUS-MT from English to German, PEGASUS for XSum, NLLB-200 of 600 million
    ("mbart", {"vocab_size": 250054, "d_model": 1024, "max_position_embeddings": 1024}
     | {"encoder_layers": 12, "encoder_attention_heads": 16, "encoder_ffn_dim": 4096}
     | {"decoder_layers": 12, "decoder_attention_heads": 16, "decoder_ffn_dim": 4096}),
    ("marian", {"vocab_size": 58101, "d_model": 512, "max_position_embeddings": 512, "pad_token_id": 58100}
     | {"encoder_layers": 6, "encoder_attention_heads": 8, "encoder_ffn_dim": 2048}
     | {"decoder_layers": 6, "decoder_attention_heads": 8, "decoder_ffn_dim": 2048}),
    ("pegasus", {"vocab_size": 96103, "d_model": 1024, "max_position_embeddings": 512}
     | {"encoder_layers": 16, "encoder_attention_heads": 16, "encoder_ffn_dim": 4096}
     | {"decoder_layers": 16, "decoder_attention_heads": 16, "decoder_ffn_dim": 4096}),
    ("m2m_100", {"vocab_size": 256206, "d_model": 1024, "max_position_embeddings": 1024}
     | {"encoder_layers": 12, "encoder_attention_heads": 16, "encoder_ffn_dim": 4096}
     | {"decoder_layers": 12, "decoder_attention_heads": 16, "decoder_ffn_dim": 4096}),
    # BART large
    ("bart", {"vocab_size": 50265, "d_model": 1024, "max_position_embeddings": 1024}
     | {"encoder_layers": 12, "encoder_attention_heads": 16, "encoder_ffn_dim": 4096}
     | {"decoder_layers": 12, "decoder_attention_heads": 16, "decoder_ffn_dim": 4096}),
]  # fmt: skip


def counted(model_type: str, config: dict[str, Any]) -> int:
    module = built(entry(model_type, **config), device="meta")
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(("model_type", "config"), REAL_SIZES)
def test_counts_of_published_sizes_equal_the_built_module(model_type: str, config: dict[str, Any]) -> None:
    assert parameter_count(anatomy(entry(model_type, **config))) == counted(model_type, config)


@pytest.mark.parametrize(("model_type", "change"), ALL_VARIATIONS)
def test_counts_of_every_variation_equal_the_built_module(model_type: str, change: dict[str, Any]) -> None:
    assert parameter_count(anatomy(entry(model_type, **change))) == counted(model_type, change)


@pytest.mark.parametrize("model_type", FAMILIES)
def test_counts_of_random_configs_equal_the_built_module(model_type: str) -> None:
    @settings(max_examples=25, deadline=None, derandomize=True)
    @given(random_config(model_type), st.sampled_from(list(FAMILIES[model_type].classes)))
    def holds(config: dict[str, Any], chosen: str) -> None:
        assert config_mistakes(model_type, config) == []
        update = {"config": config, "transformers_class": chosen}
        module = built(entry(model_type).model_copy(update=update), device="meta")
        assert parameter_count(anatomy_of(model_type, config, chosen)) == sum(p.numel() for p in module.parameters())

    holds()


@pytest.mark.parametrize(("model_type", "change"), ALL_VARIATIONS)
def test_every_part_is_named_once_and_the_parts_make_the_whole(model_type: str, change: dict[str, Any]) -> None:
    shape = anatomy(entry(model_type, **change))
    parts = parameter_parts(shape)
    assert len({part.name for part in parts}) == len(parts)
    assert all(part.parameters > 0 for part in parts)
    assert sum(part.parameters for part in parts) == parameter_count(shape)


def test_the_parts_are_those_of_the_module() -> None:
    module = built(entry("t5", feed_forward_proj="gated-gelu"), device="meta")
    by_name = {name: parameter.numel() for name, parameter in module.named_parameters()}
    shape = anatomy_of("t5", TINY["t5"] | {"feed_forward_proj": "gated-gelu"})
    parts = {part.name: part.parameters for part in parameter_parts(shape)}

    def sums(*words: str) -> int:
        return sum(size for name, size in by_name.items() if all(word in name for word in words))

    biases = "relative_attention_bias"
    assert parts["word embedding"] == sums("shared")
    assert parts["decoder cross-attention"] == sums("decoder", "EncDecAttention")
    assert parts["encoder self-attention"] == sums("encoder", "SelfAttention") - sums("encoder", biases)
    assert parts["decoder MLP"] == sums("decoder", "DenseReluDense")
    assert parts["decoder relative positions"] == sums("decoder", biases)
    assert parts["decoder norms"] == sums("decoder", "layer_norm") - sums("decoder", "final_layer_norm")


@given(st.sampled_from(list(FAMILIES)), st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_larger_size_never_means_fewer_parameters(model_type: str, data: st.DataObject) -> None:
    # heads only divide the width among themselves, so they are no size of the whole
    sizes = [key.name for key in FAMILIES[model_type].keys if key.required and "head" not in key.name]
    key = data.draw(st.sampled_from(sizes))
    more = TINY[model_type] | {key: (TINY[model_type][key] or 1) * data.draw(st.integers(2, 9))}
    before = parameter_count(anatomy_of(model_type, TINY[model_type]))
    assert parameter_count(anatomy_of(model_type, more)) >= before

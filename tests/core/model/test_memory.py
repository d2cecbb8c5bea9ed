"""The expected peak: exact where it can be, and near what torch holds at once where it is an estimate."""

from __future__ import annotations

import re
import weakref
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from advisor.core.model.cost import anatomy, kv_cache_bytes, stages_of, weight_bytes
from advisor.core.model.families import FAMILIES
from advisor.core.model.memory import RUNTIME_ALLOWANCE_BYTES, peak_memory, peak_memory_estimate_bytes, sized

from .test_cost import a_run, plan
from .tiny_models import TINY, built, entry

_BERT = {"hidden_size": 128, "intermediate_size": 512, "max_position_embeddings": 514}
_LLAMA = {"hidden_size": 128, "intermediate_size": 344}
_T5 = {"d_model": 128, "d_kv": 32, "d_ff": 512}
_BART = {"d_model": 128, "encoder_ffn_dim": 512, "decoder_ffn_dim": 512, "max_position_embeddings": 512}
MIDDLING: list[tuple[str, dict[str, Any]]] = [
    ("bert", _BERT),
    ("bert", _BERT | {"transformers_class": "BertForSequenceClassification", "num_labels": 1}),
    ("roberta", _BERT),
    ("xlm-roberta", _BERT),
    ("camembert", _BERT),
    ("distilbert", {"dim": 128, "hidden_dim": 512, "max_position_embeddings": 512}),
    ("mpnet", _BERT),
    ("electra", _BERT | {"embedding_size": 64}),
    ("albert", _BERT | {"embedding_size": 64}),
    ("modernbert", {"hidden_size": 128, "intermediate_size": 192}),
    ("deberta", _BERT),
    ("deberta", _BERT | {"pos_att_type": ["c2p"]}),
    ("deberta", _BERT | {"relative_attention": False, "pos_att_type": None}),
    ("deberta-v2", _BERT | {"num_hidden_layers": 6}),
    ("deberta-v2", _BERT | {"position_buckets": 64, "share_att_key": True, "norm_rel_ebd": "layer_norm"}),
    ("gpt2", {"n_embd": 128, "n_positions": 512}),
    ("gptj", {"n_embd": 128, "n_positions": 512, "rotary_dim": 16}),
    ("llama", _LLAMA),
    ("llama", _LLAMA | {"transformers_class": "LlamaModel"}),
    ("mistral", _LLAMA | {"sliding_window": 64}),
    ("qwen2", _LLAMA),
    ("qwen3", _LLAMA | {"head_dim": 32}),
    ("phi3", _LLAMA | {"sliding_window": 64}),
    ("olmo2", _LLAMA),
    ("olmo3", _LLAMA | {"sliding_window": 64}),
    ("granite", _LLAMA),
    ("smollm3", _LLAMA),
    ("gemma", _LLAMA | {"head_dim": 32}),
    ("gemma2", _LLAMA | {"head_dim": 32, "sliding_window": 64}),
    ("gemma3_text", _LLAMA | {"head_dim": 32, "sliding_window": 64}),
    ("cohere", _LLAMA),
    ("cohere2", _LLAMA | {"sliding_window": 64}),
    ("gpt_neox", _LLAMA),
    ("phi", _LLAMA),
    ("stablelm", _LLAMA),
    ("starcoder2", _LLAMA),
    ("opt", {"hidden_size": 128, "ffn_dim": 512, "max_position_embeddings": 514}),
    ("opt", {"hidden_size": 128, "ffn_dim": 512, "max_position_embeddings": 514, "word_embed_proj_dim": 64}),
    ("t5", _T5),
    ("mt5", _T5),
    *((model_type, _BART) for model_type in ("bart", "mbart", "marian", "pegasus", "m2m_100")),
]
"""Wide enough that tensors, not their bookkeeping, are what is held."""


DTYPES = ("float32", "bfloat16", "float16")


class LiveBytes(TorchDispatchMode):
    """Watches the storages that operators make, and remembers the most bytes alive at once."""

    def __init__(self) -> None:
        super().__init__()
        self.live = self.peak = 0
        self.seen: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in (leaf for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor)):
            storage = tensor.untyped_storage()
            if storage._cdata not in self.seen:
                self.seen.add(storage._cdata)
                self.live += storage.nbytes()
                self.peak = max(self.peak, self.live)
                weakref.finalize(storage, self._gone, storage._cdata, storage.nbytes())
        return result

    def _gone(self, storage: int, size: int) -> None:
        self.seen.discard(storage)
        self.live -= size


@pytest.mark.parametrize(("batch", "read"), [(1, 64), (1, 256), (6, 256), (1, 512)])
@pytest.mark.parametrize(("model_type", "change"), MIDDLING)
def test_activations_are_no_less_than_what_is_alive_at_once_and_not_far_more(
    model_type: str, change: dict[str, Any], batch: int, read: int
) -> None:
    model = entry(model_type, **change)
    module = built(model, attention=None)
    stage = stages_of(model)[0]
    cell = plan(stage, batch=batch, read=read)
    run = a_run(model, module, cell)
    with torch.inference_mode(), LiveBytes() as watched:
        run()
    expected = peak_memory(model, cell)
    held = watched.peak - (expected.cache if stage == "prefill" else 0)
    assert held <= expected.activations <= 2.5 * held


@pytest.mark.parametrize("model_type", FAMILIES)
def test_scores_are_counted_where_transformers_has_no_attention_without_them(model_type: str) -> None:
    chosen = built(entry(model_type), device="meta", attention=None).config._attn_implementation
    assert {stack.fused_attention for stack in anatomy(entry(model_type)).stacks} == {chosen == "sdpa"}


def test_a_window_keeps_of_a_prompt_what_the_memory_of_it_says() -> None:
    model = entry("mistral", sliding_window=5)
    with torch.inference_mode():
        cache = built(model)(torch.full((2, 30), 2), use_cache=True).past_key_values
    held = sum(
        layer.keys.untyped_storage().nbytes() + layer.values.untyped_storage().nbytes() for layer in cache.layers
    )
    assert peak_memory(model, plan("prefill", batch=2, read=30)).cache == held
    steps = peak_memory(model, plan("decode", batch=2, depth=30))
    assert steps.cache == kv_cache_bytes(model, dtype="float32", batch_size=2, context_tokens=4)
    assert steps.cache_copy == steps.cache * 5 / 4


def test_weights_and_cache_are_the_exact_ones() -> None:
    cell = plan("prefill", batch=3, read=50)
    memory = peak_memory(entry("gpt2"), cell)
    assert memory.weights == weight_bytes(entry("gpt2"), "float32")
    assert memory.cache == kv_cache_bytes(entry("gpt2"), dtype="float32", batch_size=3, context_tokens=50)
    assert memory.allowance == RUNTIME_ALLOWANCE_BYTES
    assert peak_memory_estimate_bytes(entry("gpt2"), cell) == memory.total == sum(memory)


def test_a_decode_step_holds_the_old_and_the_new_cache() -> None:
    memory = peak_memory(entry("gpt2"), plan("decode", batch=2, depth=40))
    assert memory.cache == kv_cache_bytes(entry("gpt2"), dtype="float32", batch_size=2, context_tokens=40)
    assert memory.cache_copy == kv_cache_bytes(entry("gpt2"), dtype="float32", batch_size=2, context_tokens=41)


def test_a_prompt_in_bfloat16_lays_out_the_lm_head_for_each_text() -> None:
    model = entry("llama", vocab_size=9097, tie_word_embeddings=True)
    cells = {dtype: plan("prefill", batch=3, read=8).model_copy(update={"dtype": dtype}) for dtype in DTYPES}
    held = {dtype: peak_memory(model, cell).activations for dtype, cell in cells.items()}
    assert held["bfloat16"] - held["float16"] == 3 * 9097 * 24 * 2
    assert held["float32"] == 2 * held["float16"]


def test_the_source_is_held_once_while_decoding() -> None:
    with_source = peak_memory(entry("t5"), plan("decode", batch=2, read=30, depth=10)).cache
    without = peak_memory(entry("t5"), plan("decode", batch=2, depth=10)).cache
    source = kv_cache_bytes(entry("t5"), dtype="float32", batch_size=2, context_tokens=0, source_tokens=30)
    assert with_source - without == source


def test_relative_positions_and_masks_make_long_texts_quadratic_and_nothing_else_does() -> None:
    def growth(model_type: str, stage: str) -> float:
        short = peak_memory(entry(model_type), plan(stage, batch=1, read=10_000)).activations
        return peak_memory(entry(model_type), plan(stage, batch=1, read=20_000)).activations / short

    assert growth("bert", "forward") == pytest.approx(2, rel=0.01)
    assert growth("t5", "encode") == pytest.approx(4, rel=0.05)
    assert growth("deberta-v2", "forward") == pytest.approx(4, rel=0.05)
    assert growth("modernbert", "forward") == pytest.approx(4, rel=0.05)


def test_the_sum_names_every_part_and_adds_up() -> None:
    memory = peak_memory(entry("gpt2", vocab_size=9_000_000), plan("prefill", batch=8, read=60))
    parts = re.findall(r"([\d,.]+) (MiB|GiB)", memory.sum)
    sizes = [float(number.replace(",", "")) * (1 if unit == "MiB" else 1024) for number, unit in parts]
    assert len(parts) == 5
    assert sum(sizes[:-1]) == pytest.approx(sizes[-1], rel=0.01)


def test_a_part_that_is_not_there_is_not_in_the_sum() -> None:
    assert "cache" not in peak_memory(entry("bert"), plan("forward", batch=1, read=8)).sum


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 MiB"), (2**20, "1 MiB"), (1023 * 2**20, "1,020 MiB"), (2**30, "1 GiB"), (26 * 2**30 + 2**29, "26.5 GiB")],
)
def test_sizes_have_three_digits_and_a_unit(size: int, words: str) -> None:
    assert sized(size) == words


@given(st.sampled_from(list(TINY)), st.integers(1, 99), st.integers(1, 4000), st.integers(0, 9), st.integers(0, 9))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_more_to_hold_never_takes_less(model_type: str, batch: int, read: int, longer: int, larger: int) -> None:
    model = entry(model_type)
    for stage in stages_of(model):
        less, more = (
            plan(stage, batch=batch + extra * larger, read=read + extra * longer, depth=read + extra * longer)
            for extra in (0, 1)
        )
        for small, large in zip(peak_memory(model, less), peak_memory(model, more), strict=True):
            assert large >= small
        half = more.model_copy(update={"dtype": "float16"})
        assert peak_memory(model, half).total < peak_memory(model, more).total


def test_a_stage_the_model_does_not_have_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="has no stage decode"):
        peak_memory(entry("bert"), plan("decode", batch=1, depth=1))

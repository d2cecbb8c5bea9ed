"""How much memory one run of a stage is expected to take: the one figure here that is an estimate, and says so.

It exists to refuse what cannot fit before anything is allocated, with a sum that a person can check. Weights and cache
are the exact closed forms of `cost`; activations are a model of what eager torch holds at its widest moment. Measured
peaks come from the measuring child and replace it wherever there are any.
"""

from __future__ import annotations

from typing import NamedTuple

from advisor.core.hardware import BYTES_PER_STATE, GIB
from advisor.core.model.anatomy import Anatomy, Stack
from advisor.core.model.cost import Run, kv_cache_bytes, stage_anatomy, stage_stack, weight_bytes
from advisor.core.model.entry import ModelEntry

RUNTIME_ALLOWANCE_BYTES = 400 * 2**20
"""What Python, torch's CPU build and transformers hold before any model: 386 MiB on Linux, x86-64, torch 2.13."""


class PeakMemory(NamedTuple):
    """What one run of a stage is expected to hold at once, part by part, in bytes."""

    weights: int
    cache: int
    cache_copy: int
    activations: int
    allowance: int

    @property
    def total(self) -> int:
        """All parts together."""
        return self.weights + self.cache + self.cache_copy + self.activations + self.allowance

    @property
    def sum(self) -> str:
        """The sum as a person would check it: `weights 418 MiB + … = 1.02 GiB`."""
        parts = {
            "weights": self.weights,
            "key-value cache": self.cache,
            "its copy with the next token": self.cache_copy,
            "activations": self.activations,
            "runtime": self.allowance,
        }
        return " + ".join(f"{name} {sized(size)}" for name, size in parts.items() if size) + f" = {sized(self.total)}"


def peak_memory(entry: ModelEntry, plan: Run) -> PeakMemory:
    """What one run of a stage is expected to hold at its peak; an estimate for refusing what cannot fit.

    Weights and the key-value cache are exact. A decode step writes the self-attention cache anew to add one token, so
    that part is there twice. Activations are the widest moment of one layer, which the allocator keeps, as
    transformers runs it where nobody asks for another attention: fused, so no scores, where it can be. Raises
    ValueError where the model has no such stage.
    """
    shape = stage_anatomy(entry, plan)
    decodes, read, depth = plan.stage == "decode", plan.input_tokens or 0, plan.context_tokens or 0
    source = read if plan.stage in ("encode", "decode") else 0

    def cached(context_tokens: int, source_tokens: int = 0) -> int:
        size = {"context_tokens": context_tokens, "source_tokens": source_tokens, "batch_size": plan.batch_size}
        return kv_cache_bytes(entry, dtype=plan.dtype, **size)

    return PeakMemory(
        weights=weight_bytes(entry, plan.dtype),
        # what a window no longer needs of a prompt stays until the next token is written
        cache=cached(1) * read if plan.stage == "prefill" else cached(depth, source),
        cache_copy=cached(depth) + cached(1) if decodes else 0,
        activations=_activation_bytes(shape, plan),
        allowance=RUNTIME_ALLOWANCE_BYTES,
    )


def peak_memory_estimate_bytes(entry: ModelEntry, plan: Run) -> int:
    """`peak_memory` in total."""
    return peak_memory(entry, plan).total


def _activation_bytes(shape: Anatomy, plan: Run) -> int:
    decodes, read, depth = plan.stage == "decode", plan.input_tokens or 0, plan.context_tokens or 0
    stack = stage_stack(shape, plan.stage)
    queries, keys = (1, depth + 1) if decodes else (read, read)
    # residual, normalised and attended states; queries and keys before and after positions; values; the MLP's inside
    per_token = 6 * stack.hidden_size + 2 * (stack.query_size + 2 * stack.key_value_size)
    per_token += (stack.mlp_matrices + (3 if stack.unfused_activation else 1)) * stack.intermediate_size
    values = plan.batch_size * queries * per_token
    if plan.stage in ("prefill", "decode"):
        values += plan.batch_size * shape.vocab_size
    if decodes and stack.cross_attention:
        values += plan.batch_size * read * stack.hidden_size  # the encoder's output stays at hand
    if plan.stage == "prefill" and plan.dtype == "bfloat16":
        # the last position is a view into all of them, and torch on a CPU then lays out the LM head anew for each text
        values += plan.batch_size * shape.vocab_size * shape.word_width
    width = BYTES_PER_STATE[plan.dtype]
    if not stack.fused_attention and stack is shape.decoder:
        return values * width + _causal_score_bytes(stack, plan.batch_size, queries, keys, width)
    if not stack.fused_attention:
        return values * width + _score_bytes(stack, plan.batch_size, read, width)
    return values * width + queries * keys * _bytes_per_pair(stack, width)


def _bytes_per_pair(stack: Stack, width: int) -> int:
    """What fused attention holds for each query and key, once for all texts: positions and masks, but no scores."""
    if stack.relative_buckets:  # a bias per head, twice, and 64-bit distances and buckets
        return 2 * stack.num_attention_heads * width + 2 * 8
    if stack.local_layers:  # two 64-bit numbers to make the mask from, and the mask
        return 2 * 8 + 1
    return 1 if stack.window is not None else 0


def _causal_score_bytes(stack: Stack, batch: int, queries: int, keys: int, width: int) -> int:
    """What a decoder holds whose attention is not fused: scores of each text and head, and keys and values anew.

    Scores are there twice in 32 bits, and some models keep those of the layer before until the next ones are there.
    Keys and values are laid out for each head where heads share them. Each kind of layer has a mask.
    """
    pairs = queries * keys
    scores = batch * stack.num_attention_heads * pairs * (2 * 4 + width)
    laid_out = 2 * batch * keys * stack.query_size * width
    return scores + laid_out + pairs * (2 * width + 1)


def _score_bytes(stack: Stack, batch: int, tokens: int, width: int) -> int:
    """What attention that is not fused holds: scores of each text and head, and DeBERTa's comparison with positions.

    The comparison of the words and of each kind of position are there twice, and what a term is picked from once, which
    torch does in 32 bits; the distances are three 64-bit numbers. transformers keeps the states after every layer.
    """
    relative, pairs = stack.disentangled, tokens * tokens
    if stack.relative_buckets:  # MPNet's: the biases are laid out for each text, beside the scores and their softmax
        return 3 * batch * stack.num_attention_heads * pairs * width
    rows = relative.rows_used(tokens) if relative.terms else 0
    scores = batch * stack.num_attention_heads * (2 * max(relative.terms, 1) * pairs + tokens * rows)
    positions = relative.projections * batch * rows * stack.query_size
    states = stack.num_layers * batch * tokens * stack.hidden_size
    masks = batch * pairs * (4 + 1)
    picked = (3 * 8 + 4 * batch * stack.num_attention_heads * (width < 4)) * pairs if rows else 0
    return (scores + positions + states) * width + masks + picked


def sized(size: int) -> str:
    """Bytes in MiB below one GiB, else GiB, in three digits."""
    value, unit = (size / 2**20, "MiB") if size < GIB else (size / GIB, "GiB")
    rounded = float(f"{value:.3g}")
    text = f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:.6f}".rstrip("0").rstrip(".")
    return f"{text} {unit}"

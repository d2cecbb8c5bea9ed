"""What a model costs by closed form: bytes of weights and cache, arithmetic and traffic of one run of a stage.

One idea: a forward pass is a list of matrix products, so its cost is counted, not estimated. One multiply-add is 2
operations. Attention is counted as eager attention computes it: the full square of scores and of values, also where a
causal mask throws half of it away. Softmax, normalisations, activations and table look-ups do no matrix product and
count no operations. What peak memory to expect stands in `memory`; what any of it means in seconds is measured, never
computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from advisor.core.hardware import BYTES_PER_STATE, BYTES_PER_VALUE, Dtype
from advisor.core.model.anatomy import Anatomy, Stack
from advisor.core.model.entry import ModelEntry
from advisor.core.model.families import anatomy_of
from advisor.core.model.parameters import (
    cross_key_value_parameters,
    embedding_projection_parameters,
    head_parameters,
    parameter_count,
    stack_parameters,
)

if TYPE_CHECKING:  # a decision alone must not pay for the shapes of measurements
    from advisor.core.sizing.measurement import Stage

_STAGES_OF: dict[str, tuple[Stage, ...]] = {
    "encoder-only": ("forward", "embed"),
    "decoder-only": ("prefill", "decode"),
    "encoder-decoder": ("encode", "decode"),
}
_CAUSAL: tuple[Stage, ...] = ("prefill", "decode")


class Run(Protocol):
    """One run of a stage, as a `CellPlan` describes it: which stage, in what dtype, at what shape."""

    @property
    def stage(self) -> Stage: ...
    @property
    def dtype(self) -> Dtype: ...
    @property
    def batch_size(self) -> int: ...
    @property
    def input_tokens(self) -> int | None: ...
    @property
    def context_tokens(self) -> int | None: ...


def anatomy(entry: ModelEntry) -> Anatomy:
    """The shape of an entry's model."""
    return anatomy_of(entry.model_type, entry.config, entry.transformers_class)


def stages_of(entry: ModelEntry) -> tuple[Stage, ...]:
    """The stages an entry's model runs through.

    A decoder without an LM head writes nothing and only embeds. A classifier gives scores instead of vectors, and ranks
    where it gives a single one.
    """
    shape = anatomy(entry)
    if shape.head == "classifier":
        return ("forward", "rerank") if shape.labels == 1 else ("forward",)
    return ("embed",) if shape.head == "none" and shape.encoder is None else _STAGES_OF[entry.architecture]


def weight_bytes(entry: ModelEntry, dtype: Dtype) -> int:
    """Bytes of all parameters in one dtype, tied weights once. Buffers (positions, masks) are not weights."""
    return parameter_count(anatomy(entry)) * BYTES_PER_VALUE[dtype]


def kv_cache_bytes(
    entry: ModelEntry, *, dtype: Dtype, batch_size: int, context_tokens: int, source_tokens: int = 0
) -> int:
    """Bytes the cache holds after `context_tokens` tokens, and after a source where there is one.

    One key and one value vector per decoder layer, sequence, key-value head and token; with a window, for the tokens in
    it but the next one. An encoder-decoder also keeps the keys and values its cross-attention reads, one set per token
    of the source; a decoder-only model has no source. Zero for a model that only reads, which has no steps. Source:
    Pope et al. 2022, arXiv:2211.05102.
    """
    stack = anatomy(entry).decoder
    if stack is None or "decode" not in stages_of(entry):
        return 0
    full = stack.full_layers
    tokens = (stack.num_layers - full) * kept_tokens(stack.window, context_tokens) + full * context_tokens
    tokens += stack.num_layers * source_tokens if stack.cross_attention else 0
    return 2 * stack.key_value_size * batch_size * tokens * BYTES_PER_STATE[dtype]


def kept_tokens(window: int | None, context_tokens: int) -> int:
    """The tokens whose keys and values a layer keeps after `context_tokens`: a window leaves room for the next one."""
    return context_tokens if window is None else min(context_tokens, window - 1)


def stage_flops(entry: ModelEntry, plan: Run) -> int:
    """Floating-point operations of one run of a stage, 2 for each multiply-add.

    `forward`, `embed`, `rerank`: the whole model over [batch_size, input_tokens] with what stands on top. `prefill`:
    the decoder over the whole prompt, logits for its last position only. `encode`: the encoder over the source, and the
    projection of its output to every decoder layer's cross-attention keys and values, which is paid once per request.
    `decode`: one new token per sequence on top of `context_tokens` cached ones, with logits. Raises ValueError where
    the model has no such stage.
    """
    shape = stage_anatomy(entry, plan)
    stack = stage_stack(shape, plan.stage)
    batch, read, depth = plan.batch_size, plan.input_tokens or 0, plan.context_tokens or 0
    if plan.stage == "decode":
        seen = ((kept_tokens(stack.window, depth), stack.num_layers - stack.full_layers), (depth, stack.full_layers))
        products = sum(
            layers * _layer_products(stack, batch, queries=1, keys=kept + 1, source=read) for kept, layers in seen
        )
    else:
        products = stack.num_layers * _layer_products(stack, batch, queries=read, keys=read)
    if plan.stage == "encode":
        return 2 * (products + batch * read * _cross_key_value_weights(shape))
    new_tokens = 1 if plan.stage == "decode" else read
    projections = shape.word_projections + (shape.embedding_size or 0) * shape.hidden_size
    return 2 * (products + batch * (new_tokens * projections + _head_weights(shape)))


def flops_per_text(entry: ModelEntry) -> int:
    """Operations that a text costs once, however short it is: what each layer makes of a table of relative positions.

    Part of every pass that `stage_flops` counts. Zero where a model has no such table, or reads of it no more rows than
    the text is long.
    """
    stack = anatomy(entry).encoder
    if stack is None or stack.disentangled.as_long_as_the_text:
        return 0
    table = stack.disentangled
    return 2 * stack.num_layers * table.projections * table.rows * stack.hidden_size * stack.query_size


def stage_bytes_moved(entry: ModelEntry, plan: Run) -> int:
    """Least bytes one run of a stage moves between memory and processor.

    Every weight the stage uses once, the looked-up rows of the tables, the cache read and what is added to it, and the
    result written. Activations are taken to stay in the processor's cache, so this is a floor: real traffic is no less.
    Raises ValueError where the model has no such stage.
    """
    shape = stage_anatomy(entry, plan)
    width, written = BYTES_PER_VALUE[plan.dtype], BYTES_PER_STATE[plan.dtype]
    batch, read = plan.batch_size, plan.input_tokens or 0
    new_tokens = 1 if plan.stage == "decode" else read
    rows = (new_tokens if shape.position_rows else 0) + (1 if shape.type_rows else 0)
    looked_up = batch * new_tokens * shape.word_width + rows * shape.table_width
    values = _stage_weights(shape, plan.stage, read) + looked_up
    result = _written_values(shape, plan.stage, batch, read)
    return values * width + result * written + _cache_bytes_moved(entry, plan)


def stage_anatomy(entry: ModelEntry, plan: Run) -> Anatomy:
    """The shape of an entry's model. Raises ValueError where the model has no such stage."""
    stages = stages_of(entry)
    if plan.stage not in stages:
        raise ValueError(f"{entry.id} is {entry.architecture} and has no stage {plan.stage}: {', '.join(stages)}")
    return anatomy(entry)


def stage_stack(shape: Anatomy, stage: Stage) -> Stack:
    """The stack that a stage runs: a decoder for what is causal, and where there is nothing else."""
    return present(shape.decoder if stage in _CAUSAL or shape.encoder is None else shape.encoder)


def present(stack: Stack | None) -> Stack:
    """The stack. Raises ValueError where there is none."""
    if stack is None:
        raise ValueError("the model lacks the stack that this stage runs")
    return stack


def _layer_products(stack: Stack, batch: int, *, queries: int, keys: int, source: int = 0) -> int:
    """Multiply-adds of one layer for `queries` new tokens per sequence that each look at `keys` tokens."""
    width, tokens = stack.hidden_size, batch * queries
    projections = 2 * width * (stack.query_size + stack.key_value_size)
    products = tokens * (projections + stack.mlp_matrices * width * stack.intermediate_size)
    products += 2 * tokens * keys * stack.query_size  # scores, and the values they weigh
    if stack.cross_attention:  # keys and values of the source are in the cache already
        products += tokens * 2 * width * stack.query_size + 2 * tokens * source * stack.query_size
    relative = stack.disentangled
    rows = relative.rows_used(keys)
    products += (
        relative.projections * rows * width * stack.query_size + relative.terms * tokens * rows * stack.query_size
    )
    return products


def _cross_key_value_weights(shape: Anatomy) -> int:
    """Weights that project one source token to the cross-attention keys and values of all decoder layers."""
    stack = present(shape.decoder)
    return 2 * stack.num_layers * stack.hidden_size * stack.key_value_size


def _head_weights(shape: Anatomy) -> int:
    """Weights the head multiplies one position by: a pooler reads the first one, an LM head the last one."""
    if shape.head == "none":
        return 0
    if shape.head in ("pooler", "classifier"):
        return shape.hidden_size * (shape.hidden_size + (shape.labels if shape.head == "classifier" else 0))
    return shape.word_width * shape.vocab_size


def _stage_weights(shape: Anatomy, stage: Stage, read: int) -> int:
    """Parameters a stage reads whole. Tables that are only looked up are not among them."""
    stack = stage_stack(shape, stage)
    unused_rows = stack.disentangled.rows - stack.disentangled.rows_used(read)
    used = stack_parameters(stack) - unused_rows * shape.hidden_size
    used += shape.embedding_norm_values * shape.table_width + embedding_projection_parameters(shape)
    if stage == "encode":
        return used + cross_key_value_parameters(present(shape.decoder))
    if stage == "decode" and shape.encoder is not None:
        used -= cross_key_value_parameters(present(shape.decoder))
    tied = shape.vocab_size * shape.word_width if shape.head == "tied" else 0
    return used + shape.word_projections + head_parameters(shape) + tied


def _cache_bytes_moved(entry: ModelEntry, plan: Run) -> int:
    """The cache that a stage reads, and what it adds: a step adds one token."""
    read, depth = plan.input_tokens or 0, plan.context_tokens or 0

    def cached(context_tokens: int, source_tokens: int = 0) -> int:
        size = {"context_tokens": context_tokens, "source_tokens": source_tokens, "batch_size": plan.batch_size}
        return kv_cache_bytes(entry, dtype=plan.dtype, **size)

    if plan.stage == "decode":
        return cached(depth, read) + cached(1)
    return cached(0, read) if plan.stage == "encode" else cached(read)


def _written_values(shape: Anatomy, stage: Stage, batch: int, read: int) -> int:
    """Values of the result: logits of one position, scores, or the states of all tokens."""
    if stage in _CAUSAL:
        return batch * shape.vocab_size
    return batch * (shape.labels if shape.head == "classifier" else read * shape.hidden_size)

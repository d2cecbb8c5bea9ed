"""PyTorch, eager, as transformers ships it: what one run of each stage is.

Nothing is timed here. The one idea: a stage is a `Task` of three parts: `run` is what is timed, `reset` puts back what
a run changed (a decode step grows its cache), and `check` says whether the state between blocks is what it should be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from transformers import DynamicCache, EncoderDecoderCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer
from transformers.modeling_outputs import BaseModelOutput

from advisor.core.model.anatomy import Anatomy, Stack
from advisor.core.model.source import Pooling
from advisor.core.sizing.measurement import CellPlan
from advisor.profile.deviation import Outputs, Probe
from advisor.profile.inputs import filled_cache, hidden_states, token_ids


@dataclass(frozen=True, slots=True)
class Task:
    """One stage at one shape, ready to run. `run` returns the result [batch_size, ...]; `check` raises WrongState.

    `note` says what a run holds beyond its stage.
    """

    run: Callable[[], torch.Tensor]
    reset: Callable[[], None]
    check: Callable[[], None]
    note: str | None = None


class WrongState(Exception):
    """The cache is not as long as it must be: the block measured something else than it says."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A built model, with what its tasks need to know of it."""

    model: PreTrainedModel
    anatomy: Anatomy
    dtype: torch.dtype
    device: str
    seed: int
    pooling: Pooling | None = None


@dataclass(frozen=True, slots=True)
class Eager:
    """The module itself, as torch runs it. `computes_in` is said where it is not the dtype of the weights."""

    loaded: Loaded
    computes_in: str | None = None

    def task(self, plan: CellPlan) -> Task:
        return task(self.loaded, plan)

    def outputs(self, probe: Probe) -> Outputs:
        return outputs(self.loaded, probe)


def outputs(loaded: Loaded, probe: Probe) -> Outputs:
    """States and logits for the probe, on the processor and in float32."""
    model, ids, shape = loaded.model, probe.ids.to(loaded.device), loaded.anatomy
    found: dict[str, torch.Tensor] = {}
    with torch.inference_mode():
        if probe.target is not None:
            found["states"] = model.get_encoder()(input_ids=ids)[0]
            found["logits"] = model(input_ids=ids, decoder_input_ids=probe.target.to(loaded.device)).logits
        else:
            given = model(input_ids=ids) if shape.encoder else model(input_ids=ids, use_cache=False)
            found["logits" if shape.head in ("classifier", "tied", "own") else "states"] = given[0]
    if found.get("logits") is not None and found["logits"].dim() == 3:
        found["next"] = found["logits"][:, -1]
    return {name: values.float().cpu().numpy() for name, values in found.items()}


def task(loaded: Loaded, plan: CellPlan) -> Task:
    """The task of a plan. Raises ValueError where this model cannot do it."""
    makers = {"forward": _forward, "rerank": _rerank, "embed": _embed, "prefill": _prefill, "encode": _encode}
    if plan.stage == "decode":
        return _decode_with_source(loaded, plan) if loaded.anatomy.encoder else _decode(loaded, plan)
    if plan.stage not in makers:
        raise ValueError(f"no way to run the stage {plan.stage}")
    return Task(run=makers[plan.stage](loaded, plan), reset=nothing, check=nothing)


def nothing() -> None:
    """Most stages leave nothing behind."""


def _ids(loaded: Loaded, batch_size: int, tokens: int) -> torch.Tensor:
    vocab_size = loaded.anatomy.vocab_size
    padding = getattr(loaded.model.config, "pad_token_id", None)
    return token_ids(batch_size, tokens, vocab_size=vocab_size, padding=padding, seed=loaded.seed, device=loaded.device)


def _forward(loaded: Loaded, plan: CellPlan) -> Callable[[], torch.Tensor]:
    """One pass: hidden states [batch, tokens, width] with whatever stands on top, or a classifier's scores."""
    model, ids = loaded.model, _ids(loaded, plan.batch_size, plan.input_tokens or 1)
    return lambda: model(input_ids=ids)[0]


def _rerank(loaded: Loaded, plan: CellPlan) -> Callable[[], torch.Tensor]:
    """Query and passage read together, `batch_size` pairs in one pass: one score each [batch, 1].

    Raises ValueError for a model that gives no single score.
    """
    if loaded.anatomy.head != "classifier" or loaded.anatomy.labels != 1:
        raise ValueError("a model that does not give one score per text cannot rank")
    return _forward(loaded, plan)


def _embed(loaded: Loaded, plan: CellPlan) -> Callable[[], torch.Tensor]:
    """One pass, made unit vectors [batch, width]."""
    ids = _ids(loaded, plan.batch_size, plan.input_tokens or 1)
    return lambda: vectors(loaded, ids)


def vectors(loaded: Loaded, ids: torch.Tensor) -> torch.Tensor:
    """Texts of one length [batch, tokens] as vectors of length one [batch, width].

    Where the model's files do not say how: an encoder's tokens are averaged; of a decoder's, only the last one has read
    the whole text.
    """
    decodes = loaded.anatomy.encoder is None
    states = loaded.model(input_ids=ids, use_cache=False)[0] if decodes else loaded.model(input_ids=ids)[0]
    return unit_vectors(states, loaded.pooling or ("last" if decodes else "mean"))


def unit_vectors(states: torch.Tensor, pooling: Pooling) -> torch.Tensor:
    """The states of texts [batch, tokens, width] as one vector of length one for each [batch, width]."""
    one = states.mean(dim=1) if pooling == "mean" else states[:, 0 if pooling == "cls" else -1]
    return nn.functional.normalize(one, dim=-1)


def _prefill(loaded: Loaded, plan: CellPlan) -> Callable[[], torch.Tensor]:
    """The prompt into a new cache, logits of its last position [batch, 1, vocabulary]."""
    model, ids, length = loaded.model, _ids(loaded, plan.batch_size, plan.input_tokens or 1), plan.input_tokens or 1

    def run() -> torch.Tensor:
        out = model(input_ids=ids, use_cache=True, logits_to_keep=1)
        _expect_length(out.past_key_values, length)
        return out.logits

    return run


def _encode(loaded: Loaded, plan: CellPlan) -> Callable[[], torch.Tensor]:
    """The source through the encoder, and its keys and values for every cross-attention: once per request."""
    model, ids = loaded.model, _ids(loaded, plan.batch_size, plan.input_tokens or 1)
    encoder, project = model.get_encoder(), cross_projections(model)

    def run() -> torch.Tensor:
        states: torch.Tensor = encoder(input_ids=ids)[0]
        for keys, values in project:
            keys(states)
            values(states)
        return states

    return run


def cross_projections(model: PreTrainedModel) -> tuple[tuple[nn.Module, nn.Module], ...]:
    """For each decoder layer, what turns the encoder's output into cross-attention keys and values.

    They are found by what they do: one step is run, and they are the modules that are handed the encoder's output
    itself, keys before values. Raises ValueError where that is not two for each layer.
    """
    states = torch.zeros(1, 2, model.config.hidden_size, dtype=model.dtype, device=model.device)
    found: list[nn.Module] = []

    def note(module: nn.Module, given: tuple[object, ...]) -> None:
        if given and given[0] is states:
            found.append(module)

    hooks = [module.register_forward_pre_hook(note) for module in model.modules() if isinstance(module, nn.Linear)]
    try:
        start = torch.zeros(1, 1, dtype=torch.long, device=model.device)
        with torch.inference_mode():
            model(decoder_input_ids=start, encoder_outputs=BaseModelOutput(last_hidden_state=states))
    finally:
        for hook in hooks:
            hook.remove()
    if not found or len(found) % 2:
        raise ValueError(f"{type(model).__name__} reads its source in a way that is not known")
    return tuple(zip(found[::2], found[1::2], strict=True))


def _decode(loaded: Loaded, plan: CellPlan) -> Task:
    """One step on top of a filled cache: one id in, logits [batch, 1, vocabulary] out."""
    depth = plan.context_tokens or 0
    cache = _cache(loaded, _stack(loaded.anatomy), plan.batch_size, depth)
    model, ids = loaded.model, _ids(loaded, plan.batch_size, 1)

    def run() -> torch.Tensor:
        return model(input_ids=ids, past_key_values=cache, use_cache=True).logits

    return Task(run=_checked(run, cache, depth + 1), reset=_restorer(cache), check=lambda: _expect_length(cache, depth))


def _decode_with_source(loaded: Loaded, plan: CellPlan) -> Task:
    """One step of an encoder-decoder: the target so far in one cache, the source in the other."""
    depth, source = plan.context_tokens or 0, plan.input_tokens or 1
    stack, batch = _stack(loaded.anatomy), plan.batch_size
    written, read = _cache(loaded, stack, batch, depth), _cache(loaded, stack, batch, source)
    both = EncoderDecoderCache(written, read)
    model, ids = loaded.model, _ids(loaded, batch, 1)
    states = hidden_states(
        batch, source, loaded.anatomy.hidden_size, dtype=loaded.dtype, seed=loaded.seed, device=loaded.device
    )
    encoded = BaseModelOutput(last_hidden_state=states)

    def run() -> torch.Tensor:
        out = model(decoder_input_ids=ids, encoder_outputs=encoded, past_key_values=both, use_cache=True)
        return out.logits

    def check() -> None:
        _expect_length(written, depth)
        _expect_length(read, source)

    return Task(run=_checked(run, written, depth + 1), reset=_restorer(written), check=check)


def _stack(anatomy: Anatomy) -> Stack:
    if anatomy.decoder is None:
        raise ValueError("a model without a decoder cannot decode")
    return anatomy.decoder


def _cache(loaded: Loaded, stack: Stack, batch_size: int, tokens: int) -> DynamicCache:
    return filled_cache(
        loaded.model.config,
        stack,
        batch_size=batch_size,
        tokens=tokens,
        dtype=loaded.dtype,
        seed=loaded.seed,
        device=loaded.device,
    )


def _checked(run: Callable[[], torch.Tensor], cache: DynamicCache, length: int) -> Callable[[], torch.Tensor]:
    """The step, refusing to be counted unless the cache grew by the one token it should."""

    def checked() -> torch.Tensor:
        result = run()
        _expect_length(cache, length)
        return result

    return checked


def _expect_length(cache: DynamicCache, length: int) -> None:
    if cache.get_seq_length() != length:
        raise WrongState(f"the cache holds {cache.get_seq_length()} tokens where there must be {length}")


def _restorer(cache: DynamicCache) -> Callable[[], None]:
    """Drop the token a step has added, as views, so that the next step finds the memory a generating loop would.

    Putting back the tensors from before the step would hold every layer twice: a loop that goes on writing does not.
    """
    layers = [layer for layer in cache.layers if isinstance(layer, DynamicLayer)]
    depths = [(0 if layer.keys is None else layer.keys.shape[-2], layer.get_seq_length()) for layer in layers]

    def restore() -> None:
        for layer, (kept, length) in zip(layers, depths, strict=True):
            if not kept or layer.keys is None or layer.values is None:
                layer.keys, layer.values, layer.is_initialized = None, None, False
            else:
                layer.keys, layer.values = _first(layer.keys, kept), _first(layer.values, kept)
            if isinstance(layer, DynamicSlidingWindowLayer):
                layer.cumulative_length = length

    return restore


def _first(held: torch.Tensor, kept: int) -> torch.Tensor:
    """The first `kept` tokens of what a layer wrote, also where its window has already moved on to the last ones."""
    shape = (*held.shape[:-2], kept, held.shape[-1])
    return held.as_strided(shape, held.stride(), storage_offset=0)

"""What a replica does in a replay, with the real model: its passes, and decode steps over a real cache.

The one idea: a step's time depends on how many answers are written and how deep their caches are, not on what is in
them. So one cache, as deep as the longest answer gets and as wide as there are slots, is looked at through views: of so
many answers, at their mean depth. Each step runs the whole model on it, as a server whose answers share a batch does.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from transformers import DynamicCache, EncoderDecoderCache
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer
from transformers.modeling_outputs import BaseModelOutput

from advisor.core.model.anatomy import Stack
from advisor.core.model.cost import kept_tokens
from advisor.core.sizing.measurement import CellPlan, Stage
from advisor.core.sizing.replaying import ReplayPlan
from advisor.profile.accelerator import Accelerator
from advisor.profile.inputs import filled_cache, hidden_states, token_ids
from advisor.profile.runtimes.torch_eager import Loaded, Task
from advisor.profile.standing import Standing

Step = Callable[[int, int], None]


class Passes:
    """The passes of a standing model, each built when it is first run."""

    def __init__(self, plan: ReplayPlan, standing: Standing) -> None:
        self._plan, self._standing = plan, standing
        self._tasks: dict[tuple[Stage, int, int], Task] = {}

    def run(self, stage: Stage, batch: int, tokens: int) -> None:
        task = self._tasks.get((stage, batch, tokens))
        if task is None:
            shape = CellPlan(
                stage=stage,
                runtime=self._plan.runtime,
                dtype=self._plan.dtype,
                batch_size=batch,
                input_tokens=tokens,
            )
            task = self._tasks[stage, batch, tokens] = self._standing.work(shape)
        task.run()
        task.reset()


class ModelWorks:
    """Passes and steps of a standing model (`replay.Works`)."""

    def __init__(self, plan: ReplayPlan, standing: Standing, device: Accelerator) -> None:
        self._plan, self._device, self._passes = plan, device, Passes(plan, standing)
        self._steps = _steps(standing.loaded, plan) if any(plan.steps) else None
        self._rows = dict(plan.padded_steps)

    def read(self, requests: range) -> None:
        plan = self._plan
        texts = plan.texts * len(requests)
        tokens = max(plan.input_tokens[requests.start : requests.stop])
        while texts > 0:
            batch = min(texts, plan.max_batch_size)
            if plan.tokenizes:
                self._passes.run("tokenize", batch, tokens)
            self._passes.run(plan.stages[0], batch, tokens)
            texts -= batch
        self._device.synchronise()

    def step(self, answers: int, context: float) -> None:
        if self._steps is not None:
            self._steps(self._rows.get(answers, answers), round(context))
            self._device.synchronise()


def _steps(loaded: Loaded, plan: ReplayPlan) -> Step:
    """A decode step of so many answers at a depth. Raises ValueError where this model's cache cannot be filled."""
    stack = loaded.anatomy.decoder
    if stack is None:
        raise ValueError("a model without a decoder cannot decode")
    slots, ends = plan.max_batch_size, zip(plan.first_context, plan.steps, strict=True)
    written = _Views(loaded, stack, slots, max(context + steps for context, steps in ends))
    ids = token_ids(
        slots, 1, vocab_size=loaded.anatomy.vocab_size, padding=None, seed=loaded.seed, device=loaded.device
    )
    if loaded.anatomy.encoder is None:

        def write(answers: int, depth: int) -> None:
            loaded.model(input_ids=ids[:answers], past_key_values=written.at(answers, depth), use_cache=True)

        return write
    return _steps_with_source(loaded, stack, plan, written, ids)


def _steps_with_source(loaded: Loaded, stack: Stack, plan: ReplayPlan, written: _Views, ids: torch.Tensor) -> Step:
    """The same for an encoder-decoder, whose sources are all read at their longest: shorter ones are padded to it."""
    source = max(plan.input_tokens)
    read = _Views(loaded, stack, plan.max_batch_size, source)
    states = hidden_states(
        plan.max_batch_size,
        source,
        loaded.anatomy.hidden_size,
        dtype=loaded.dtype,
        seed=loaded.seed,
        device=loaded.device,
    )

    def write(answers: int, depth: int) -> None:
        both = EncoderDecoderCache(written.at(answers, depth), read.at(answers, source))
        encoded = BaseModelOutput(last_hidden_state=states[:answers])
        loaded.model(decoder_input_ids=ids[:answers], encoder_outputs=encoded, past_key_values=both, use_cache=True)

    return write


class _Views:
    """A filled cache seen as one of fewer answers and fewer tokens."""

    def __init__(self, loaded: Loaded, stack: Stack, slots: int, deepest: int) -> None:
        self._cache = filled_cache(
            loaded.model.config,
            stack,
            batch_size=slots,
            tokens=max(deepest, 1),
            dtype=loaded.dtype,
            seed=loaded.seed,
            device=loaded.device,
        )
        self._whole = [
            (layer, layer.keys, layer.values, window)
            for layer, window in zip(self._cache.layers, stack.windows, strict=True)
            # both are there once it was filled
            if isinstance(layer, DynamicLayer) and layer.keys is not None and layer.values is not None
        ]

    def at(self, answers: int, depth: int) -> DynamicCache:
        """The cache of so many answers that hold `depth` tokens; a step has to be told of one at least."""
        depth = max(depth, 1)
        for layer, keys, values, window in self._whole:
            kept = kept_tokens(window, depth)
            layer.keys, layer.values = keys[:answers, :, :kept], values[:answers, :, :kept]
            if isinstance(layer, DynamicSlidingWindowLayer):
                layer.cumulative_length = depth
        return self._cache

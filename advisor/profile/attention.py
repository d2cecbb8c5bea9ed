"""The mask probe: change one position of what an attention layer reads, and see which of its outputs move.

Each layer is asked alone. Through a stack of layers a change spreads as far as all windows together reach, and what one
layer masks would be lost. A pass over the model catches what every layer is given; then each is run by itself in
float64, once for each position, and its outputs compared bit by bit: what a mask leaves out has a weight of exactly
zero.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import nn

from advisor.core.attention import MOVED, STAYED, Kind, Look, Push, StackName
from advisor.core.model.anatomy import Anatomy
from advisor.profile.inputs import token_ids

SEQUENCE = 12
"""Tokens read where no window asks for more."""
SHORTER = 4
"""How many tokens fewer an encoder-decoder writes than it reads, so that neither is mistaken for the other."""
BEYOND = 8
"""Tokens read beyond a window, so that its end is seen."""
WIDEST_WINDOW = 512
"""A wider one would take thousands of tokens to see; it is named as not seen."""
PUSHED = 12
"""Up to so many positions each is changed; of more, so many, the first and last among them."""
NOISE_FACTOR = 8
HIDDEN, SOURCES, CACHE = "hidden_states", ("key_value_states", "encoder_hidden_states"), "past_key_values"


class NotProbed(Exception):
    """The model's attention cannot be asked; the message says why."""


class Caught(NamedTuple):
    """One attention layer and what it was given, by name."""

    module: nn.Module
    given: dict[str, Any]


def window_of(config: Any) -> int | None:
    """The narrowest window that the config of a built model speaks of, in tokens."""
    stated = (getattr(config, name, None) for name in ("sliding_window", "local_attention"))
    return min((one for one in stated if isinstance(one, int) and one > 0), default=None)


def sequence_length(config: Any, most: int | None) -> int:
    """How many tokens to read: enough to see the end of a window that can be seen, as far as there are positions."""
    window = window_of(config)
    wanted = SEQUENCE if window is None or window > WIDEST_WINDOW else max(SEQUENCE, window + BEYOND)
    return wanted if most is None else min(wanted, most)


def looks(model: Any, shape: Anatomy, *, tokens: int, seed: int = 0) -> Iterator[Look]:
    """Every attention layer of the model, asked. Raises NotProbed where not all layers were found or understood."""
    caught = catch(model, shape, tokens=tokens, seed=seed)
    for name, one in caught.items():
        yield look(name, one, shape, seed=seed)


def catch(model: Any, shape: Anatomy, *, tokens: int, seed: int = 0) -> dict[str, Caught]:
    """The attention layers by name in the order they ran, each with what it was given in one pass over the model.

    Of a layer that runs several times it is what the last time was given.
    """
    found = {name: module for name, module in model.named_modules() if _is_innermost_attention(module)}
    ran: dict[str, Caught] = {}
    with _catching(found, ran), torch.inference_mode():
        model(**_inputs(model, shape, tokens, seed))
    expected = sum(stack.distinct_layers * (2 if stack.cross_attention else 1) for stack in shape.stacks)
    if len(ran) != expected:
        raise NotProbed(f"{len(ran)} of its {expected} attention layers were found")
    return ran


def look(name: str, caught: Caught, shape: Anatomy, *, seed: int = 0) -> Look:
    """Ask one layer: one run for each position that is changed."""
    layer, given = copy.deepcopy(caught.module).double(), caught.given
    kind, pushed = _what_is_pushed(name, given)
    states: torch.Tensor = given[pushed]
    with torch.inference_mode():
        base, again = _run(layer, given), _run(layer, given)
        if not bool(base.isfinite().all()):
            raise NotProbed(f"{name} computes NaN or infinity")
        noise = NOISE_FACTOR * float((base - again).abs().max())
        generator = torch.Generator().manual_seed(seed)
        by = torch.randn(states.shape[-1], generator=generator, dtype=states.dtype) * (float(states.std()) or 1.0)
        pushes = []
        for position in _positions(states.shape[1]):
            changed = states.clone()
            changed[:, position] += by
            moved = (_run(layer, given | {pushed: changed}) - base).abs().amax(dim=-1)[0] > noise
            pushes.append(Push(position=position, outputs="".join(MOVED if one else STAYED for one in moved.tolist())))
    return Look(stack=_stack(name, shape), layer=_layer(name), kind=kind, pushes=tuple(pushes))


def _is_innermost_attention(module: nn.Module) -> bool:
    """Whether this computes attention itself: transformers says so in the names of its classes."""
    inside = list(module.modules())[1:]
    return "Attention" in type(module).__name__ and not any("Attention" in type(one).__name__ for one in inside)


@contextmanager
def _catching(found: dict[str, nn.Module], ran: dict[str, Caught]) -> Iterator[None]:
    """While this lasts, what the layers are given is kept, in float64, in `ran`."""

    def catcher(name: str) -> Any:
        def hook(module: nn.Module, positional: tuple[Any, ...], named: dict[str, Any]) -> None:
            given = dict(inspect.signature(module.forward).bind(*positional, **named).arguments)
            rest = given.pop("kwargs", {})  # what transformers calls those it only hands on
            ran[name] = Caught(module, _exact({**given, **rest}))

        return hook

    hooks = [module.register_forward_pre_hook(catcher(name), with_kwargs=True) for name, module in found.items()]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _exact(given: Any) -> Any:
    """The same with every number in float64; a cache would grow with each run and is left out."""
    if isinstance(given, torch.Tensor):
        return given.to(torch.float64, copy=True) if given.is_floating_point() else given.clone()
    if isinstance(given, tuple | list):
        return type(given)(_exact(one) for one in given)
    if isinstance(given, dict):
        return {name: None if name == CACHE else _exact(one) for name, one in given.items()}
    return given


def _inputs(model: Any, shape: Anatomy, tokens: int, seed: int) -> dict[str, Any]:
    padding = getattr(model.config, "pad_token_id", None)

    def ids(length: int) -> torch.Tensor:
        return token_ids(1, length, vocab_size=shape.vocab_size, padding=padding, seed=seed, device="cpu")

    if shape.decoder is None:
        return {"input_ids": ids(tokens)}
    if shape.encoder is None:
        return {"input_ids": ids(tokens), "use_cache": False}
    return {"input_ids": ids(tokens), "decoder_input_ids": ids(max(2, tokens - SHORTER)), "use_cache": False}


def _what_is_pushed(name: str, given: dict[str, Any]) -> tuple[Kind, str]:
    """Whether the layer reads its own states or another stack's, and the name of those."""
    for source in SOURCES:
        if isinstance(given.get(source), torch.Tensor):
            return "cross", source
    if not isinstance(given.get(HIDDEN), torch.Tensor):
        raise NotProbed(f"{name} is not given its {HIDDEN} by that name")
    return "self", HIDDEN


def _run(layer: nn.Module, given: dict[str, Any]) -> torch.Tensor:
    """The outputs [1, tokens, width] of one layer alone."""
    out = layer(**given)
    states: torch.Tensor = out[0] if isinstance(out, tuple) else out
    return states


def _positions(tokens: int) -> Sequence[int]:
    if tokens <= PUSHED:
        return range(tokens)
    return sorted({round(number * (tokens - 1) / (PUSHED - 1)) for number in range(PUSHED)})


def _stack(name: str, shape: Anatomy) -> StackName:
    """Where there are two stacks, transformers has their names in the path of every module."""
    if shape.encoder is None or shape.decoder is None:
        return "encoder" if shape.decoder is None else "decoder"
    return "decoder" if "decoder" in name.split(".") else "encoder"


def _layer(name: str) -> int:
    return next((int(part) for part in name.split(".") if part.isdigit()), 0)

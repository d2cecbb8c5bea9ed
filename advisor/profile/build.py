"""Build the module of a catalogue entry, its weights filled without a download.

The module is built on the meta device, where nothing is allocated, and then given memory. The one idea: what is timed
must touch as much memory and do as much arithmetic as the real thing. Matrices are filled (see `filling`), vectors
(biases, norms) and buffers (positions, rotary frequencies) get the values the module's own initialisation gives them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
import transformers
from torch import nn

from advisor.core.model.entry import ModelEntry
from advisor.profile.complaints import first_line
from advisor.profile.filling import APART, fill, tile

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
NOT_OF_THE_MODULE = ("model_type", "transformers_version", "dtype", "torch_dtype")
"""What a saved config says of itself; the dtype is the one that is measured."""


class NotBuilt(Exception):
    """The entry does not describe a module that can be built; the message says why."""


def build(
    entry: ModelEntry, dtype: str, *, seed: int = 0, device: str = "cpu", config: Mapping[str, Any] | None = None
) -> transformers.PreTrainedModel:
    """The entry's module, ready to run, all weights filled. Raises NotBuilt, or what torch raises out of memory.

    `config` is what a model folder says beyond the values that the closed forms need; None is the entry's own.
    """
    model = _on_meta(entry, DTYPES[dtype], entry.config if config is None else config)
    _give_memory(model, tile(DTYPES[dtype], seed).to(device), torch.device(device))
    _initialise_the_rest(model)
    return model.eval().requires_grad_(False)


def seen_in(model: transformers.PreTrainedModel, entry: ModelEntry) -> transformers.PreTrainedModel:
    """The entry's module made of the weights of a larger one with the same names: nothing is allocated for it.

    So a model of fewer layers is the first layers of one that stands. Raises NotBuilt where the larger one lacks a
    weight, or has it in another shape.
    """
    fewer = _on_meta(entry, model.dtype, entry.config)
    held: dict[str, torch.Tensor] = dict(model.named_parameters(remove_duplicate=False))
    held |= dict(model.named_buffers(remove_duplicate=False))
    for path, module in fewer.named_modules():
        own = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
        for name, described in own:
            found = held.get(f"{path}.{name}" if path else name)
            if found is None or found.shape != described.shape:
                raise NotBuilt(f"{entry.id} of fewer layers is no part of it: {path}.{name} is another there")
            setattr(module, name, found)
    return fewer.eval().requires_grad_(False)


def count_parameters(model: nn.Module) -> int:
    """Parameters of the module, tied ones once."""
    return sum(parameter.numel() for parameter in model.parameters())


def model_class(name: str) -> type[transformers.PreTrainedModel]:
    """The transformers class of this name. Raises NotBuilt where there is no such model."""
    chosen = getattr(transformers, name, None)
    if not (isinstance(chosen, type) and issubclass(chosen, transformers.PreTrainedModel)):
        raise NotBuilt(f"transformers {transformers.__version__} has no model class {name}")
    return chosen


def config_for(entry: ModelEntry, config: Mapping[str, Any]) -> transformers.PreTrainedConfig:
    """What the class is built from. Raises NotBuilt where transformers cannot read the values."""
    kept = {key: value for key, value in config.items() if key not in NOT_OF_THE_MODULE}
    try:
        return transformers.AutoConfig.for_model(entry.model_type, **kept)
    except Exception as error:  # a config class may raise anything at values it does not know
        raise NotBuilt(f"{entry.transformers_class} cannot be built from its config: {first_line(error)}") from error


def _on_meta(entry: ModelEntry, dtype: torch.dtype, config: Mapping[str, Any]) -> transformers.PreTrainedModel:
    chosen = model_class(entry.transformers_class)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)  # buffers that must stay exact name their own dtype
    try:
        described = config_for(entry, config)
        with torch.device("meta"):
            return chosen(described)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise NotBuilt(f"{entry.transformers_class} cannot be built from its config: {first_line(error)}") from error
    finally:
        torch.set_default_dtype(before)


def _give_memory(model: nn.Module, values: torch.Tensor, device: torch.device) -> None:
    """Put every parameter and buffer on the device: matrices filled, the rest marked as not initialised yet.

    Tied weights are one parameter under several names and stay one.
    """
    given: dict[int, nn.Parameter] = {}
    for module in model.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            if id(parameter) not in given:
                # Each begins elsewhere in the tile: libraries that convert a model keep equal matrices once.
                given[id(parameter)] = _materialised(parameter, values.roll(APART * len(given)), device)
            setattr(module, name, given[id(parameter)])
        for name, buffer in list(module.named_buffers(recurse=False)):
            setattr(module, name, _unset(torch.empty_like(buffer, device=device)))


def _materialised(parameter: nn.Parameter, values: torch.Tensor, device: torch.device) -> nn.Parameter:
    # some classes name a dtype for a parameter of theirs; weights that are loaded all come in the one asked for
    memory = torch.empty_like(parameter, device=device, dtype=values.dtype)
    if memory.dim() < 2:
        return nn.Parameter(_unset(memory), requires_grad=False)
    filled = nn.Parameter(fill(memory, values), requires_grad=False)
    filled._is_hf_initialized = True  # type: ignore[attr-defined]  # what transformers sets on weights it loaded
    return filled


def _unset(memory: torch.Tensor) -> torch.Tensor:
    """A value no initialisation leaves behind, so that a forgotten tensor is found instead of timed."""
    if memory.is_floating_point():
        return memory.fill_(float("nan"))
    return memory if memory.dtype == torch.bool else memory.fill_(torch.iinfo(memory.dtype).min)


def _still_unset(memory: torch.Tensor) -> bool:
    if memory.is_floating_point():
        return bool(memory.isnan().any())
    return memory.dtype != torch.bool and bool((memory == torch.iinfo(memory.dtype).min).any())


def _initialise_the_rest(model: transformers.PreTrainedModel) -> None:
    """Let the module initialise its vectors and buffers; filled matrices are marked and stay as they are."""
    for module in model.modules():
        if hasattr(module, "_is_hf_initialized"):
            del module._is_hf_initialized  # set while the module stood on meta, where it meant nothing
    model.initialize_weights()
    forgotten = [name for name, tensor in _vectors_and_buffers(model) if _still_unset(tensor)]
    if forgotten:
        raise NotBuilt(f"its own initialisation leaves {', '.join(forgotten[:3])} without values")


def _vectors_and_buffers(model: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    yield from ((name, parameter) for name, parameter in model.named_parameters() if parameter.dim() < 2)
    yield from model.named_buffers()

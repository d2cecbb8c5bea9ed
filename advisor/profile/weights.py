"""Load the weights of a model folder into the module that its config describes.

transformers maps the names of a file to those of the module (prefixes of a base model, tied weights); nothing here
does. The one idea: a model is called real only if every number that a stage reads came from the files. What the files
lack is initialised at random, which is said; what they hold beyond the module is left unread, which is said too.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import transformers
from safetensors import SafetensorError

from advisor.core.model.entry import ModelEntry
from advisor.core.model.source import ModelSource
from advisor.profile.build import DTYPES, NotBuilt, build, config_for, count_parameters, model_class
from advisor.profile.complaints import first_line

LACK = "The files lack"
SHOWN = 3
"""How many names of weights a sentence lists."""


class WithWeights(NamedTuple):
    """A model on its device; `real` says whether all of its weights came from files, `notes` what did not match.

    `missing` names the weights that no file has.
    """

    model: transformers.PreTrainedModel
    real: bool
    notes: tuple[str, ...]
    missing: tuple[str, ...] = ()


def built(entry: ModelEntry, source: ModelSource | None, dtype: str, *, seed: int, device: str = "cpu") -> WithWeights:
    """The model, its weights from files where there are any and random where not. Raises as `load` and `build` do."""
    if source is not None and source.weights:
        return load(entry, source, dtype, device=device)
    model = build(entry, dtype, seed=seed, device=device, config=None if source is None else source.config)
    return WithWeights(model, real=False, notes=())


def load(entry: ModelEntry, source: ModelSource, dtype: str, *, device: str = "cpu") -> WithWeights:
    """The folder's model, ready to run. Raises NotBuilt, or what torch raises out of memory."""
    chosen = model_class(entry.transformers_class)
    transformers.utils.logging.disable_progress_bar()
    try:
        loaded: Any = chosen.from_pretrained(
            source.folder,
            config=config_for(entry, source.config),
            dtype=DTYPES[dtype],
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,  # they are told in one sentence below
            output_loading_info=True,
        )
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise NotBuilt(f"the weights of {source.name} cannot be loaded: {first_line(error)}") from error
    model, found = loaded
    if mismatched := sorted(found["mismatched_keys"]):
        name, stored, built = mismatched[0][:3]
        raise NotBuilt(f"{name} is {_shape(stored)} in the files and {_shape(built)} by config.json")
    missing, unread = sorted(found["missing_keys"]), sorted(found["unexpected_keys"])
    notes = [*_missing_words(missing), *_unread_words(unread), *_count_words(entry, source, model)]
    ready = model.to(torch.device(device)).eval().requires_grad_(False)
    return WithWeights(ready, real=not missing, notes=tuple(notes), missing=tuple(missing))


def _shape(sizes: object) -> str:
    return " × ".join(str(size) for size in sizes) if isinstance(sizes, list | tuple | torch.Size) else str(sizes)


def _named(names: list[str]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _missing_words(missing: list[str]) -> list[str]:
    if not missing:
        return []
    return [f"{LACK} {_named(missing)}: these are random, so the weights do not count as real."]


def _unread_words(unread: list[str]) -> list[str]:
    return [f"The files also hold {_named(unread)}, which the measured class does not use."] if unread else []


def _count_words(entry: ModelEntry, source: ModelSource, model: transformers.PreTrainedModel) -> list[str]:
    """A sentence where the closed form, the module and the files do not agree on the number of parameters."""
    built, closed = count_parameters(model), entry.parameters
    if built != closed:
        return [
            f"The module has {built:,} parameters and the closed form gives {closed:,}: arithmetic and traffic "
            "of its cells are those of the closed form."
        ]
    if source.stored_parameters not in (None, built):
        return [f"The files hold {source.stored_parameters:,} numbers, the module has {built:,} parameters."]
    return []

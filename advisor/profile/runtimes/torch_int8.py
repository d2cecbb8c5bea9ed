"""PyTorch with linear layers in eight bits, quantised in place by torchao: weights once, activations while it runs.

The one idea: the module stays the one that is timed in float32, so its tasks are the same. Tables and whatever is no
linear layer keep their float32.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from torch import nn

from advisor.profile.build import NotBuilt
from advisor.profile.complaints import first_line
from advisor.profile.runtimes.torch_eager import Eager, Loaded

COMPUTES_IN = "int8 linear layers, float32 elsewhere"


def library() -> Any:
    """The part of torchao that quantises; the warm child has hidden the package from transformers."""
    if sys.modules.get("torchao", library) is None:
        del sys.modules["torchao"]
    return importlib.import_module("torchao.quantization")


def quantise(loaded: Loaded) -> Eager:
    """The module with eight bits. Raises NotBuilt where torchao does not take it."""
    quantization = library()
    if not any(isinstance(module, nn.Linear) for module in loaded.model.modules()):
        raise NotBuilt("it has no linear layers that torchao could quantise")
    try:
        quantization.quantize_(loaded.model, quantization.Int8DynamicActivationInt8WeightConfig())
    except Exception as error:
        raise NotBuilt(f"torchao cannot quantise it: {first_line(error)}") from error
    return Eager(loaded, computes_in=COMPUTES_IN)

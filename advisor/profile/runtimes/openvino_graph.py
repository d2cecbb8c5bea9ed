"""OpenVINO: an encoder's whole pass as a graph, converted once from the module and compiled in one precision.

What can be served stands in `core.sizing.runtimes`. The one idea: nothing is left to the library's own choice. The
precision is named when the graph is compiled, and the one that the compiled graph reports is what is recorded; a
precision that it does not take is a reason, never a figure under another name.

Eight bits: each row of a linear layer's weights is stored as whole numbers with one scale, and what it is multiplied
by is turned into whole numbers while it runs, in groups with a scale each. What lies between stays in the widest
precision that the processor is quick in.
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from advisor.core.hardware import Dtype
from advisor.core.model.anatomy import Anatomy
from advisor.core.model.source import Pooling
from advisor.core.sizing.measurement import CellPlan
from advisor.profile.build import NotBuilt
from advisor.profile.complaints import first_line
from advisor.profile.deviation import Outputs, Probe
from advisor.profile.inputs import token_ids
from advisor.profile.runtimes.torch_eager import Loaded, Task, cross_projections, nothing, unit_vectors

GRAPH = "model.xml"
PRECISIONS: dict[Dtype, str] = {"float32": "f32", "bfloat16": "bf16"}
TOGETHER = 128
"""Values of an activation that share a scale where products are of eight bits."""


def library() -> Any:
    """The library, kept from reporting home: without the package for that, it uses a stub of its own."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # what import takes for "not there"
    return importlib.import_module("openvino")


def convert(loaded: Loaded, dtype: Dtype, folder: Path) -> None:
    """Write the graph of a float32 module. The module is used up. Raises NotBuilt where the library cannot read it."""
    openvino, passes = library(), _Passes(loaded).eval()
    if dtype == "int8":
        _to_eight_bits(passes)
    ids = torch.ones(2, 8, dtype=torch.long)
    try:
        with torch.inference_mode(False), torch.no_grad():
            graph = openvino.convert_model(passes, example_input=ids)
    except Exception as error:  # its front end raises whatever the tracing met
        raise NotBuilt(f"OpenVINO cannot convert it: {first_line(error)}") from error
    openvino.save_model(graph, folder / GRAPH, compress_to_fp16=False)


class _Passes(nn.Module):
    """What one run computes: the states of the encoder, whatever stands on top, and the keys and values of a source."""

    def __init__(self, loaded: Loaded) -> None:
        super().__init__()
        model = loaded.model
        both = loaded.anatomy.encoder is not None and loaded.anatomy.decoder is not None
        self.body = model.get_encoder() if both else model
        self.projections = nn.ModuleList(part for pair in cross_projections(model) for part in pair) if both else ()

    def forward(self, ids: torch.Tensor) -> tuple[torch.Tensor, ...]:
        given = [one for one in self.body(input_ids=ids).to_tuple() if isinstance(one, torch.Tensor)]
        return (*given, *(project(given[0]) for project in self.projections))


class _EightBits(nn.Module):
    """A linear layer whose weights are whole numbers of eight bits, with a scale for each row.

    They keep the name of what they replace: some modules ask a layer of theirs for it.
    """

    weight: torch.Tensor
    scale: torch.Tensor

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        scale = layer.weight.abs().amax(dim=1, keepdim=True).clamp(min=torch.finfo(torch.float32).tiny) / 127
        self.register_buffer("weight", (layer.weight / scale).round().to(torch.int8))
        self.register_buffer("scale", scale)
        self.bias = layer.bias

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(given, self.weight.to(torch.float32) * self.scale, self.bias)


def _to_eight_bits(module: nn.Module) -> None:
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Linear):
            setattr(module, name, _EightBits(child))
        else:
            _to_eight_bits(child)


@dataclass(frozen=True, slots=True)
class Graph:
    """A compiled graph, with what its tasks need to know of the model."""

    compiled: Any
    computes_in: str
    anatomy: Anatomy
    padding: int | None
    pooling: Pooling | None
    seed: int

    def task(self, plan: CellPlan) -> Task:
        texts, request = self._ids(plan), self.compiled.create_infer_request()

        def run() -> torch.Tensor:
            return torch.from_numpy(request.infer({0: texts}, share_inputs=True, share_outputs=True)[0])

        if plan.stage == "embed":
            return Task(run=lambda: unit_vectors(run(), self.pooling or "mean"), reset=nothing, check=nothing)
        if plan.stage not in ("forward", "rerank", "encode"):
            raise ValueError(f"OpenVINO does not run the stage {plan.stage} here")
        return Task(run=run, reset=nothing, check=nothing)

    def outputs(self, probe: Probe) -> Outputs:
        name = "logits" if self.anatomy.head == "classifier" else "states"
        return {name: self.compiled.create_infer_request().infer({0: probe.ids.numpy()})[0]}

    def _ids(self, plan: CellPlan) -> Any:
        return token_ids(
            plan.batch_size,
            plan.input_tokens or 1,
            vocab_size=self.anatomy.vocab_size,
            padding=self.padding,
            seed=self.seed,
            device="cpu",
        ).numpy()


def load(
    folder: Path,
    dtype: Dtype,
    *,
    threads: int,
    anatomy: Anatomy,
    padding: int | None,
    pooling: Pooling | None,
    seed: int,
) -> Graph:
    """Compile the graph in a folder. Raises NotBuilt where this processor does not compute in the precision."""
    core = library().Core()
    wide = "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
    asked = PRECISIONS.get(dtype, wide)
    settings = {
        "INFERENCE_PRECISION_HINT": asked,
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": TOGETHER if dtype == "int8" else 0,
    }
    compiled = core.compile_model(core.read_model(folder / GRAPH), "CPU", settings)
    reported = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    if reported != asked:
        raise NotBuilt(f"OpenVINO was asked for {asked} and computes in {reported} on this processor")
    computes_in = f"int8, {reported} between layers" if dtype == "int8" else reported
    return Graph(compiled, computes_in, anatomy, padding, pooling, seed)

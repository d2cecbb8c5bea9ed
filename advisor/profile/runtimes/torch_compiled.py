"""PyTorch's compiler: an encoder's whole pass as generated code, made when the model comes to stand.

What can be served stands in `core.sizing.runtimes`. The one idea: compiling is over before anything is timed. The pass
is compiled for lengths and batches that may be any, tried at the sizes that are compiled for themselves, and each shape
runs once more before its first run counts; what the compiler gives up on is a reason, never a pass of plain PyTorch
under another name.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
import torch._dynamo  # its settings are no attribute of torch before it is asked for

from advisor.core.sizing.measurement import CellPlan
from advisor.profile.build import NotBuilt
from advisor.profile.complaints import first_line
from advisor.profile.deviation import Outputs, Probe
from advisor.profile.runtimes.torch_eager import Loaded, Task, outputs, task


@dataclass(frozen=True, slots=True)
class Compiled:
    """The module, its pass compiled in place."""

    loaded: Loaded
    computes_in: str | None = None

    def task(self, plan: CellPlan) -> Task:
        work = task(self.loaded, plan)
        work.run()
        work.reset()
        return work

    def outputs(self, probe: Probe) -> Outputs:
        return outputs(self.loaded, probe)


def compiled(loaded: Loaded, probe: Probe, *, backend: str = "inductor") -> tuple[Compiled, float]:
    """The module with its pass compiled, and the seconds that took. Raises NotBuilt where it cannot be."""
    torch._dynamo.config.suppress_errors = False
    torch._dynamo.config.fail_on_recompile_limit_hit = True
    both = loaded.anatomy.encoder is not None and loaded.anatomy.decoder is not None
    body = loaded.model.get_encoder() if both else loaded.model
    begun = time.perf_counter()
    try:
        body.compile(dynamic=True, backend=backend)
        with torch.inference_mode():
            for texts in (probe.ids, probe.ids[:1], probe.ids[:, : probe.ids.shape[1] // 2]):
                body(input_ids=texts.to(loaded.device))
    except Exception as error:  # the compiler's parts raise what they like, a missing C++ compiler among it
        raise NotBuilt(f"torch.compile cannot compile it: {first_line(error)}") from error
    return Compiled(loaded), time.perf_counter() - begun

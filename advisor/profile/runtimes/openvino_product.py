"""One product of matrices as OpenVINO computes it, for what it can do at most."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from advisor.core.hardware import Dtype
from advisor.profile.runtimes.openvino_graph import PRECISIONS, library


def product(x: Any, w: Any, dtype: Dtype, *, threads: int) -> Callable[[], object]:
    """x·Wᵀ of two square matrices, compiled in one precision. Raises RuntimeError where this processor has it not."""
    if dtype not in PRECISIONS:
        raise RuntimeError(f"OpenVINO is asked for no products in {dtype}")
    openvino, operations = library(), importlib.import_module("openvino.opset13")
    given = operations.parameter(list(x.shape), x.dtype)
    graph = openvino.Model([operations.matmul(given, operations.constant(w), False, True)], [given])
    asked = PRECISIONS[dtype]
    settings = {"INFERENCE_PRECISION_HINT": asked, "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1}
    compiled = openvino.Core().compile_model(graph, "CPU", settings)
    if compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name() != asked:
        raise RuntimeError(f"OpenVINO does not compute in {asked} on this processor")
    request = compiled.create_infer_request()
    return lambda: request.infer({0: x}, share_inputs=True, share_outputs=True)

"""Turn a model into another runtime's, or take the files that were made of it before, and load them.

The one idea: everything is made from the one module in float32 that torch would run on the same weights, and what that
module makes of a few texts is kept beside the files. So the deviation is always taken from what really runs, also when
the module was gone long ago; and its memory is given back before the first cell.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from advisor.core.model.anatomy import Anatomy
from advisor.core.model.cost import anatomy
from advisor.core.model.source import Weights
from advisor.core.sizing.measurement import Deviation
from advisor.core.values import Value
from advisor.profile.accelerator import Accelerator
from advisor.profile.build import config_for, count_parameters
from advisor.profile.deviation import Outputs, Probe, deviation, probe
from advisor.profile.orders import Built, Job
from advisor.profile.runtimes import ctranslate2_engine, openvino_graph, torch_int8
from advisor.profile.runtimes.served import Served
from advisor.profile.runtimes.torch_eager import Loaded, outputs
from advisor.profile.weights import WithWeights, built
from advisor.store.converted import converted, key_of
from advisor.store.known import measuring_code

ABOUT, REFERENCE = "about.json", "reference.npz"


class About(Value):
    """What is to be said of a conversion later: what was built for it, and the seconds that converting it took."""

    parameters: int
    weights: Weights
    notes: tuple[str, ...] = ()
    conversion_s: float


@dataclass(frozen=True, slots=True)
class Conversion:
    """A converted model, loaded. `load_s` is what loading took, conversion and building not counted."""

    served: Served
    built: Built
    deviation: Deviation | None
    conversion_s: float
    load_s: float


def built_in(job: Job, dtype: str, device: str) -> WithWeights:
    """The module of a job in a dtype, its weights from files where there are any."""
    return built(job.model, job.source, dtype, seed=job.seed, device=device)


def loaded_in(job: Job, model: transformers.PreTrainedModel, dtype: torch.dtype, device: str) -> Loaded:
    """A built module with what its tasks need to know."""
    pooling = None if job.source is None else job.source.pooling
    return Loaded(model, anatomy(job.model), dtype, device, job.seed, pooling)


def probe_of(job: Job, padding: int | None) -> Probe:
    """The texts whose outputs are compared for this job."""
    return probe(anatomy(job.model), context_tokens=job.model.context_tokens, padding=padding, seed=job.seed)


def quantised(job: Job) -> Conversion:
    """The module with linear layers in eight bits, made in place: nothing of it is kept on disk."""
    begun = time.perf_counter()
    found = built_in(job, "float32", "cpu")
    load_s = time.perf_counter() - begun
    loaded = loaded_in(job, found.model, torch.float32, "cpu")
    texts = probe_of(job, padding_of(found.model.config))
    reference, parameters = outputs(loaded, texts), count_parameters(found.model)
    begun = time.perf_counter()
    served = torch_int8.quantise(loaded)
    conversion_s = time.perf_counter() - begun
    return Conversion(
        served=served,
        built=Built(parameters=parameters, weights="real" if found.real else "random", notes=found.notes),
        deviation=deviation(served.outputs(texts), reference, real=found.real),
        conversion_s=conversion_s,
        load_s=load_s,
    )


def converted_model(job: Job, device: Accelerator) -> Conversion:
    """The model in the runtime of the job. Raises NotBuilt with the reason where that cannot be had."""
    folder = converted(key_of(_facts(job)), partial(_make, job))
    about = About.model_validate_json((folder / ABOUT).read_bytes())
    device.reset_peak()  # a service loads the files; it does not convert
    begun = time.perf_counter()
    padding = padding_of(_config(job))
    served = _load(job, folder, anatomy(job.model), padding)
    load_s = time.perf_counter() - begun
    with np.load(folder / REFERENCE) as kept:
        reference: Outputs = dict(kept)
    real = about.weights == "real"
    return Conversion(
        served=served,
        built=Built(parameters=about.parameters, weights=about.weights, notes=about.notes),
        deviation=deviation(served.outputs(probe_of(job, padding)), reference, real=real),
        conversion_s=about.conversion_s,
        load_s=load_s,
    )


def _make(job: Job, folder: Path) -> None:
    found = built_in(job, "float32", "cpu")
    loaded = loaded_in(job, found.model, torch.float32, "cpu")
    reference: dict[str, Any] = dict(outputs(loaded, probe_of(job, padding_of(found.model.config))))
    np.savez(folder / REFERENCE, **reference)
    parameters = count_parameters(found.model)
    begun = time.perf_counter()
    convert = openvino_graph.convert if job.runtime == "openvino" else ctranslate2_engine.convert
    convert(loaded, job.dtype, folder)
    about = About(
        parameters=parameters,
        weights="real" if found.real else "random",
        notes=found.notes,
        conversion_s=time.perf_counter() - begun,
    )
    (folder / ABOUT).write_text(about.model_dump_json())


def _load(job: Job, folder: Path, shape: Anatomy, padding: int | None) -> Served:
    pooling = None if job.source is None else job.source.pooling
    known: dict[str, Any] = {"threads": job.threads, "anatomy": shape, "padding": padding, "seed": job.seed}
    if job.runtime == "openvino":
        return openvino_graph.load(folder, job.dtype, pooling=pooling, **known)
    return ctranslate2_engine.load(folder, job.dtype, positions=job.model.positions, **known)


def _facts(job: Job) -> dict[str, object]:
    """Everything the files follow from. In wider precisions OpenVINO reads the same graph."""
    source, kept_by = job.source, openvino_graph if job.runtime == "openvino" else ctranslate2_engine
    return {
        "class": job.model.transformers_class,
        "type": job.model.model_type,
        "config": job.model.config if source is None else source.config,
        "context_tokens": job.model.context_tokens,
        "weights": source.weights_sha256 if source is not None and source.weights else job.seed,
        "runtime": [job.runtime, kept_by.library().__version__],
        "dtype": "float32" if job.runtime == "openvino" and job.dtype != "int8" else job.dtype,
        "versions": [torch.__version__, transformers.__version__],
        "code": measuring_code(),
    }


def _config(job: Job) -> transformers.PreTrainedConfig:
    return config_for(job.model, job.model.config if job.source is None else job.source.config)


def padding_of(config: transformers.PreTrainedConfig) -> int | None:
    """The id that the config pads with, where it names one."""
    return getattr(config, "pad_token_id", None)

"""What `advisor models` prints: the catalogue in a list, and one model with everything computed from its config."""

from __future__ import annotations

from typing import Any, Literal

from advisor.core.architecture import Architecture, Role
from advisor.core.hardware import Dtype
from advisor.core.model.catalog import Catalog
from advisor.core.model.cost import anatomy, kv_cache_bytes, stage_flops, weight_bytes
from advisor.core.model.entry import ModelEntry
from advisor.core.model.parameters import parameter_parts
from advisor.core.sizing.measurement import CellPlan, Stage
from advisor.core.task import Task
from advisor.core.values import Document, Value
from advisor.core.workload import Languages

DTYPES: tuple[Dtype, ...] = ("float32", "bfloat16", "float16")


class ModelLine(Value):
    """One model in the list."""

    id: str
    title: str
    architecture: Architecture
    parameters: int
    context_tokens: int
    license: str
    hub_id: str


class ModelsDocument(Document):
    """The catalogue, in the order of its files."""

    kind: Literal["models"] = "models"
    models: tuple[ModelLine, ...]


class ParameterShare(Value):
    """One part of a model: `copies` of it with `each` parameters make `parameters`."""

    part: str
    copies: int
    each: int
    parameters: int


class PerDtype(Value):
    """A number of bytes in every dtype."""

    float32: int
    bfloat16: int
    float16: int


class ModelDocument(Document):
    """One model: its entry, and what follows from its config by closed form.

    `parameters` counts the built module; `source_parameters` is the guide's figure where it is another. The shares of
    `parameter_breakdown` sum to `parameters`. `kv_bytes_per_token` is kept per sequence and token written (0 for a
    model that keeps nothing), `kv_bytes_per_source_token` per token of an encoder-decoder's source. `flops_per_token`
    are the operations for one token with nothing before it: read by an encoder, written by a model that writes;
    attention to earlier tokens comes on top. `flops_per_source_token` is the same for a token of an encoder-decoder's
    source; None for the others, which have no source.
    """

    kind: Literal["model"] = "model"
    id: str
    title: str
    architecture: Architecture
    roles: tuple[Role, ...]
    tasks: tuple[Task, ...]
    languages: Languages
    language_names: tuple[str, ...]
    model_type: str
    transformers_class: str
    config: dict[str, Any]
    context_tokens: int
    context_is_hard: bool
    context_covers: Literal["input", "input+output"]
    context_note: str | None
    parameters: int
    source_parameters: int | None
    parameter_breakdown: tuple[ParameterShare, ...]
    weight_bytes: PerDtype
    kv_bytes_per_token: PerDtype
    kv_bytes_per_source_token: PerDtype | None
    flops_per_token: int
    flops_per_source_token: int | None
    license: str
    hub_id: str
    source: str


def models_document(catalog: Catalog) -> ModelsDocument:
    """The catalogue as a list."""
    lines = (_shared(entry, ModelLine) for entry in catalog.entries.values())
    return ModelsDocument(models=tuple(ModelLine.model_validate(line) for line in lines))


def model_document(entry: ModelEntry) -> ModelDocument:
    """One entry with its closed forms."""
    has_source = entry.architecture == "encoder-decoder"
    return ModelDocument.model_validate(
        _shared(entry, ModelDocument)
        | {
            "parameter_breakdown": _breakdown(entry),
            "weight_bytes": PerDtype.model_validate({dtype: weight_bytes(entry, dtype) for dtype in DTYPES}),
            "kv_bytes_per_token": _kv_bytes(entry, context_tokens=1),
            "kv_bytes_per_source_token": _kv_bytes(entry, source_tokens=1) if has_source else None,
            "flops_per_token": _flops(entry, "forward" if entry.architecture == "encoder-only" else "decode"),
            "flops_per_source_token": _flops(entry, "encode") if has_source else None,
        }
    )


def _shared(entry: ModelEntry, document: type[Value]) -> dict[str, Any]:
    """The values of the entry that a document has too."""
    return {name: getattr(entry, name) for name in ModelEntry.model_fields if name in document.model_fields}


def _breakdown(entry: ModelEntry) -> tuple[ParameterShare, ...]:
    return tuple(
        ParameterShare(part=part.name, copies=part.copies, each=part.each, parameters=part.parameters)
        for part in parameter_parts(anatomy(entry))
    )


def _kv_bytes(entry: ModelEntry, *, context_tokens: int = 0, source_tokens: int = 0) -> PerDtype:
    sizes = {
        dtype: kv_cache_bytes(
            entry, dtype=dtype, batch_size=1, context_tokens=context_tokens, source_tokens=source_tokens
        )
        for dtype in DTYPES
    }
    return PerDtype.model_validate(sizes)


def _flops(entry: ModelEntry, stage: Stage) -> int:
    """Operations for a single token of a stage; the step that writes one has no source and nothing before it."""
    shape = {"context_tokens": 0} if stage == "decode" else {"input_tokens": 1}
    return stage_flops(entry, CellPlan(stage=stage, dtype="float32", batch_size=1, **shape))

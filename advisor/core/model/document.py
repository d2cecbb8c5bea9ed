"""What `advisor models` prints: the catalogue in a list, and one model with everything computed from its config."""

from __future__ import annotations

from typing import Any, Literal

from advisor.core.architecture import Architecture, Role
from advisor.core.hardware import Dtype
from advisor.core.model.catalog import Catalog
from advisor.core.model.cost import anatomy, flops_per_text, kv_cache_bytes, stage_flops, stages_of, weight_bytes
from advisor.core.model.entry import ModelEntry
from advisor.core.model.hosted import HostedModel
from advisor.core.model.parameters import parameter_parts
from advisor.core.sizing.measurement import CellPlan, Stage
from advisor.core.task import Task
from advisor.core.values import Document, Value
from advisor.core.workload import Languages

DTYPES: tuple[Dtype, ...] = ("float32", "bfloat16", "float16")


class ModelLine(Value):
    """One model in the list; what nobody has published is None. A `hosted` one runs only at its owner's."""

    id: str
    title: str
    architecture: Architecture | None
    parameters: int | None
    source_parameters: int | None
    context_tokens: int | None
    license: str
    hub_id: str | None
    hosted: bool


class ModelsDocument(Document):
    """The catalogue, in the order of its files; hosted models last."""

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
    attention to earlier tokens comes on top, and the `flops_per_text` that reading a text costs once, however short it
    is. `flops_per_source_token` is the same for a token of an encoder-decoder's source; None for the others, which have
    no source.

    A `hosted` model runs only at its `provider`: it has no config, so nothing is computed and all of that is None.
    What is published of its sizes stands in `published_sizes`; its `parameters` are published, not counted. `unknown`
    says of each figure that could stand in an entry and is None why nobody knows it.
    """

    kind: Literal["model"] = "model"
    id: str
    title: str
    hosted: bool
    provider: str | None = None
    architecture: Architecture | None
    roles: tuple[Role, ...]
    tasks: tuple[Task, ...]
    languages: Languages
    language_names: tuple[str, ...]
    model_type: str | None = None
    transformers_class: str | None = None
    config: dict[str, Any] | None = None
    published_sizes: dict[str, int] | None = None
    context_tokens: int | None
    context_is_hard: bool | None = None
    context_covers: Literal["input", "input+output"] | None
    context_note: str | None
    parameters: int | None
    source_parameters: int | None
    parameter_breakdown: tuple[ParameterShare, ...] | None = None
    weight_bytes: PerDtype | None = None
    kv_bytes_per_token: PerDtype | None = None
    kv_bytes_per_source_token: PerDtype | None = None
    flops_per_token: int | None = None
    flops_per_text: int | None = None
    flops_per_source_token: int | None = None
    license: str
    hub_id: str | None = None
    unknown: dict[str, str]
    notes: tuple[str, ...] = ()
    source: str


def models_document(catalog: Catalog) -> ModelsDocument:
    """The catalogue as a list."""
    models: list[ModelEntry | HostedModel] = [*catalog.entries.values(), *catalog.hosted.values()]
    return ModelsDocument(models=tuple(_line(model) for model in models))


def model_document(model: ModelEntry | HostedModel) -> ModelDocument:
    """One entry with its closed forms, or a hosted model with what is published of it."""
    if isinstance(model, HostedModel):
        known = _shared(model, ModelDocument) | {"published_sizes": model.sizes or None}
        return ModelDocument.model_validate(known | {"hosted": True})
    has_source = model.architecture == "encoder-decoder"
    return ModelDocument.model_validate(
        _shared(model, ModelDocument)
        | {
            "hosted": False,
            "parameter_breakdown": _breakdown(model),
            "weight_bytes": PerDtype.model_validate({dtype: weight_bytes(model, dtype) for dtype in DTYPES}),
            "kv_bytes_per_token": _kv_bytes(model, context_tokens=1),
            "kv_bytes_per_source_token": _kv_bytes(model, source_tokens=1) if has_source else None,
            "flops_per_token": _flops(model, "decode" if "decode" in stages_of(model) else stages_of(model)[0]),
            "flops_per_text": flops_per_text(model),
            "flops_per_source_token": _flops(model, "encode") if has_source else None,
        }
    )


def _line(model: ModelEntry | HostedModel) -> ModelLine:
    hosted = isinstance(model, HostedModel)
    return ModelLine.model_validate({"hub_id": None} | _shared(model, ModelLine) | {"hosted": hosted})


def _shared(model: ModelEntry | HostedModel, document: type[Value]) -> dict[str, Any]:
    """The values of the model that a document has too."""
    return {name: getattr(model, name) for name in type(model).model_fields if name in document.model_fields}


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
    once = 0 if stage == "decode" else flops_per_text(entry)
    return stage_flops(entry, CellPlan(stage=stage, dtype="float32", batch_size=1, **shape)) - once

"""Profiles of models whose service time is known, made without a process: the planner can be held to the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from advisor.core.architecture import Architecture, Role
from advisor.core.guide.recommendation import Component, Recommendation
from advisor.core.hardware import Dtype, Machine
from advisor.core.lengths import component_lengths
from advisor.core.model.entry import ModelEntry
from advisor.core.sizing.grid import cells_for
from advisor.core.sizing.measurement import Cell, CellPlan, Flag, Profile, ProfiledModel
from advisor.core.sizing.plan import Plan
from advisor.core.sizing.planning import plan
from advisor.core.workload import Answers, fill_defaults

Seconds = Callable[[CellPlan], float]

GIB = 1024**3
MACHINE = Machine(cpu="known", cores_usable=2, memory_limit_bytes=16 * GIB, versions={}, fingerprint="known")

_BERT = {
    "vocab_size": 30522,
    "hidden_size": 384,
    "num_hidden_layers": 2,
    "num_attention_heads": 6,
    "intermediate_size": 1536,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
}
_GPT2 = {"vocab_size": 50257, "n_positions": 8192, "n_embd": 256, "n_layer": 2, "n_head": 4}
_T5 = {
    "vocab_size": 32128,
    "d_model": 256,
    "d_kv": 64,
    "d_ff": 512,
    "num_layers": 2,
    "num_decoder_layers": 2,
    "num_heads": 4,
    "relative_attention_num_buckets": 32,
    "feed_forward_proj": "relu",
    "tie_word_embeddings": True,
}


def entry(name: str, architecture: Architecture) -> ModelEntry:
    """A small entry of one of the three families; its lengths are not limited by positions except the encoder's 512."""
    families: dict[str, tuple[str, str, dict[str, Any], int]] = {
        "encoder-only": ("bert", "BertModel", _BERT, 512),
        "decoder-only": ("gpt2", "GPT2LMHeadModel", _GPT2, 8192),
        "encoder-decoder": ("t5", "T5ForConditionalGeneration", _T5, 512),
    }
    model_type, transformers_class, config, context = families[architecture]
    return ModelEntry(
        id=name,
        title=name,
        architecture=architecture,
        roles=("model", "retriever", "generator"),
        tasks=("text-classification",),
        languages="one",
        model_type=model_type,
        transformers_class=transformers_class,
        config=config,
        context_tokens=context,
        context_is_hard=architecture != "encoder-decoder",
        context_covers="input+output" if architecture == "decoder-only" else "input",
        parameters=1_000_000,
        license="Apache-2.0",
        hub_id=f"known/{name}",
        source="made for tests",
    )


ENCODER = entry("known-encoder", "encoder-only")
DECODER = entry("known-decoder", "decoder-only")
SEQ2SEQ = entry("known-seq2seq", "encoder-decoder")
RERANKER = entry("known-reranker", "encoder-only").model_copy(
    update={"transformers_class": "BertForSequenceClassification", "config": _BERT | {"num_labels": 1}}
)
ENTRIES = {each.id: each for each in (ENCODER, DECODER, SEQ2SEQ, RERANKER)}


def cell(
    shape: CellPlan,
    seconds: float | None,
    *,
    width: float = 0.0,
    noise: Sequence[float] = (1.0,),
    peak_memory_bytes: int | None = GIB,
    flags: tuple[Flag, ...] = (),
    note: str | None = None,
) -> Cell:
    """A cell with this median, an interval `width` to either side of it, and these samples relative to it."""
    samples = None if seconds is None else tuple(seconds * each for each in noise)
    return Cell(
        **shape.model_dump(),
        device="cpu",
        threads=2,
        samples=0 if samples is None else len(samples),
        median_s=seconds,
        ci95_s=None if seconds is None else (seconds * (1 - width), seconds * (1 + width)),
        p95_s=None,
        throughput_per_s=None if seconds is None else shape.batch_size / seconds,
        throughput_unit="tokens" if shape.stage == "decode" else "sequences",
        peak_memory_bytes=None if seconds is None else peak_memory_bytes,
        flops=None,
        bytes_moved=None,
        flags=flags,
        note=note,
        samples_s=samples,
    )


def profile(model: ModelEntry, cells: Sequence[Cell]) -> Profile:
    """A profile of these cells."""
    measured = ProfiledModel(
        id=model.id, architecture=model.architecture, parameters=model.parameters, weights="random"
    )
    return Profile(machine=MACHINE, model=measured, cells=tuple(cells), best=(), wall_s=1.0)


def components(*parts: tuple[Role, ModelEntry | None]) -> tuple[Component, ...]:
    """Parts of a design; None is a part without a model."""
    return tuple(
        Component(
            role=role,
            architecture=None if model is None else model.architecture,
            model=None if model is None else model.id,
            because=(),
        )
        for role, model in parts
    )


def recommendation(answers: Mapping[str, Any], parts: tuple[Component, ...]) -> Recommendation:
    """A recommendation of these parts for these answers."""
    workload, defaulted = fill_defaults(Answers.model_validate(dict(answers)))
    architecture: Architecture = parts[0].architecture or "encoder-only"
    return Recommendation(
        workload=workload,
        defaulted=tuple(defaulted),
        architecture="retrieval-augmented-generation" if len(parts) > 2 else architecture,
        strength="default",
        components=parts,
        reasons=(),
        alternatives=(),
        warnings=(),
        notes=(),
        rules_version="0",
        rules_sha256="0",
    )


def planned(
    answers: Mapping[str, Any],
    parts: tuple[Component, ...],
    seconds: Mapping[str, Seconds],
    *,
    dtypes: tuple[Dtype, ...] = ("float32",),
    memory_limit_bytes: int = 16 * GIB,
    batch_sizes: Sequence[int] | None = None,
    alter: Callable[[Cell], Cell] = lambda each: each,
    width: float = 0.0,
    noise: Sequence[float] = (1.0,),
    seed: int = 0,
) -> Plan:
    """The plan for these parts, each measured in the cells the grid chooses, at the seconds given per role.

    `alter` may spoil or change a cell after it was made.
    """
    advice = recommendation(answers, parts)
    profiles: dict[Role, Profile] = {}
    for part in parts:
        if part.role not in seconds or part.model is None:
            continue
        model = ENTRIES[part.model]
        lengths = component_lengths(advice.workload, architecture=part.architecture, role=part.role)
        shapes = cells_for(model, lengths, role=part.role, dtypes=dtypes, batch_sizes=batch_sizes)
        cells = [alter(cell(shape, seconds[part.role](shape), width=width, noise=noise)) for shape in shapes]
        profiles[part.role] = profile(model, cells)
    return plan(
        advice,
        profiles,
        ENTRIES,
        memory_limit_bytes=memory_limit_bytes,
        reproduce="advisor advise",
        seed=seed,
    )


def encoder(shape: CellPlan) -> float:
    """10 ms and 4 ms more for each text of 128 tokens."""
    return 0.010 + 0.004 * shape.batch_size * (shape.input_tokens or 0) / 128


def decoder(shape: CellPlan) -> float:
    """A prompt token 0.2 ms; a step 20 ms, 2 ms more per answer and 0.001 ms more per cached token of each."""
    if shape.stage == "prefill":
        return 0.005 + 0.0002 * shape.batch_size * (shape.input_tokens or 0)
    return 0.020 + 0.002 * shape.batch_size + 1e-6 * shape.batch_size * (shape.context_tokens or 0)


def seq2seq(shape: CellPlan) -> float:
    """A source token 0.1 ms; a step 10 ms and 1 ms more per answer."""
    if shape.stage == "encode":
        return 0.005 + 0.0001 * shape.batch_size * (shape.input_tokens or 0)
    return 0.010 + 0.001 * shape.batch_size + 1e-7 * shape.batch_size * (shape.context_tokens or 0)


ONE_ENCODER = components(("model", ENCODER))
ONE_DECODER = components(("model", DECODER))
ONE_SEQ2SEQ = components(("model", SEQ2SEQ))
RETRIEVAL = components(("retriever", ENCODER), ("index", None))
WHOLE_RAG = components(("retriever", ENCODER), ("index", None), ("reranker", RERANKER), ("generator", DECODER))
RAG = components(("retriever", ENCODER), ("index", None), ("reranker", None), ("generator", DECODER))


TICKETS = {"task": "text-classification", "requests_per_second": 200, "latency_budget_ms": 80, "input_tokens": 128}
CHAT = {"task": "chat", "requests_per_second": 2, "latency_budget_ms": 4000, "input_tokens": 64, "output_tokens": 64}
TRANSLATION = {"task": "translation", "requests_per_second": 5, "latency_budget_ms": 2500, "output_tokens": 64}
SEARCH = {"task": "retrieval", "requests_per_second": 50, "latency_budget_ms": 80, "input_tokens": 32}
ANSWERS = {
    "task": "retrieval-augmented-generation",
    "requests_per_second": 2,
    "latency_budget_ms": 12000,
    "input_tokens": 512,
    "output_tokens": 64,
}


def tickets(**changed: Any) -> Plan:
    return planned({**TICKETS, **changed}, ONE_ENCODER, {"model": encoder})


def chat(**changed: Any) -> Plan:
    return planned({**CHAT, **changed}, ONE_DECODER, {"model": decoder})


def translation(**changed: Any) -> Plan:
    return planned({**TRANSLATION, **changed}, ONE_SEQ2SEQ, {"model": seq2seq})


def search(**changed: Any) -> Plan:
    return planned({**SEARCH, **changed}, RETRIEVAL, {"retriever": encoder})


def reranked(**changed: Any) -> Plan:
    return planned({**ANSWERS, **changed}, WHOLE_RAG, {"retriever": encoder, "reranker": encoder, "generator": decoder})


def answers(**changed: Any) -> Plan:
    return planned({**ANSWERS, **changed}, RAG, {"retriever": encoder, "generator": decoder})


def mid(plan: Plan) -> int:
    assert plan.replicas is not None
    return plan.replicas.mid


def slower(seconds: Seconds, factor: float) -> Seconds:
    return lambda shape: factor * seconds(shape)

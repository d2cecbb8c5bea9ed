"""Which cells to measure: few, around the workload, what decides most first.

Lengths and batches are chosen here and nothing is measured. The one idea: time may run out after any cell, so the
list is an order of importance: first one request of the planned shape in every configuration, for no number of replicas
mends that; then the larger batches of that shape, which set the capacity, and the longest request, without which no
plan is sure, the cheaper ones first; then the other lengths, which say what a shorter input would win.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from advisor.core.architecture import Role
from advisor.core.hardware import Dtype
from advisor.core.lengths import Lengths
from advisor.core.model.cost import stage_flops, stages_of
from advisor.core.model.entry import ModelEntry
from advisor.core.sizing.latency import usable
from advisor.core.sizing.measurement import Best, Cell, CellPlan, Stage
from advisor.core.sizing.runtimes import Configuration, without_stage

BATCH_SIZES = (1, 4, 8)
INPUT_TOKENS = (32, 64, 128)
FEW_ANSWERS = (2, 3)
"""Answers written together at which a step is measured besides. Kernels for one row, for a few and for
many differ: on processors a step of two may take longer than one of four, and it is the batch that light traffic has.
"""
OUTPUT_TOKENS = 32
"""How deep an encoder-decoder's cache is where nobody says how much is written."""
_PASSES_PER_REQUEST = 5
"""Where a request holds many texts: they are measured in one pass, and in this many, which takes less memory."""
_STAGE_OF_ROLE: Mapping[Role, Stage] = {"retriever": "embed", "reranker": "rerank"}
_ALONE, _TOGETHER, _SHORTER = range(3)


@dataclass(frozen=True, slots=True)
class _Shape:
    """A length to measure, the tokens written after it (None: nobody said), how much hangs on it, and whether only one
    request at a time is of interest there.
    """

    tokens: int
    written: int | None
    rank: int
    alone: bool = False


def cells_for(
    entry: ModelEntry,
    lengths: Lengths,
    *,
    role: Role,
    dtypes: Sequence[Dtype],
    others: Sequence[Configuration] = (),
    batch_sizes: Sequence[int] | None = None,
    input_tokens: Sequence[int] | None = None,
    output_tokens: int | None = None,
) -> tuple[CellPlan, ...]:
    """Cells for a component that reads and writes `lengths`, the most decisive first.

    `dtypes` are those of torch; `others` are served by other runtimes. Whatever is given replaces what would be chosen.
    A length the model has no positions for is listed all the same: the cell is then refused with that reason, which
    says more than a figure for another length.
    """
    written = max(lengths.output_tokens if output_tokens is None else output_tokens, 1)
    most = max(lengths.longest_output_tokens if output_tokens is None else output_tokens, written)
    if input_tokens is not None:
        shapes = [_Shape(tokens, written, _TOGETHER) for tokens in input_tokens]
        shapes += [_Shape(tokens, most, _TOGETHER, alone=True) for tokens in input_tokens if most > written]
    else:
        shapes = _shapes_around(lengths, written, most, entry)
    batches = sorted(set(batch_sizes or _batch_sizes(lengths)))
    lone = batches[-1] if lengths.texts > 1 else 1
    few = FEW_ANSWERS if batch_sizes is None and lengths.texts == 1 else ()
    return _cells(entry, role, _configurations(dtypes, others), batches, shapes, lone_batch=lone, few=few)


def default_cells(
    entry: ModelEntry,
    *,
    dtypes: Sequence[Dtype],
    others: Sequence[Configuration] = (),
    batch_sizes: Sequence[int] | None = None,
    input_tokens: Sequence[int] | None = None,
    output_tokens: int | None = None,
) -> tuple[CellPlan, ...]:
    """Cells of a model without a workload, in the first role it has: lengths that every model of today reads.

    Decoding is measured at one depth for each length, or at the first and the last step of `output_tokens`.
    """
    lengths = input_tokens or [tokens for tokens in INPUT_TOKENS if tokens < entry.context_tokens] or [1]
    shapes = [_Shape(tokens, output_tokens, _TOGETHER) for tokens in lengths]
    batches, served = sorted(set(batch_sizes or BATCH_SIZES)), _configurations(dtypes, others)
    return _cells(entry, entry.roles[0], served, batches, shapes)


def best_cells(cells: Sequence[Cell]) -> tuple[Best, ...]:
    """For each stage that has a figure, the cell with the highest throughput and the one with the shortest run."""
    best: list[Best] = []
    whole = {index: cell for index, cell in enumerate(cells) if usable(cell) and cell.layers is None}
    for stage in dict.fromkeys(cell.stage for cell in whole.values()):
        indices = [index for index, cell in whole.items() if cell.stage == stage]
        fastest = max(indices, key=lambda index: cells[index].throughput_per_s or 0.0)
        shortest = min(indices, key=lambda index: cells[index].median_s or float("inf"))
        best.append(Best(stage=stage, throughput_cell=fastest, latency_cell=shortest))
    return tuple(best)


def _configurations(dtypes: Sequence[Dtype], others: Sequence[Configuration]) -> list[Configuration]:
    return [*(Configuration("torch", dtype) for dtype in dtypes), *others]


def _batch_sizes(lengths: Lengths) -> tuple[int, ...]:
    """The texts of so many requests together; where one request holds many, all of them at once, or a part."""
    if lengths.texts == 1:
        return BATCH_SIZES
    return max(1, lengths.texts // _PASSES_PER_REQUEST), lengths.texts


def _shapes_around(lengths: Lengths, written: int, most: int, entry: ModelEntry) -> list[_Shape]:
    """The typical length; the longest, one request at a time; and half the typical one where a pass is the whole answer
    and the length is the workload's to shorten.

    The longest answer is `most` tokens. A step that also looks at a source is measured that deep at the typical one,
    for those are the steps that a plan takes.
    """
    typical, longest = lengths.input_tokens, lengths.longest_input_tokens
    passes_once, shapes = "decode" not in stages_of(entry), [_Shape(typical, written, _TOGETHER)]
    if longest > typical or (most > written and entry.architecture == "decoder-only"):
        shapes.append(_Shape(longest, most, _TOGETHER, alone=True))
    if most > written and entry.architecture == "encoder-decoder":
        shapes.append(_Shape(typical, most, _TOGETHER, alone=True))
    if passes_once and typical > 1 and lengths.texts == 1:
        shapes.append(_Shape(typical // 2, written, _SHORTER))
    return shapes


def _cells(
    entry: ModelEntry,
    role: Role,
    configurations: Sequence[Configuration],
    batch_sizes: Sequence[int],
    shapes: Sequence[_Shape],
    *,
    lone_batch: int = 1,
    few: Sequence[int] = (),
) -> tuple[CellPlan, ...]:
    """All cells of these shapes, each once, ordered by what hangs on them and then by what they cost.

    `lone_batch` texts are one request on its own; batches of `few` are measured in their decode steps only.
    """
    ranked: dict[CellPlan, tuple[int, int, int]] = {}
    for order, served in enumerate(configurations):
        for shape in shapes:
            for batch in (lone_batch,) if shape.alone else batch_sizes:
                planned = batch == lone_batch and shape.rank == _TOGETHER and not shape.alone
                rank = _ALONE if planned else shape.rank
                for cell in _stage_cells(entry, role, served, batch, shape):
                    ranked.setdefault(cell, (rank, order, stage_flops(entry, cell)))
            for batch in () if shape.alone else few:
                steps = (cell for cell in _stage_cells(entry, role, served, batch, shape) if cell.stage == "decode")
                ranked.update({cell: (shape.rank, order, stage_flops(entry, cell)) for cell in steps})
    return tuple(sorted(ranked, key=lambda cell: ranked[cell]))


def _stage_cells(entry: ModelEntry, role: Role, served: Configuration, batch: int, shape: _Shape) -> list[CellPlan]:
    """The cells of these stages that the runtime runs."""
    cells = _all_stages(entry, role, served, batch, shape.tokens, shape.written)
    return [cell for cell in cells if without_stage(served.runtime, entry, cell.stage) is None]


def _all_stages(
    entry: ModelEntry, role: Role, served: Configuration, batch: int, tokens: int, output_tokens: int | None
) -> list[CellPlan]:
    """One cell per stage of the model and, for decoding, per depth: the first step of an answer and the last."""
    stages, (runtime, dtype) = stages_of(entry), served
    if "decode" not in stages:
        wanted = _STAGE_OF_ROLE.get(role, "forward")
        stage = wanted if wanted in stages else stages[0]
        return [CellPlan(stage=stage, runtime=runtime, dtype=dtype, batch_size=batch, input_tokens=tokens)]
    if entry.architecture == "decoder-only":
        read = CellPlan(stage="prefill", runtime=runtime, dtype=dtype, batch_size=batch, input_tokens=tokens)
        depths = [tokens] if output_tokens is None else sorted({tokens, tokens + output_tokens - 1})
        if output_tokens == 1:  # the first token is the whole answer, and it comes with the prompt
            depths = []
        source = None
    else:
        read = CellPlan(stage="encode", runtime=runtime, dtype=dtype, batch_size=batch, input_tokens=tokens)
        depths = [OUTPUT_TOKENS] if output_tokens is None else sorted({1, output_tokens})
        source = tokens
    steps = [
        read.model_copy(update={"stage": "decode", "input_tokens": source, "context_tokens": depth}) for depth in depths
    ]
    return [read, *steps]

"""The stages that only a model with files of its own has: loading its weights, and its tokenizer.

Pure: cells in, cells out. They are measured at the shapes of the passes they belong to, so that a plan can add what
tokenising takes to what reading takes. The one idea: neither may cost the passes their time, so there is one start for
each configuration, before its first pass, and tokenising, which none of them changes, comes once and last.
"""

from __future__ import annotations

from collections.abc import Sequence

from advisor.core.model.source import ModelSource
from advisor.core.sizing.measurement import CellPlan
from advisor.core.sizing.runtimes import Configuration


def with_own_stages(
    cells: Sequence[CellPlan], source: ModelSource, *, batch_sizes: Sequence[int] | None = None
) -> tuple[CellPlan, ...]:
    """The cells with those of the model's own stages around them.

    Tokenising one text after another takes as much longer as there are texts, so the smallest and the largest batch are
    measured, unless the caller fixed `batch_sizes`: then those are.
    """
    reading = [cell for cell in cells if cell.stage != "decode"]
    if not reading:
        return tuple(cells)
    served = dict.fromkeys(Configuration(cell.runtime, cell.dtype) for cell in reading)
    loads = [_start(reading, one) for one in served] if source.weights else []
    tokenizing = _tokenizing(reading, all_batches=batch_sizes is not None) if source.tokenizer_sha256 else []
    return (*loads, *cells, *tokenizing)


def _start(reading: Sequence[CellPlan], served: Configuration) -> CellPlan:
    """Loading and a first call with a single text of the planned length."""
    first = next(cell for cell in reading if (cell.runtime, cell.dtype) == served)
    return first.model_copy(update={"stage": "load", "batch_size": 1})


def _tokenizing(reading: Sequence[CellPlan], *, all_batches: bool) -> list[CellPlan]:
    first = reading[0]
    alike = [cell for cell in reading if (cell.runtime, cell.dtype) == (first.runtime, first.dtype)]
    shapes = dict.fromkeys((cell.batch_size, cell.input_tokens) for cell in alike)
    ends = {min(batch for batch, _ in shapes), max(batch for batch, _ in shapes)}
    return [
        first.model_copy(update={"stage": "tokenize", "batch_size": batch, "input_tokens": tokens})
        for batch, tokens in shapes
        if all_batches or batch in ends
    ]

"""The same task on several architectures, measured side by side (contract: `comparison`), and the guide's claims on it.

Values only: who measures stands in `comparing`, how ratios come about in `sizing.sides`, how claims are judged in
`claims`. What architectures can do at all stands here too, because without two of them there is nothing to compare.
"""

from __future__ import annotations

from typing import Literal

from advisor.core.architecture import Architecture
from advisor.core.guide.recommendation import Source
from advisor.core.guide.rulebook import Quantity
from advisor.core.report import Report
from advisor.core.task import TASKS, UNDERSTANDING_TASKS, VECTOR_TASKS, Task
from advisor.core.values import Document, Value
from advisor.core.workload import Workload

Outcome = Literal["confirmed", "refuted", "undecided"]
NOT_MEASURED = (
    "quality: which of these answers are right is not measured, and random weights could not show it",
    "training: what it takes to fine-tune an encoder, or to find a prompt that works, is not counted",
)

_ONE_PASS_OR_WRITTEN: tuple[Architecture, ...] = ("encoder-only", "decoder-only", "encoder-decoder")
_SOURCE_TO_TARGET: tuple[Task, ...] = (
    "translation",
    "summarization",
    "table-to-text",
    "abstractive-question-answering",
)


def capable(task: Task) -> tuple[Architecture, ...]:
    """The architectures that can do a task at all, well or badly. Sources: G03, G04, G07, G12, G25.

    A label can be read off one pass or written out; a vector comes from a model that reads; a hidden word is filled in
    by an encoder alone, and open-ended text is written by a decoder alone.
    """
    if task in VECTOR_TASKS:
        return ("encoder-only", "decoder-only")
    if task in UNDERSTANDING_TASKS:
        return ("encoder-only",) if task == "fill-mask" else _ONE_PASS_OR_WRITTEN
    return ("decoder-only", "encoder-decoder") if task in _SOURCE_TO_TARGET else ("decoder-only",)


def comparable_tasks() -> tuple[Task, ...]:
    """The tasks that more than one architecture can do."""
    return tuple(task for task in TASKS if len(capable(task)) > 1)


class Seconds(Value):
    """Low, mid and high seconds, as far as the measurement knows."""

    low: float
    mid: float
    high: float


class Entry(Value):
    """One side. `latency_s` is a request that is alone, `machine_time_s` how long each request occupies a machine that
    serves as many as it can; both for the best configuration measured, None where there is no figure.

    `reads_tokens` and `writes_tokens` are those of one request, `prompt_tokens` of them examples put in front of it.
    """

    architecture: Architecture
    model: str | None
    parameters: int | None
    reads_tokens: int
    writes_tokens: int
    prompt_tokens: int
    latency_s: Seconds | None
    machine_time_s: Seconds | None
    report: Report


class Ratio(Value):
    """How many times what one side takes another side takes. `rounds` are the ratios within each round."""

    quantity: Quantity
    dearer: Architecture
    cheaper: Architecture
    ratio: float
    ci95: tuple[float, float]
    ci_method: Literal["widest-of-rounds"] = "widest-of-rounds"
    rounds: tuple[float, ...]


class ClaimResult(Value):
    """A claim of the guide beside the measurement, on this machine. `note` says what the outcome rests on."""

    id: str
    says: str
    source: tuple[Source, ...]
    outcome: Outcome
    quantity: Quantity | None
    dearer: Architecture | None
    cheaper: Architecture | None
    at_least: float | None
    ratio: float | None
    ci95: tuple[float, float] | None
    note: str


class Comparison(Document):
    """The same task on every architecture that can do it, measured in one run of interleaved rounds."""

    kind: Literal["comparison"] = "comparison"
    workload: Workload
    advised: Architecture
    entries: tuple[Entry, ...]
    ratios: tuple[Ratio, ...]
    claims: tuple[ClaimResult, ...]
    not_measured: tuple[str, ...] = NOT_MEASURED
    rounds: int
    reproduce: str
    wall_s: float

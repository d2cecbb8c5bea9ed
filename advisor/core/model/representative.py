"""Which model of the catalogue stands for a component, and why that one.

Preference is data: the catalogue's table names models, best first. Whether one can stand is arithmetic, asked in this
order: does it play the part, does it read the texts, does it speak the languages, does it fit the memory in some dtype.
The first that passes stands; each one passed over leaves a sentence with its figures, so that nobody has to guess. No
model is ever built or measured here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from advisor.core.architecture import Architecture, Role
from advisor.core.guide.decide import decide
from advisor.core.guide.recommendation import Because
from advisor.core.hardware import Dtype
from advisor.core.lengths import Lengths
from advisor.core.model.catalog import OURS, Catalog
from advisor.core.model.context import context_needed, length_refusal
from advisor.core.model.cost import stages_of
from advisor.core.model.entry import ModelEntry
from advisor.core.model.memory import PeakMemory, peak_memory, sized
from advisor.core.task import Task
from advisor.core.workload import Languages, Priority, Workload

if TYPE_CHECKING:  # a decision alone must not pay for the shapes of measurements
    from advisor.core.sizing.measurement import Stage

DTYPES: tuple[Dtype, ...] = ("float32", "bfloat16")
"""The dtypes tried, in this order: full precision where it fits."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a component must do. Token numbers are the largest stated; `memory_limit_bytes` None asks for no limit."""

    role: Role
    architecture: Architecture
    task: Task
    priority: Priority
    languages: Languages
    input_tokens: int
    output_tokens: int
    memory_limit_bytes: int | None

    @classmethod
    def of(
        cls,
        workload: Workload,
        lengths: Lengths,
        *,
        role: Role,
        architecture: Architecture,
        memory_limit_bytes: int | None,
    ) -> Need:
        """What a component of the design for a workload must do; `lengths` are its own."""
        return cls(
            role=role,
            architecture=architecture,
            task=workload.task,
            priority=workload.priority,
            languages=workload.languages,
            input_tokens=lengths.longest_input_tokens,
            output_tokens=lengths.longest_output_tokens,
            memory_limit_bytes=memory_limit_bytes,
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """The model that stands, the dtypes it fits in (in the order tried), and why. Without a model, why none does."""

    model: ModelEntry | None
    dtypes: tuple[Dtype, ...]
    because: tuple[Because, ...]


class _OneRequest(NamedTuple):
    """A stage serving a single request."""

    stage: Stage
    dtype: Dtype
    input_tokens: int | None = None
    context_tokens: int | None = None
    batch_size: int = 1


def choose(need: Need, catalog: Catalog) -> Choice:
    """The first model preferred for `need` that plays the part, reads, speaks and fits."""
    facts = {"role": need.role, "architecture": need.architecture, "task": need.task, "priority": need.priority}
    rule = decide(catalog.preferences, facts).rule
    preferred = (rule.then,) if isinstance(rule.then, str) else rule.then
    reason = Because(says=rule.because, source=catalog.source(rule.source))
    passed_over: list[Because] = []
    for entry in map(catalog.get, preferred):
        if refusal := next(_refusals(entry, need, catalog), None):
            passed_over.append(refusal)
            continue
        notes = (*_dtype_notes(entry, need, catalog), *_length_notes(entry, need, catalog))
        return Choice(entry, fitting_dtypes(entry, need), (reason, *passed_over, *notes))
    return Choice(None, (), (reason, *passed_over))


def fitting_dtypes(entry: ModelEntry, need: Need, dtypes: Sequence[Dtype] = DTYPES) -> tuple[Dtype, ...]:
    """The dtypes in which one request of this length fits the memory, in the order tried."""
    limit = need.memory_limit_bytes
    return tuple(dtype for dtype in dtypes if limit is None or memory_needed(entry, need, dtype).total <= limit)


def memory_needed(entry: ModelEntry, need: Need, dtype: Dtype) -> PeakMemory:
    """What one request of this length holds at its peak, in the stage that holds most."""
    return max((peak_memory(entry, plan) for plan in _plans(entry, need, dtype)), key=lambda memory: memory.total)


def _plans(entry: ModelEntry, need: Need, dtype: Dtype) -> Iterator[_OneRequest]:
    """The stages of one request, the last token's step for those that write."""
    read, written = need.input_tokens, max(need.output_tokens - 1, 0)
    stages = stages_of(entry)
    if "decode" not in stages:
        yield _OneRequest(stages[0], dtype, input_tokens=read)
    elif entry.architecture == "decoder-only":
        yield _OneRequest("prefill", dtype, input_tokens=read)
        yield _OneRequest("decode", dtype, context_tokens=read + written)
    else:
        yield _OneRequest("encode", dtype, input_tokens=read)
        yield _OneRequest("decode", dtype, input_tokens=read, context_tokens=written)


def _refusals(entry: ModelEntry, need: Need, catalog: Catalog) -> Iterator[Because]:
    """Why this model cannot stand, most basic first. Nothing comes where it can."""
    if words := _part_refusal(entry, need):
        yield Because(says=words, source=catalog.source((OURS,)))
    if words := length_refusal(entry, need.input_tokens, need.output_tokens):
        yield Because(says=words, source=catalog.source(entry.context_source))
    if need.languages == "many" and entry.languages == "one":
        known = ", ".join(entry.language_names) or "one language"
        words = f"{entry.id} was trained on {known}, and many languages are asked for."
        yield Because(says=words, source=catalog.source((OURS,)))
    if not fitting_dtypes(entry, need):
        yield Because(says=_memory_refusal(entry, need, DTYPES[-1]), source=catalog.source((OURS,)))


def _part_refusal(entry: ModelEntry, need: Need) -> str | None:
    if entry.architecture != need.architecture:
        return f"{entry.id} is {entry.architecture}, and the part needs {need.architecture}."
    if need.role not in entry.roles:
        return f"{entry.id} was never tuned as a {need.role}; it serves as {' or '.join(entry.roles)}."
    # a part of a pipeline is judged by its role: the task is the whole pipeline's
    if need.role == "model" and need.task not in entry.tasks:
        return f"{entry.id} is not meant for {need.task}: it does {', '.join(entry.tasks)}."
    return None


def _memory_refusal(entry: ModelEntry, need: Need, dtype: Dtype) -> str:
    limit = sized(need.memory_limit_bytes or 0)
    return f"{entry.id} in {dtype} needs {memory_needed(entry, need, dtype).sum}, and {limit} may be used."


def _dtype_notes(entry: ModelEntry, need: Need, catalog: Catalog) -> Iterator[Because]:
    """The dtypes that were refused on the way to the first that fits."""
    fitting = fitting_dtypes(entry, need)
    for dtype in DTYPES[: DTYPES.index(fitting[0])]:
        takes = sized(memory_needed(entry, need, fitting[0]).total)
        words = f"{_memory_refusal(entry, need, dtype)} In {fitting[0]} it takes {takes} and fits."
        yield Because(says=words, source=catalog.source((OURS,)))


def _length_notes(entry: ModelEntry, need: Need, catalog: Catalog) -> Iterator[Because]:
    """What a reader of long texts should know of the model that stands."""
    beyond = entry.context_note_beyond or entry.context_tokens
    if entry.context_note and (needed := context_needed(entry, need.input_tokens, need.output_tokens)) > beyond:
        words = f"{entry.id} with {needed:,} tokens: {entry.context_note}"
        yield Because(says=words, source=catalog.source(entry.context_source))

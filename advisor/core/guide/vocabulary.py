"""The axes that rules may speak of: the answers of a workload, and the facts of a design.

`over: workload` is what a team says about its task. `over: design` adds what was chosen, so that the same tables judge
the advised design, its alternatives and a declared one. The order is the contract's and settles ties.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from advisor.core.architecture import ARCHITECTURES
from advisor.core.guide.axis import AxisSpec, Value
from advisor.core.task import TASKS
from advisor.core.workload import MAX_REQUESTS_PER_SECOND, PERCENTILES, PRIORITIES, Answers, Workload, fill_defaults

Over = Literal["workload", "design"]

_FLAG: tuple[Value, ...] = (False, True)
_TOKENS_MAX = 10_000_000
_COUNT_MAX = 10**12

WORKLOAD_AXES: tuple[AxisSpec, ...] = (
    AxisSpec("task", TASKS),
    AxisSpec("requests_per_second", lowest=0, highest=MAX_REQUESTS_PER_SECOND),
    AxisSpec("latency_budget_ms", nullable=True, lowest=0),
    AxisSpec("first_token_budget_ms", nullable=True, lowest=0),
    AxisSpec("latency_percentile", PERCENTILES),
    AxisSpec("input_tokens", whole=True, lowest=1, highest=_TOKENS_MAX),
    AxisSpec("input_tokens_max", nullable=True, whole=True, lowest=1, highest=_TOKENS_MAX),
    AxisSpec("output_tokens", whole=True, lowest=0, highest=_TOKENS_MAX),
    AxisSpec("output_tokens_max", nullable=True, whole=True, lowest=0, highest=_TOKENS_MAX),
    AxisSpec("labelled_examples", nullable=True, whole=True, lowest=0, highest=_COUNT_MAX),
    AxisSpec("priority", PRIORITIES),
    AxisSpec("structured_source_target", _FLAG),
    AxisSpec("one_model_many_tasks", _FLAG),
    AxisSpec("languages", ("one", "many")),
    AxisSpec("corpus_documents", whole=True, lowest=0, highest=_COUNT_MAX),
    AxisSpec("long_structured_input", _FLAG),
    AxisSpec("contrastive_decoder", _FLAG),
    AxisSpec("hosting", ("self", "api", "either")),
    AxisSpec("memory_limit_gib", nullable=True, lowest=0),
    AxisSpec("replica_cost_per_hour", nullable=True, lowest=0),
)
"""Every answer but `requests_per_day` and `peak_factor`, which only say `requests_per_second` in another way."""

DESIGN_AXES: tuple[AxisSpec, ...] = (
    *WORKLOAD_AXES,
    AxisSpec("architecture", ARCHITECTURES),
    AxisSpec("parameters", nullable=True, whole=True, lowest=1),
    AxisSpec("contrastive", _FLAG),
    AxisSpec("mask_found", ("bidirectional", "causal", "prefix"), nullable=True),
    AxisSpec("context_tokens", nullable=True, whole=True, lowest=1),
    AxisSpec("context_is_hard", _FLAG, nullable=True),
)
"""`contrastive`: an embedding decoder tuned contrastively is at hand or declared. `mask_found`: the pattern of the
self- attention that reads the text, or writes it where the design writes. A null is what nobody has found out.
"""

AXES: Mapping[Over, tuple[AxisSpec, ...]] = {"workload": WORKLOAD_AXES, "design": DESIGN_AXES}


def workload_facts(workload: Workload) -> dict[str, Value]:
    """The answers by axis."""
    return {spec.name: getattr(workload, spec.name) for spec in WORKLOAD_AXES}


def said_facts(answers: Answers) -> dict[str, Value]:
    """What was said by axis, and nothing else: a rate per day is a rate per second said otherwise."""
    workload, _ = fill_defaults(answers)
    said: dict[str, Value] = {key: getattr(workload, key) for key in answers.model_fields_set}
    if answers.requests_per_day is not None:
        said["requests_per_second"] = workload.requests_per_second
    return said


def design_facts(
    workload: Workload,
    *,
    architecture: str,
    parameters: int | None = None,
    contrastive: bool | None = None,
    mask_found: str | None = None,
    context_tokens: int | None = None,
    context_is_hard: bool | None = None,
) -> dict[str, Value]:
    """The answers and the design by axis; `contrastive` left out is what the answers say is at hand."""
    return workload_facts(workload) | {
        "architecture": architecture,
        "parameters": parameters,
        "contrastive": workload.contrastive_decoder if contrastive is None else contrastive,
        "mask_found": mask_found,
        "context_tokens": context_tokens,
        "context_is_hard": context_is_hard,
    }

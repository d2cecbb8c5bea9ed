"""Cells that are refused before anything is allocated: what the model cannot do, and what does not fit, with the sums.

The one idea: a refusal is a figure compared with a limit, said in one sentence, and it comes before the machine
suffers.
"""

from __future__ import annotations

from collections.abc import Mapping

from advisor.core.hardware import DeviceDetail, Dtype
from advisor.core.model.cost import stages_of, weight_bytes
from advisor.core.model.entry import ModelEntry
from advisor.core.model.memory import peak_memory, sized
from advisor.core.sizing.measurement import CellPlan, Flag
from advisor.core.sizing.runtimes import is_converted, why_not, without_stage


def refusal(entry: ModelEntry, plan: CellPlan, *, limit_bytes: int, available_bytes: int) -> tuple[Flag, str] | None:
    """Why the cell is not attempted, or None where nothing speaks against it."""
    if plan.stage in ("load", "tokenize"):  # both run where the model stands, with no more than one text in it
        plan = plan.model_copy(update={"stage": stages_of(entry)[0], "batch_size": 1})
    wrong = _no_such_stage(entry, plan) or _missing_length(entry, plan) or _beyond_context(entry, plan)
    if wrong is not None:
        return "unsupported", wrong
    too_big = _does_not_fit(entry, plan, limit_bytes, available_bytes)
    return None if too_big is None else ("does-not-fit", too_big)


def refusal_of_dtype(detail: DeviceDetail | None, dtype: Dtype) -> tuple[Flag, str] | None:
    """Why the device cannot compute in this dtype, or None where it can or nobody knows.

    Eight bits are a matter of the runtime: torch itself has no such dtype for a model.
    """
    if detail is None or not detail.dtypes or dtype in detail.dtypes or dtype == "int8":
        return None
    known = " and ".join(detail.dtypes)
    return "unsupported", f"{detail.device} ({detail.name}) does not compute in {dtype}; it computes in {known}."


def refusal_of_runtime(
    entry: ModelEntry, plan: CellPlan, *, device: str, versions: Mapping[str, str]
) -> tuple[Flag, str] | None:
    """Why the runtime of the cell cannot serve it here, or None where nothing speaks against it."""
    reason = why_not(entry, plan.runtime, plan.dtype, device=device, versions=versions)
    if reason is not None:
        return "unsupported", f"{reason}."
    no_stage = without_stage(plan.runtime, entry, plan.stage)
    return None if no_stage is None else ("unsupported", no_stage)


def _no_such_stage(entry: ModelEntry, plan: CellPlan) -> str | None:
    stages = stages_of(entry)
    if plan.stage in stages:
        return None
    return f"{entry.id} is {entry.architecture} and has no stage {plan.stage}; it has {' and '.join(stages)}."


def _missing_length(entry: ModelEntry, plan: CellPlan) -> str | None:
    if plan.stage == "decode" and plan.context_tokens is None:
        return "A decode step needs to know how many tokens stand in the cache (context_tokens)."
    if (plan.stage != "decode" or entry.architecture == "encoder-decoder") and not plan.input_tokens:
        return f"The stage {plan.stage} needs to know how many tokens are read (input_tokens)."
    return None


def _beyond_context(entry: ModelEntry, plan: CellPlan) -> str | None:
    """A hard context ends the table of positions: there is nothing to look up beyond it."""
    if not entry.context_is_hard:
        return None
    asked = (plan.context_tokens or 0) + 1 if plan.stage == "decode" else plan.input_tokens or 0
    if asked <= entry.context_tokens:
        return None
    return f"{entry.id} has positions for {entry.context_tokens:,} tokens; this cell asks for {asked:,}."


def _does_not_fit(entry: ModelEntry, plan: CellPlan, limit_bytes: int, available_bytes: int) -> str | None:
    if is_converted(plan.runtime, plan.dtype):
        both = weight_bytes(entry, "float32") + weight_bytes(entry, plan.dtype)
        if both > min(limit_bytes, available_bytes):
            return (
                f"It does not fit: it is built in float32 and then converted, which holds {sized(both)} at once, and "
                f"{sized(min(limit_bytes, available_bytes))} may be used."
            )
    need = peak_memory(entry, plan)
    if need.total > limit_bytes:
        return f"It does not fit: {need.sum}, and the limit is {sized(limit_bytes)}."
    if need.total > available_bytes:
        return f"It does not fit now: {need.sum}, and other programs leave {sized(available_bytes)} of memory free."
    return None

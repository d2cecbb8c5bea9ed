"""The budgets that closed forms decide: parameters, weights, cache and arithmetic per token.

They gate everywhere, because they are counted: no machine is asked. What a pipeline holds in memory is the sum of its
models; what it does per token written is its generator's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from advisor.core.hardware import GIB, Dtype
from advisor.core.model.cost import kv_cache_bytes, stage_flops, stages_of, weight_bytes
from advisor.core.model.entry import ModelEntry
from advisor.core.review.amounts import UNITS, amount, raised, written
from advisor.core.review.case import WHOLE, Case, NamedPart
from advisor.core.review.declared import Steps
from advisor.core.review.design_kinds import BUDGETS, STATIC
from advisor.core.review.document import Figure, Result
from advisor.core.sizing.measurement import CellPlan, Stage
from advisor.core.workload import Workload

DEFAULT_DTYPE: Dtype = "float32"


class Counted(NamedTuple):
    """A model whose sizes are known, and the dtype it is served in with where that comes from."""

    entry: ModelEntry
    dtype: Dtype
    why_dtype: str


def review_static(case: Case) -> Iterator[Result]:
    """Every static budget that is set."""
    for name in STATIC:
        budget: float | None = getattr(case.component.budgets, name)
        if budget is not None:
            yield _review(case, name, budget)


def _review(case: Case, name: str, budget: float) -> Result:
    parts = [part for part in case.parts() if name in ("parameters", "weights_gib") or _answers(part)]
    at: Steps = ("budgets", name)
    unnamed = _unnamed(case, name)
    if name == "parameters" and not unnamed and (known := _published(parts)) is not None:
        return _held(case, name, budget, known, "", at)
    found = [_counted(part, stored=name == "weights_gib") for part in parts]
    counted = [one for one in found if isinstance(one, Counted)]
    unknown = [one for one in found if isinstance(one, str)] + unnamed
    value, how = _FORMS[name](counted, case.workload) if counted else (0.0, "")
    if unknown and value <= budget:
        fix = next((part.found.uncounted_fix for part in parts if part.found and part.found.uncounted_fix), None)
        return case.result(BUDGETS[name], "not-checked", f"{name} was not checked: {unknown[0]}.", at=at, fix=fix)
    if not counted:
        words = f"{name} was not checked: no model is named."
        return case.result(BUDGETS[name], "not-checked", words, at=at, fix="name the model under choice")
    return _held(case, name, budget, value, f"{how} without what is not known ({unknown[0]})" if unknown else how, at)


def _unnamed(case: Case, name: str) -> list[str]:
    """The parts no pipeline goes without that this one does not name, where the budget is on all of them together."""
    if case.component.choice.architecture != "retrieval-augmented-generation":
        return []
    named = {part.name for part in case.parts()}
    wanted = ("retriever", "generator") if name in ("parameters", "weights_gib") else ("generator",)
    return [f"no {role} is named" for role in wanted if role not in named]


def _answers(part: NamedPart) -> bool:
    """Whether this part gives the answer that costs are counted per token of."""
    return part.name not in ("retriever", "reranker")


def _published(parts: Sequence[NamedPart]) -> float | None:
    """Parameters of models that run only at their owner, where they were published."""
    known = [part.found.known_parameters if part.found else None for part in parts]
    return float(sum(one for one in known if one)) if parts and all(known) else None


def _counted(part: NamedPart, *, stored: bool) -> Counted | str:
    """The model of a part as closed forms need it, or why there is none. `stored`: for the bytes of its weights."""
    if part.said.model is None:
        return "no model is named" if part.name == WHOLE else f"no model is named for the {part.name}"
    found = part.found
    if found is None or found.entry is None:
        return found.uncounted if found and found.uncounted else f"{part.said.model} cannot be counted"
    if part.said.dtype is not None:
        return Counted(found.entry, part.said.dtype, "as declared")
    if stored and found.quantised:
        return f"the weights of {part.said.model} are quantised, and no dtype that says how far is declared"
    if found.dtype is not None:
        return Counted(found.entry, found.dtype, "as its config says")
    return Counted(found.entry, DEFAULT_DTYPE, "as no dtype is declared")


def _parameters(models: Sequence[Counted], _: Workload) -> tuple[float, str]:
    return float(sum(one.entry.parameters for one in models)), ""


def _weights(models: Sequence[Counted], _: Workload) -> tuple[float, str]:
    size = sum(weight_bytes(one.entry, one.dtype) for one in models) / GIB
    return size, f" in {_dtypes(models)}"


def _cache(models: Sequence[Counted], _: Workload) -> tuple[float, str]:
    size = sum(kv_cache_bytes(one.entry, dtype=one.dtype, batch_size=1, context_tokens=1) for one in models)
    return float(size), f" in {_dtypes(models)}"


def _flops(models: Sequence[Counted], workload: Workload) -> tuple[float, str]:
    costs = [_flops_of(one, workload) for one in models]
    return sum(value for value, _ in costs), f" {costs[-1][1]}"


def _flops_of(model: Counted, workload: Workload) -> tuple[float, str]:
    """Of an encoder the pass over the input, shared by its tokens; of what writes the last token of an answer."""
    read, written = workload.input_tokens, workload.output_tokens
    stages = stages_of(model.entry)
    stage: Stage = "decode" if "decode" in stages else stages[0]
    if stage != "decode":
        plan = CellPlan(stage=stage, dtype=model.dtype, batch_size=1, input_tokens=read)
        return stage_flops(model.entry, plan) / read, f"for each of {read:,} tokens read"
    causal = model.entry.architecture == "decoder-only"
    depth = max(written - 1, 0) + (read if causal else 0)
    plan = CellPlan(
        stage=stage, dtype=model.dtype, batch_size=1, input_tokens=None if causal else read, context_tokens=depth
    )
    return float(stage_flops(model.entry, plan)), f"for a token written after {depth:,} others"


_FORMS: dict[str, Callable[[Sequence[Counted], Workload], tuple[float, str]]] = {
    "parameters": _parameters,
    "weights_gib": _weights,
    "kv_bytes_per_token": _cache,
    "flops_per_token": _flops,
}


def _dtypes(models: Sequence[Counted]) -> str:
    return " and ".join(dict.fromkeys(f"{one.dtype}, {one.why_dtype}" for one in models))


def _held(case: Case, name: str, budget: float, value: float, how: str, at: Steps) -> Result:
    """The count against the budget."""
    unit = UNITS[name]
    figure = Figure(budget=budget, low=value, mid=value, high=value, unit=unit, origin="formula")
    words = f"{amount(value, unit, beside=budget)} {unit}{how}; the budget is {written(budget)}."
    if value <= budget:
        return case.result(BUDGETS[name], "pass", words, at=at, figure=figure)
    fix = f"take a smaller model, or raise the budget {raised(budget, value)}"
    return case.result(BUDGETS[name], "fail", words, at=at, figure=figure, fix=fix)

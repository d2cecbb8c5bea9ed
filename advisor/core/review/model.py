"""The models that a design names: whether they are what the file says, and whether they can read what is asked."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.core.review.case import Case, NamedPart
from advisor.core.review.choice import called_for
from advisor.core.review.declared import Steps
from advisor.core.review.design_kinds import CONTEXT, MODEL, PROBE
from advisor.core.review.document import Outcome, Result

_LENGTHS = ("output_tokens_max", "output_tokens", "input_tokens_max", "input_tokens")


def review_models(case: Case) -> Iterator[Result]:
    """Each named model against what is declared of it."""
    for part in case.parts():
        if part.said.model is None or part.found is None:
            continue
        at: Steps = (*part.at, "model")
        found, declared = part.found, getattr(part.said, "architecture", None)
        if found.architecture is None:
            words = f"Which architecture {part.said.model} has was not checked: {found.why_not}."
            yield case.result(MODEL, "not-checked", words, at=at, fix=found.fix)
        elif found.belied is not None:
            words = f"{part.said.model} claims to be {found.architecture} ({found.evidence}), and {found.belied}."
            yield case.result(MODEL, "fail", words, at=at, fix="name the model that was meant, or save it once more")
        elif declared is not None and found.architecture != declared:
            words = f"{part.said.model} is {found.architecture} ({found.evidence}), and {declared} is declared."
            instead = "save it as the class it is used as" if found.sees_ahead else f"declare {found.architecture}"
            right = found.architecture == called_for(case, part) and not found.sees_ahead
            fix = f"{instead}, {'which the workload calls for' if right else 'or name the model that was meant'}"
            yield case.result(MODEL, "fail", words, at=at, fix=fix)
        else:
            yield case.result(MODEL, "pass", f"{part.said.model} is {found.architecture} ({found.evidence}).", at=at)


def review_probes(case: Case) -> Iterator[Result]:
    """Each model in a folder whose attention nobody has seen, and why."""
    for part in case.parts():
        if part.said.model is None or part.found is None or part.found.unseen is None:
            continue
        why, fix, open_ = part.found.unseen
        outcome: Outcome = "inconclusive" if open_ else "not-checked"
        how = "did not settle" if open_ else "was not checked"
        words = f"What the attention of {part.said.model} does {how}: {why}."
        yield case.result(PROBE, outcome, words, at=(*part.at, "model"), fix=fix)


def review_context(case: Case) -> Iterator[Result]:
    """Stated lengths against the positions of the model that reads them. Lengths that nobody stated fail nobody.

    The retriever and the re-ranker of a pipeline read queries and passages, whose lengths the workload does not state.
    """
    for part in case.parts():
        if part.found is None or not _reads_the_input(part):
            continue
        context, stated = part.found.context, _stated(case)
        if context is None and stated and part.found.architecture is not None:
            words = f"Whether {part.said.model} reads that much was not checked: its longest input is not known here."
            yield case.result(CONTEXT, "not-checked", words, at=("workload", stated[-1]))
        if context is None or not stated or not context.hard:
            continue
        for at, words in _excess(case, context.tokens, with_output=context.with_output):
            says = f"{part.said.model} reads {context.tokens:,} tokens at most, and {words}."
            fix = "take a model with a longer context, or cut the text and state the length of a piece"
            yield case.result(CONTEXT, "fail", says, at=at, fix=fix)
            return
        says = f"{part.said.model} reads {context.tokens:,} tokens, and no stated length is beyond that."
        yield case.result(CONTEXT, "pass", says, at=(*part.at, "model"))


def _stated(case: Case) -> list[str]:
    """The lengths that somebody stated."""
    return [name for name in _LENGTHS if name in case.component.workload.model_fields_set]


def _reads_the_input(part: NamedPart) -> bool:
    return part.name not in ("retriever", "reranker")


def _excess(case: Case, context_tokens: int, *, with_output: bool) -> Iterator[tuple[Steps, str]]:
    """Where the first length that is too long stands, and what is too long."""
    said, workload = case.component.workload.model_fields_set, case.workload
    written = workload.output_tokens if with_output else 0
    most = (workload.output_tokens_max or workload.output_tokens) if with_output else 0
    lengths = (("input_tokens", workload.input_tokens, written), ("input_tokens_max", workload.input_tokens_max, most))
    for name, read, output in lengths:
        if name in said and read is not None and read + output > context_tokens:
            together = f", with {output:,} tokens of output {read + output:,}" if output else ""
            yield ("workload", name), f"{name} is {read:,}{together}"
    read = workload.input_tokens if "input_tokens" in said else 0
    for name, output in (("output_tokens", written), ("output_tokens_max", most)):
        if name in said and read + output > context_tokens:
            together = f", with {read:,} tokens of input {read + output:,}" if read else ""
            yield ("workload", name), f"{name} is {output:,}{together}"

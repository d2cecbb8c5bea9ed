"""What is planned: parts with and without figures, the index by arithmetic, the budgets in seconds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from advisor.core.sizing.design import Design, Index, demand_of
from advisor.core.workload import Answers, fill_defaults
from tests.core.sizing.known_model import ANSWERS, ENTRIES, GIB, ONE_ENCODER, RAG, TICKETS, recommendation


def design(answers: dict[str, object], parts: object = RAG) -> Design:
    return Design(recommendation(answers, parts), {}, ENTRIES, 16 * GIB, 0)  # type: ignore[arg-type]


def test_every_part_without_a_profile_says_why_it_has_no_figure() -> None:
    made = design(ANSWERS)
    missing = {part.role: part.missing for part in made.parts(made.workload)}
    assert missing["retriever"] == "known-encoder was not measured"
    assert missing["index"] == "searching an index is not measured yet"
    assert missing["reranker"] == "no model of the catalogue stands for it"


def test_an_exact_index_is_documents_times_the_width_of_the_retriever() -> None:
    made = design({**ANSWERS, "corpus_documents": 1_000_000})
    index = made.index(made.workload)
    assert index == Index(1_000_000, 384)
    assert index is not None
    assert index.size_bytes == 1_000_000 * 384 * 4


def test_a_design_without_an_index_has_none() -> None:
    made = design(TICKETS, ONE_ENCODER)
    assert made.index(made.workload) is None


@given(documents=st.integers(0, 10**12), more=st.integers(0, 10**12), limit=st.integers(1, 10**13))
def test_more_documents_never_fit_on_fewer_machines(documents: int, more: int, limit: int) -> None:
    small, large = Index(documents, 384), Index(documents + more, 384)
    assert small.machines(limit) <= large.machines(limit)
    assert small.machines(limit) * limit >= small.size_bytes


def test_budgets_are_seconds_and_the_first_token_only_where_tokens_are_written() -> None:
    answers = {"task": "chat", "latency_budget_ms": 1500, "first_token_budget_ms": 200, "latency_percentile": 99}
    workload, _ = fill_defaults(Answers.model_validate(answers))
    writes, reads = demand_of(workload, writes=True), demand_of(workload, writes=False)
    assert (writes.percentile, writes.latency_budget_s, writes.first_token_budget_s) == (99, 1.5, 0.2)
    assert reads.first_token_budget_s is None

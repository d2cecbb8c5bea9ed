"""How long the texts are that one component reads and writes.

A workload states the lengths of the whole request; a component sees its own: a retriever reads the query, a re-ranker a
pair, and an architecture that writes needs a prompt with examples before it can do an understanding task. Every figure
nobody stated is listed in `assumed`, so that a plan can show it. Choosing a model or a grid of cells is not done here.
"""

from __future__ import annotations

from dataclasses import dataclass

from advisor.core.architecture import Architecture, Role
from advisor.core.task import UNDERSTANDING_TASKS
from advisor.core.workload import (
    FEW_SHOT_PROMPT_TOKENS,
    LABEL_TOKENS_MIN,
    RAG_QUERY_TOKENS,
    RERANK_PAIR_TOKENS,
    RERANK_PAIRS,
    Workload,
)

Assumed = tuple[str, int, str]
"""Name of the default, its value, and what it stands for."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens a component reads and writes per request; the `_max` ones are None where the workload states none.

    `texts` says how many texts of `input_tokens` tokens one request makes it read: a re-ranker a pair for each passage.
    """

    input_tokens: int
    input_tokens_max: int | None
    output_tokens: int
    output_tokens_max: int | None
    assumed: tuple[Assumed, ...] = ()
    texts: int = 1

    @property
    def longest_input_tokens(self) -> int:
        """The longest input stated, which is what a context must hold."""
        return self.input_tokens if self.input_tokens_max is None else self.input_tokens_max

    @property
    def longest_output_tokens(self) -> int:
        """The longest output stated."""
        return self.output_tokens if self.output_tokens_max is None else self.output_tokens_max


_RERANKED: tuple[Assumed, ...] = (
    ("RERANK_PAIR_TOKENS", RERANK_PAIR_TOKENS, "tokens of a query and a passage, read together by the re-ranker"),
    ("RERANK_PAIRS", RERANK_PAIRS, "pairs the re-ranker scores for each request"),
)
_RANKED: tuple[Assumed, ...] = (
    ("RANKED_PAIRS", 1, "pair of a query and a candidate in each request: every candidate counts as one"),
)


def component_lengths(workload: Workload, *, architecture: Architecture | None, role: Role) -> Lengths:
    """The lengths of the component that plays `role` and has `architecture` (None for an index, which reads no text).

    An encoder writes nothing. The query of `retrieval` is the workload's input; in retrieval-augmented generation the
    workload's input is the generator's prompt, so the query's length is assumed. A request of `text-ranking` is a
    single pair of query and candidate: who ranks fifty candidates sends fifty.
    """
    if role == "index":
        return Lengths(0, None, 0, None)
    if role == "reranker":
        return Lengths(RERANK_PAIR_TOKENS, None, 0, None, _RERANKED, texts=RERANK_PAIRS)
    if role == "retriever" and workload.task != "retrieval":
        says = "tokens of a query, read by the retriever"
        return Lengths(RAG_QUERY_TOKENS, None, 0, None, (("RAG_QUERY_TOKENS", RAG_QUERY_TOKENS, says),))
    if role == "retriever" or architecture == "encoder-only":
        assumed = _RANKED if workload.task == "text-ranking" else ()
        return Lengths(workload.input_tokens, workload.input_tokens_max, 0, None, assumed)
    if role == "model" and workload.task in UNDERSTANDING_TASKS:
        return _prompted(workload)
    return Lengths(workload.input_tokens, workload.input_tokens_max, workload.output_tokens, workload.output_tokens_max)


def _prompted(workload: Workload) -> Lengths:
    """An understanding task done by writing: examples in front of the text, a label written behind it."""
    top_in, top_out = workload.input_tokens_max, workload.output_tokens_max
    output_tokens = max(workload.output_tokens, LABEL_TOKENS_MIN)
    assumed: list[Assumed] = [
        ("FEW_SHOT_PROMPT_TOKENS", FEW_SHOT_PROMPT_TOKENS, "tokens of examples put in front of every text")
    ]
    if workload.task == "text-ranking":
        assumed += _RANKED
    if workload.output_tokens < LABEL_TOKENS_MIN:
        assumed.append(("LABEL_TOKENS_MIN", LABEL_TOKENS_MIN, "least tokens written to name a label"))
    return Lengths(
        input_tokens=workload.input_tokens + FEW_SHOT_PROMPT_TOKENS,
        input_tokens_max=None if top_in is None else top_in + FEW_SHOT_PROMPT_TOKENS,
        output_tokens=output_tokens,
        output_tokens_max=None if top_out is None else max(top_out, output_tokens),
        assumed=tuple(assumed),
    )

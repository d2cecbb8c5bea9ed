"""How long the texts of each component are, and what was assumed."""

import pytest

from advisor.core.lengths import component_lengths
from advisor.core.workload import (
    FEW_SHOT_PROMPT_TOKENS,
    LABEL_TOKENS_MIN,
    RAG_QUERY_TOKENS,
    RERANK_PAIR_TOKENS,
    RERANK_PAIRS,
    Answers,
    Workload,
    fill_defaults,
)


def workload(**answers) -> Workload:
    return fill_defaults(Answers.model_validate(answers))[0]


def test_an_encoder_reads_the_input_and_writes_nothing():
    found = component_lengths(
        workload(task="text-classification", input_tokens=200, input_tokens_max=900),
        architecture="encoder-only",
        role="model",
    )
    assert (found.input_tokens, found.longest_input_tokens, found.output_tokens, found.assumed) == (200, 900, 0, ())


@pytest.mark.parametrize("architecture", ["decoder-only", "encoder-decoder"])
def test_a_label_that_is_written_needs_examples_before_it_and_tokens_after(architecture):
    asked = workload(task="text-classification", input_tokens=200, input_tokens_max=900)
    found = component_lengths(asked, architecture=architecture, role="model")
    assert found.input_tokens == 200 + FEW_SHOT_PROMPT_TOKENS
    assert found.longest_input_tokens == 900 + FEW_SHOT_PROMPT_TOKENS
    assert found.output_tokens == found.longest_output_tokens == LABEL_TOKENS_MIN
    assert [name for name, _, _ in found.assumed] == ["FEW_SHOT_PROMPT_TOKENS", "LABEL_TOKENS_MIN"]


def test_a_stated_label_length_above_the_least_is_kept():
    asked = workload(task="token-classification", output_tokens=40, output_tokens_max=60)
    found = component_lengths(asked, architecture="decoder-only", role="model")
    assert (found.output_tokens, found.output_tokens_max) == (40, 60)
    assert [name for name, _, _ in found.assumed] == ["FEW_SHOT_PROMPT_TOKENS"]


def test_a_longest_output_below_the_least_label_is_raised_with_it():
    asked = workload(task="token-classification", output_tokens=1, output_tokens_max=2)
    found = component_lengths(asked, architecture="decoder-only", role="model")
    assert (found.output_tokens, found.output_tokens_max) == (LABEL_TOKENS_MIN, LABEL_TOKENS_MIN)


def test_a_writing_task_keeps_its_own_lengths():
    found = component_lengths(
        workload(task="chat", input_tokens=50, output_tokens=200), architecture="decoder-only", role="model"
    )
    assert (found.input_tokens, found.output_tokens, found.assumed) == (50, 200, ())


def test_the_input_of_retrieval_is_the_query():
    found = component_lengths(
        workload(task="retrieval", input_tokens=64), architecture="encoder-only", role="retriever"
    )
    assert (found.input_tokens, found.assumed) == (64, ())


@pytest.mark.parametrize(
    "answers", [{"task": "retrieval-augmented-generation"}, {"task": "chat", "corpus_documents": 9}]
)
def test_in_rag_the_input_is_the_generators_prompt_and_the_rest_is_assumed(answers):
    asked = workload(**answers)
    retriever = component_lengths(asked, architecture="encoder-only", role="retriever")
    reranker = component_lengths(asked, architecture="encoder-only", role="reranker")
    generator = component_lengths(asked, architecture="decoder-only", role="generator")
    assert (retriever.input_tokens, retriever.output_tokens) == (RAG_QUERY_TOKENS, 0)
    assert reranker.input_tokens == RERANK_PAIR_TOKENS
    assert [part.assumed[0][0] for part in (retriever, reranker)] == ["RAG_QUERY_TOKENS", "RERANK_PAIR_TOKENS"]
    assert (retriever.texts, reranker.texts, generator.texts) == (1, RERANK_PAIRS, 1)
    assert ("RERANK_PAIRS", 50) in [one[:2] for one in reranker.assumed]
    assert (generator.input_tokens, generator.output_tokens, generator.assumed) == (2048, asked.output_tokens, ())


@pytest.mark.parametrize("architecture", ["encoder-only", "decoder-only"])
def test_a_request_to_rank_is_one_pair_as_long_as_the_input_and_says_so(architecture):
    found = component_lengths(workload(task="text-ranking", input_tokens=300), architecture=architecture, role="model")
    assert found.texts == 1
    assert found.input_tokens == 300 + (architecture == "decoder-only") * 512
    assert ("RANKED_PAIRS", 1) in [one[:2] for one in found.assumed]


def test_an_index_reads_no_text():
    found = component_lengths(workload(task="retrieval"), architecture=None, role="index")
    assert (found.input_tokens, found.output_tokens) == (0, 0)

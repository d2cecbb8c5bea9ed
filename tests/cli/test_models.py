"""`advisor models`, and what naming a model leads to: those that can be built, and those that nobody can."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Run

HOSTED = ["text-embedding-ada-002", "gpt-4", "claude", "gemini", "palm"]
RAG = ("--set", "task=retrieval-augmented-generation", "--set", "input_tokens=64", "--set", "output_tokens=8")


def test_every_model_stands_in_the_list_and_what_nobody_knows_is_null(run: Run) -> None:
    words, document = run("models", "list"), run("models", "list", "--json").document
    lines = {one["id"]: one for one in document["models"]}
    assert all(model_id in words.out for model_id in lines)
    assert [one for one in lines if lines[one]["hosted"]] == HOSTED
    assert (lines["claude"]["parameters"], lines["claude"]["hub_id"]) == (None, None)
    assert (lines["gpt3-175b"]["parameters"], lines["gpt3-175b"]["hub_id"]) == (174_604_259_328, None)


@pytest.mark.parametrize("model_id", HOSTED)
def test_a_hosted_model_is_shown_with_the_reason_for_what_is_unknown(run: Run, model_id: str) -> None:
    words, document = run("models", "show", model_id), run("models", "show", model_id, "--json").document
    assert words.code == 0
    told = " ".join(words.out.split())
    assert f"Runs only at {document['provider']}" in told
    for key, reason in document["unknown"].items():
        assert document[key] is None
        assert reason in told
    for note in document["notes"]:
        assert note in told


def test_a_context_is_told_once_with_what_it_means(run: Run) -> None:
    shown = " ".join(run("models", "show", "gpt2").out.split())
    assert shown.count("Context: ") == 1
    assert "hard limit on input and output together. Its position table has 1,024 rows" in shown


def test_both_figures_are_shown_where_the_guide_has_another(run: Run) -> None:
    assert "335,141,888 (the guide says 340M)" in run("models", "show", "bert-large").out
    document = run("models", "show", "bert-large", "--json").document
    assert (document["parameters"], document["source_parameters"]) == (335_141_888, 340_000_000)
    assert "the guide says" not in run("models", "show", "roberta-base").out


@pytest.mark.parametrize("model_id", HOSTED)
def test_a_hosted_model_is_never_measured(run: Run, model_id: str) -> None:
    for command in (("profile", model_id), ("advise", "--set", "task=chat", "--model", model_id)):
        done = run(*command)
        assert (done.code, done.out) == (2, "")
        assert f"{model_id} runs only at" in done.err


def test_a_named_model_takes_the_part_it_can_run(run: Run) -> None:
    done = run("advise", *RAG, "--model", "mminilm-l12-cross-encoder", "--json")
    assert {part["role"]: part["model"] for part in done.document["recommendation"]["components"]} == {
        "retriever": "minilm-l6",
        "index": None,
        "reranker": "mminilm-l12-cross-encoder",
        "generator": "gpt2",
    }
    stages = {stage["role"]: stage for stage in done.document["plan"]["stages"]}
    assert stages["reranker"]["model"] == "mminilm-l12-cross-encoder"
    assert stages["reranker"]["latency_ms"] is not None


def test_a_model_that_only_embeds_is_no_model_for_writing(run: Run) -> None:
    done = run("advise", "--set", "task=chat", "--model", "e5-mistral-7b")
    assert done.code == 2
    assert "e5-mistral-7b runs embed alone" in done.err

"""Which model stands for a component: the shipped preferences, and what holds for any need."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.core.hardware import GIB
from advisor.core.model.catalog import COMPONENT_AXES, Catalog
from advisor.core.model.representative import DTYPES, Choice, Need, choose, memory_needed
from advisor.core.task import TASKS, UNDERSTANDING_TASKS
from advisor.store.catalog import load_catalog
from advisor.store.paths import shipped

SHIPPED = load_catalog(shipped("models"), cached=False)
VECTOR_TASKS = ["feature-extraction", "sentence-similarity", "retrieval"]
ENCODER_TASKS = sorted(UNDERSTANDING_TASKS - {*VECTOR_TASKS, "text-ranking"})
WRITING_TASKS = [task for task in TASKS if task not in UNDERSTANDING_TASKS]


def need(**change: Any) -> Need:
    usual: dict[str, Any] = {
        "role": "model",
        "architecture": "encoder-only",
        "task": "text-classification",
        "priority": "balanced",
        "languages": "one",
        "input_tokens": 128,
        "output_tokens": 0,
        "memory_limit_bytes": 24 * GIB,
    }
    return Need(**(usual | change))


def decoder(**change: Any) -> Need:
    return need(**({"architecture": "decoder-only", "task": "chat", "output_tokens": 256} | change))


def translator(**change: Any) -> Need:
    return need(**({"architecture": "encoder-decoder", "task": "translation", "output_tokens": 128} | change))


def name(choice: Choice) -> str | None:
    return choice.model.id if choice.model else None


def said(choice: Choice) -> str:
    return " ".join(because.says for because in choice.because)


@pytest.mark.parametrize("task", VECTOR_TASKS)
@pytest.mark.parametrize(
    ("priority", "expected"), [("cost", "minilm-l6"), ("balanced", "minilm-l6"), ("accuracy", "gte-base")]
)
@pytest.mark.parametrize("role", ["model", "retriever"])
def test_vectors_come_from_a_sentence_encoder_and_where_accuracy_counts_from_a_larger_one(
    catalog: Catalog, task: str, priority: str, expected: str, role: str
) -> None:
    assert name(choose(need(task=task, priority=priority, role=role), catalog)) == expected


@pytest.mark.parametrize(
    "task", ["retrieval", "retrieval-augmented-generation", "chat", "abstractive-question-answering"]
)
def test_a_retriever_is_the_sentence_encoder_whatever_the_whole_pipeline_is_for(catalog: Catalog, task: str) -> None:
    assert name(choose(need(role="retriever", task=task, input_tokens=32), catalog)) == "minilm-l6"


@pytest.mark.parametrize("task", ENCODER_TASKS)
@pytest.mark.parametrize(
    ("priority", "expected"), [("cost", "minilm-l12"), ("balanced", "bert-base"), ("accuracy", "modernbert-large")]
)
def test_other_encoder_tasks_get_a_size_that_follows_the_priority(
    catalog: Catalog, task: str, priority: str, expected: str
) -> None:
    if (task, priority) == ("fill-mask", "cost"):
        expected = "bert-base"  # the distilled one was not published with a head for it
    assert name(choose(need(task=task, priority=priority), catalog)) == expected


@pytest.mark.parametrize("priority", ["cost", "balanced", "accuracy"])
def test_pairs_are_scored_by_a_model_tuned_to_score_them(catalog: Catalog, priority: str) -> None:
    reranker = need(role="reranker", task="retrieval-augmented-generation", input_tokens=256, priority=priority)
    ranker = need(task="text-ranking", input_tokens=256, priority=priority)
    for asked in (reranker, ranker):
        assert name(choose(asked, catalog)) == "minilm-l6-cross-encoder"
        assert name(choose(replace(asked, languages="many"), catalog)) == "mminilm-l12-cross-encoder"


@pytest.mark.parametrize("task", WRITING_TASKS)
@pytest.mark.parametrize("role", ["model", "generator"])
@pytest.mark.parametrize("priority", ["cost", "balanced"])
def test_decoders_are_gpt2_while_it_holds_input_and_output_and_then_the_least_that_does(
    catalog: Catalog, task: str, role: str, priority: str
) -> None:
    def chosen(total: int) -> Choice:
        asked = decoder(task=task, role=role, input_tokens=total - 24, output_tokens=24, priority=priority)
        return choose(asked, catalog)

    found = {total: name(chosen(total)) for total in (1024, 1025, 8192, 8193, 32768, 32769)}
    assert found == {
        1024: "gpt2",
        1025: "smollm2-360m",
        8192: "smollm2-360m",
        8193: "qwen3-0.6b",
        32768: "qwen3-0.6b",
        32769: None,
    }
    assert "1,001 + 24 = 1,025 are needed" in said(chosen(1025))


@pytest.mark.parametrize(
    ("tokens", "expected"), [(8, "llama-2-7b"), (4088, "llama-2-7b"), (4089, "mistral-7b"), (32760, "mistral-7b")]
)
def test_accuracy_from_a_prompt_takes_a_large_decoder_even_for_short_texts(
    catalog: Catalog, tokens: int, expected: str
) -> None:
    asked = decoder(priority="accuracy", input_tokens=tokens, output_tokens=8, memory_limit_bytes=64 * GIB)
    assert name(choose(asked, catalog)) == expected


def test_where_no_large_decoder_fits_a_small_one_stands_for_the_cost_alone(catalog: Catalog) -> None:
    choice = choose(decoder(priority="accuracy", memory_limit_bytes=4 * GIB), catalog)
    assert name(choice) == "qwen3-0.6b"
    assert "nothing of the accuracy" in said(choice)
    assert "llama-2-7b in bfloat16 needs weights" in said(choice)


def test_llama_in_full_precision_is_refused_on_24_gib_with_the_sums_and_half_precision_fits(catalog: Catalog) -> None:
    choice = choose(decoder(input_tokens=2048, priority="accuracy"), catalog)
    assert name(choice) == "llama-2-7b"
    assert choice.dtypes == ("bfloat16",)
    assert "llama-2-7b in float32 needs weights 25.1 GiB + key-value cache" in said(choice)
    assert "and 24 GiB may be used" in said(choice)


def test_llama_fits_in_both_dtypes_where_there_is_room(catalog: Catalog) -> None:
    asked = decoder(input_tokens=2048, priority="accuracy", memory_limit_bytes=64 * GIB)
    assert choose(asked, catalog).dtypes == DTYPES


@pytest.mark.parametrize(
    ("priority", "expected"), [("cost", "t5-small"), ("balanced", "t5-base"), ("accuracy", "t5-large")]
)
@pytest.mark.parametrize("task", ["translation", "summarization", "table-to-text", "abstractive-question-answering"])
def test_encoder_decoders_are_t5(catalog: Catalog, priority: str, expected: str, task: str) -> None:
    assert name(choose(translator(priority=priority, task=task), catalog)) == expected


def test_the_small_t5_steps_in_where_the_base_one_does_not_fit(catalog: Catalog) -> None:
    base = memory_needed(catalog.get("t5-base"), translator(), "bfloat16").total
    choice = choose(translator(memory_limit_bytes=base - 1), catalog)
    assert name(choice) == "t5-small"
    assert "t5-base in bfloat16 needs weights" in said(choice)


def test_t5_beyond_the_length_it_was_trained_on_is_a_note_not_a_refusal(catalog: Catalog) -> None:
    within, beyond = (choose(translator(input_tokens=tokens), catalog) for tokens in (512, 513))
    assert name(within) == name(beyond) == "t5-base"
    assert "trained on 512 tokens" not in said(within)
    assert "t5-base with 513 tokens" in said(beyond)
    assert "trained on 512 tokens" in said(beyond)


@pytest.mark.parametrize(
    ("task", "role", "short", "long"),
    [
        ("text-classification", "model", "bert-base", "modernbert-base"),
        ("feature-extraction", "model", "minilm-l6", "gte-modernbert-base"),
        ("retrieval", "retriever", "minilm-l6", "gte-modernbert-base"),
        ("text-ranking", "model", "minilm-l6-cross-encoder", None),
    ],
)
def test_beyond_512_tokens_an_encoder_gives_way_to_one_that_reads_8192(
    catalog: Catalog, task: str, role: str, short: str, long: str | None
) -> None:
    found = {tokens: choose(need(task=task, role=role, input_tokens=tokens), catalog) for tokens in (512, 513, 8193)}
    assert {tokens: name(choice) for tokens, choice in found.items()} == {512: short, 513: long, 8193: None}
    refusal = next(because for because in found[513].because if because.says.startswith(f"{short} reads at most"))
    assert "512 tokens, and the input has up to 513" in refusal.says
    assert [source.id for source in refusal.source] == ["G63"]


@pytest.mark.parametrize("task", ["text-classification", "feature-extraction"])
def test_long_texts_in_many_languages_have_no_model_and_the_reasons_are_said(catalog: Catalog, task: str) -> None:
    choice = choose(need(task=task, input_tokens=600, languages="many"), catalog)
    assert name(choice) is None
    assert "reads at most 512 tokens" in said(choice)
    assert "many languages are asked for" in said(choice)


def test_a_target_longer_than_its_table_of_positions_is_refused() -> None:
    preferred = name(choose(translator(), SHIPPED))
    assert preferred is not None
    bart = SHIPPED.get("bart-base").model_copy(update={"id": preferred})
    catalog = replace(SHIPPED, entries={**SHIPPED.entries, preferred: bart})
    assert name(choose(translator(output_tokens=1024), catalog)) == preferred
    choice = choose(translator(output_tokens=1025), catalog)
    assert name(choice) != preferred
    assert f"{preferred} writes at most 1,024 tokens, and the output has up to 1,025." in said(choice)
    assert name(choose(translator(output_tokens=1025), SHIPPED)) == preferred, "relative positions have no table"


def test_the_least_encoder_is_left_where_memory_is_short(catalog: Catalog) -> None:
    least = memory_needed(catalog.get("bert-base"), need(), "bfloat16").total
    assert name(choose(need(memory_limit_bytes=least), catalog)) == "bert-base"
    choice = choose(need(memory_limit_bytes=least - 1), catalog)
    assert name(choice) == "minilm-l12"
    assert "bert-base in bfloat16 needs weights" in said(choice)


def test_a_sentence_encoder_tells_that_its_settings_cut_long_texts(catalog: Catalog) -> None:
    def told(tokens: int) -> bool:
        return "cut texts at 256" in said(choose(need(task="feature-extraction", input_tokens=tokens), catalog))

    assert (told(256), told(257)) == (False, True)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (need(), "xlm-roberta-base"),
        (need(priority="cost"), "xlm-roberta-base"),
        (need(priority="accuracy"), "xlm-roberta-base"),
        (need(role="retriever", task="retrieval"), "multilingual-e5-base"),
        (need(task="feature-extraction", priority="accuracy"), "multilingual-e5-base"),
        (decoder(), "qwen3-0.6b"),
        (decoder(priority="accuracy"), "qwen3-8b"),
        (translator(), "mt5-base"),
        (translator(priority="cost"), "mt5-small"),
        (translator(priority="accuracy"), "mt5-base"),
    ],
)
def test_many_languages_take_a_model_that_was_trained_on_them(catalog: Catalog, asked: Need, expected: str) -> None:
    choice = choose(replace(asked, languages="many"), catalog)
    assert name(choice) == expected
    assert "many languages are asked for" in said(choice)


@pytest.mark.parametrize("asked", [need, decoder, translator])
def test_a_tiny_memory_limit_refuses_every_model_with_the_sums(catalog: Catalog, asked: Any) -> None:
    choice = choose(asked(memory_limit_bytes=int(0.05 * GIB)), catalog)
    assert name(choice) is None
    assert choice.dtypes == ()
    assert "needs weights" in said(choice)
    assert "and 51.2 MiB may be used" in said(choice)


def test_without_a_limit_everything_fits(catalog: Catalog) -> None:
    assert choose(decoder(input_tokens=2048, memory_limit_bytes=None), catalog).dtypes == DTYPES


def test_a_decoder_retrieves_only_if_it_was_tuned_contrastively(catalog: Catalog) -> None:
    for role, task in (("retriever", "retrieval"), ("model", "feature-extraction")):
        choice = choose(need(role=role, architecture="decoder-only", task=task), catalog)
        assert name(choice) == "e5-mistral-7b"
        assert "G40" in {source.id for because in choice.because for source in because.source}


def test_a_retriever_of_another_architecture_has_no_model(catalog: Catalog) -> None:
    choice = choose(need(role="retriever", architecture="encoder-decoder", task="retrieval"), catalog)
    assert name(choice) is None
    assert "minilm-l6 is encoder-only, and the part needs encoder-decoder" in said(choice)


def test_a_task_that_an_architecture_cannot_do_has_no_model(catalog: Catalog) -> None:
    choice = choose(need(task="translation"), catalog)
    assert name(choice) is None
    assert "bert-base is not meant for translation" in said(choice)


def test_every_need_is_answered_with_reasons_and_sources(catalog: Catalog) -> None:
    for role, architecture, task, priority in product(*(axis.values for axis in COMPONENT_AXES)):
        choice = choose(need(role=role, architecture=architecture, task=task, priority=priority), catalog)
        assert choice.because
        assert all(because.says and because.source for because in choice.because)
        assert bool(choice.dtypes) == (choice.model is not None)


needs = st.builds(
    need,
    role=st.sampled_from(["model", "generator", "retriever"]),
    architecture=st.sampled_from(["encoder-only", "decoder-only", "encoder-decoder"]),
    task=st.sampled_from(TASKS),
    priority=st.sampled_from(["cost", "balanced", "accuracy"]),
    languages=st.sampled_from(["one", "one", "many"]),
    input_tokens=st.integers(1, 6000),
    output_tokens=st.integers(0, 6000),
    memory_limit_bytes=st.integers(1, 64 * GIB),
)


@given(needs)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_whoever_stands_can_do_what_is_needed(asked: Need) -> None:
    choice = choose(asked, SHIPPED)
    if choice.model is None:
        return
    model = choice.model
    both = asked.input_tokens + (asked.output_tokens if model.context_covers == "input+output" else 0)
    assert asked.role in model.roles
    assert asked.architecture == model.architecture
    assert asked.role != "model" or asked.task in model.tasks
    assert both <= model.context_tokens or not model.context_is_hard
    assert asked.languages == "one" or model.languages == "many"
    for dtype in DTYPES:
        fits = memory_needed(model, asked, dtype).total <= (asked.memory_limit_bytes or 0)
        assert (dtype in choice.dtypes) == fits
    assert tuple(sorted(choice.dtypes, key=DTYPES.index)) == choice.dtypes


@given(needs, st.integers(0, 32 * GIB))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_more_memory_never_takes_a_model_away(asked: Need, more: int) -> None:
    roomier = replace(asked, memory_limit_bytes=(asked.memory_limit_bytes or 0) + more)
    if choose(asked, SHIPPED).model is not None:
        assert choose(roomier, SHIPPED).model is not None

"""Recommendations: what they hold, and that what they say of the alternatives is true."""

from __future__ import annotations

import random

import pytest

from advisor.core.architecture import ARCHITECTURES
from advisor.core.guide.decide import decide
from advisor.core.guide.flip import Step
from advisor.core.guide.recommend import recommend
from advisor.core.guide.recommendation import Alternative, Change, Recommendation
from advisor.core.guide.vocabulary import workload_facts
from advisor.core.task import CORPUS_TASKS, TASKS
from advisor.core.workload import ANSWER_ORDER, PRIORITIES, Answers, Workload, fill_defaults
from advisor.store.catalog import load_catalog
from advisor.store.paths import shipped
from advisor.store.rulebook import load_rulebook
from tests.core.guide.test_flip import held_by

BOOK = load_rulebook(shipped("rules"), cached=False)
CATALOG = load_catalog(shipped("models"))


def advice(memory_limit_bytes: int | None = None, **answers) -> Recommendation:
    workload, defaulted = fill_defaults(Answers.model_validate(answers))
    return recommend(workload, defaulted, BOOK, CATALOG, memory_limit_bytes)


def alternative(found: Recommendation, architecture: str) -> Alternative:
    return next(one for one in found.alternatives if one.architecture == architecture)


def test_the_contracts_example_comes_out():
    found = advice(task="text-classification", requests_per_second=200)
    decoder = alternative(found, "decoder-only")
    assert (found.architecture, found.strength, found.reasons[0].rule) == ("encoder-only", "strong", "CLS-001")
    assert found.reasons[0].matched == {"task": "text-classification", "requests_per_second": 200}
    assert [(one.answer, one.got, one.needed) for one in decoder.why_not if one.rule == "CLS-002"] == [
        ("requests_per_second", 200, "< 10"),
        ("priority", "balanced", "accuracy"),
    ]
    assert [change.model_dump() for change in decoder.flip] == [
        {"answer": "requests_per_second", "from": 200, "to": "< 10"},
        {"answer": "priority", "from": "balanced", "to": "accuracy"},
    ]
    assert [(one.rule, one.level) for one in decoder.warnings] == [("CLS-104", "error")]
    assert Recommendation.model_validate_json(found.model_dump_json()) == found


def test_every_source_has_its_section():
    found = advice(task="retrieval-augmented-generation", priority="cost", hosting="api")
    sources = [one for because in found.components for reason in because.because for one in reason.source]
    sources += [one for remark in (*found.warnings, *found.notes) for one in remark.source]
    assert all(one.section for one in sources)
    assert {one.section for one in sources if one.id in ("ours", "G69")} <= {"ours"}


def test_the_reranker_is_left_out_for_cost_and_the_reason_said():
    with_it, without = (advice(task="retrieval-augmented-generation", priority=one) for one in ("balanced", "cost"))
    assert [part.role for part in with_it.components] == ["retriever", "index", "reranker", "generator"]
    assert [part.role for part in without.components] == ["retriever", "index", "generator"]
    assert [note.rule for note in without.notes if "re-ranker" in note.says] == ["RAG-106"]


def test_an_index_is_no_model():
    index = next(part for part in advice(task="retrieval").components if part.role == "index")
    assert (index.architecture, index.model) == (None, None)
    assert index.because[0].source[0].id == "G27a"


@pytest.mark.parametrize(("documents", "word"), [(999_999, "every document"), (1_000_000, "IVF")])
def test_from_a_million_documents_on_search_is_approximate(documents, word):
    for task in ("retrieval", "retrieval-augmented-generation"):
        index = next(part for part in advice(task=task, corpus_documents=documents).components if part.role == "index")
        assert word in index.because[0].says


def test_a_known_model_settles_remarks_about_context_and_size():
    far = advice(task="summarization", priority="cost", input_tokens=600)
    assert (far.components[0].model, [note.rule for note in far.notes]) == ("t5-small", ["S2S-104"])
    small = advice(task="text-classification", one_model_many_tasks=True)
    assert (small.components[0].model, [note.rule for note in small.notes]) == ("gpt2", ["CLS-106"])
    large = advice(task="text-classification", priority="accuracy", memory_limit_bytes=64 << 30)
    assert (large.components[0].model, large.notes) == ("llama-2-7b", ())


def test_a_decoders_prompt_counts_when_its_model_is_chosen():
    """512 tokens of examples, the text and the label must fit GPT-2's 1,024 together."""
    fits = advice(task="text-classification", one_model_many_tasks=True, input_tokens=508)
    beyond = advice(task="text-classification", one_model_many_tasks=True, input_tokens=509)
    assert (fits.components[0].model, beyond.components[0].model) == ("gpt2", "smollm2-360m")


def test_without_a_model_the_reason_stands_in_its_place():
    found = advice(task="text-ranking", languages="many", input_tokens=600)
    assert found.components[0].model is None
    assert "600" in found.components[0].because[-1].says


def test_api_hosting_is_noted_once_not_for_each_alternative_of_the_workload():
    found = advice(task="chat", hosting="api")
    assert [note.rule for note in found.notes] == ["HST-101"]


def test_there_are_always_three_alternatives_and_none_is_advised():
    for task in TASKS:
        found = advice(task=task)
        assert {one.architecture for one in found.alternatives} == set(ARCHITECTURES) - {found.architecture}
        for one in found.alternatives:
            assert one.possible == bool(one.flip)
            assert one.why_not


def random_answers(chance: random.Random) -> dict:
    task = chance.choice(TASKS)
    answers = {
        "task": task,
        "requests_per_second": chance.choice([0.01, 1.0, 9.99, 10.0, 300.0]),
        "priority": chance.choice(PRIORITIES),
        "structured_source_target": chance.random() < 0.5,
        "one_model_many_tasks": chance.random() < 0.5,
        "contrastive_decoder": chance.random() < 0.5,
        "corpus_documents": chance.choice([1, 10**6] if task in CORPUS_TASKS else [0, 1, 10**6]),
    }
    kept = {"task", *chance.sample(sorted(answers), chance.randint(0, 6))}
    return {name: value for name, value in answers.items() if name in kept}


@pytest.mark.parametrize("seed", range(150))
def test_making_the_change_that_is_proposed_changes_the_advice_and_less_does_not(seed):
    chance = random.Random(seed)
    workload, defaulted = fill_defaults(Answers.model_validate(random_answers(chance)))
    found = recommend(workload, defaulted, BOOK, CATALOG, None)
    for other in found.alternatives:
        order = [ANSWER_ORDER.index(change.answer) for change in other.flip]
        assert order == sorted(order)
        assert "task" not in {change.answer for change in other.flip}
        changes = {change.answer: chance.choice(values_of(change)) for change in other.flip}
        if not other.possible:
            continue
        assert decided(workload, changes) == other.architecture
        for left_out in changes:
            partly = {name: value for name, value in changes.items() if name != left_out}
            assert decided(workload, partly) != other.architecture


NUMBERS = {"requests_per_second": (0.01, 9.99, 10.0, 1e6), "corpus_documents": (0, 1, 10**9)}


def values_of(change: Change) -> list:
    """Values that a proposed change allows."""
    step = Step(change.answer, change.from_, change.to)
    return [value for value in NUMBERS.get(change.answer, (change.to,)) if held_by(step, value)]


def decided(workload: Workload, changes: dict) -> str:
    facts = workload_facts(Workload.model_validate(workload.model_dump() | changes))
    return str(decide(BOOK.decision, facts).rule.then)

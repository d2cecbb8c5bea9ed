"""Everything the project knows by an id can be explained, from the very data it works with."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from advisor.core.architecture import ARCHITECTURES
from advisor.core.errors import AdvisorError
from advisor.core.explain.document import Explanation
from advisor.core.explain.grounds import Grounds
from advisor.core.explain.index import entries, explain, explanations
from advisor.core.questions import QUESTIONS
from advisor.core.review.kinds import KINDS
from advisor.core.sizing import findings
from advisor.core.sizing.finding_kinds import FINDING_KINDS
from advisor.core.sizing.flag_words import FLAG_WORDS
from advisor.core.sizing.measurement import Flag
from advisor.core.task import TASKS
from advisor.report import markdown, text
from advisor.report.explanations import explanation_blocks, explanations_blocks
from advisor.store.catalog import load_catalog
from advisor.store.paths import shipped
from advisor.store.rulebook import load_rulebook

GROUNDS = Grounds(load_rulebook(shipped("rules"), cached=False), load_catalog(shipped("models"), cached=False))
IDS = list(dict.fromkeys(entry.id for entry in entries(GROUNDS)))
GUIDE = [*range(1, 15), *range(20, 27), *range(28, 31), *range(40, 44), *range(60, 72)]


@pytest.mark.parametrize("wanted", IDS)
def test_every_id_has_an_explanation_that_says_something(wanted: str) -> None:
    found = explain(GROUNDS, wanted)
    assert found.id == wanted
    assert found.title
    assert found.says or found.because
    assert Explanation.model_validate_json(found.model_dump_json()) == found


def test_every_rule_fact_question_task_architecture_answer_check_and_finding_is_in_the_list() -> None:
    rules = [rule.id for _, rule in GROUNDS.book.rules()] + [rule.id for rule in GROUNDS.catalog.preferences.rules]
    words = [*TASKS, *ARCHITECTURES, *(asked.answer for asked in QUESTIONS), *FINDING_KINDS, *KINDS]
    assert set(IDS) >= {*rules, *words, *GROUNDS.book.facts, *GROUNDS.book.questions, *GROUNDS.book.thresholds}


def test_every_number_of_the_guide_is_a_fact_and_every_question_has_its_answer() -> None:
    numbers = {f"G{number:02d}" for number in GUIDE} | {"G27a", "G27b", "G27c"}
    assert set(GROUNDS.book.facts) >= numbers
    for name in ("Q1", "Q2", "Q3", "Q4", "Q5"):
        found = explain(GROUNDS, name)
        assert found.subject == "question"
        assert found.says
        assert all(one.says for one in found.source)


@pytest.mark.parametrize("wanted", [*KINDS, *FINDING_KINDS])
def test_a_rules_folder_without_the_facts_behind_a_check_or_a_finding_explains_it_all_the_same(wanted: str) -> None:
    bare = Grounds(GROUNDS.book._replace(facts={}), replace(GROUNDS.catalog, sections={}))
    assert {one.id for one in explain(bare, wanted).source} <= {"ours"}


def test_an_id_is_found_in_upper_and_lower_case() -> None:
    assert explain(GROUNDS, "cls-001") == explain(GROUNDS, "CLS-001")
    assert explain(GROUNDS, "g27A").id == "G27a"


def test_a_rule_is_explained_with_its_grounds_its_exception_and_both_kinds_of_example() -> None:
    found = explain(GROUNDS, "CLS-001")
    _, rule = GROUNDS.book.rule("CLS-001")
    assert (found.because, found.unless, found.then, found.strength) == (
        rule.because, rule.unless, "encoder-only", "strong",
    )  # fmt: skip
    assert [one.id for one in found.source] == list(rule.source)
    assert found.source[0].says == GROUNDS.book.facts["G20"].says
    assert (len(found.fires), len(found.silent)) == (len(rule.fires), len(rule.silent))
    assert found.commands[0].startswith("advisor recommend --set task=text-classification")


def test_a_fact_names_the_rules_and_the_questions_that_stand_on_it() -> None:
    related = {one.id for one in explain(GROUNDS, "G10").related}
    assert "Q3" in related
    assert {"EMB-101", "EMB-102"} <= {one.id for one in explain(GROUNDS, "G40").related}


def test_a_task_names_exactly_the_rules_that_can_decide_it() -> None:
    related = {one.id for one in explain(GROUNDS, "chat").related}
    assert related == {"GEN-002", "RAG-002"}


def test_a_word_that_is_task_and_architecture_is_explained_as_both() -> None:
    found = explain(GROUNDS, "retrieval-augmented-generation")
    assert "As an architecture" in (found.says or "")
    assert {"RAG-001", "RAG-002"} <= {one.id for one in found.related}


def test_a_default_that_hangs_on_the_task_is_told_task_by_task() -> None:
    found = explain(GROUNDS, "input_tokens").says or ""
    assert "Default: 128;" in found
    assert "384 for question-answering" in found
    assert "at least 1 and at most 10,000,000" in found


@pytest.mark.parametrize(
    ("wanted", "hint"), [("CLS-0001", "CLS-001"), ("transltion", "translation"), ("PLAN-62", "PLAN-0")]
)
def test_an_unknown_id_is_refused_with_the_nearest(wanted: str, hint: str) -> None:
    with pytest.raises(AdvisorError, match=f'did you mean "{hint}') as refused:
        explain(GROUNDS, wanted)
    assert refused.value.exit_code == 2


def test_a_model_is_sent_to_the_command_that_shows_it() -> None:
    with pytest.raises(AdvisorError) as refused:
        explain(GROUNDS, "bert-base")
    assert refused.value.problems[0].fix == "see: advisor models show bert-base"


def test_every_finding_a_plan_can_make_has_its_kind_and_every_kind_is_made() -> None:
    made = set(re.findall(r'_found\("(\d+)"', Path(findings.__file__).read_text(encoding="utf-8")))
    assert {f"PLAN-{number}" for number in made} == set(FINDING_KINDS)


def test_every_flag_a_cell_can_have_is_explained() -> None:
    assert set(get_args(Flag)) == set(FLAG_WORDS) <= set(IDS)


def test_text_and_markdown_say_what_the_document_says() -> None:
    found = explain(GROUNDS, "CLS-001")
    blocks = explanation_blocks(found)
    shown = " ".join(text.render(blocks).split())
    for words in (found.title, found.because, found.unless, found.when, found.fires[0], found.source[0].says):
        assert words
        assert words in shown
    assert markdown.render(blocks).startswith("# CLS-001: Labels, tags and scores")
    listed = text.render(explanations_blocks(explanations(GROUNDS)))
    assert all(f"{wanted}: " in listed for wanted in IDS)

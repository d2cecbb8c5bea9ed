"""The advice for every case that was written by hand."""

from pathlib import Path

import pytest
import yaml

from advisor.core.guide.decide import decide
from advisor.core.guide.recommend import recommend
from advisor.core.guide.recommendation import Recommendation
from advisor.core.guide.vocabulary import workload_facts
from advisor.core.workload import Answers, cross_problems, fill_defaults
from advisor.store.catalog import load_catalog
from advisor.store.paths import shipped
from advisor.store.rulebook import load_rulebook

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases.yaml").read_text(encoding="utf-8"))
RULEBOOK = load_rulebook(shipped("rules"), cached=False)
CATALOG = load_catalog(shipped("models"))
FIELDS = {"name", "answers", "architecture", "strength", "rule", "cites", "warns_if_decoder", "roles", "why"}


def advice(case: dict) -> Recommendation:
    answers = Answers.model_validate(case["answers"])
    assert cross_problems(answers) == []
    workload, defaulted = fill_defaults(answers)
    return recommend(workload, defaulted, RULEBOOK, CATALOG, None)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_advice_is_what_the_case_says(case):
    assert set(case) <= FIELDS
    found = advice(case)
    cited = {source.id for reason in found.reasons for source in reason.source}
    assert found.architecture == case["architecture"]
    assert found.strength == case.get("strength", found.strength)
    assert found.reasons[0].rule == case.get("rule", found.reasons[0].rule)
    assert set(case.get("cites", ())) <= cited
    if "roles" in case:
        assert [part.role for part in found.components] == case["roles"]
    if "warns_if_decoder" in case:
        decoder = next(one for one in found.alternatives if one.architecture == "decoder-only")
        assert case["warns_if_decoder"] in {source.id for warning in decoder.warnings for source in warning.source}


def test_every_row_of_the_decision_has_a_case_that_fixes_its_strength():
    decided = {case["rule"] for case in CASES if "rule" in case and "strength" in case}
    assert decided == {rule.id for rule in RULEBOOK.decision.rules}


def test_case_names_are_unique():
    names = [case["name"] for case in CASES]
    assert len(set(names)) == len(names)


def test_a_contrastive_decoder_at_hand_lifts_the_warning_and_leaves_a_note():
    found = advice({"answers": {"task": "feature-extraction", "contrastive_decoder": True}})
    decoder = next(one for one in found.alternatives if one.architecture == "decoder-only")
    assert decoder.warnings == ()
    assert [(note.rule, note.source[0].id) for note in decoder.notes] == [("EMB-102", "G40")]


def test_every_number_the_guide_rests_on_is_cited_by_a_rule():
    needed = {f"G{number}" for number in (14, *range(20, 27), 28, 29, 30, *range(40, 44), 62, 63)}
    needed |= {"G27a", "G27b", "G27c"}
    cited = {source for _, rule in RULEBOOK.rules() for source in rule.source}
    assert needed <= cited


def test_the_guide_holds_every_fact_and_question():
    singles = {f"G{number:02}" for number in (*range(1, 15), *range(20, 27), *range(28, 31), *range(40, 44))}
    ours = {f"G{number}" for number in range(60, 72)}
    assert set(RULEBOOK.facts) == singles | {"G27a", "G27b", "G27c"} | ours
    assert {one.id for one in RULEBOOK.facts.values() if one.section == "ours"} == ours
    assert set(RULEBOOK.questions) == {"Q1", "Q2", "Q3", "Q4", "Q5"}


def test_every_shipped_rule_shows_where_it_fires_and_where_it_is_silent():
    assert [rule.id for _, rule in RULEBOOK.rules() if not rule.fires or not rule.silent] == []


def test_a_workload_falls_to_exactly_one_rule_whatever_is_answered():
    for case in CASES:
        workload, _ = fill_defaults(Answers.model_validate(case["answers"]))
        decision = decide(RULEBOOK.decision, workload_facts(workload))
        assert sum(step.fires for step in decision.trace) == 1
        assert len(decision.trace) == len(RULEBOOK.decision.rules)

"""What is said of every design that was written down by hand, and of its parts."""

from pathlib import Path

import pytest
import yaml

from advisor.core.guide.recommend import component_rules, remarks_on
from advisor.core.guide.recommendation import Remark
from advisor.core.guide.vocabulary import design_facts
from advisor.core.task import TASKS
from advisor.core.workload import Answers, cross_problems, fill_defaults
from advisor.store.paths import shipped
from advisor.store.rulebook import load_rulebook

LINES = yaml.safe_load((Path(__file__).parent / "designs.yaml").read_text(encoding="utf-8"))
RULEBOOK = load_rulebook(shipped("rules"), cached=False)
CASES = [(line, task) for line in LINES for task in line["tasks"]]

LEVELS = {
    "error": "EMB-101 GEN-101 GEN-102 CLS-104",
    "warning": "CLS-105 S2S-101 RAG-101 RAG-102 RAG-103 RAG-104",
    "note": "EMB-102 EMB-103 CLS-106 S2S-102 S2S-103 S2S-104 S2S-105 ENC-101 ENC-102 ENC-103 GEN-103 RAG-105 RAG-106"
    " HST-101",
}
PARTS = {
    "model": {"CMP-001": "encoder-only", "CMP-002": "decoder-only", "CMP-003": "encoder-decoder"},
    "retriever": {
        "CMP-004": "encoder-only",
        "CMP-005": "decoder-only",
        "CMP-006": "encoder-decoder",
        "CMP-007": "encoder-only",
    },
    "index": {"CMP-008": None, "CMP-009": None, "CMP-010": None, "CMP-011": None},
    "reranker": {"CMP-012": "encoder-only"},
    "generator": {"CMP-013": "decoder-only"},
}


def facts_of(line: dict, task: str) -> dict:
    answers = Answers.model_validate({"task": task, **line.get("answers", {})})
    assert cross_problems(answers) == []
    return design_facts(fill_defaults(answers)[0], **line["design"])


@pytest.mark.parametrize(("line", "task"), CASES, ids=[f"{number}-{task}" for number, (_, task) in enumerate(CASES)])
def test_a_design_is_remarked_on_and_taken_apart_as_written(line, task):
    assert set(line) <= {"answers", "design", "tasks", "remarks", "parts"}
    assert task in TASKS
    facts = facts_of(line, task)
    remarks: tuple[Remark, ...] = remarks_on(facts, RULEBOOK)
    assert {remark.rule for remark in remarks} == set(line["remarks"])
    if "parts" in line:
        assert {rule.id for rule in component_rules(facts, RULEBOOK)} == set(line["parts"])


def test_every_remark_has_the_level_of_its_mistake():
    found = {rule.id: rule.then for table in RULEBOOK.remarks for rule in table.rules}
    assert found == {name: level for level, names in LEVELS.items() for name in names.split()}


def test_every_part_has_its_role_and_its_architecture():
    found = {rule.id: (rule.then, rule.architecture) for rule in RULEBOOK.components.rules}
    assert found == {name: (role, kind) for role, names in PARTS.items() for name, kind in names.items()}


def test_remarks_come_errors_first():
    facts = facts_of(LINES[0], "text-classification") | {"architecture": "decoder-only", "requests_per_second": 50.0}
    levels = [remark.level for remark in remarks_on(facts | {"long_structured_input": True}, RULEBOOK)]
    assert levels == ["error", "note"]


def test_every_remark_and_every_part_stands_in_some_line():
    named = {one for line in LINES for one in (*line["remarks"], *line.get("parts", ()))}
    tables = (RULEBOOK.components, *RULEBOOK.remarks)
    assert named == {rule.id for table in tables for rule in table.rules}

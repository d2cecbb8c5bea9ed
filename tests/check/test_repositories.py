"""Whole repositories under review: a RAG service, a classifier service and a translation job, each wrong and right."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from advisor.advise import Knowledge, load_knowledge
from advisor.check.story import Asked, Reviewed, review

REPOSITORIES = Path(__file__).resolve().parents[1] / "fixtures" / "repositories"
FAILING = {
    "rag-service": {
        ("EMB-101", "search", "architecture.yaml", 5),
        ("BUD-103", "search", "architecture.yaml", 6),
        ("RAG-104", "answers", "architecture.yaml", 10),
        ("CODE-101", "search", "src/search/embed.py", 20),
        ("CODE-105", "search", "src/search/index.py", 7),
    },
    "classifier-service": {
        ("CLS-104", "ticket-routing", "architecture.yaml", 10),
        ("BUD-101", "ticket-routing", "architecture.yaml", 11),
        ("BUD-102", "ticket-routing", "architecture.yaml", 11),
        ("ARC-003", "toxicity", "architecture.yaml", 14),
        ("CODE-105", "toxicity", "service/toxicity.py", 7),
    },
    "translation-batch": {
        ("ARC-002", "manuals", "architecture.yaml", 5),
        ("CODE-102", "manuals", "jobs/translate.py", 14),
        ("CODE-103", "manuals", "jobs/decoder.py", 16),
    },
}
NOT_CHECKED = {
    "rag-service": {("ARC-004", "search")},
    "classifier-service": {("CODE-100", "ticket-routing")},
    "translation-batch": {("ARC-002", "summaries"), ("ARC-004", "manuals")},
}


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge(None, None)


def reviewed(name: str, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> Reviewed:
    monkeypatch.chdir(REPOSITORIES / name)
    return review(Asked(today=date(2026, 11, 22)), knowledge)


@pytest.mark.parametrize("name", FAILING)
def test_every_planted_mistake_is_found_and_nothing_else(
    name: str, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = reviewed(f"{name}/wrong", knowledge, monkeypatch).document
    failing = {
        (one.check, one.component, one.location.file, one.location.line)
        for one in made.results
        if one.outcome == "fail"
    }
    assert failing == FAILING[name]
    assert {(one.check, one.component) for one in made.results if one.outcome == "not-checked"} == NOT_CHECKED[name]
    assert made.exit_code == 1


@pytest.mark.parametrize("name", FAILING)
def test_the_same_service_done_right_passes_whole(
    name: str, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = reviewed(f"{name}/right", knowledge, monkeypatch).document
    assert {one.check for one in made.results if one.outcome != "pass"} <= {"ARC-004"}, "no weights are committed"
    assert made.exit_code == 0
    assert len({one.check for one in made.results if one.check.startswith("CODE-")}) == 5


def test_a_waived_finding_names_its_owner_and_fails_nothing(
    knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = reviewed("classifier-service/wrong", knowledge, monkeypatch).document
    (waived,) = [one for one in made.results if one.outcome == "waived"]
    assert waived.check == "CODE-104"
    assert waived.waiver is not None
    assert waived.waiver.owner == "platform-team"


def test_a_place_in_code_has_its_line_at_hand(knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    made = reviewed("rag-service/wrong", knowledge, monkeypatch)
    (found,) = [one for one in made.document.results if (one.check, one.outcome) == ("CODE-105", "fail")]
    assert (made.line_at(found.location) or "").strip() == "return torch.load(path)"

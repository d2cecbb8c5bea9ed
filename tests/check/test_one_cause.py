"""One cause is one finding: a model that is right, and declared to be something else, is told of once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.check.declaring import LABELS, RETRIEVAL, component, failing, only, reviewed, written

CHAT: dict[str, Any] = {"task": "chat"}
TRANSLATION: dict[str, Any] = {"task": "translation"}


@pytest.mark.parametrize(
    ("workload", "declared", "model"),
    [
        (LABELS, "decoder-only", "bert-base"),  # CLS-104 of the declaration
        (CHAT, "encoder-only", "gpt2"),  # GEN-101
        (TRANSLATION, "encoder-only", "t5-base"),
        (RETRIEVAL, "decoder-only", "e5-base"),  # EMB-101
        (LABELS, "encoder-decoder", "bert-base"),  # nothing but the choice itself
    ],
)
def test_a_right_model_declared_as_something_else_is_one_finding(
    tmp_path: Path, workload: dict[str, Any], declared: str, model: str
) -> None:
    made = reviewed(written(tmp_path, component("one", workload, declared, model=model)))
    assert failing(made) == {"ARC-002": "error"}
    told = only(made, "ARC-002")
    assert told.message.endswith(f"{declared} is declared.")
    assert (told.fix or "").endswith("which the workload calls for")


@pytest.mark.parametrize(
    ("workload", "declared", "model", "found"),
    [
        (CHAT, "encoder-only", "t5-base", {"ARC-002": "error", "GEN-101": "error"}),
        (CHAT, "encoder-only", "bert-base", {"GEN-101": "error"}),
        (LABELS, "encoder-only", "gpt2", {"ARC-002": "error"}),
    ],
)
def test_a_declaration_and_a_model_that_are_both_wrong_are_two(
    tmp_path: Path, workload: dict[str, Any], declared: str, model: str, found: dict[str, str]
) -> None:
    assert failing(reviewed(written(tmp_path, component("one", workload, declared, model=model)))) == found


def test_the_same_holds_for_a_part_of_a_pipeline(tmp_path: Path) -> None:
    workload = {"task": "retrieval-augmented-generation", "corpus_documents": 5000}
    parts = {
        "retriever": {"architecture": "decoder-only", "model": "e5-base"},
        "generator": {"architecture": "encoder-only", "model": "llama-2-7b"},
    }
    made = reviewed(written(tmp_path, component("answers", workload, "retrieval-augmented-generation", parts=parts)))
    told = sorted((one.check, one.pointer) for one in made.results if one.outcome == "fail")
    at = "/components/0/choice/parts"
    assert told == [("ARC-002", f"{at}/generator/model"), ("ARC-002", f"{at}/retriever/model")]

"""Code as services and training scripts are written, and what a reader who knows the libraries would say of each."""

from __future__ import annotations

from textwrap import dedent

import pytest

from advisor.core.review.code_finds import find_in
from tests.core.review.wild import FINE, WRONG


@pytest.mark.parametrize("name", FINE)
def test_right_code_is_left_alone(name: str) -> None:
    assert find_in(dedent(FINE[name])) == []


@pytest.mark.parametrize("name", WRONG)
def test_wrong_code_is_found_where_it_stands(name: str) -> None:
    text, expected = WRONG[name]
    assert [(find.check, find.line) for find in find_in(dedent(text))] == expected


def test_the_words_fit_the_call() -> None:
    finds = find_in(dedent(WRONG["code of others, run on trust"][0]))
    said = {find.line: (find.message, find.fix) for find in finds}
    assert "data set" in said[5][0]
    assert "Parquet" in (said[5][1] or "")
    assert "metric" in said[6][0]
    assert ("model's repository" in said[7][0], said[7][1]) == (True, None)
    labels = find_in(
        "from transformers import AutoModelForSequenceClassification as A\nA.from_pretrained('gpt2').generate(x)\n"
    )
    assert labels[0].message.endswith("it has a head for labels, none for writing")


def test_a_model_and_what_it_becomes_are_named() -> None:
    text, _ = WRONG["the first thing in its output"]
    assert find_in(dedent(text))[0].message == (
        'the hidden states of GPT2Model of "gpt2-medium" are pooled into a vector'
    )

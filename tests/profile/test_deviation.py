"""How far one output is from another, held against what numpy says of known vectors."""

from __future__ import annotations

import numpy as np
import pytest

from advisor.core.model.cost import anatomy
from advisor.profile.deviation import START_ID, TEXTS, TOKENS, deviation, probe
from tests.core.model.tiny_models import entry

STATES = np.random.default_rng(0).normal(size=(2, 5, 8)).astype(np.float32)


def test_the_same_output_deviates_by_nothing() -> None:
    found = deviation({"states": STATES}, {"states": STATES}, real=False)
    assert found is not None
    assert found.cosine == pytest.approx(1.0)
    assert found.relative_error == 0.0
    assert found.next_token_agreement is None


def test_an_output_of_another_size_has_the_same_direction_and_an_error() -> None:
    found = deviation({"states": 1.1 * STATES}, {"states": STATES}, real=False)
    assert found is not None
    assert found.cosine == pytest.approx(1.0)
    assert found.relative_error == pytest.approx(0.1, rel=1e-4)


def test_what_is_added_to_all_logits_alike_changes_nothing() -> None:
    found = deviation({"logits": STATES + 30}, {"logits": STATES}, real=False)
    assert found is not None
    assert found.relative_error == pytest.approx(0.0, abs=1e-4)


def test_the_worst_of_all_outputs_counts_and_what_only_one_side_has_does_not() -> None:
    found = deviation(
        {"states": STATES, "next": -STATES[:, -1], "logits": STATES},
        {"states": STATES, "next": STATES[:, -1]},
        real=False,
    )
    assert found is not None
    assert found.cosine == pytest.approx(-1.0)
    assert deviation({"next": STATES}, {"states": STATES}, real=False) is None


@pytest.mark.parametrize("broken", [np.full_like(STATES, np.nan), np.zeros_like(STATES)])
def test_an_output_that_is_no_number_or_nothing_agrees_with_nothing(broken: np.ndarray) -> None:
    found = deviation({"states": broken}, {"states": STATES}, real=False)
    assert found is not None
    assert found.cosine == 0.0
    assert found.relative_error == 1.0


def test_next_tokens_are_compared_for_real_weights_only() -> None:
    logits = np.eye(4, dtype=np.float32)[None, :, :]
    other = logits.copy()
    other[0, 0] = [0, 5, 0, 0]
    found = deviation({"logits": other}, {"logits": logits}, real=True)
    assert found is not None
    assert found.next_token_agreement == 0.75


def test_the_texts_compared_are_no_longer_than_the_model_reads_and_begin_alike() -> None:
    texts = probe(anatomy(entry("bart")), context_tokens=9, padding=1, seed=0)
    assert tuple(texts.ids.shape) == (TEXTS, 9)
    assert texts.target is not None
    assert texts.target[:, 0].tolist() == [START_ID] * TEXTS
    encoder = probe(anatomy(entry("bert")), context_tokens=64, padding=0, seed=0)
    assert tuple(encoder.ids.shape) == (TEXTS, TOKENS)
    assert encoder.target is None

"""How far apart unrelated sentences are put: by a real encoder as the reference says, and by vectors that are known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest
import torch

from advisor.core.inspection import is_narrow
from advisor.core.unrelated import REFERENCE, SENTENCES
from advisor.profile.anisotropy import cosine_of, mean_cosine
from advisor.profile.weights import load
from advisor.store.model_folder import read_model_folder
from tests.folders import saved, sentence_encoder, with_tokenizer


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Short texts gain nothing from more, and lose much where other programs want the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_the_reference_is_what_its_model_has_here() -> None:
    model = read_model_folder(sentence_encoder())
    found = load(model.entry, model.source, "float32")
    measured = cosine_of(found.model, model.entry, model.source, "float32", SENTENCES)
    assert measured.mean_cosine == pytest.approx(REFERENCE.mean_cosine, abs=1e-3)
    assert measured.ci95 == pytest.approx(REFERENCE.ci95, abs=2e-3)
    assert (measured.sentences, measured.pooling, measured.width) == (
        REFERENCE.sentences,
        REFERENCE.pooling,
        REFERENCE.width,
    )


def drawn(count: int, *, seed: int, lean: float = 0.0) -> numpy.ndarray:
    """Vectors in all directions, or all leaning one way: their mean cosine is near lean² / (1 + lean²)."""
    vectors = numpy.random.default_rng(seed).standard_normal((count, 256))
    vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[:, 0] += lean
    return vectors


def test_vectors_in_all_directions_have_a_mean_cosine_of_zero() -> None:
    mean, (low, high) = mean_cosine(drawn(40, seed=1))
    assert mean == pytest.approx(0.0, abs=0.02)
    assert low < 0 < high


def test_vectors_in_a_cone_have_the_cosine_of_the_cone() -> None:
    mean, (low, high) = mean_cosine(drawn(40, seed=1, lean=3.0))
    assert mean == pytest.approx(0.9, abs=0.02)
    assert low <= mean <= high


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    truth, held = 0.5, 0
    for seed in range(60):
        _, (low, high) = mean_cosine(drawn(40, seed=seed, lean=1.0))
        held += low <= truth <= high
    assert held >= 51


def test_a_text_drawn_twice_makes_no_pair_with_itself() -> None:
    orthogonal = numpy.eye(20)
    assert mean_cosine(orthogonal) == (0.0, (0.0, 0.0))


def test_the_same_vectors_have_the_same_interval() -> None:
    assert mean_cosine(drawn(40, seed=1)) == mean_cosine(drawn(40, seed=1))


def test_vectors_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        mean_cosine(numpy.full((3, 2), numpy.nan))


@pytest.mark.parametrize("model_type", ["bert", "llama", "t5"])
def test_every_kind_of_model_gives_vectors_and_not_scores(tmp_path: Path, model_type: str) -> None:
    saved(tmp_path, model_type)
    with_tokenizer(tmp_path)
    model = read_model_folder(tmp_path)
    found = load(model.entry, model.source, "float32")
    texts = ("the cat sleeps", "a red house", "the old river runs under a house")
    measured = cosine_of(found.model, model.entry, model.source, "float32", texts)
    assert measured.width == 24
    assert measured.pooling == ("last" if model_type == "llama" else "mean")


def test_a_tokenizer_that_knows_none_of_the_words_is_said_to(tmp_path: Path) -> None:
    saved(tmp_path, "bert")
    with_tokenizer(tmp_path)
    model = read_model_folder(tmp_path)
    found = load(model.entry, model.source, "float32")
    with pytest.raises(ValueError, match="tell the sentences apart"):
        cosine_of(found.model, model.entry, model.source, "float32", ("xyzzy plugh", "fnord quux"))


def test_a_model_whose_vectors_all_point_one_way_is_narrow(tmp_path: Path) -> None:
    module = saved(tmp_path, "llama")
    module.model.norm.weight[0] = 300.0  # one direction drowns the others, as in decoders that were never tuned for it
    module.model.embed_tokens.weight[:, 0] = 1.0
    module.save_pretrained(tmp_path)
    with_tokenizer(tmp_path)
    model = read_model_folder(tmp_path)
    found = load(model.entry, model.source, "float32")
    texts = ("the cat sleeps", "a red house", "the old river runs", "dog under blue house", "new cat over a river")
    assert is_narrow(cosine_of(found.model, model.entry, model.source, "float32", texts))

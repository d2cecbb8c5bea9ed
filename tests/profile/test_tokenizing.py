"""Tokenising as a stage: the texts give the tokens they are said to give."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from advisor.core.sizing.measurement import CellPlan
from advisor.profile.tokenizing import texts_of, tokenizer_of, tokenizing
from advisor.store.model_folder import OWN_TOKENIZER_CODE, read_model_folder
from tests.folders import saved, sentence_encoder, with_sentence_pieces, with_tokenizer

UNKNOWN = 3
"""The id of the word that stands for all that the tiny tokenizer does not know."""


def plan(batch_size: int, tokens: int) -> CellPlan:
    return CellPlan(stage="tokenize", dtype="float32", batch_size=batch_size, input_tokens=tokens)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tiny")
    saved(made, "bert")
    with_tokenizer(made)
    return made


@pytest.mark.parametrize("tokens", [3, 8, 64])
def test_texts_give_exactly_the_tokens_asked_for_special_ones_included(folder: Path, tokens: int) -> None:
    tokenizer = tokenizer_of(read_model_folder(folder).source)
    ids = tokenizing(tokenizer, plan(4, tokens), seed=1)()
    assert tuple(ids.shape) == (4, tokens)
    assert not bool((ids == UNKNOWN).any()), "a text of unknown words is no text"
    assert set(ids[:, 0].tolist()) == {1}


@pytest.mark.parametrize("tokens", [3, 32, 128, 511])
def test_a_real_tokenizer_gets_texts_of_every_length(tokens: int) -> None:
    tokenizer = tokenizer_of(read_model_folder(sentence_encoder()).source)
    texts = texts_of(tokenizer, 3, tokens, seed=0)
    assert [len(tokenizer(text)["input_ids"]) for text in texts] == [tokens] * 3
    assert len(set(texts)) == 3


def test_a_translators_sentence_pieces_need_nothing_that_is_not_installed(tmp_path: Path) -> None:
    saved(tmp_path, "marian", vocab_size=200, pad_token_id=199)
    with_sentence_pieces(tmp_path)
    source = read_model_folder(tmp_path).source
    assert source.tokenizer_sha256 is not None
    ids = tokenizing(tokenizer_of(source), plan(2, 16), seed=0)()
    assert tuple(ids.shape) == (2, 16)
    (tmp_path / "source.spm").write_bytes(b"another")
    assert read_model_folder(tmp_path).source.tokenizer_sha256 != source.tokenizer_sha256


def test_the_same_seed_makes_the_same_texts(folder: Path) -> None:
    tokenizer = tokenizer_of(read_model_folder(folder).source)
    first, again, other = (texts_of(tokenizer, 2, 20, seed) for seed in (1, 1, 2))
    assert first == again != other


def test_fewer_tokens_than_the_special_ones_alone_cannot_be_had(folder: Path) -> None:
    tokenizer = tokenizer_of(read_model_folder(folder).source)
    with pytest.raises(ValueError, match="no text of exactly 1 tokens"):
        tokenizing(tokenizer, plan(1, 1), seed=0)


def test_a_tokenizer_that_cannot_be_loaded_is_one_sentence(tmp_path: Path) -> None:
    saved(tmp_path, "bert")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ValueError, match="cannot be loaded") as refused:
        tokenizer_of(read_model_folder(tmp_path).source)
    assert "\n" not in str(refused.value)


def test_a_tokenizer_with_code_of_its_own_is_not_run_and_that_is_said(tmp_path: Path) -> None:
    saved(tmp_path, "bert")
    with_tokenizer(tmp_path)
    (tmp_path / "own.py").write_text("raise SystemExit('run')\nclass Own: pass\n")
    (tmp_path / "tokenizer_config.json").write_text('{"auto_map": {"AutoTokenizer": ["own.Own", null]}}')
    source = read_model_folder(tmp_path).source
    assert source.tokenizer_sha256 is None
    assert source.notes == (OWN_TOKENIZER_CODE,)
    tokenizer_of(source)


def test_ids_are_whole_numbers_that_a_model_can_read(folder: Path) -> None:
    ids = tokenizing(tokenizer_of(read_model_folder(folder).source), plan(1, 8), seed=0)()
    assert ids.dtype == torch.int64

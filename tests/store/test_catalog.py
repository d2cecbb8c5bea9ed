"""Reading a models folder: what is refused, where, in one run; and that remembering it never changes what it says."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from advisor.core.errors import AdvisorError, Problem
from advisor.core.model.representative import Need, choose
from advisor.store import catalog_reader
from advisor.store.catalog import load_catalog
from advisor.store.paths import shipped

Edit = Callable[[str, str, str], None]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(place))
    monkeypatch.setattr("advisor.store.remembered.cache_dir", lambda: place)
    return place


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "models"
    shutil.copytree(shipped("models"), copy)
    return copy


@pytest.fixture
def edit(folder: Path) -> Edit:
    def replace(file: str, old: str, new: str) -> None:
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1))

    return replace


def problems(folder: Path) -> list[Problem]:
    with pytest.raises(AdvisorError) as error:
        load_catalog(folder)
    assert error.value.exit_code == 2
    return list(error.value.problems)


def line_of(path: Path, text: str) -> int:
    return next(number for number, line in enumerate(path.read_text().splitlines(), 1) if text in line)


def test_the_shipped_folder_reads_in_the_order_of_its_files() -> None:
    catalog = load_catalog(shipped("models"))
    assert list(catalog.entries)[:4] == ["bart-base", "bart-large", "bert-base", "bert-large"]
    ids = [*catalog.entries, *catalog.hosted]
    assert len(set(ids)) == len(ids)
    assert list(catalog.hosted) == ["text-embedding-ada-002", "gpt-4", "claude", "gemini", "palm"]


def test_a_wrong_count_is_told_beside_the_closed_form_with_the_likely_cause(folder: Path, edit: Edit) -> None:
    edit("gpt2.yaml", "tie_word_embeddings: true", "tie_word_embeddings: false")
    (problem,) = problems(folder)
    assert problem.message == "gpt2: 124 439 808 parameters expected, closed form gives 163 037 184"
    assert problem.fix == "check tie_word_embeddings"
    assert (problem.file, problem.line) == (
        str(folder / "gpt2.yaml"),
        line_of(folder / "gpt2.yaml", "parameters: 124439808"),
    )
    assert problem.column == len("    parameters: ") + 1


def test_the_flag_that_explains_a_wrong_count_is_named_and_no_other(folder: Path, edit: Edit) -> None:
    edit("llama-2.yaml", "tie_word_embeddings: false", "attention_bias: true")
    edit("t5.yaml", "parameters: 60506624", f"parameters: {60506624 + 32128 * 512}")
    assert [one.fix for one in problems(folder)] == [
        "check attention_bias",
        "check the sizes of the config, or state the closed form's figure",  # T5's head is tied whatever a flag says
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "at", "words"),
    [
        ("bert.yaml", "model_type: bert", "model_type: birt", "model_type: birt", 'did you mean "bert"?'),
        ("bert.yaml", "- fill-mask", "- fil-mask", "- fil-mask", 'did you mean "fill-mask"?'),
        ("bert.yaml", "hidden_size: 768", "hiden_size: 768", "hiden_size", 'did you mean "hidden_size"?'),
        ("bert.yaml", "      hidden_size: 768\n", "", "config:", "config key hidden_size is missing"),
        ("bert.yaml", "hidden_size: 768", "hidden_size: 1e30", "hidden_size: 1e30", "expected a whole number from 1"),
        ("bert.yaml", "hidden_size: 768", "hidden_size: 770", "num_attention_heads", "does not divide hidden_size"),
        ("bert.yaml", "title: BERT-base", "titel: BERT-base", "titel", 'unknown key "titel"'),
        ("bert.yaml", "roles: [model]", "roles: []", "roles: []", "at least 1"),
        ("bert.yaml", "roles: [model]", "roles: [model, model]", "roles:", "model is named twice in roles"),
        ("bert.yaml", "- fill-mask", "- question-answering", "", "question-answering is named twice in tasks"),
        ("bert.yaml", "id: bert-base", "id: Bert Base", "id: Bert", "does not have the form"),
        ("bert.yaml", "context_tokens: 512", "context_tokens: 513", "context_tokens: 513", "more than max_position"),
        ("bert.yaml", "context_is_hard: true", "context_is_hard: false", "context_is_hard", "has no positions beyond"),
        ("bert.yaml", "[G63]", "[G99]", "context_source", 'unknown source "G99"'),
        ("bert.yaml", "architecture: encoder-only", "architecture: decoder-only", "architecture", "write"),
        ("bert.yaml", "BertModel", "BertForMaskedLM", "transformers_class", "is not what bert is built as"),
        (
            "roberta.yaml",
            "context_tokens: 512",
            "context_tokens: 514",
            "context_tokens: 514",
            "of which 512 can be used",
        ),
        ("bert.yaml", "parameters: 109482240", "parameters: 109_482_240", "parameters: 109_482", "whole number"),
        ("bert.yaml", "roles: [model]", "roles: [index]", "roles:", "an index is no model"),
        ("bert.yaml", "roles: [model]", "roles: [generator]", "roles:", "it is no generator"),
        ("bert.yaml", "- fill-mask", "- translation", "- translation", "cannot do translation"),
        ("bert.yaml", "parameters: 109482240", f"parameters: {10**200}", "parameters: 1", "at most"),
        ("bert.yaml", "hub_id: google-bert/", "hub_id: ../", "hub_id: ../", "does not have the form"),
        ("minilm.yaml", "id: minilm-l6", "id: bert-base", "id: bert-base", "stands twice, first in bert.yaml:3"),
        ("t5.yaml", "num_layers: 6", "num_layers: 9999999", "config:", "more than any model has"),
        ("representatives.yaml", "then: [minilm-l6,", "then: [minilm,", "then: [minilm,", 'unknown outcome "minilm"'),
        ("representatives.yaml", "source: [G27b]", "source: [G2b]", "source: [G2b]", 'unknown source "G2b"'),
        ("representatives.yaml", "role: [retriever]", "role: [reranker]", "", "both decide"),
        ("representatives.yaml", "task: [text-ranking]", "task: [ranking]", "task: [ranking]", "text-ranking"),
        ("representatives.yaml", "then: [minilm-l6,", "then: [claude,", "then: [claude,", 'unknown outcome "claude"'),
        ("hosted.yaml", "id: palm", "id: gpt2", "id: gpt2", "stands twice, first in gpt2.yaml:3"),
        ("hosted.yaml", "parameters: 540350000000", "", "- id: palm", "parameters is missing"),
        ("hosted.yaml", "    context_tokens: 8191\n", "", "- id: text-", "say under unknown why nobody knows it"),
        ("hosted.yaml", "architecture: OpenAI", "license: OpenAI", "license: OpenAI", "license cannot be unknown"),
        ("hosted.yaml", "    architecture: decoder-only\n", "    config: {}\n", "config:", 'unknown key "config"'),
        ("hosted.yaml", "num_layers: 118", "layers: 118", "layers: 118", "num_layers"),
        ("hosted.yaml", "hosted:", "hosted: []\nothers:", "others:", 'unknown key "others"'),
        ("gpt3.yaml", "      hub_id: OpenAI", "      config: OpenAI", "config: OpenAI", "config cannot be unknown"),
        ("gpt2.yaml", "    hub_id: openai-community/gpt2\n", "", "- id: gpt2", "hub_id is missing"),
        ("sources.yaml", "  G63: ours", "  G63: 3", "G63: 3", "must be text"),
        ("bert.yaml", "parameters: 109482240", "parameters: '109482240'", "parameters: '1", "whole number"),
        ("bert.yaml", "context_is_hard: true", 'context_is_hard: "true"', "context_is_hard", "true or false"),
        ("bert.yaml", "title: BERT-base, uncased", 'title: ""', "title:", "title"),
    ],
)
def test_every_mistake_is_refused_at_its_place(
    folder: Path, edit: Edit, file: str, old: str, new: str, at: str, words: str
) -> None:
    edit(file, old, new)
    found = [one for one in problems(folder) if words in f"{one.message} {one.fix}"]
    assert found
    assert all(one.file == str(folder / file) for one in found)
    if at:
        assert found[0].line == line_of(folder / file, at)


def test_mistakes_of_all_files_come_in_one_run_sorted_by_place(folder: Path, edit: Edit) -> None:
    edit("t5.yaml", "context_covers: input", "context_covers: output")
    edit("bert.yaml", "languages: one", "languages: two")
    edit("bert.yaml", "model_type: bert", "model_type: bart")
    edit("gpt2.yaml", "parameters: 124439808", "parameters: 1")
    edit("llama-2.yaml", "- chat", "- chat: [")
    found = problems(folder)
    assert {Path(one.file or "").name for one in found} == {"bert.yaml", "gpt2.yaml", "llama-2.yaml", "t5.yaml"}
    assert [(one.file, one.line) for one in found] == sorted((one.file, one.line) for one in found)


def test_a_row_is_not_blamed_for_a_model_that_could_not_be_read(folder: Path, edit: Edit) -> None:
    edit("gpt2.yaml", "id: gpt2", "id: GPT2")
    assert {Path(one.file or "").name for one in problems(folder)} == {"gpt2.yaml"}


def test_a_missing_table_or_list_of_sources_is_named(folder: Path) -> None:
    for name in ("representatives.yaml", "sources.yaml"):
        (folder / name).unlink()
    assert [one.message.partition(" ")[0] for one in problems(folder)] == ["representatives.yaml", "sources.yaml"]


def test_a_folder_without_models_is_refused(folder: Path) -> None:
    for file in folder.glob("*.yaml"):
        if file.name not in ("representatives.yaml", "sources.yaml"):
            file.unlink()
    assert [one.message for one in problems(folder)] == ["no file here holds a model"]
    (folder / "none.yaml").write_text("models: []\n")
    assert [one.message for one in problems(folder)] == ["this file holds no model"]


def test_a_missing_folder_and_a_misnamed_file_are_refused(folder: Path) -> None:
    assert problems(folder / "no")[0].message == "no such models folder"
    (folder / "bart.yml").write_text("models: []\n")
    (problem,) = problems(folder)
    assert problem.file == str(folder / "bart.yml")
    assert problem.fix == "rename it to bart.yaml"


def test_an_own_model_of_a_known_family_is_read_and_chosen(folder: Path, edit: Edit) -> None:
    text = (folder / "bert.yaml").read_text()
    text = text.partition("\n  - id: bert-large")[0]
    large = text.replace("id: bert-base", "id: bert-own").replace("num_hidden_layers: 12", "num_hidden_layers: 24")
    large = large.replace("hidden_size: 768", "hidden_size: 1024").replace(
        "num_attention_heads: 12", "num_attention_heads: 16"
    )
    large = large.replace("intermediate_size: 3072", "intermediate_size: 4096").replace("109482240", "335141888")
    (folder / "bert-own.yaml").write_text(large)
    rows = (folder / "representatives.yaml").read_text().replace("then: [bert-base", "then: [bert-own, bert-base")
    (folder / "representatives.yaml").write_text(rows)
    asked = Need("model", "encoder-only", "fill-mask", "balanced", "one", 128, 0, None)
    chosen = choose(asked, load_catalog(folder)).model
    assert chosen is not None
    assert chosen.id == "bert-own"


def test_a_remembered_folder_says_the_same(folder: Path, cache: Path) -> None:
    read = load_catalog(folder)
    assert list((cache / "models").iterdir())
    remembered = load_catalog(folder)
    assert remembered is not read
    assert remembered == read == load_catalog(folder, cached=False)


def test_a_remembered_folder_is_not_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_catalog(folder)
    monkeypatch.setattr(catalog_reader, "read_catalog", lambda *_: pytest.fail("it was read again"))
    assert "gpt2" in load_catalog(folder).entries


def test_an_edited_folder_is_read_again(folder: Path, edit: Edit) -> None:
    load_catalog(folder)
    edit("bert.yaml", "title: BERT-base, uncased", "title: BERT")
    assert load_catalog(folder).get("bert-base").title == "BERT"
    edit("bert.yaml", "parameters: 109482240", "parameters: 1")
    assert problems(folder)


@pytest.mark.parametrize("damage", [b"", b"{}", b"\x00\xff", b"0" * 64 + b"\n{}"])
def test_a_damaged_cache_costs_time_and_nothing_else(folder: Path, cache: Path, damage: bytes) -> None:
    read = load_catalog(folder)
    (memory,) = (cache / "models").iterdir()
    memory.write_bytes(damage)
    assert load_catalog(folder) == read
    memory.write_bytes(memory.read_bytes()[:-5])
    assert load_catalog(folder) == read


def test_a_cache_that_cannot_be_written_costs_time_and_nothing_else(folder: Path, cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    assert "gpt2" in load_catalog(folder).entries
    assert "gpt2" in load_catalog(folder).entries


def test_a_folder_with_problems_is_never_remembered(folder: Path, edit: Edit, cache: Path) -> None:
    edit("bert.yaml", "parameters: 109482240", "parameters: 1")
    assert problems(folder) == problems(folder)
    assert not cache.exists()

"""Folders as people have them: what is read of a good one, and the one sentence for each bad one."""

from __future__ import annotations

import json
import os
import shutil
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

from advisor.core.errors import EXIT_CALLER, AdvisorError, Problem
from advisor.store.json_object import read_object
from advisor.store.model_folder import FolderModel, read_model_folder
from advisor.store.named_model import named_model, path_words, quoted
from tests.folders import change_config, saved, with_tokenizer

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab\nsize 90868376\n"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole model folder that no test may change."""
    folder = tmp_path_factory.mktemp("models") / "Tiny BERT_v2"
    saved(folder, "bert")
    with_tokenizer(folder)
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy of it to spoil."""
    return Path(shutil.copytree(whole, tmp_path / "spoilt"))


def problems(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(AdvisorError) as refused:
        read_model_folder(folder)
    assert refused.value.exit_code == EXIT_CALLER
    assert all(one.fix and "\n" not in one.message for one in refused.value.problems)
    return refused.value.problems


def only(folder: Path) -> Problem:
    found = problems(folder)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize("name", ["tokenizer_config.json", "config.json"])
def test_a_pipe_in_place_of_a_file_keeps_nobody_waiting(folder: Path, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    if name == "config.json":
        assert "no plain file" in only(folder).message
    else:
        assert read_model_folder(folder).entry.context_tokens == 64
    with pytest.raises(AdvisorError, match="no plain file"):
        read_object(folder / name)


@pytest.mark.skipif(sys.platform == "darwin", reason="no folder there has a name that is not UTF-8")
def test_a_folder_whose_name_is_no_text_is_refused(folder: Path) -> None:
    assert "is no UTF-8" in only(folder.rename(folder.parent / os.fsdecode(b"m\xff"))).message


def test_a_folder_is_an_entry_and_its_files(whole: Path) -> None:
    entry, source = read_model_folder(whole)
    assert (entry.id, source.name) == ("tiny-bert-v2", "Tiny BERT_v2")
    assert (entry.architecture, entry.transformers_class) == ("encoder-only", "BertModel")
    assert (entry.context_tokens, entry.context_is_hard) == (64, True)
    assert source.weights == ("model.safetensors",)
    assert source.stored_parameters == entry.parameters
    assert source.tokenizer_sha256 is not None
    assert (source.hub_id, source.revision, source.notes) == (None, None, ())


def test_the_identity_of_one_file_is_its_sha256_and_of_other_weights_another(whole: Path, folder: Path) -> None:
    import hashlib

    assert read_model_folder(whole).source.weights_sha256 == (
        hashlib.sha256((whole / "model.safetensors").read_bytes()).hexdigest()
    )
    saved(folder, "bert", num_hidden_layers=3)
    assert read_model_folder(folder).source.weights_sha256 != read_model_folder(whole).source.weights_sha256


def test_where_positions_have_no_end_the_length_of_training_is_the_tokenizers_or_the_configs(tmp_path: Path) -> None:
    saved(tmp_path, "m2m_100")
    assert read_model_folder(tmp_path).entry.context_tokens == 64
    (tmp_path / "tokenizer_config.json").write_text('{"model_max_length": 48}')
    entry = read_model_folder(tmp_path).entry
    assert (entry.context_tokens, entry.context_is_hard) == (48, False)


def test_an_id_that_the_catalogue_has_is_told_apart(whole: Path) -> None:
    assert read_model_folder(whole, taken={"tiny-bert-v2"}).entry.id == "folder-tiny-bert-v2"


def test_a_snapshot_of_the_hubs_cache_keeps_its_name_and_revision_and_its_links(whole: Path, tmp_path: Path) -> None:
    snapshot = tmp_path / "hub" / "models--some-team--tiny" / "snapshots" / ("a1" * 20)
    snapshot.mkdir(parents=True)
    for file in whole.iterdir():
        (snapshot / file.name).symlink_to(file)
    entry, source = read_model_folder(snapshot)
    assert entry.id == "tiny"
    assert (source.hub_id, source.revision) == ("some-team/tiny", "a1" * 20)
    assert source.weights


def test_a_pooled_sentence_encoder_embeds(folder: Path) -> None:
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    entry, source = read_model_folder(folder)
    assert entry.roles[0] == "retriever"
    assert source.pooling == "cls"


def test_a_folder_without_weights_is_read_for_what_it_is(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    source = read_model_folder(folder).source
    assert (source.weights, source.weights_sha256, source.stored_parameters) == ((), None, None)


def test_no_config_no_model(tmp_path: Path) -> None:
    assert "no config.json" in only(tmp_path).message


def test_a_config_cut_off_is_shown_where_it_ends(folder: Path) -> None:
    config = folder / "config.json"
    config.write_text(config.read_text()[:100])
    found = only(folder)
    assert (found.file, found.line) == (str(config), config.read_text().count("\n") + 1)
    assert found.column is not None
    assert found.message == "the file ends before the object does"


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_pointer_of_git_lfs_is_named_as_one(folder: Path, name: str) -> None:
    (folder / name).write_bytes(POINTER)
    found = only(folder)
    assert (found.file, found.fix) == (str(folder / name), "fetch the file itself: git lfs pull")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"model_type": "mamba"}, 'unknown model_type "mamba"'),
    ({"auto_map": {"AutoModel": "modeling.Own"}}, "auto_map names code of its own"),
    ({"quantization_config": {"bits": 4}}, "quantised"),
    ({"is_decoder": True}, "turns an encoder into a decoder"),
    ({"hidden_size": "24"}, "hidden_size is '24', expected a whole number"),
    ({"hidden_size": 25}, "does not divide hidden_size 25"),
    ({"hidden_act": "tanh"}, "hidden_act is 'tanh'"),
    ({"model_type": 7}, "no model_type"),
    ({"position_embedding_type": "relative_key"}, "no longer builds"),
]


@pytest.mark.parametrize(("change", "words"), REFUSED)
def test_what_cannot_be_measured_is_refused_at_its_key(folder: Path, change: dict[str, Any], words: str) -> None:
    change_config(folder, **change)
    found = only(folder)
    assert words in found.message
    assert found.file == str(folder / "config.json")
    lines = (folder / "config.json").read_text().split("\n")
    assert found.line is not None
    named = lines[found.line - 1]
    key = next(iter(change))
    assert key in named or "num_attention_heads" in named


def test_a_missing_key_is_named(folder: Path) -> None:
    change_config(folder, vocab_size=...)
    assert only(folder).message == "config key vocab_size is missing"


def test_every_mistake_of_a_config_is_told_at_once_in_the_order_of_the_file(folder: Path) -> None:
    change_config(folder, hidden_size=0, auto_map={"AutoModel": "x"}, pruned_heads={"0": [1]})
    told = problems(folder)
    assert [one.message.split()[0] for one in told] == ["hidden_size", "auto_map", "pruned_heads"]
    assert [one.line for one in told] == sorted(one.line or 0 for one in told)


def test_keys_that_nobody_here_knows_are_named_not_dropped(folder: Path) -> None:
    change_config(
        folder, use_experts=True, rope_theta=10000.0, classifier_dropout=0.2, architectures=["BertForMaskedLM"]
    )
    named, unknown = read_model_folder(folder).source.notes
    assert "BertForMaskedLM" in named
    assert "use_experts" in unknown
    assert "rope_theta" not in unknown
    assert read_model_folder(folder).source.config["use_experts"] is True


def test_a_config_cannot_choose_how_attention_is_computed(folder: Path) -> None:
    change_config(folder, attn_implementation="somebody/kernels", _attn_implementation_internal="somebody/kernels")
    assert not any("attn" in key and "implementation" in key for key in read_model_folder(folder).source.config)


def test_weights_that_can_run_code_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    found = only(folder)
    assert found.file == str(folder / "pytorch_model.bin")
    assert "safetensors" in found.message


def test_weights_cut_off_are_refused_with_both_sizes(folder: Path) -> None:
    file = folder / "model.safetensors"
    data = file.read_bytes()
    file.write_bytes(data[:-1000])
    assert f"{len(data) - 1000:,} bytes are here and its header speaks of {len(data):,}" in only(folder).message


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"abc",
        struct.pack("<Q", 2**60) + b"{}",
        struct.pack("<Q", 4) + b"nope",
        struct.pack("<Q", 14) + b'{"a": {"b":1}}',
    ],
)
def test_what_is_no_safetensors_file_is_refused(folder: Path, data: bytes) -> None:
    (folder / "model.safetensors").write_bytes(data)
    assert only(folder).file == str(folder / "model.safetensors")


@pytest.mark.parametrize("name", ["../elsewhere.safetensors", "/etc/passwd", "part.bin", "absent.safetensors"])
def test_an_index_may_only_name_weight_files_beside_it(folder: Path, name: str) -> None:
    (folder / "model.safetensors").unlink()
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": name}}))
    found = only(folder)
    assert found.file == str(index)
    assert name in found.message


@pytest.mark.parametrize("shape", [[1.5, 2], [-1, 2], ["2"], "24", {"0": 2}])
def test_a_header_with_a_shape_that_is_none_is_refused(folder: Path, shape: Any) -> None:
    header = json.dumps({"a": {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    assert "does not list tensors" in only(folder).message


@pytest.mark.parametrize("name", ["model.safetensors", "model.safetensors.index.json", "model-00001-of-2.safetensors"])
def test_weights_that_are_here_and_cannot_be_used_are_not_replaced_by_random_ones(folder: Path, name: str) -> None:
    (folder / "model.safetensors").unlink()
    (folder / name).symlink_to("nowhere")
    assert only(folder).file == str(folder / name)


def test_a_config_that_is_here_and_is_no_file_is_not_called_missing(folder: Path) -> None:
    config = folder / "config.json"
    for make, words in (
        (lambda: config.symlink_to("nowhere"), "leads to no file"),
        (lambda: config.symlink_to("config.json"), "cannot be read"),
        (config.mkdir, "no plain file"),
    ):
        config.unlink()
        make()
        assert words in only(folder).message


@pytest.mark.parametrize(
    ("encoding", "words"), [("utf-8-sig", "byte order mark"), ("utf-16", "is not UTF-8"), ("utf-16-le", "not JSON")]
)
def test_a_config_in_another_encoding_is_told_by_it(folder: Path, encoding: str, words: str) -> None:
    config = folder / "config.json"
    config.write_bytes(config.read_text("utf-8").encode(encoding))
    found = only(folder)
    assert (found.file, found.line) == (str(config), 1)
    assert words in found.message


def test_an_adapter_is_no_model(folder: Path) -> None:
    (folder / "adapter_config.json").write_text("{}")
    assert "adapter" in only(folder).message
    (folder / "config.json").unlink()  # as most of them lie there
    assert "adapter" in only(folder).message


def test_a_broken_file_beside_the_model_is_no_reason_to_refuse_it(folder: Path) -> None:
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text("{")
    assert read_model_folder(folder).source.pooling is None


class Catalogue:
    def __init__(self) -> None:
        self.entries = {"tiny": None}

    def get(self, name: str) -> str:
        return f"entry {name}"


def found(name: str) -> Any:
    return named_model(name, Catalogue())  # type: ignore[arg-type]


def test_a_folder_is_a_folder_whatever_else_its_name_could_mean(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny").mkdir()
    assert found("tiny").entry == "entry tiny", "a folder without a model hides nothing"
    shutil.copytree(whole, tmp_path / "tiny", dirs_exist_ok=True)
    assert isinstance(found("tiny").source, type(read_model_folder(whole).source))
    assert found("tiny").entry.id == "folder-tiny"
    shutil.copytree(whole, tmp_path / "owner" / "name")
    assert found("owner/name").source is not None


@pytest.mark.parametrize("name", ["./nowhere", "/no/such/folder", "a/b/c"])
def test_a_path_that_leads_nowhere_is_not_looked_for_on_a_hub(name: str) -> None:
    with pytest.raises(AdvisorError, match="no such folder"):
        found(name)


@pytest.mark.parametrize("name", ["x" * 5000, "x" * 300 + "/" + "y" * 300, "a\0b", "\udcff"])
def test_a_name_that_no_file_can_have_is_a_mistake_like_any_other(name: str) -> None:
    if "/" not in name:
        assert found(name).entry == f"entry {name}"
        return
    with pytest.raises(AdvisorError):
        found(name)


@pytest.mark.parametrize("name", ["dangling", "in/a/folder"])
def test_a_link_that_leads_nowhere_is_neither_an_id_nor_looked_for_on_a_hub(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).symlink_to("nowhere")
    with pytest.raises(AdvisorError, match="leads to no folder"):
        found(name)


def test_a_file_is_no_model(whole: Path) -> None:
    with pytest.raises(AdvisorError, match="a model is a folder"):
        found(str(whole / "config.json"))


def test_a_command_names_a_folder_without_telling_whose_home_it_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "shared-disk" / "models" / "x").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "shared-disk")
    assert path_words(tmp_path / "shared-disk" / "models" / "x") == os.path.join(".", "models", "x")
    monkeypatch.chdir("/")
    assert quoted(path_words(tmp_path / "shared-disk" / "models" / "x")) in (
        "~/shared-disk/models/x",
        "." + str(tmp_path / "shared-disk" / "models" / "x"),
    )


def test_a_model_read_twice_is_the_same(whole: Path) -> None:
    first: FolderModel = read_model_folder(whole)
    assert first == read_model_folder(whole)

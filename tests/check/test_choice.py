"""The declared choice against the advice, the mistakes that a design can be, and the model against the claim."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from advisor.core.errors import AdvisorError
from tests.check.declaring import LABELS, RETRIEVAL, component, failing, only, reviewed, written

BERT = {
    "architectures": ["BertModel"], "model_type": "bert", "vocab_size": 100, "hidden_size": 32,
    "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "max_position_embeddings": 64,
    "type_vocab_size": 2, "hidden_act": "gelu",
}  # fmt: skip

LLAMA = {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "num_key_value_heads": 2, "hidden_act": "silu",
    "tie_word_embeddings": False, "max_position_embeddings": 2048,
}  # fmt: skip


def saved(folder: Path, **change: Any) -> Path:
    """A folder with a config alone, as a repository holds it."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(BERT | change), encoding="utf-8")
    return folder


def test_the_advised_architecture_passes_and_names_its_rule(tmp_path: Path) -> None:
    made = reviewed(written(tmp_path, component("tickets", LABELS, "encoder-only", model="bert-base")))
    assert only(made, "ARC-001").outcome == "pass"
    assert "CLS-001" in only(made, "ARC-001").message
    assert (made.exit_code, made.summary.fail) == (0, 0)


@pytest.mark.parametrize(
    ("workload", "architecture", "level"),
    [
        (LABELS, "encoder-decoder", "error"),  # a strong rule
        ({**LABELS, "requests_per_second": 1}, "decoder-only", "warning"),  # a default
        ({"task": "text-classification", "priority": "accuracy", "requests_per_second": 1}, "encoder-only", "note"),
    ],
)
def test_a_contradiction_is_as_bad_as_its_rule_is_strong(
    tmp_path: Path, workload: dict[str, Any], architecture: str, level: str
) -> None:
    made = reviewed(written(tmp_path, component("tickets", workload, architecture)))
    assert failing(made) == {"ARC-001": level}
    found = only(made, "ARC-001")
    assert found.flip or "no other answers" in (found.fix or "")
    assert found.source
    assert made.exit_code == (1 if level == "error" else 0)


def test_the_flip_makes_the_choice_right(tmp_path: Path) -> None:
    workload: dict[str, Any] = {"task": "summarization", "requests_per_second": 1}
    found = only(reviewed(written(tmp_path, component("minutes", workload, "encoder-decoder"))), "ARC-001")
    assert found.flip
    workload |= {one.answer: one.to for one in found.flip}
    made = reviewed(written(tmp_path, component("minutes", workload, "encoder-decoder")))
    assert only(made, "ARC-001").outcome == "pass"


@pytest.mark.parametrize(
    ("workload", "architecture", "mistake", "level"),
    [
        (RETRIEVAL, "decoder-only", "EMB-101", "error"),
        (LABELS, "decoder-only", "CLS-104", "error"),
        ({"task": "chat"}, "encoder-only", "GEN-101", "error"),
        ({"task": "chat"}, "encoder-decoder", "S2S-101", "error"),  # a warning that explains a strong contradiction
        ({"task": "chat", "corpus_documents": 500}, "decoder-only", "RAG-104", "warning"),
    ],
)
def test_one_cause_is_one_finding_as_bad_as_the_worse_of_mistake_and_contradiction(
    tmp_path: Path, workload: dict[str, Any], architecture: str, mistake: str, level: str
) -> None:
    made = reviewed(written(tmp_path, component("one", workload, architecture)))
    assert failing(made) == {mistake: level}
    found = only(made, mistake)
    assert (
        found.flip or "no other answers" in (found.fix or "") or "contrastive: true" in (found.fix or "")
    )  # what would make the choice right is said here too
    assert not [one for one in made.results if one.check == "ARC-001"]


@pytest.mark.parametrize("tuned", [{"contrastive": True}, {"model": "e5-mistral-7b"}])
def test_a_contrastively_tuned_decoder_passes_with_a_note(tmp_path: Path, tuned: dict[str, Any]) -> None:
    made = reviewed(written(tmp_path, component("search", RETRIEVAL, "decoder-only", **tuned)))
    note = only(made, "EMB-102")
    assert (note.outcome, note.level, only(made, "ARC-001").outcome) == ("pass", "note", "pass")
    assert made.exit_code == 0


def test_t5_beyond_its_training_length_is_a_note(tmp_path: Path) -> None:
    workload = {"task": "translation", "input_tokens": 900}
    file = written(tmp_path, component("manuals", workload, "encoder-decoder", model="t5-small"))
    assert failing(reviewed(file)) == {"S2S-104": "note"}
    assert (reviewed(file).exit_code, reviewed(file, fail_level="note").exit_code) == (0, 1)


@pytest.mark.parametrize(
    ("answers", "key"), [({"input_tokens": 700}, "input_tokens"), ({"input_tokens_max": 700}, "input_tokens_max")]
)
def test_an_input_beyond_the_last_position_is_an_error_at_the_length_and_said_once(
    tmp_path: Path, answers: dict[str, int], key: str
) -> None:
    file = written(tmp_path, component("tickets", LABELS | answers, "encoder-only", model="bert-base"))
    made = reviewed(file)
    assert failing(made) == {"ARC-003": "error"}
    assert only(made, "ARC-003").pointer == f"/components/0/workload/{key}"


def test_input_and_output_share_the_context_of_a_decoder(tmp_path: Path) -> None:
    workload = {"task": "text-generation", "input_tokens": 900, "output_tokens": 100}
    assert not failing(reviewed(written(tmp_path, component("notes", workload, "decoder-only", model="gpt2"))))
    workload["output_tokens"] = 200
    assert failing(reviewed(written(tmp_path, component("notes", workload, "decoder-only", model="gpt2")))) == {
        "ARC-003": "error"
    }


@pytest.mark.parametrize(("tokens", "outcome"), [(7000, "pass"), (8100, "fail")])
def test_a_hosted_model_is_held_to_the_length_that_is_published(tmp_path: Path, tokens: int, outcome: str) -> None:
    workload = {"task": "chat", "input_tokens": tokens, "hosting": "api"}
    made = reviewed(written(tmp_path, component("chat", workload, "decoder-only", model="gpt-4")))
    assert only(made, "ARC-003").outcome == outcome


@pytest.mark.parametrize("answers", [{"output_tokens": 1200}, {"input_tokens": 500, "output_tokens_max": 600}])
def test_an_output_that_is_stated_counts_too(tmp_path: Path, answers: dict[str, int]) -> None:
    workload = {"task": "text-generation"} | answers
    made = reviewed(written(tmp_path, component("notes", workload, "decoder-only", model="gpt2")))
    assert only(made, "ARC-003").pointer == f"/components/0/workload/{list(answers)[-1]}"
    assert failing(made) == {"ARC-003": "error"}


def test_a_model_that_is_not_what_is_declared_fails_once(tmp_path: Path) -> None:
    made = reviewed(written(tmp_path, component("tickets", LABELS, "encoder-only", model="gpt2")))
    assert failing(made) == {"ARC-002": "error"}


@pytest.mark.parametrize(
    ("change", "architecture"),
    [
        ({}, "encoder-only"),
        ({"is_decoder": True, "architectures": ["BertLMHeadModel"]}, "decoder-only"),
        ({"model_type": "t5", "architectures": ["T5EncoderModel"], "is_encoder_decoder": False}, "encoder-only"),
        ({"model_type": "bart", "architectures": ["BartForCausalLM"], "is_encoder_decoder": False}, "decoder-only"),
        ({"model_type": "t5", "architectures": ["T5ForConditionalGeneration"]}, "encoder-decoder"),
        ({"model_type": "roberta", "architectures": ["RobertaForSequenceClassification"]}, "encoder-only"),
        ({"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"]}, "decoder-only"),
    ],
)
def test_a_folder_is_what_its_config_says(tmp_path: Path, change: dict[str, Any], architecture: str) -> None:
    saved(tmp_path / "models" / "one", **change)
    workload = {"encoder-only": LABELS, "decoder-only": {"task": "chat"}}.get(architecture, {"task": "translation"})
    made = reviewed(written(tmp_path, component("one", workload, architecture, model="models/one")))
    found = only(made, "ARC-002")
    assert (found.outcome, f"is {architecture}" in found.message) == ("pass", True)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ('{"model_type": "ber', "ends before the object does"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
        ('{"model_type": "mamba"}', 'model_type "mamba"'),
        ("{}", "no model_type"),
        ('{"model_type": "bert", "auto_map": {"AutoModel": "own.py"}}', "code of its own"),
        ('{"model_type": "bert", "architectures": ["LlamaForCausalLM"]}', "contradicts itself"),
        ('{"model_type": "bert", "is_encoder_decoder": true}', "contradicts itself"),
        ("[1, 2]", "expected an object"),
        ("\x00\xff", "UTF-8"),
    ],
)
def test_what_cannot_be_told_is_not_checked_and_never_passes(tmp_path: Path, config: str, reason: str) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "config.json").write_bytes(config.encode("latin-1"))
    file = written(tmp_path, component("tickets", LABELS, "encoder-only", model="m", budgets={"parameters": 1}))
    made = reviewed(file)
    assert only(made, "ARC-002").outcome == "not-checked"
    assert reason in only(made, "ARC-002").message
    assert only(made, "BUD-101").outcome == "not-checked"
    assert (made.exit_code, reviewed(file, strict=True).exit_code) == (0, 4)


@pytest.mark.parametrize(("model_type", "task"), [("mobilebert", "text-classification"), ("falcon", "chat")])
def test_a_type_whose_sizes_are_not_known_passes_as_what_it_is_and_its_budget_says_why_not(
    tmp_path: Path, model_type: str, task: str
) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "config.json").write_text(json.dumps({"model_type": model_type}))
    architecture = "decoder-only" if task == "chat" else "encoder-only"
    workload = {"task": task, "requests_per_second": 20}
    declared = component("one", workload, architecture, model="m", budgets={"parameters": 1e9})
    made = reviewed(written(tmp_path, declared))
    assert (only(made, "ARC-002").outcome, only(made, "BUD-101").outcome) == ("pass", "not-checked")
    assert f"the sizes of a {model_type} are not known here" in only(made, "BUD-101").message
    declared["workload"] = workload | {"input_tokens": 100}
    assert only(reviewed(written(tmp_path, declared)), "ARC-003").outcome == "not-checked"


def test_a_class_that_writes_without_a_mask_is_the_mistake_whatever_is_declared(tmp_path: Path) -> None:
    saved(tmp_path / "m", architectures=["BertLMHeadModel"])
    chat = component("one", {"task": "chat"}, "decoder-only", model="m")
    assert failing(reviewed(written(tmp_path, chat))) == {"GEN-102": "error"}
    labels = component("one", LABELS, "encoder-only", model="m")
    assert failing(reviewed(written(tmp_path, labels))) == {"ARC-002": "error"}


@pytest.mark.parametrize("model", ["models/absent", "intfloat/some-model", "text-embedding-ada-002"])
def test_a_model_that_cannot_be_looked_at_is_not_checked(tmp_path: Path, model: str) -> None:
    made = reviewed(written(tmp_path, component("search", RETRIEVAL, "encoder-only", model=model)))
    assert only(made, "ARC-002").outcome == "not-checked"


@pytest.mark.parametrize(
    ("model", "architecture", "counted"),
    [
        ("google-bert/bert-base-uncased", "encoder-only", True),
        ("bert-base-uncased", "encoder-only", True),
        ("Intfloat/e5-base-v2@0123abc", "encoder-only", True),
        ("all-MiniLM-L6-v2", "encoder-only", True),
        ("https://huggingface.co/BAAI/bge-m3", "encoder-only", False),
        ("distilbert-base-uncased", "encoder-only", False),
        ("Qwen/Qwen2.5-0.5B-Instruct", "decoder-only", False),
        ("Qwen/Qwen2.5-7B-Instruct-GPTQ-Int4", "decoder-only", False),
        ("Helsinki-NLP/opus-mt-en-de", "encoder-decoder", False),
    ],
)
def test_a_published_name_that_leaves_no_doubt_is_believed(
    tmp_path: Path, model: str, architecture: str, counted: bool
) -> None:
    right = component("right", LABELS, architecture, model=model, budgets={"parameters": 1e12})
    wrong = component("wrong", LABELS, "encoder-decoder" if architecture != "encoder-decoder" else "encoder-only")
    wrong["choice"]["model"] = model
    made = reviewed(written(tmp_path, right, wrong))
    assert (only(made, "ARC-002", "right").outcome, only(made, "ARC-002", "wrong").outcome) == ("pass", "fail")
    assert only(made, "BUD-101").outcome == ("pass" if counted else "not-checked")


def test_a_small_decoder_is_not_taken_for_a_large_one_where_its_name_or_its_config_tells(tmp_path: Path) -> None:
    saved(tmp_path / "m", **LLAMA, quantization_config={"quant_method": "awq", "bits": 4})
    for model, mistake in (("Qwen/Qwen2.5-0.5B-Instruct", "ARC-001"), ("m", "ARC-001"), ("Qwen/Qwen2-7B", "CLS-104")):
        made = reviewed(written(tmp_path, component("labels", LABELS, "decoder-only", model=model)))
        assert failing(made) == {mistake: "error"}, model


def test_quantised_weights_are_counted_as_parameters_and_as_bytes_only_in_a_declared_dtype(tmp_path: Path) -> None:
    saved(tmp_path / "m", **LLAMA, quantization_config={"quant_method": "awq", "bits": 4}, torch_dtype="float16")
    budgets = {"parameters": 1e9, "weights_gib": 1e-9, "kv_bytes_per_token": 1e9, "flops_per_token": 1e12}
    chat = component("chat", {"task": "chat", "input_tokens": 4000}, "decoder-only", model="m", budgets=budgets)
    made = reviewed(written(tmp_path, chat))
    outcomes = {one.check: one.outcome for one in made.results if one.check.startswith("BUD")}
    assert outcomes == {"BUD-101": "pass", "BUD-102": "not-checked", "BUD-103": "pass", "BUD-104": "pass"}
    assert only(made, "ARC-003").outcome == "fail"
    chat["choice"]["dtype"] = "int8"
    assert only(reviewed(written(tmp_path, chat)), "BUD-102").outcome == "fail"


@pytest.mark.parametrize(
    ("base", "outcome", "words"),
    [
        ("mistralai/Mistral-7B-v0.3", "pass", "an adapter for mistralai/Mistral-7B-v0.3"),
        ("base", "fail", "is encoder-only"),
        ("lora", "not-checked", "cannot be told here"),
        ("/mnt/checkpoints/base", "not-checked", "cannot be told here"),
        ("nobody/knows-this", "not-checked", "is an adapter for nobody/knows-this, and"),
        ("mistrl", "not-checked", "is an adapter: unknown model"),
        (None, "not-checked", "names nothing"),
    ],
)
def test_an_adapter_is_what_the_model_is_that_it_is_for(
    tmp_path: Path, base: str | None, outcome: str, words: str
) -> None:
    saved(tmp_path / "base")
    (tmp_path / "lora").mkdir()
    (tmp_path / "lora" / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": base}))
    made = reviewed(written(tmp_path, component("chat", {"task": "chat"}, "decoder-only", model="lora")))
    found = only(made, "ARC-002")
    assert (found.outcome, words in found.message) == (outcome, True), found.message


def test_a_model_of_somebody_elses_may_have_any_name_where_hosting_says_so(tmp_path: Path) -> None:
    chat = {"task": "chat"}
    with pytest.raises(AdvisorError, match="unknown model"):
        reviewed(written(tmp_path, component("chat", chat, "decoder-only", model="gpt-4o-mini")))
    hosted = component("chat", chat | {"hosting": "api"}, "decoder-only", model="gpt-4o-mini")
    made = reviewed(written(tmp_path, hosted))
    assert (only(made, "ARC-002").outcome, only(made, "ARC-001").outcome) == ("not-checked", "pass")


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_a_file_of_a_model_that_lies_elsewhere_or_is_none_is_not_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "outside.json").write_text(json.dumps(BERT))
    inside = tmp_path / "inside"
    model = saved(inside / "m")
    (model / name).unlink(missing_ok=True)
    (model / name).symlink_to(tmp_path / "outside.json")
    file = written(inside, component("tickets", LABELS, "encoder-only", model="m"))
    assert "through a link" in only(reviewed(file), "ARC-002").message
    (model / name).unlink()
    os.mkfifo(model / name)
    assert "no plain file" in only(reviewed(file), "ARC-002").message


def test_a_decoder_whose_config_lifts_the_mask_is_a_mistake(tmp_path: Path) -> None:
    saved(tmp_path / "m", model_type="llama", architectures=["LlamaForCausalLM"], is_causal=False)
    made = reviewed(written(tmp_path, component("chat", {"task": "chat"}, "decoder-only", model="m")))
    assert failing(made) == {"GEN-102": "error"}


def test_the_parts_of_a_pipeline_are_judged_one_by_one(tmp_path: Path) -> None:
    parts = {
        "retriever": {"architecture": "decoder-only"},
        "reranker": "minilm-l6-cross-encoder",
        "generator": "t5-small",
    }
    workload = {"task": "retrieval-augmented-generation"}
    made = reviewed(written(tmp_path, component("answers", workload, "retrieval-augmented-generation", parts=parts)))
    assert failing(made) == {"EMB-101": "error", "ARC-001": "warning"}
    assert only(made, "EMB-101").pointer == "/components/0/choice/parts/retriever/architecture"


def test_static_budgets_are_held_by_closed_form(tmp_path: Path) -> None:
    budgets = {"parameters": 109_482_240, "weights_gib": 0.3, "kv_bytes_per_token": 0, "flops_per_token": 1e6}
    choice = {"model": "bert-base", "dtype": "bfloat16", "budgets": budgets}
    made = reviewed(written(tmp_path, component("tickets", LABELS, "encoder-only", **choice)))
    assert failing(made) == {"BUD-104": "error"}
    weights = only(made, "BUD-102").figure
    assert weights is not None
    assert weights.mid == pytest.approx(109_482_240 * 2 / 2**30)
    budgets["parameters"] -= 1
    assert "BUD-101" in failing(reviewed(written(tmp_path, component("tickets", LABELS, "encoder-only", **choice))))


def test_the_cache_of_a_decoder_counts_in_the_dtype_that_its_config_names(tmp_path: Path) -> None:
    saved(tmp_path / "m", model_type="gpt2", architectures=["GPT2LMHeadModel"])
    config = {
        "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "vocab_size": 100, "n_positions": 64, "n_embd": 32,
        "n_layer": 2, "n_head": 2, "torch_dtype": "float16",
    }  # fmt: skip
    (tmp_path / "m" / "config.json").write_text(json.dumps(config))
    budgets = {"kv_bytes_per_token": 2 * 2 * 32 * 2}
    workload = {"task": "chat", "input_tokens": 16, "output_tokens": 16}
    file = written(tmp_path, component("chat", workload, "decoder-only", model="m", budgets=budgets))
    assert only(reviewed(file), "BUD-103").outcome == "pass"


RAG = {"task": "retrieval-augmented-generation", "requests_per_second": 2, "corpus_documents": 1000}


@pytest.mark.parametrize(
    ("parts", "budget", "outcome"),
    [
        ({"generator": {"model": "smollm2-360m"}}, 365e6, "not-checked"),
        ({"generator": {"model": "smollm2-360m"}}, 300e6, "fail"),
        ({"generator": {"model": "smollm2-360m"}, "retriever": {"model": "minilm-l6"}}, 365e6, "fail"),
        ({"generator": {"model": "smollm2-360m"}, "retriever": {"model": "minilm-l6"}}, 400e6, "pass"),
    ],
)
def test_a_pipeline_passes_no_budget_without_the_parts_that_it_cannot_do_without(
    tmp_path: Path, parts: dict[str, Any], budget: float, outcome: str
) -> None:
    declared = component("answers", RAG, "retrieval-augmented-generation", parts=parts, budgets={"parameters": budget})
    assert only(reviewed(written(tmp_path, declared)), "BUD-101").outcome == outcome

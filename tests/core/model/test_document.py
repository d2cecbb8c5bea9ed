"""What the models commands print, against the entries and the closed forms."""

from __future__ import annotations

import json

import pytest

from advisor.core.model.catalog import Catalog
from advisor.core.model.cost import kv_cache_bytes, stage_flops, weight_bytes
from advisor.core.model.document import ModelDocument, ModelsDocument, model_document, models_document
from advisor.core.sizing.measurement import CellPlan

IDS = ["bert-base", "gpt2", "llama-2-70b", "minilm-l6", "t5-small", "t5-11b", "gpt3-175b"]
HOSTED = ["text-embedding-ada-002", "gpt-4", "claude", "gemini", "palm"]


def test_the_list_holds_every_model_in_the_order_of_the_files_and_the_hosted_ones_last(catalog: Catalog) -> None:
    document = models_document(catalog)
    assert [line.id for line in document.models] == [*catalog.entries, *HOSTED]
    assert [line.id for line in document.models if line.hosted] == HOSTED
    for line in document.models:
        assert line.parameters == catalog.find(line.id).parameters


@pytest.mark.parametrize("model_id", [*IDS, *HOSTED])
def test_a_document_survives_json(catalog: Catalog, model_id: str) -> None:
    document = model_document(catalog.find(model_id))
    assert ModelDocument.model_validate_json(document.model_dump_json()) == document
    listed = models_document(catalog)
    assert ModelsDocument.model_validate_json(listed.model_dump_json()) == listed


@pytest.mark.parametrize("model_id", IDS)
def test_the_figures_are_those_of_the_entry_and_of_the_closed_forms(catalog: Catalog, model_id: str) -> None:
    entry = catalog.get(model_id)
    shown = json.loads(model_document(entry).model_dump_json())
    assert (shown["schema_version"], shown["kind"]) == (1, "model")
    assert shown["parameters"] == entry.parameters == sum(part["parameters"] for part in shown["parameter_breakdown"])
    for dtype in ("float32", "bfloat16", "float16"):
        assert shown["weight_bytes"][dtype] == weight_bytes(entry, dtype)
        kept = kv_cache_bytes(entry, dtype=dtype, batch_size=1, context_tokens=1)
        assert shown["kv_bytes_per_token"][dtype] == kept


def test_the_cache_of_llama_takes_half_a_mebibyte_a_token(catalog: Catalog) -> None:
    # 2 (keys, values) x 32 layers x 4,096 wide x 2 bytes
    assert model_document(catalog.get("llama-2-7b")).kv_bytes_per_token.bfloat16 == 2**19


def test_a_token_costs_about_two_operations_per_parameter_it_passes(catalog: Catalog) -> None:
    llama = catalog.get("llama-2-7b")
    passed = llama.parameters - 32000 * 4096  # the word table is looked up, not multiplied
    assert model_document(llama).flops_per_token == pytest.approx(2 * passed, rel=0.001)


def test_what_a_text_costs_once_is_no_part_of_what_a_token_costs(catalog: Catalog) -> None:
    # 12 layers project a table of 512 rows twice, 768 wide to 768; one text reads it whole, the other as far as it goes
    second, first = catalog.get("deberta-v3-base"), catalog.get("deberta-base")
    shown = model_document(second)
    assert shown.flops_per_text == 2 * 12 * 2 * 512 * 768**2
    alone = CellPlan(stage="forward", dtype="float32", batch_size=1, input_tokens=1)
    assert shown.flops_per_token == stage_flops(second, alone) - shown.flops_per_text
    assert model_document(first).flops_per_text == model_document(catalog.get("gpt2")).flops_per_text == 0


def test_only_an_encoder_decoder_has_a_source(catalog: Catalog) -> None:
    t5, gpt2, bert = (model_document(catalog.get(model)) for model in ("t5-base", "gpt2", "bert-base"))
    assert t5.kv_bytes_per_source_token == t5.kv_bytes_per_token
    assert t5.flops_per_source_token is not None
    for other in (gpt2, bert):
        assert other.kv_bytes_per_source_token is None
        assert other.flops_per_source_token is None
    assert bert.kv_bytes_per_token.float32 == 0


@pytest.mark.parametrize("model_id", HOSTED)
def test_nothing_is_computed_for_a_hosted_model_and_what_is_unknown_has_a_reason(
    catalog: Catalog, model_id: str
) -> None:
    document = model_document(catalog.find(model_id))
    computed = ("config", "parameter_breakdown", "weight_bytes", "kv_bytes_per_token", "flops_per_token")
    assert document.hosted
    assert document.provider
    assert all(getattr(document, key) is None for key in computed)
    for key in ("architecture", "parameters", "context_tokens"):
        assert (getattr(document, key) is None) == (key in document.unknown)


def test_palm_is_what_its_paper_says_and_the_published_sizes_add_up(catalog: Catalog) -> None:
    palm = model_document(catalog.find("palm"))
    sizes = palm.published_sizes or {}
    assert palm.architecture == "decoder-only"
    assert any("causal" in note for note in palm.notes)
    width, heads = sizes["hidden_size"], sizes["num_attention_heads"] * sizes["head_dim"]
    shared = 2 * sizes["num_key_value_heads"] * sizes["head_dim"]
    layer = width * (2 * heads + shared + 3 * sizes["intermediate_size"])
    assert sizes["num_layers"] * layer + sizes["vocab_size"] * width == pytest.approx(palm.parameters, rel=1e-4)


def test_a_model_whose_weights_were_never_published_is_counted_and_says_why_it_has_no_hub_id(catalog: Catalog) -> None:
    document = model_document(catalog.find("gpt3-175b"))
    assert (document.hosted, document.hub_id) == (False, None)
    assert "never" in document.unknown["hub_id"]
    assert document.parameters == 174_604_259_328
    assert document.source_parameters == 175_000_000_000

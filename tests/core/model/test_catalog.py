"""The catalogue as a value."""

from __future__ import annotations

import pytest

from advisor.core.errors import EXIT_CALLER, AdvisorError
from advisor.core.model.catalog import Catalog


def test_a_model_is_found_by_its_id(catalog: Catalog) -> None:
    assert catalog.get("t5-small").title == "T5 small"


def test_an_unknown_id_is_the_callers_fault_and_gets_the_nearest(catalog: Catalog) -> None:
    with pytest.raises(AdvisorError) as error:
        catalog.get("bert-bse")
    assert error.value.exit_code == EXIT_CALLER
    message = error.value.problems[0].message
    assert 'unknown model "bert-bse"' in message
    assert 'did you mean "bert-base"?' in message
    assert all(model in message for model in catalog.entries)


@pytest.mark.parametrize("model_id", ["claude", "gpt-4", "palm", "gemini", "text-embedding-ada-002"])
def test_a_hosted_model_can_be_shown_and_never_measured(catalog: Catalog, model_id: str) -> None:
    assert catalog.find(model_id).id == model_id
    with pytest.raises(AdvisorError) as error:
        catalog.get(model_id)
    assert error.value.exit_code == EXIT_CALLER
    assert f"{model_id} runs only at" in error.value.problems[0].message


def test_no_row_names_a_model_that_cannot_be_measured(catalog: Catalog) -> None:
    named = {model for rule in catalog.preferences.rules for model in rule.then}
    assert named <= set(catalog.entries)


def test_the_nearest_of_all_models_is_named_where_one_is_shown(catalog: Catalog) -> None:
    with pytest.raises(AdvisorError, match='did you mean "claude"'):
        catalog.find("cluade")


def test_sources_come_with_their_sections(catalog: Catalog) -> None:
    found = catalog.source(("G20", "G63", "ours"))
    assert [(one.id, one.section) for one in found] == [
        ("G20", "Production Notes"),
        ("G63", "ours"),
        ("ours", "ours"),
    ]

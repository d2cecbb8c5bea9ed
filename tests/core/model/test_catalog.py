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


def test_sources_come_with_their_sections(catalog: Catalog) -> None:
    found = catalog.source(("G20", "G63", "ours"))
    assert [(one.id, one.section) for one in found] == [
        ("G20", "Production Notes"),
        ("G63", "ours"),
        ("ours", "ours"),
    ]

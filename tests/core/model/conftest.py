"""The shipped catalogue, read afresh: a remembered one would hide a mistake in reading."""

from __future__ import annotations

import pytest

from advisor.core.model.catalog import Catalog
from advisor.store.catalog import load_catalog
from advisor.store.paths import shipped


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load_catalog(shipped("models"), cached=False)

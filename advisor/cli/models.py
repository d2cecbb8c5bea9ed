"""`advisor models [list|show ID]`."""

from __future__ import annotations

import argparse

from advisor.cli.options import chosen_folder, output_path
from advisor.cli.printing import deliver
from advisor.core.errors import EXIT_DONE
from advisor.core.model.document import model_document, models_document
from advisor.report.listings import model_blocks, models_blocks
from advisor.store.catalog import load_catalog
from advisor.store.paths import shipped


def models(options: argparse.Namespace) -> int:
    """List the catalogue, or show one entry."""
    output = output_path(options)
    catalog = load_catalog(chosen_folder(options, "models") or shipped("models"))
    if options.models_command == "show":
        one = model_document(catalog.find(options.id))
        deliver(one, model_blocks(one), options, output)
    else:
        every = models_document(catalog)
        deliver(every, models_blocks(every), options, output)
    return EXIT_DONE

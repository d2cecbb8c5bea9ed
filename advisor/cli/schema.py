"""`advisor schema KIND`: the JSON Schema of a kind of document, generated from the values themselves."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from advisor.cli.options import output_path
from advisor.cli.printing import write_json
from advisor.core.documents import DOCUMENTS, WRITTEN
from advisor.core.errors import EXIT_DONE, AdvisorError, allowed_words
from advisor.store.output import write_text


def schema(options: argparse.Namespace) -> int:
    """Print the schema."""
    output: Path | None = output_path(options, (".json",))
    if options.kind not in DOCUMENTS:
        raise AdvisorError(f'unknown kind "{options.kind}" — {allowed_words(options.kind, DOCUMENTS)}')
    words = schema_words(options.kind)
    if output is not None:
        write_text(output, words)
    write_json(words)
    return EXIT_DONE


def schema_words(kind: str) -> str:
    """The schema of a kind as JSON."""
    made = DOCUMENTS[kind].model_json_schema(mode="validation" if kind in WRITTEN else "serialization")
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | made
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

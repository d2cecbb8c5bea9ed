"""One value on stdout (words or JSON) and, if asked, in a file."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic_core import PydanticSerializationError

from advisor.cli.streams import put
from advisor.core.characters import escaped, writable
from advisor.core.values import Document
from advisor.report.blocks import Block
from advisor.store.output import write_text


def deliver(document: Document, blocks: Sequence[Block], options: argparse.Namespace, output: Path | None) -> None:
    """Print the document and write it to `output`: the same value in every form."""
    if output is not None:
        save(document, blocks, output)
    if getattr(options, "json", False):
        write_json(to_json(document))
    else:
        from advisor.report import text

        put(text.render(blocks, width=width(), colour=coloured(options)))


def save(document: Document, blocks: Sequence[Block], output: Path) -> None:
    """Write the document in the form that the file's ending says."""
    from advisor.report import markdown

    write_text(output, to_json(document) if output.suffix.lower() == ".json" else markdown.render(blocks))


def to_json(document: Document) -> str:
    """The document as JSON, one line per key, ending in a line break."""
    try:
        words = document.model_dump_json(by_alias=True, indent=2)
    except PydanticSerializationError:  # a file that it names has a name which is no text
        words = writable(json.dumps(document.model_dump(mode="json", by_alias=True), indent=2, ensure_ascii=False))
    return escaped(words) + "\n"


def write_json(words: str) -> None:
    """Put JSON on stdout, in UTF-8 whatever the locale says."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(encoding="utf-8")
    put(words)


def width() -> int:
    """Columns to write in: the terminal's, at most 120; 100 where stdout is none."""
    try:
        return min(120, os.get_terminal_size(sys.stdout.fileno()).columns or 100)
    except (OSError, AttributeError):  # no terminal, or no stdout at all
        return 100


def coloured(options: argparse.Namespace) -> bool:
    """Whether colour is wanted: a terminal, no --plain, no NO_COLOR, no dumb terminal."""
    wanted = not getattr(options, "plain", False) and not os.environ.get("NO_COLOR")
    return wanted and sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"

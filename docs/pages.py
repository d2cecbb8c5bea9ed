"""Writes docs/rules.md, docs/models.md, docs/check.md and docs/advisor.1 from the data and the commands themselves.

    python -m docs.pages [NAME …]

Nothing in those files is written by hand; a test compares them with what this prints.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from advisor.core.explain.document import Explanation, Subject
from advisor.core.explain.grounds import Grounds
from advisor.core.explain.index import Entry, entries
from advisor.core.model.document import model_document, models_document
from advisor.core.model.families import FAMILIES
from advisor.report import markdown
from advisor.report.blocks import Block, Heading, Paragraph, bullets
from advisor.report.explanations import GROUP_WORDS, sentences
from advisor.report.listings import model_blocks, models_blocks
from advisor.store.catalog import load_catalog
from advisor.store.rulebook import load_rulebook
from docs.checks import MADE, checks_page
from docs.manpage import man_page

ROOT = Path(__file__).resolve().parent.parent
RULES: tuple[Subject, ...] = ("decision", "component", "remark", "model choice")
STANDING: tuple[Subject, ...] = ("threshold", "fact", "claim", "question", "finding", "flag")


def rules_page(grounds: Grounds) -> str:
    """Every rule in a section of its own, then what rules stand on."""
    blocks: list[Block] = [Heading("Rules, facts and findings", 1), Paragraph(MADE)]
    for subject in (*RULES, *STANDING):
        blocks.append(Heading(GROUP_WORDS[subject], 2))
        for entry in entries(grounds):
            if entry.subject == subject:
                blocks += _section(entry)
    return markdown.render(blocks)


def _section(entry: Entry) -> Iterator[Block]:
    found = entry.explain()
    yield Heading(f"{found.id}: {found.title}", 3)
    lines: list[str | tuple[str, list[str]]] = [f"{word}: {said}" for word, said in sentences(found) if word != "What"]
    if found.source:
        lines.append(f"Source: {', '.join(_source(found))}")
    lines += [("Fires", list(found.fires))] if found.fires else []
    lines += [("Stays silent", list(found.silent))] if found.silent else []
    if entry.subject not in RULES and found.related:
        lines.append(f"Related: {', '.join(one.id for one in found.related)}")
    yield bullets(lines)


def _source(found: Explanation) -> Iterator[str]:
    for one in found.source:
        yield one.id if one.section == one.id else f"{one.id} ({one.section})"


def models_page(grounds: Grounds) -> str:
    """Every model in a table, then each with its sizes and sources."""
    every = models_document(grounds.catalog)
    blocks: list[Block] = [*models_blocks(every)[:1], Paragraph(MADE), *models_blocks(every)[1:]]
    for line in every.models:
        blocks += (_lowered(block) for block in model_blocks(model_document(grounds.catalog.find(line.id))))
    return markdown.render([*blocks, *_model_types()])


def _model_types() -> Iterator[Block]:
    """What else can be named: folders and hub ids whose config.json says one of these types."""
    yield Heading("Models of your own", 2)
    yield Paragraph(
        "A folder, or a hub's owner/name, is counted, measured and inspected where its config.json has one of these "
        "values of model_type. Of many others advisor check knows the architecture, and not the sizes."
    )
    kinds: dict[str, list[str]] = {}
    for model_type, family in sorted(FAMILIES.items()):
        kinds.setdefault(family.architecture, []).append(model_type)
    yield bullets([f"{architecture}: {', '.join(kinds[architecture])}" for architecture in sorted(kinds)])


def _lowered(block: Block) -> Block:
    return replace(block, level=block.level + 1) if isinstance(block, Heading) else block


def pages() -> dict[str, Callable[[], str]]:
    """What each file holds."""
    grounds = Grounds(load_rulebook(ROOT / "rules"), load_catalog(ROOT / "models"))
    return {
        "rules.md": lambda: rules_page(grounds),
        "models.md": lambda: models_page(grounds),
        "check.md": lambda: checks_page(grounds),
        "advisor.1": man_page,
    }


def main(names: list[str]) -> None:
    made = pages()
    for name in names or made:
        (ROOT / "docs" / name).write_text(made[name](), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

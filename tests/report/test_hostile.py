"""Whatever stands in any text of any document, no terminal obeys it and no Markdown becomes of it.

The example of every kind is poisoned in all texts that its shape leaves free, and rendered in every form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pydantic import ValidationError

from advisor.cli.complaints import problem_words
from advisor.cli.printing import to_json
from advisor.core.characters import ACTING
from advisor.core.documents import DOCUMENTS, WRITTEN
from advisor.core.errors import AdvisorError, Problem
from advisor.core.problems import error_document
from advisor.report import (
    advice,
    check_markdown,
    comparison,
    explanations,
    history,
    inspection,
    listings,
    machine,
    markdown,
    outline,
    text,
)
from advisor.report.blocks import Bullets, Heading, Paragraph
from tests.report.reviews import review

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
BLOCKS: dict[str, Callable[[Any], Any]] = {
    "recommendation": advice.recommendation_blocks,
    "profile": outline.profile_blocks,
    "report": outline.report_blocks,
    "models": listings.models_blocks,
    "model": listings.model_blocks,
    "rules": listings.rules_blocks,
    "rules-proof": listings.proof_blocks,
    "rules-diff": listings.diff_blocks,
    "explanation": explanations.explanation_blocks,
    "explanations": explanations.explanations_blocks,
    "history": history.history_blocks,
    "machine": machine.machine_blocks,
    "check": check_markdown.check_blocks,
    "inspection": inspection.inspection_blocks,
    "comparison": comparison.comparison_blocks,
}
PLAIN = "harmless"
HOSTILE = {
    "escapes": "\x1b[31mred\x1b[0m\x1b]52;c;aGk=\x07\x1b]8;;http://e.example\x1b\\x\x9b2J\x90q\x9c",
    "controls": "a\x00b\x07c\x08d\x0be\x0cf\x7fg\x85h\x9fi",
    "bidi": "a\u202eb\u2066c\u2069d\u200fe\u061cf\u2028g\u2029h",
    "rich": "[red]x[/red][link=http://e.example]y[/link][@click=app.quit]z[/]",
    "html": "<script>alert(1)</script><img src=x onerror=y>&lt;b&gt;&#60;i&#62;<!-- c --><a href='x'>",
    "markdown": "# h *e* **b** _u_ ~~s~~ `c` [l](x) ![i](y) | cell | $m$ <http://a.example> \\* ``` > q",
    "lists": "- item",
    "pluses": "+ item",
    "numbers": "1. item",
    "rule": "---",
    "long": "x" * 10_000,
}
NOT_DATA = re.compile("\x1b\\[(?:0|1|31|32|33)?m")
"""The colours of our own."""


def leaves(tree: Any, steps: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all texts."""
    if isinstance(tree, str):
        yield steps
    else:
        pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
        for key, value in pairs:
            yield from leaves(value, (*steps, key))


def put(tree: Any, steps: tuple[Any, ...], word: str) -> None:
    for step in steps[:-1]:
        tree = tree[step]
    tree[steps[-1]] = word


def free_texts(kind: str, word: str) -> list[tuple[Any, ...]]:
    """The texts that may hold this word. Members of a list are alike: where one may, all may."""
    source = (EXAMPLES / f"{kind}.json").read_text()
    by_shape: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for steps in leaves(json.loads(source)):
        if "defaulted" in steps:
            continue  # names of answers, looked up as such
        by_shape.setdefault(tuple("*" if isinstance(step, int) else step for step in steps), []).append(steps)
    free = []
    for places in by_shape.values():
        tree = json.loads(source)
        put(tree, places[0], word)
        try:
            DOCUMENTS[kind].model_validate_json(json.dumps(tree))
        except ValidationError:
            continue
        free += places
    return free


def poisoned(kind: str, word: str) -> Any:
    """The example with this word for each free text."""
    tree = json.loads((EXAMPLES / f"{kind}.json").read_text())
    for steps in free_texts(kind, word):
        put(tree, steps, word)
    return DOCUMENTS[kind].model_validate_json(json.dumps(tree))


def test_every_kind_of_document_is_tried() -> None:
    assert set(BLOCKS) == set(DOCUMENTS) - {*WRITTEN, "error"}


@pytest.mark.parametrize("kind", BLOCKS)
def test_no_text_of_a_document_steers_a_terminal(kind: str) -> None:
    everything = "".join(HOSTILE[name] for name in ("escapes", "controls", "bidi", "rich"))
    document = poisoned(kind, everything)
    blocks = BLOCKS[kind](document)
    for words in (
        text.render(blocks),
        NOT_DATA.sub("", text.render(blocks, colour=True)),
        markdown.render(blocks),
        to_json(document),
    ):
        assert not ACTING.search(words)
    assert DOCUMENTS[kind].model_validate_json(to_json(document)) == document
    assert "<U+202E>" in text.render(blocks)


def markup(words: str) -> list[str]:
    """What a Markdown reader makes of the words, without the words."""
    tokens: list[Token] = []
    for token in MarkdownIt("gfm-like", {"linkify": False}).parse(words):
        tokens += [token, *(token.children or ())]
    return [token.type for token in tokens if token.type != "text_special"]


@pytest.mark.parametrize("kind", BLOCKS)
def test_no_text_of_a_document_becomes_markup(kind: str) -> None:
    plain = markup(markdown.render(BLOCKS[kind](poisoned(kind, PLAIN))))
    hostile = " ".join(HOSTILE[name] for name in ("html", "markdown"))
    found = markup(markdown.render(BLOCKS[kind](poisoned(kind, hostile))))
    assert [one for one in found if one != "text"] == [one for one in plain if one != "text"]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("make", [Paragraph, Heading, lambda word: Bullets(((word, (word,)),))])
def test_a_text_that_is_nothing_but_a_sign_stays_a_text(make: Callable[[str], Any], name: str) -> None:
    plain, found = (markup(markdown.render([make(word)])) for word in (PLAIN, HOSTILE[name]))
    assert [one for one in found if one != "text"] == [one for one in plain if one != "text"]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_of_a_message_steers_a_terminal_or_looks_like_another(name: str) -> None:
    word = HOSTILE[name] + "\nadvisor: forged"
    problem = Problem(word, 3, 2, word, word, source_line=HOSTILE[name])
    assert not ACTING.search(problem_words(problem))
    assert not any(line.startswith("advisor: forged") for line in problem_words(problem).split("\n"))
    document = error_document(AdvisorError([problem]))
    assert not ACTING.search(to_json(document))
    assert json.loads(to_json(document))["problems"][0]["message"] == word


def test_half_a_surrogate_pair_is_shown_in_words_and_in_json() -> None:
    problem = Problem("\udcff", None, None, "\udcff", "\udcff")
    assert "<U+DCFF>" in problem_words(problem)
    assert "<U+DCFF>" in to_json(error_document(AdvisorError([problem])))


def test_a_document_that_names_a_file_whose_name_is_no_text_is_written_all_the_same() -> None:
    document = review().model_copy(update={"files": ("a\udcff.yaml",)})
    written = json.loads(to_json(document))
    assert written["files"] == ["a<U+DCFF>.yaml"]
    assert written["results"] == json.loads(to_json(review()))["results"]

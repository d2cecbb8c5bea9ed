"""Finds in the text of one Python file: where it does what the architecture should not.

The file is read as a syntax tree and never imported. What an expression holds is asked of `code_roles`.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from advisor.core.review.checkpoints import of_checkpoint
from advisor.core.review.code_kinds import OPEN_MASK, POOLED_DECODER, REMOTE_CODE, UNSAFE_LOAD, WRITING_ENCODER
from advisor.core.review.code_masks import open_masks
from advisor.core.review.code_names import Function, Names, Scope
from advisor.core.review.code_roles import Roles

MAX_FINDS = 100
"""Finds in one file; where there are as many, the file is told as not wholly checked."""
_TRAINS_VECTORS = re.compile(r"contrastive|info_?nce|MultipleNegatives|TripletLoss|SentenceTransformerTrainer", re.I)
_EMBEDDERS = re.compile(
    r"sentence_transformers\.SentenceTransformer|(langchain\w*|llama_index)(\.\w+)*\.HuggingFaceEmbeddings?"
)
_WRITING_PIPELINES = frozenset({"text-generation", "text2text-generation", "summarization", "translation"})
_CONCERNS = re.compile("torch|transformers|langchain|llama_index|trust_remote_code")
"""What no find can do without: most files of a repository need no more than to be parsed."""
_BREAKS = re.compile(r"\r\n|\r|\n")


_Place = tuple[ast.expr | ast.stmt | ast.keyword, str, str]
"""The node to point at, the check, and the words for what is there."""


class Find(NamedTuple):
    """One find in a file: which check, where (1-based, in characters), how many columns, and what is there."""

    check: str
    line: int
    column: int
    width: int
    message: str


class Unparsable(Exception):
    """A file that is no Python that can be read here."""


def find_in(text: str, *, contrastive: bool = False) -> list[Find]:
    """The first finds in the text of one file, by place. Raises Unparsable where it cannot be parsed."""
    try:
        tree = _parsed(text)
        if not _CONCERNS.search(text):
            return []
        names = Names(tree)
        lines = _BREAKS.split(text)
        places = islice(_once(_finds(names, text, contrastive)), MAX_FINDS)
        finds = [_at(node, check, words, lines) for node, check, words in places]
    except RecursionError:
        raise Unparsable("it is nested too deeply") from None
    return sorted(finds, key=lambda one: (one.line, one.column, one.check))


def _once(places: Iterator[_Place]) -> Iterator[_Place]:
    """Each place once for each check, though it may be come upon in two ways."""
    seen: set[tuple[int, str]] = set()
    for place in places:
        key = (id(place[0]), place[1])
        if key not in seen:
            seen.add(key)
            yield place


def _parsed(text: str) -> ast.Module:
    try:
        with warnings.catch_warnings():  # a stranger's doubtful escapes are not our user's concern
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        where = f"line {error.lineno}: " if error.lineno else ""
        raise Unparsable(f"it does not parse as Python; {where}{error.msg}") from None
    except (ValueError, MemoryError) as error:
        raise Unparsable(f"it does not parse as Python; {error}") from None


def _finds(names: Names, text: str, contrastive: bool) -> Iterator[_Place]:
    roles = Roles(names)
    vectors = not contrastive and not _TRAINS_VECTORS.search(text)
    for node, scope in names.seen:
        if isinstance(node, ast.Call):
            yield from _in_call(node, scope, names, roles, vectors)
        elif isinstance(node, ast.Dict):
            yield from _in_dict(node)
        elif vectors and isinstance(node, ast.Assign | ast.Return):
            yield from _in_statement(node, scope, roles)
    yield from (
        (node, OPEN_MASK, f"{words}: every position can see the ones after it")
        for node, words in open_masks(names, text)
    )


def _in_call(node: ast.Call, scope: Scope, names: Names, roles: Roles, vectors: bool) -> Iterator[_Place]:
    full = names.dotted(node.func, scope)
    for one in node.keywords:
        if one.arg == "trust_remote_code" and names.constant(one.value, scope) is True:
            yield one, REMOTE_CODE, "trust_remote_code=True runs whatever the model's repository holds"
    if full in ("torch.load", "torch.serialization.load") and (words := _unsafe(node, scope, names)):
        yield node, UNSAFE_LOAD, words
    if isinstance(node.func, ast.Attribute) and node.func.attr == "generate":
        role = roles.of(node.func.value, scope)
        if role is not None and role.kind == "encoder":
            yield node, WRITING_ENCODER, f"{role.name} is asked to generate, and an encoder cannot write"
    if full == "transformers.pipeline":
        yield from _in_pipeline(node, scope, names, roles, vectors)
    if not vectors:
        return
    if (role := roles.pooled(node, scope)) is not None and role.kind in ("states", "output"):
        yield node, POOLED_DECODER, f"the hidden states of {role.name} are pooled into a vector"
    if full and _EMBEDDERS.fullmatch(full) and of_checkpoint(roles.checkpoint(node, scope) or "") == "decoder":
        words = f'"{roles.checkpoint(node, scope)}" is a plain decoder, and {full.rsplit(".", 1)[-1]} embeds with it'
        yield node, POOLED_DECODER, words
    if full == "torch.nn.functional.normalize" and node.args:
        yield from _token(node.args[0], scope, roles)


def _unsafe(node: ast.Call, scope: Scope, names: Names) -> str | None:
    """What is wrong with a call of torch.load, if anything is known to be."""
    given = {one.arg: one.value for one in node.keywords}
    if None in given or any(isinstance(one, ast.Starred) for one in node.args):
        return None
    if "weights_only" not in given:
        return "torch.load without weights_only=True: before torch 2.6 it runs what the file holds"
    said = names.constant(given["weights_only"], scope)
    return "torch.load with weights_only=False runs what the file holds" if said is False else None


def _in_pipeline(node: ast.Call, scope: Scope, names: Names, roles: Roles, vectors: bool) -> Iterator[_Place]:
    """`pipeline("text-generation", model="bert-base-uncased")`, and a plain decoder for its features."""
    given = {one.arg: one.value for one in node.keywords}
    task = names.constant(node.args[0] if node.args else given.get("task"), scope)
    model = names.constant(node.args[1] if len(node.args) > 1 else given.get("model"), scope)
    kind = of_checkpoint(model) if isinstance(model, str) else None
    if kind == "encoder" and isinstance(task, str) and task.split("_")[0] in _WRITING_PIPELINES:
        yield node, WRITING_ENCODER, f'"{model}" is asked for {task}, and an encoder cannot write'
    if vectors and kind == "decoder" and task == "feature-extraction":
        yield node, POOLED_DECODER, f'"{model}" is a plain decoder, and its features are taken for vectors'


def _in_dict(node: ast.Dict) -> Iterator[_Place]:
    """`{"trust_remote_code": True}`, as it is handed on to whatever loads."""
    for key, value in zip(node.keys, node.values, strict=True):
        named = isinstance(key, ast.Constant) and key.value == "trust_remote_code"
        if named and isinstance(value, ast.Constant) and value.value is True:
            yield value, REMOTE_CODE, "trust_remote_code set to True runs whatever the model's repository holds"


def _in_statement(node: ast.Assign | ast.Return, scope: Scope, roles: Roles) -> Iterator[_Place]:
    """One token's state that is called a vector: `embedding = states[:, -1]`, or returned from a function `embed`."""
    if isinstance(node, ast.Assign):
        called = " ".join(one.id for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name))
    else:
        called = scope.node.name if isinstance(scope.node, Function) else ""
    if node.value is not None and "embed" in called.lower():
        yield from _token(node.value, scope, roles)


def _token(node: ast.expr, scope: Scope, roles: Roles) -> Iterator[_Place]:
    role = roles.of(node, scope)
    if role is not None and role.kind == "token":
        yield node, POOLED_DECODER, f"one token's hidden state of {role.name} is taken for the vector of a text"


def _at(node: ast.expr | ast.stmt | ast.keyword, check: str, message: str, lines: Sequence[str]) -> Find:
    """A find at a node: its place in characters, where Python counts bytes; a long one is marked to the line's end."""
    written = lines[node.lineno - 1].encode("utf-8", "replace")
    end = node.end_col_offset if node.end_lineno == node.lineno else None
    start = len(written[: node.col_offset].decode("utf-8", "replace"))
    stop = len(written[:end].decode("utf-8", "replace"))
    return Find(check, node.lineno, start + 1, max(1, stop - start), message)

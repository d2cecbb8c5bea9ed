"""Finds in the text of one Python file: where it does what the architecture should not.

The file is read as a syntax tree and never imported. What an expression holds is asked of `code_roles`, what becomes of
it of `code_heads`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cached_property
from itertools import islice

from advisor.core.review.checkpoints import labels, of_checkpoint, pulled_decoder
from advisor.core.review.code_heads import judged, judges, snake
from advisor.core.review.code_kinds import OPEN_MASK, POOLED_DECODER, WRITING_ENCODER
from advisor.core.review.code_loads import handed_on, load_finds
from advisor.core.review.code_masks import open_masks
from advisor.core.review.code_names import Names
from advisor.core.review.code_parse import lines_of, parsed, too_deep
from advisor.core.review.code_place import Find, Place, find_at
from advisor.core.review.code_roles import Role, Roles
from advisor.core.review.code_scopes import Function, Scope, last_name

MAX_FINDS = 100
"""Finds in one file; where there are as many, the file is told as not wholly checked."""
_TRAINS_VECTORS = re.compile(
    r"contrastive|info_?nce|nt_?xent|simcse|MultipleNegatives|TripletLoss|triplet_(margin_)?loss|CosineSimilarityLoss|"
    r"Cosine_?Embedding_?Loss|CoSENT|AnglELoss|train_objectives|SentenceTransformerTrainer|in.?batch.?negatives|"
    r"sentence_transformers[^\n]*\blosses\b",
    re.I,
)
_EMBEDDERS = re.compile(
    r"sentence_transformers\.(SentenceTransformer|models\.Transformer)|"
    r"(langchain\w*|llama_index)(\.\w+)*\.HuggingFace(Bge)?Embeddings?|"
    r"chromadb(\.\w+)*\.SentenceTransformerEmbeddingFunction|haystack(\.\w+)*\.SentenceTransformers\w*Embedder"
)
_EMBEDS_IF_ASKED = ("vllm.LLM", "vllm.EngineArgs", "vllm.AsyncEngineArgs")
_PULLING_EMBEDDERS = re.compile(r"(langchain\w*|llama_index)(\.\w+)*\.OllamaEmbeddings?")
_WRITING_PIPELINES = frozenset({"text-generation", "text2text-generation", "summarization", "translation"})
_CONCERNS = re.compile("torch|transformers|langchain|llama_index|chromadb|haystack|vllm|trust_remote_code")
"""What no find can do without: most files of a repository need no more than to be parsed."""
_VECTOR = re.compile(r"(^|_)(\w*embed\w*|embs?|vectors?|vecs?)(_|$)")
_NO_VECTOR = re.compile(
    r"inputs?_emb|prompts?_emb|tok(en)?s?_emb|pos(ition)?s?_emb|next_|word_emb|steer|control|thought|noise|task_vec|latent"
)
"""Embeddings that are an input, and vectors that are none of a text."""
_GIVES_WEIGHTS = frozenset({"load_adapter", "load_state_dict", "add_adapter", "load_lora_weights"})
_NORMALIZE = "torch.nn.functional.normalize"
_RAISES = re.compile(r"raises|assertRaises\w*")
_EMBEDS = re.compile(r"(^|_)(\w*embed\w*|vectori[sz]e\w*|encode(_\w+)?)$")


def find_in(text: str, *, contrastive: bool = False) -> list[Find]:
    """The first finds in the text of one file, by place. Raises Unparsable where it cannot be parsed."""
    tree = parsed(text)
    if not _CONCERNS.search(text):
        return []
    try:
        lines = lines_of(text)
        places = islice(_once(_File(tree, text, contrastive).finds()), MAX_FINDS)
        finds = [find_at(place, lines) for place in places]
    except RecursionError:
        raise too_deep() from None
    return sorted(finds, key=lambda one: (one.line, one.column, one.check))


def _once(places: Iterator[Place]) -> Iterator[Place]:
    """Each place once for each check, though it may be come upon in two ways."""
    seen: set[tuple[int, str]] = set()
    for place in places:
        key = (id(place.node), place.check)
        if key not in seen:
            seen.add(key)
            yield place


class _File:
    """One file being read. `vectors`: whether vectors made of a decoder in it are untrained."""

    def __init__(self, tree: ast.Module, text: str, contrastive: bool) -> None:
        self.names = Names(tree)
        self.roles = Roles(self.names)
        self.text = text
        self.vectors = not contrastive and not _TRAINS_VECTORS.search(text)

    def finds(self) -> Iterator[Place]:
        """Every place, as it is come upon."""
        expected = _expected_to_fail(self.names)
        for node, scope in self.names.seen:
            if node in expected:
                continue
            if isinstance(node, ast.Call):
                yield from load_finds(node, scope, self.names)
                yield from self._writing(node, scope)
                yield from self._pooling(node, scope) if self.vectors else ()
            elif isinstance(node, ast.Dict | ast.Assign):
                yield from handed_on(node)
            if self.vectors and isinstance(node, ast.Assign | ast.AnnAssign | ast.Return):
                yield from self._statement(node, scope)
        for place, words in open_masks(self.names, self.text):
            yield Place(place, OPEN_MASK, f"{words}: every position can see the ones after it")

    @cached_property
    def _judged(self) -> set[ast.AST]:
        return judged(self.names)

    @cached_property
    def _altered(self) -> set[str]:
        """The models that are given other weights than their checkpoint's; those may be tuned for anything."""
        calls = ((node, scope) for node, scope in self.names.seen if isinstance(node, ast.Call))
        gives = ((one.func, scope) for one, scope in calls if last_name(one.func) in _GIVES_WEIGHTS)
        roles = (self.roles.of(one.value, scope) for one, scope in gives if isinstance(one, ast.Attribute))
        return {role.name for role in roles if role is not None}

    def _writing(self, node: ast.Call, scope: Scope) -> Iterator[Place]:
        """An encoder that is asked to write: `model.generate(…)`, `pipeline("text-generation", model=…)`."""
        if self.names.dotted(node.func, scope) == "transformers.pipeline":
            task, model = self._pipeline(node, scope)
            if of_checkpoint(model) == "encoder" and task.split("_")[0] in _WRITING_PIPELINES:
                yield Place(node, WRITING_ENCODER, f'"{model}" is asked for {task}, and an encoder cannot write')
        if not isinstance(node.func, ast.Attribute) or node.func.attr != "generate" or "generate" in self.names.stored:
            return
        role = self.roles.of(node.func.value, scope)
        if role is not None and role.kind == "encoder":
            why = "it has a head for labels, none for writing" if labels(role.class_name) else "an encoder cannot write"
            yield Place(node, WRITING_ENCODER, f"{role.name} is asked to generate, and {why}")

    def _pooling(self, node: ast.Call, scope: Scope) -> Iterator[Place]:
        """Vectors of a decoder: pooled here, or made by a library that is given its checkpoint."""
        if (role := self.roles.pooled(node, scope)) is not None and role.kind in ("states", "text", "output"):
            words = f"the hidden states of {role.name} are pooled into a vector"
            yield from self._unless_judged(node, scope, role, words)
        full = self.names.dotted(node.func, scope) or ""
        if (pulls := bool(_PULLING_EMBEDDERS.fullmatch(full))) or self._embeds(full, node, scope):
            name = self.roles.checkpoint(node, scope) or ""
            plain = pulled_decoder(name) if pulls else of_checkpoint(name) == "decoder"
            words = f'"{name}" is a plain decoder, and {full.rsplit(".", 1)[-1]} embeds with it'
            yield from [Place(node, POOLED_DECODER, words)] if plain else ()
        if full == "transformers.pipeline":
            task, model = self._pipeline(node, scope)
            if of_checkpoint(model) == "decoder" and task == "feature-extraction":
                words = f'"{model}" is a plain decoder, and its features are taken for vectors'
                yield Place(node, POOLED_DECODER, words)
        if full == _NORMALIZE:
            yield from self._token(node, scope)
        if last_name(node.func) == "append" and isinstance(node.func, ast.Attribute) and _is_vector(node.func.value):
            yield from self._token(node.args[0], scope) if node.args else ()

    def _embeds(self, full: str, node: ast.Call, scope: Scope) -> bool:
        """Whether a call makes what embeds with the checkpoint it is given: by its nature, or because it is told to."""
        told = [self.names.constant(one.value, scope) for one in node.keywords if one.arg in ("task", "convert")]
        return bool(_EMBEDDERS.fullmatch(full)) or (full in _EMBEDS_IF_ASKED and told in (["embed"], ["embedding"]))

    def _pipeline(self, node: ast.Call, scope: Scope) -> tuple[str, str]:
        """The task and the model of a pipeline, "" where they are not known."""
        given = {one.arg: one.value for one in node.keywords}
        task = self.names.constant(node.args[0] if node.args else given.get("task"), scope)
        model = self.names.usual(node.args[1] if len(node.args) > 1 else given.get("model"), scope)
        return task if isinstance(task, str) else "", model if isinstance(model, str) else ""

    def _statement(self, node: ast.Assign | ast.AnnAssign | ast.Return, scope: Scope) -> Iterator[Place]:
        """One token's state that is called a vector: `embedding = states[:, -1]`, or returned from `embed`."""
        if isinstance(node, ast.Return):
            called = isinstance(scope.node, Function) and bool(_EMBEDS.search(snake(scope.node.name)))
        else:
            called = any(_is_vector(one) for one in (node.targets if isinstance(node, ast.Assign) else [node.target]))
        if node.value is not None and called:
            yield from self._token(node.value, scope)

    def _token(self, node: ast.expr, scope: Scope) -> Iterator[Place]:
        while isinstance(node, ast.Call) and node.args and self.names.dotted(node.func, scope) == _NORMALIZE:
            node = node.args[0]
        if isinstance(node, ast.Name | ast.Attribute) and _is_vector(node):
            return  # where it was called so, it was found
        role: Role | None = self.roles.of(node, scope)
        if role is not None and role.kind == "token":
            words = f"one token's hidden state of {role.name} is taken for the vector of a text"
            yield from self._unless_judged(node, scope, role, words)

    def _unless_judged(self, node: ast.expr, scope: Scope, role: Role, words: str) -> Iterator[Place]:
        if not judges(self.names, scope) and node not in self._judged and role.name not in self._altered:
            yield Place(node, POOLED_DECODER, words)


def _is_vector(target: ast.expr) -> bool:
    """Whether a name says that it holds a vector of a text."""
    name = snake(last_name(target))
    return bool(_VECTOR.search(name)) and not _NO_VECTOR.search(name)


def _expected_to_fail(names: Names) -> set[ast.AST]:
    """Everything inside `with pytest.raises(…)` and its like: a test that something does not work."""
    found: set[ast.AST] = set()
    for node, _ in names.seen:
        if isinstance(node, ast.With) and any(_RAISES.fullmatch(last_name(one.context_expr)) for one in node.items):
            found.update(one for statement in node.body for one in ast.walk(statement))
    return found

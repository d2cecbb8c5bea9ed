"""Self-attention of a decoder without a causal mask, as far as a class shows it by its names and calls.

A class speaks for itself by its name (causal, GPT, decoder …). One mask anywhere in it, a parameter that brings one, a
cache, a second sequence to attend to: each of them is reason enough to say nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TypeGuard

from advisor.core.review.code_names import MAX_BOUND, Names, Place
from advisor.core.review.code_scopes import Scope, last_name

Found = tuple[ast.expr | ast.stmt, str]
"""The node to point at, and the words for what is there."""

_CAUSAL = re.compile(r"(Causal|Casual)(LM|Self|Multi|Attention|Attn|Decoder|Transformer|Language|Block)|GPT")
"""Causality is also a subject of statistics: a causal graph or a causal effect writes no text."""
_MODELS = re.compile(r"LanguageModel")
_DECODES = re.compile(r"Decoder")
_OTHER = re.compile(
    r"Encoder|Cross|Non_?Causal|Non_?[Aa]uto|NAT|Bidirectional|BiDirectional|Bi[A-Z]|Embed|Query|Q[Ff]ormer|Perceiver|"
    r"Resampler|Detr|DETR|Detect|Vision|Visual|ViT|Swin|Image|Video|Pixel|Patch|Audio|Speech|CTC|VAE|Vae|Latent|Diffus|Denois|MAE|"
    r"Mask(ed)?(Auto|Decod|Lang|L[A-Z])|MLM|B[Ee][Rr][Tt]"
)
_FILLS_BLANKS = re.compile(r"\[MASK\]|mask_token|\bmlm\b|masked[ _](lm|language)", re.I)
"""What tells a language model that fills blanks, and sees both sides of them, from one that writes."""
_MASKS = re.compile(
    r"tril|triu|masked_fill|subsequent_mask|causal_mask|CausalMask|Triangular|attn_bias|attention_bias|block_mask|create_causal|"
    r"(build|make|get|create|prepare)_\w*mask"
)
_OUTSIDE = re.compile(
    r"mask|bias|past|cache|memory|encoder|(^|_)(enc|src|kv|img)(_|$)|source|context|cross|cond|quer|image|visual|audio|latent"
)
_STEPS = re.compile(r"step|cache|cross|incremental|generate|sample")
_SDPA = "torch.nn.functional.scaled_dot_product_attention"
_TORCH_DECODERS = ("torch.nn.TransformerDecoder", "torch.nn.TransformerDecoderLayer")
_TORCH_ENCODERS = ("torch.nn.TransformerEncoder", "torch.nn.TransformerEncoderLayer")
_LEARNED = re.compile(r"quer|slot|latent|learn|anchor")
"""Targets of a decoder that are no text."""


def open_masks(names: Names, source: str) -> Iterator[Found]:
    """Every place of a file where a decoder's own attention lacks its mask."""
    text = "vocab" in source
    blanks = bool(_FILLS_BLANKS.search(source))
    inside: dict[Scope, list[tuple[ast.AST, Scope]]] = {
        scope: []
        for node, scope in names.scopes.items()
        if isinstance(node, ast.ClassDef) and _writes_text(node.name, text=text, blanks=blanks)
    }
    for node, scope in names.seen if inside else ():
        for around in scope.around():
            if around in inside:
                inside[around].append((node, scope))
    for owner, nodes in inside.items():
        yield from _in_class(names, owner, nodes)
    if text:
        yield from _torch_decoders(names)


def _writes_text(name: str, *, text: bool, blanks: bool) -> bool:
    """Whether a class of this name writes.

    A decoder may decode pictures, so its file must name a vocabulary; a language model may fill blanks.
    """
    if _OTHER.search(name):
        return False
    return bool(_CAUSAL.search(name) or (not blanks and (_MODELS.search(name) or (text and _DECODES.search(name)))))


def _in_class(names: Names, owner: Scope, inside: Sequence[tuple[ast.AST, Scope]]) -> Iterator[Found]:
    if any(_names_a_mask(node) for node, _ in inside):
        return
    writer = bool(_CAUSAL.search(_class_name(owner)) or _MODELS.search(_class_name(owner)))
    attends = partial(_attends, names, writer=writer)
    calls = [(node, scope) for node, scope in inside if isinstance(node, ast.Call) and attends(node, scope)]
    if any(_masked(names, call, scope) for call, scope in calls):
        return
    inputs = _Inputs(names)
    for call, scope in calls:
        if not _attends_elsewhere(call, scope) and not inputs.cross(call, scope):
            yield call, f"the attention of {_class_name(owner)} has no causal mask"
    for node, scope in inside:
        if _says_not_causal(node) and not calls and not _attends_elsewhere(None, scope):
            yield node, f"{_class_name(owner)} sets is_causal to False"


def _class_name(owner: Scope) -> str:
    return owner.node.name if isinstance(owner.node, ast.ClassDef) else "the class"


def _names_a_mask(node: ast.AST) -> bool:
    """Whether a name speaks of a causal mask, or an argument says `causal=True` as flash attention wants it."""
    if isinstance(node, ast.keyword):
        off = isinstance(node.value, ast.Constant) and not node.value.value
        return node.arg == "causal" and not off
    return bool(_MASKS.search(last_name(node)))


def _attends(names: Names, call: ast.Call, scope: Scope, *, writer: bool) -> bool:
    """Whether a call is attention of one sequence to itself: torch's function, or its module with one input thrice.

    In a class that writes for certain, torch's encoder stack is one, too: with a causal mask it is what such a class
    is often made of.
    """
    if names.dotted(call.func, scope) == _SDPA:
        return True
    if writer and len(call.args) == 1 and _made_by(names, call.func, scope, _TORCH_ENCODERS):
        return True
    same = len(call.args) >= 3 and len({ast.dump(one) for one in call.args[:3]}) == 1
    return same and _made_by(names, call.func, scope, ("torch.nn.MultiheadAttention",))


def _made_by(names: Names, function: ast.expr, scope: Scope, classes: tuple[str, ...]) -> bool:
    """Whether all that a name or attribute is bound to is an object of these classes."""
    bound = names.bound_at(names.place(function, scope))
    return 0 < len(bound) <= MAX_BOUND and all(
        isinstance(one, ast.Call) and names.dotted(one.func, where) in classes for one, where in bound
    )


def _masked(names: Names, call: ast.Call, scope: Scope) -> bool:
    """Whether a call has a mask, or may have one."""
    if any(isinstance(one, ast.Starred) for one in call.args) or len(call.args) > 3:
        return True
    for one in call.keywords:
        if one.arg is None or (one.arg == "is_causal" and names.constant(one.value, scope) is not False):
            return True
        if one.arg in ("attn_mask", "mask", "src_mask") and names.constant(one.value, scope) is not None:
            return True
    return False


def _attends_elsewhere(call: ast.Call | None, scope: Scope) -> bool:
    """Whether names around a call speak of another sequence, of a cache, or of a mask that comes from outside."""
    near = [one.id for one in ast.walk(call) if isinstance(one, ast.Name)] if call else []
    for around in scope.around():
        if isinstance(around.node, ast.FunctionDef | ast.AsyncFunctionDef):
            if _STEPS.search(around.node.name):
                return True
            near += [one.arg for one in ast.walk(around.node.args) if isinstance(one, ast.arg)]
    return any(_OUTSIDE.search(name.lower()) for name in near)


class _Inputs:
    """What queries and keys are made from, each looked up once."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._known: dict[Place, set[str]] = {}

    def cross(self, call: ast.Call, scope: Scope) -> bool:
        """Whether the keys of a call come from something that its queries do not come from."""
        if len(call.args) < 2:
            return False
        themselves = {one.id for one in call.args if isinstance(one, ast.Name)}
        query, key = (self._of(one, scope) - themselves for one in call.args[:2])
        return bool(query and key - query)

    def _of(self, node: ast.expr, scope: Scope) -> set[str]:
        """The names that are handed to whatever makes a value, as in `self.key(x).transpose(1, 2)`."""
        place = self._names.place(node, scope)
        if place is None:
            return set(_handed(node))
        if place not in self._known:
            made = (value for value, _ in self._names.bound_at(place) if isinstance(value, ast.Call))
            self._known[place] = {name for value in made for name in _handed(value)}
        return self._known[place]


def _handed(node: ast.expr) -> Iterator[str]:
    calls = (one for one in ast.walk(node) if isinstance(one, ast.Call))
    yield from (one.id for call in calls for one in call.args if isinstance(one, ast.Name))


def _says_not_causal(node: ast.AST) -> TypeGuard[ast.Assign]:
    """`self.is_causal = False`."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1:
        return False
    target, value = node.targets[0], node.value
    named = isinstance(target, ast.Attribute) and target.attr == "is_causal"
    return named and isinstance(value, ast.Constant) and value.value is False


def _torch_decoders(names: Names) -> Iterator[Found]:
    """torch's own decoder, called with a target and a memory and no mask for the target.

    Where one call of a class has the mask, another goes on from a cache or takes one step.
    """
    open_, masked = list[tuple[ast.Call, Scope]](), set[Scope]()
    for node, scope in names.seen:
        if not isinstance(node, ast.Call) or not _made_by(names, node.func, scope, _TORCH_DECODERS):
            continue
        said = {one.arg for one in node.keywords if names.constant(one.value, scope) is not None}
        starred = any(isinstance(one, ast.Starred) for one in node.args)
        queries = any(_LEARNED.search(last_name(one).lower()) for one in ast.walk(node))
        if len(node.args) == 2 and not starred and not queries and not said & {None, "tgt_mask", "tgt_is_causal"}:
            open_.append((node, scope))
        else:
            masked.update(one for one in scope.around() if one.is_class)
    for node, scope in open_:
        if not masked.intersection(scope.around()):
            yield node, "torch's decoder is called without tgt_mask"

"""What an expression of a Python file holds, where transformers is used: a model, its output, its states, a vector.

One idea: roles flow. A model that is called gives an output, an output has states, states that are pooled are a vector.
What flows through anything else is unknown, and unknown is never a finding.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from itertools import islice
from typing import Literal, NamedTuple

from advisor.core.review.checkpoints import of_checkpoint, of_class, tuned_for_vectors
from advisor.core.review.code_names import MAX_BOUND, Bound, Function, Names, Scope, is_none

MAX_STEPS = 60
"""How far a value is followed back."""
MAX_LOOKS = 500
"""How many expressions one question may lead to: a file could be written to make that double with every line."""

_SAME = frozenset(
    {
        "bfloat16",
        "clone",
        "compile",
        "contiguous",
        "cpu",
        "cuda",
        "detach",
        "double",
        "eval",
        "float",
        "half",
        "numpy",
        "requires_grad_",
        "to",
        "train",
        "type",
        "unsqueeze",
    }
)
"""Methods that give back what they are called on, moved or converted."""
_POOLING = frozenset({"mean", "sum", "max", "amax", "median", "nanmean"})
_INNER = frozenset({"base_model", "model", "module", "transformer"})
_STATES = frozenset({"hidden_states", "last_hidden_state"})
_CHECKPOINT_KEYS = ("pretrained_model_name_or_path", "model_name_or_path", "model_name", "model")


class Role(NamedTuple):
    """What something is, and the words of the code that made it so."""

    kind: Literal["decoder", "encoder", "output", "states", "token", "vector", "itself"]
    name: str


_ITSELF = Role("itself", "")
"""A name that is bound to what it already was (`model = model.eval()`): it says nothing new."""


class Roles:
    """The roles of one file's expressions."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._asking: set[tuple[Scope, str]] = set()
        self._known: dict[tuple[Scope, str], Role | None] = {}
        self._looks = 0

    def of(self, node: ast.AST, scope: Scope, steps: int = 0) -> Role | None:
        """The role of an expression; None where it is unknown."""
        self._looks = self._looks + 1 if steps else 0
        if steps > MAX_STEPS or self._looks > MAX_LOOKS:
            return None
        match node:
            case ast.Name():
                there, bound = scope.find(node.id)
                return self._agreed((there, node.id), ((one, there) for one in bound), steps)
            case ast.Attribute():
                return self._attribute(node, scope, steps)
            case ast.Subscript():
                return self._subscript(node, scope, steps)
            case ast.Call():
                return self._call(node, scope, steps)
            case ast.BinOp():
                sides = [self.of(side, scope, steps + 1) for side in (node.left, node.right)]
                return next((one for one in sides if one and one.kind in ("states", "vector")), None)
        return None

    def checkpoint(self, call: ast.Call, scope: Scope) -> str | None:
        """The name of the checkpoint that a call loads, where it stands in the file."""
        given = [one.value for one in call.keywords if one.arg in _CHECKPOINT_KEYS] or call.args[:1]
        name = self.names.constant(given[0], scope) if given else None
        return name if isinstance(name, str) else None

    def _agreed(self, asked: tuple[Scope, str], bound: Iterable[tuple[Bound, Scope]], steps: int) -> Role | None:
        """The one role that everything bound to a name has."""
        if asked in self._asking:
            return _ITSELF
        if asked in self._known:
            return self._known[asked]
        self._asking.add(asked)
        said = [(one, where) for one, where in islice(bound, MAX_BOUND + 1) if not is_none(one)]
        roles = {self._bound(one, where, steps) for one, where in said} if len(said) <= MAX_BOUND else {None}
        self._asking.discard(asked)
        roles.discard(_ITSELF)
        role = roles.pop() if len(roles) == 1 else None
        if not self._asking:  # inside another question it may hang on the answer to that one
            self._known[asked] = role
        return role

    def _bound(self, bound: Bound, scope: Scope, steps: int) -> Role | None:
        return self.of(bound, scope, steps + 1) if isinstance(bound, ast.expr) else None

    def _attribute(self, node: ast.Attribute, scope: Scope, steps: int) -> Role | None:
        if isinstance(node.value, ast.Name) and (owner := scope.owner(node.value.id)) is not None:
            return self._agreed((owner, f"self.{node.attr}"), owner.attributes.get(node.attr, ()), steps)
        base = self.of(node.value, scope, steps + 1)
        if base is None:
            return None
        if base.kind == "decoder" and node.attr in _INNER:
            return base
        return Role("states", base.name) if base.kind == "output" and node.attr in _STATES else None

    def _subscript(self, node: ast.Subscript, scope: Scope, steps: int) -> Role | None:
        base = self.of(node.value, scope, steps + 1)
        if base is None:
            return None
        if base.kind == "output":
            key = self.names.constant(node.slice, scope)
            return Role("states", base.name) if key in _STATES else None
        if base.kind == "states" and isinstance(node.slice, ast.Tuple):
            one = any(isinstance(part, ast.Constant | ast.UnaryOp | ast.Name) for part in node.slice.elts[1:2])
            return Role("token", base.name) if one else base
        return base if base.kind == "states" else None

    def _call(self, node: ast.Call, scope: Scope, steps: int) -> Role | None:
        if (loaded := self._loaded(node, scope)) is not None:
            return loaded
        full = self.names.dotted(node.func, scope)
        if full in ("torch.compile", "torch.nn.functional.normalize") and node.args:
            return self.of(node.args[0], scope, steps + 1)
        if (pooled := self.pooled(node, scope, steps)) is not None:
            return Role("vector", pooled.name)
        if isinstance(node.func, ast.Attribute) and node.func.attr in _SAME:
            return self.of(node.func.value, scope, steps + 1)
        called = self.of(node.func, scope, steps + 1)
        if called is not None:
            return Role("output", called.name) if called.kind == "decoder" else None
        return self._returned(node.func, scope, steps)

    def pooled(self, node: ast.Call, scope: Scope, steps: int = 0) -> Role | None:
        """The states that a call pools over their tokens; None where it does no such thing."""
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in _POOLING and (node.args or node.keywords):
            full = self.names.dotted(function, scope)
            pooled = node.args[0] if full and full.startswith("torch.") and node.args else function.value
            role = self.of(pooled, scope, steps + 1)
            return role if role and role.kind == "states" else None
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if "pool" not in name.lower():
            return None
        roles = (self.of(one, scope, steps + 1) for one in node.args[:1])
        return next((role for role in roles if role and role.kind in ("states", "output")), None)

    def _loaded(self, call: ast.Call, scope: Scope) -> Role | None:
        """The model that `Class.from_pretrained(…)` or `Class(config)` of transformers gives."""
        function = call.func
        if isinstance(function, ast.Attribute) and function.attr in ("from_pretrained", "from_config"):
            function = function.value
        full = self.names.dotted(function, scope) or ""
        name = full.rsplit(".", 1)[-1]
        if not full.startswith("transformers.") or any(one.arg == "trust_remote_code" for one in call.keywords):
            return None  # a class that comes with the checkpoint may do anything
        checkpoint = self.checkpoint(call, scope) or ""
        if tuned_for_vectors(checkpoint):
            return Role("encoder", name) if of_class(name) == "encoder" else None
        kind = of_class(name) if name != "AutoModel" else of_checkpoint(checkpoint)
        if name == "AutoModelForCausalLM" and of_checkpoint(checkpoint) == "encoder":
            kind = "encoder"
        return Role(kind, f'{name} of "{checkpoint}"' if checkpoint else name) if kind else None

    def _returned(self, function: ast.expr, scope: Scope, steps: int) -> Role | None:
        """What a function or method of the file returns, where all its returns agree."""
        if isinstance(function, ast.Name):
            bound = scope.find(function.id)[1]
        elif isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            owner = scope.owner(function.value.id)
            bound = owner.bound.get(function.attr, []) if owner else []
        else:
            return None
        if len(bound) != 1 or not isinstance(bound[0], Function):
            return None
        inside = self.names.scopes[bound[0]]
        return self._agreed((inside, "return"), ((one, inside) for one in inside.returns), steps)

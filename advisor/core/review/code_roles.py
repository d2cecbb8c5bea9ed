"""What an expression of a Python file holds, where transformers is used: a model, its output, its states, a vector.

One idea: roles flow. A model that is called gives an output, an output has states, states that are pooled are a vector.
What flows through anything else is unknown, and unknown is never a finding.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from itertools import islice
from typing import Literal, NamedTuple

from advisor.core.review.checkpoints import is_bare, of_model
from advisor.core.review.code_names import MAX_BOUND, Names, Place
from advisor.core.review.code_scopes import Bound, Scope, is_none, is_property
from advisor.core.review.code_shapes import axis_of, is_one, takes_one_each

MAX_STEPS = 60
"""How far a value is followed back."""
MAX_LOOKS = 500
"""How many expressions one question may lead to: a file could be written to make that double with every line."""

_SAME = frozenset(
    {
        *("bfloat16", "clone", "compile", "contiguous", "cpu", "cuda", "detach", "double", "eval", "float", "half"),
        *("masked_fill", "numpy", "requires_grad_", "squeeze", "to", "train", "type", "unsqueeze"),
    }
)
"""Methods that give back what they are called on, moved, converted, or with some of it blanked out."""
_POOLING = frozenset({"mean", "sum", "max", "amax", "median", "nanmean"})
_TENSORS = ("torch.", "numpy.")
_INNER = frozenset({"base_model", "model", "module", "transformer"})
_CHECKPOINT_KEYS = ("pretrained_model_name_or_path", "model_name_or_path", "model_name", "model")


class Role(NamedTuple):
    """What something is, and the words of the code that made it so.

    `states` are of a batch of texts, `text` those of one, `layers` those of every layer. `bare`: the model ends at its
    states, so they are the first thing in its output.
    """

    kind: Literal["decoder", "encoder", "output", "layers", "states", "text", "token", "vector", "itself"]
    name: str
    bare: bool = False
    class_name: str = ""

    def into(self, kind: Literal["output", "layers", "states", "text", "token", "vector"]) -> Role:
        """What comes out of it."""
        return self._replace(kind=kind)


_ITSELF = Role("itself", "")
"""A name that is bound to what it already was (`model = model.eval()`): it says nothing new."""


class Roles:
    """The roles of one file's expressions."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._asking: set[Place] = set()
        self._known: dict[Place, Role | None] = {}
        self._looks = 0

    def of(self, node: ast.AST, scope: Scope, steps: int = 0) -> Role | None:
        """The role of an expression; None where it is unknown."""
        self._looks = self._looks + 1 if steps else 0
        if steps > MAX_STEPS or self._looks > MAX_LOOKS:
            return None
        match node:
            case ast.Name():
                place = self.names.place(node, scope)
                return self._agreed(place, self.names.bound_at(place), steps) if place else None
            case ast.Attribute():
                return self._attribute(node, scope, steps)
            case ast.Subscript():
                return self._subscript(node, scope, steps)
            case ast.Call():
                return self._call(node, scope, steps)
            case ast.BinOp():
                sides = [self.of(side, scope, steps + 1) for side in (node.left, node.right)]
                return next((one for one in sides if one and one.kind in ("states", "text", "vector")), None)
        return None

    def checkpoint(self, call: ast.Call, scope: Scope) -> str | None:
        """The name of the checkpoint that a call loads (unless told otherwise), where it stands in the file."""
        given = [one.value for one in call.keywords if one.arg in _CHECKPOINT_KEYS] or call.args[:1]
        name = self.names.usual(given[0], scope) if given else None
        return name if isinstance(name, str) else None

    def _agreed(self, asked: Place, bound: Iterable[tuple[Bound, Scope]], steps: int) -> Role | None:
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
        if isinstance(bound, ast.FunctionDef) and is_property(bound):
            return self._returns(bound, steps)
        return self.of(bound, scope, steps + 1) if isinstance(bound, ast.expr) else None

    def _attribute(self, node: ast.Attribute, scope: Scope, steps: int) -> Role | None:
        if (place := self.names.place(node, scope)) is not None:
            return self._agreed(place, self.names.bound_at(place), steps)
        base = self.of(node.value, scope, steps + 1)
        if base is None:
            return None
        if base.kind == "decoder" and node.attr in _INNER:
            return base if node.attr == "module" else base._replace(bare=True)
        if base.kind != "output":
            return None
        return base.into("states") if node.attr == "last_hidden_state" else self._layers(base, node.attr)

    def _layers(self, output: Role, key: object) -> Role | None:
        return output.into("layers") if key == "hidden_states" else None

    def _subscript(self, node: ast.Subscript, scope: Scope, steps: int) -> Role | None:
        base = self.of(node.value, scope, steps + 1)
        if base is None:
            return None
        index = node.slice
        if base.kind == "output":
            key = self.names.constant(index, scope)
            first = key == "last_hidden_state" or (base.bare and type(key) is int and key == 0)
            return base.into("states") if first else self._layers(base, key)
        if base.kind == "layers":
            last = self.names.constant(index, scope)
            return base.into("states") if type(last) is int and last < 0 else None
        if base.kind not in ("states", "text"):
            return None
        if base.kind == "states" and takes_one_each(index):
            return base.into("token")
        picked = [is_one(one) for one in (index.elts if isinstance(index, ast.Tuple) else [index])]
        if base.kind == "text":
            return base.into("token") if picked[0] else base
        if any(picked[1:2]):
            return base.into("token")
        return base.into("text") if picked[0] else base

    def _call(self, node: ast.Call, scope: Scope, steps: int) -> Role | None:
        if (loaded := self._loaded(node, scope)) is not None:
            return loaded
        full = self.names.dotted(node.func, scope)
        if full in ("torch.compile", "torch.nn.functional.normalize") and node.args:
            return self.of(node.args[0], scope, steps + 1)
        if (pooled := self.pooled(node, scope, steps)) is not None:
            return pooled.into("vector")
        if isinstance(node.func, ast.Attribute) and node.func.attr in _SAME:
            role = self.of(node.func.value, scope, steps + 1)
            return role.into("text") if role and role.kind == "states" and node.func.attr == "squeeze" else role
        called = self.of(node.func, scope, steps + 1)
        if called is not None:
            reads_text = all(one.arg != "inputs_embeds" for one in node.keywords)  # else series, pictures, prompts
            return called.into("output") if called.kind == "decoder" and reads_text else None
        said = self.names.bound_at(self.names.place(node.func, scope))
        only = said[0][0] if len(said) == 1 else None
        plain = isinstance(only, ast.FunctionDef) and not is_property(only)
        return self._returns(only, steps) if isinstance(only, ast.FunctionDef) and plain else None

    def pooled(self, node: ast.Call, scope: Scope, steps: int = 0) -> Role | None:
        """The states that a call pools over their tokens; None where it does no such thing."""
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in _POOLING:
            of_module = (self.names.dotted(function, scope) or "").startswith(_TENSORS)
            pooled = node.args[0] if of_module and node.args else function.value
            tokens = {"states": (1, -2), "text": (0, -2)}
            axis = axis_of(node, 1 if of_module else 0)
            role = self.of(pooled, scope, steps + 1) if axis is not None else None
            return role if role and axis in tokens.get(role.kind, ()) else None
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if "pool" not in name.lower() or self._is_made(function, scope):
            return None
        roles = (self.of(one, scope, steps + 1) for one in node.args[:1])
        return next((role for role in roles if role and role.kind in ("states", "output")), None)

    def _is_made(self, function: ast.expr, scope: Scope) -> bool:
        """Whether what is called is an object that was made here: a layer that pools is trained to."""
        return any(isinstance(one, ast.Call) for one, _ in self.names.bound_at(self.names.place(function, scope)))

    def _loaded(self, call: ast.Call, scope: Scope) -> Role | None:
        """The model that `Class.from_pretrained(…)` or `Class(config)` of transformers gives."""
        full = (self.names.dotted(call.func, scope) or "").removesuffix(".from_pretrained").removesuffix(".from_config")
        given = {one.arg: self.names.constant(one.value, scope) for one in call.keywords}
        if not full.startswith("transformers.") or given.get("trust_remote_code", False) is not False:
            return None  # a class that comes with the checkpoint may do anything
        checkpoint = self.checkpoint(call, scope) or ""
        unsaid = "config" in given or None in given or given.get("is_decoder", False) is not False
        name = full.rsplit(".", 1)[-1]
        kind = of_model(name, checkpoint, may_decode=unsaid or "is_decoder" in self.names.stored)
        words = f'{name} of "{checkpoint}"' if checkpoint else name
        return Role(kind, words, is_bare(name), name) if kind else None

    def _returns(self, function: ast.FunctionDef, steps: int) -> Role | None:
        """What a function or method of the file returns, where all its returns agree."""
        inside = self.names.scopes[function]
        return self._agreed((inside, "return"), ((one, inside) for one in inside.returns), steps)

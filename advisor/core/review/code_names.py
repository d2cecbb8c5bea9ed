"""What the names of a Python file stand for: something imported, a constant, whatever is bound to them.

A name is known only where all that is bound to it says the same; one that is only another name for something known is
known as that.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from functools import cached_property

from advisor.core.review.code_scopes import Bound, Reader, Scope, is_none
from advisor.core.review.code_shapes import literal

MAX_BOUND = 100
"""Assignments to one name: with more of them it is nobody's constant."""
MAX_ALIASES = 20
"""How many names for one thing are followed."""
MAX_FAMILY = 30
"""Classes above and below a class that are looked at for an attribute."""
_ENVIRONMENT = frozenset({"os.getenv", "os.environ.get"})

Place = tuple[Scope, str]
"""Where something is bound: a scope and a name; for an attribute its class, and the name with a dot before it."""


class Names:
    """The names of one file. `seen` is every node a check may ask about, each with its scope."""

    def __init__(self, tree: ast.Module) -> None:
        read = Reader(tree)
        self.scopes, self.seen, self.stored = read.scopes, read.seen, read.stored
        self._dotted: dict[Place, str | None] = {}
        self._bound: dict[Place, list[tuple[Bound, Scope]]] = {}

    def place(self, node: ast.AST, scope: Scope) -> Place | None:
        """Where a name, or an attribute of `self` or of a class of the file, is bound."""
        match node:
            case ast.Name(id=name):
                return scope.find(name)[0], name
            case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                owner = scope.owner(name) or self.class_of(node.value, scope)
                return (owner, f".{attribute}") if owner is not None else None
        return None

    def bound_at(self, place: Place | None) -> list[tuple[Bound, Scope]]:
        """All that is bound there (one more than counts, where it is too much), each with the scope to read it in."""
        if place is None:
            return []
        if place not in self._bound:
            scope, name = place
            self._bound[place] = (
                self._members(scope, name[1:])
                if name.startswith(".")
                else [(one, scope) for one in scope.bound.get(name, ())]
            )[: MAX_BOUND + 1]
        return self._bound[place]

    def dotted(self, node: ast.AST, scope: Scope, steps: int = 0) -> str | None:
        """The full name of what was imported, as in `torch.nn.functional`; None where it is not known."""
        match node:
            case ast.Attribute(value=value, attr=attribute):
                before = self.dotted(value, scope, steps)
                return self._named(node, scope, steps) if before is None else f"{before}.{attribute}"
            case ast.Name():
                return self._named(node, scope, steps)
            case ast.Call(func=ast.Name(id="getattr"), args=[value, ast.Constant(value=str(attribute)), *_]):
                before = self.dotted(value, scope, steps)
                return None if before is None else f"{before}.{attribute}"
        return None

    def constant(self, node: ast.AST | None, scope: Scope) -> object:
        """The constant that an expression is, also through a name that is bound once; Ellipsis where it is none."""
        if node is None or (known := literal(node)) is not ...:
            return ... if node is None else known
        said = self.bound_at(self.place(node, scope))
        once = said[0][0] if len(said) == 1 else None
        return literal(once) if isinstance(once, ast.expr) else ...

    def usual(self, node: ast.AST | None, scope: Scope, steps: int = 0) -> object:
        """The constant that an expression is unless somebody says otherwise: a parameter's default counts, too."""
        known = self.constant(node, scope)
        if known is not ... or node is None or steps > MAX_ALIASES:
            return known
        if isinstance(node, ast.Call) and self.dotted(node.func, scope) in _ENVIRONMENT and len(node.args) == 2:
            return self.usual(node.args[1], scope, steps + 1)
        said = self.bound_at(place := self.place(node, scope))
        if place is None or len(said) != 1:
            return ...
        once, where = said[0]
        if once is None and place[1] in place[0].defaults:
            return self.usual(place[0].defaults[place[1]], place[0].outer or scope, steps + 1)
        return self.usual(once, where, steps + 1) if isinstance(once, ast.expr) else ...

    def _named(self, node: ast.AST, scope: Scope, steps: int) -> str | None:
        place = self.place(node, scope)
        if place is None or steps > MAX_ALIASES:
            return None
        if place not in self._dotted:
            self._dotted[place] = None  # what is bound to itself has no name
            said = {self._alias(*one, steps + 1) for one in self.bound_at(place) if not is_none(one[0])}
            self._dotted[place] = said.pop() if len(said) == 1 else None
        return self._dotted[place]

    def _alias(self, bound: Bound, scope: Scope, steps: int) -> str | None:
        """What a name that is bound to this is another name for."""
        match bound:
            case str():
                return bound
            case ast.Name() | ast.Attribute() | ast.Call():
                return self.dotted(bound, scope, steps)
            case ast.ClassDef(bases=[base], keywords=[]) if _adds_nothing(bound):
                return self.dotted(base, scope, steps)
        return None

    def class_of(self, node: ast.AST, scope: Scope) -> Scope | None:
        """The class of the file that a name stands for."""
        said = scope.find(node.id)[1] if isinstance(node, ast.Name) else []
        return self.scopes[said[0]] if len(said) == 1 and isinstance(said[0], ast.ClassDef) else None

    def _members(self, owner: Scope, attribute: str) -> list[tuple[Bound, Scope]]:
        """All that an attribute of a class's instance may be: its own, else inherited, and what subclasses make it."""
        said: list[tuple[Bound, Scope]] = []
        for one in _family(owner, self._bases):
            said = said or _own(one, attribute)
        below = (one for one in _family(owner, self._subclasses) if one is not owner)
        return [*said, *(found for one in below for found in _own(one, attribute))]

    @cached_property
    def _bases(self) -> dict[Scope, list[Scope]]:
        """The classes of the file that each class of the file builds on."""
        found: dict[Scope, list[Scope]] = {}
        for node, scope in self.scopes.items():
            if isinstance(node, ast.ClassDef) and scope.outer is not None:
                bases = (self.class_of(one, scope.outer) for one in node.bases)
                found[scope] = [one for one in bases if one is not None and one is not scope]
        return found

    @cached_property
    def _subclasses(self) -> dict[Scope, list[Scope]]:
        found: dict[Scope, list[Scope]] = {}
        for scope, bases in self._bases.items():
            for base in bases:
                found.setdefault(base, []).append(scope)
        return found


def _family(owner: Scope, related: Mapping[Scope, Sequence[Scope]]) -> list[Scope]:
    """A class and those it is related to one way, the nearest first."""
    known = {owner: None}
    for scope in (waiting := [owner]):
        new = [one for one in related.get(scope, ()) if one not in known][: MAX_FAMILY - len(known)]
        known |= dict.fromkeys(new)
        waiting += new
    return list(known)


def _own(scope: Scope, attribute: str) -> list[tuple[Bound, Scope]]:
    """What a class itself binds: in its body, and through `self`."""
    return [*((one, scope) for one in scope.bound.get(attribute, ())), *scope.attributes.get(attribute, ())]


def _adds_nothing(node: ast.ClassDef) -> bool:
    """Whether a class is its base under another name: no method, so nothing that runs otherwise."""
    inside = (one for statement in node.body for one in ast.walk(statement))
    methods = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return not node.decorator_list and not any(isinstance(one, methods) for one in inside)

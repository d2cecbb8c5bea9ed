"""The scopes of a Python file: which name is bound to what, read from its syntax tree alone.

Nothing is run and no import is followed. Every assignment to a name in a scope counts, whatever the order, and anything
that cannot be followed (a parameter, a loop, an unpacking) counts as unknown. What names mean stands in `code_names`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

Function = ast.FunctionDef | ast.AsyncFunctionDef
Bound = ast.expr | Function | ast.ClassDef | str | None
"""An expression, a function or class of the file, the dotted name of what was imported, or None: not followed."""

_PROPERTIES = frozenset({"property", "cached_property"})
_TRANSPARENT = frozenset(
    {
        *("cache", "cached", "cache_resource", "classmethod", "inference_mode", "lru_cache", "no_grad", "override"),
        *("staticmethod", *_PROPERTIES),
    }
)
"""Decorators that leave what a function returns as it is."""


@dataclass(eq=False, slots=True)
class Scope:
    """A module, class or function.

    `attributes` are a class's, as its methods set them through `self`, each with the scope its value is read in.
    `defaults` are a function's, for the parameters that have one.
    """

    node: ast.AST
    outer: Scope | None
    bound: dict[str, list[Bound]] = field(default_factory=dict)
    attributes: dict[str, list[tuple[Bound, Scope]]] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    returns: list[ast.expr] = field(default_factory=list)
    defaults: dict[str, ast.expr] = field(default_factory=dict)

    @property
    def is_class(self) -> bool:
        """Whether the names in it are out of sight of its methods."""
        return isinstance(self.node, ast.ClassDef)

    def find(self, name: str) -> tuple[Scope, list[Bound]]:
        """The scope that binds a name, as Python looks it up, and all that is bound to it there."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.bound and (scope is self or not scope.is_class):
                return scope, scope.bound[name]
            scope = scope.outer
        return self, []

    def around(self) -> Iterator[Scope]:
        """This scope and those around it, from the inside."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer

    def owner(self, name: str) -> Scope | None:
        """The class whose instance `name` is here (or which it is), if it is the first parameter of a method."""
        for scope in self.around():
            if isinstance(scope.node, Function) and scope.outer is not None and scope.outer.is_class:
                first = [*scope.node.args.posonlyargs, *scope.node.args.args][:1]
                static = any(last_name(one) == "staticmethod" for one in scope.node.decorator_list)
                return scope.outer if first and first[0].arg == name and not static else None
        return None


class Reader(ast.NodeVisitor):
    """The scopes of a file, and every node that a check may ask about with the scope it stands in.

    `stored` holds the names of all attributes that are assigned to anywhere, whatever they belong to.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.module = Scope(tree, None)
        self.scope = self.module
        self.scopes: dict[ast.AST, Scope] = {tree: self.module}
        self.seen: list[tuple[ast.AST, Scope]] = []
        self.stored: set[str] = set()
        self._assigned: set[ast.Name] = set()
        self.generic_visit(tree)

    def visit(self, node: ast.AST) -> None:
        """Note a node, then what is in it."""
        self.seen.append((node, self.scope))
        super().visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """A function is bound to its name, unless a decorator may have made something else of it."""
        plain = all(last_name(one) in _TRANSPARENT for one in node.decorator_list)
        self._bind(node.name, node if plain else None)
        self._inside(node, node.args)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """Calling it gives something to wait for, not what it returns."""
        self._bind(node.name, None)
        self._inside(node, node.args)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """A scope of its own with nothing but parameters."""
        self._inside(node, node.args)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """A class is bound to its name."""
        self._bind(node.name, None if node.decorator_list and not _dataclass(node) else node)
        self._inside(node, None)

    def _inside(self, node: ast.AST, parameters: ast.arguments | None) -> None:
        self.scope = self.scopes[node] = Scope(node, self.scope)
        if parameters is not None:
            for one in ast.walk(parameters):
                if isinstance(one, ast.arg):
                    self._bind(one.arg, None)
            self.scope.defaults = dict(_defaults(parameters))
        self.generic_visit(node)
        self.scope = self.scope.outer or self.module

    def visit_Import(self, node: ast.Import) -> None:
        """`import a.b` binds `a`, `import a.b as c` binds `c` to `a.b`."""
        for one in node.names:
            self._bind(one.asname or one.name.split(".")[0], one.name if one.asname else one.name.split(".")[0])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """A relative import is a module of the project, which is not followed."""
        for one in node.names:
            self._bind(one.asname or one.name, None if node.level else f"{node.module}.{one.name}")

    def visit_Assign(self, node: ast.Assign) -> None:
        """Each target is bound to the value."""
        for target in node.targets:
            self._assign(target, node.value)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Like an assignment, where a value is given; that of a class's field is only what it starts with."""
        if node.value is not None:
            field_of_a_class = self.scope.is_class and last_name(node.annotation) not in ("ClassVar", "Final")
            self._assign(node.target, None if field_of_a_class and not is_none(node.value) else node.value)
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        """Like an assignment."""
        self._assign(node.target, node.value)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        """A name that is stored in no way named above (a loop, a `with`, `+=`, `del`) is unknown."""
        if not isinstance(node.ctx, ast.Load) and node not in self._assigned:
            self._bind(node.id, None)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """An attribute that is assigned to is noted by its name."""
        if not isinstance(node.ctx, ast.Load):
            self.stored.add(node.attr)
        self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """The name of an error is unknown."""
        self._bind(node.name, None)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        """So is what a pattern takes."""
        self._bind(node.name, None)
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> None:
        """Assignments to these names belong to the module."""
        self.scope.elsewhere.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        """Assigned to from two functions: unknown in both."""
        for name in node.names:
            for scope in self.scope.around():
                scope.bound.setdefault(name, []).append(None)

    def visit_Return(self, node: ast.Return) -> None:
        """What a function returns."""
        self.scope.returns.append(node.value or ast.Constant(None))
        self.generic_visit(node)

    def _assign(self, target: ast.expr, value: ast.expr | None) -> None:
        match target:
            case ast.Name(id=name):
                self._assigned.add(target)
                self._bind(name, value)
            case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                if (owner := self.scope.owner(name)) is not None:
                    owner.attributes.setdefault(attribute, []).append((value, self.scope))
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                values = value.elts if isinstance(value, ast.Tuple) and len(value.elts) == len(targets) else None
                for number, one in enumerate(targets):
                    self._assign(one, values[number] if values else None)

    def _bind(self, name: str | None, bound: Bound) -> None:
        if name is not None:
            scope = self.module if name in self.scope.elsewhere else self.scope
            scope.bound.setdefault(name, []).append(bound)


def is_none(bound: Bound) -> bool:
    """Whether it is the word None: a placeholder that says nothing about what comes later."""
    return isinstance(bound, ast.Constant) and bound.value is None


def is_property(node: Function) -> bool:
    """Whether a method is called where its name is read."""
    return any(last_name(one) in _PROPERTIES for one in node.decorator_list)


def last_name(node: ast.AST) -> str:
    """The last name of what is called, subscripted or reached through dots: `b` of `a.b(…)`; "" where there is none."""
    while isinstance(node, ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _dataclass(node: ast.ClassDef) -> bool:
    return all(last_name(one) == "dataclass" for one in node.decorator_list)


def _defaults(parameters: ast.arguments) -> Iterator[tuple[str, ast.expr]]:
    """The parameters that have a default, with it."""
    named = [*parameters.posonlyargs, *parameters.args]
    for one, value in zip(reversed(named), reversed(parameters.defaults), strict=False):
        yield one.arg, value
    for one, given in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True):
        if given is not None:
            yield one.arg, given

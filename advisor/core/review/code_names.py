"""What the names of a Python file are bound to, read from its syntax tree alone.

Nothing is run and no import is followed. Every assignment to a name in a scope counts, whatever the order, and anything
that cannot be followed (a parameter, a loop, an unpacking) counts as unknown: a name is known only where all that is
bound to it says the same.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_BOUND = 100
"""Assignments to one name: with more of them it is nobody's constant."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Bound = ast.expr | Function | str | None
"""An expression, a function, the dotted name of what was imported, or None for what is not followed."""


@dataclass(eq=False, slots=True)
class Scope:
    """A module, class or function.

    `attributes` are a class's, as its methods set them through `self`, each with the scope its value is read in.
    """

    node: ast.AST
    outer: Scope | None
    bound: dict[str, list[Bound]] = field(default_factory=dict)
    attributes: dict[str, list[tuple[Bound, Scope]]] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)
    returns: list[ast.expr] = field(default_factory=list)

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
        """The class whose instance `name` is here, if it is the first parameter of a method."""
        for scope in self.around():
            if isinstance(scope.node, Function) and scope.outer is not None and scope.outer.is_class:
                first = [*scope.node.args.posonlyargs, *scope.node.args.args][:1]
                return scope.outer if first and first[0].arg == name else None
        return None


class Names(ast.NodeVisitor):
    """The scopes of a file, and every node that a check may ask about with the scope it stands in."""

    def __init__(self, tree: ast.Module) -> None:
        self.module = Scope(tree, None)
        self.scope = self.module
        self.scopes: dict[ast.AST, Scope] = {tree: self.module}
        self.seen: list[tuple[ast.AST, Scope]] = []
        self._assigned: set[ast.Name] = set()
        self.generic_visit(tree)

    def dotted(self, node: ast.AST, scope: Scope) -> str | None:
        """The full name of what was imported, as in `torch.nn.functional`; None where it is not known."""
        if isinstance(node, ast.Attribute):
            before = self.dotted(node.value, scope)
            return None if before is None else f"{before}.{node.attr}"
        if not isinstance(node, ast.Name):
            return None
        said = {one for one in scope.find(node.id)[1][: MAX_BOUND + 1] if not is_none(one)}
        only = next(iter(said)) if len(said) == 1 else None
        return only if isinstance(only, str) else None

    def constant(self, node: ast.AST | None, scope: Scope) -> object:
        """The constant that an expression is, also through a name that is bound once; Ellipsis where it is none."""
        if isinstance(node, ast.Name):
            there, said = scope.find(node.id)
            once = said[0] if len(said) == 1 else None
            return self.constant(once, there) if isinstance(once, ast.Constant) else ...
        return node.value if isinstance(node, ast.Constant) else ...

    def visit(self, node: ast.AST) -> None:
        """Note a node, then what is in it."""
        self.seen.append((node, self.scope))
        super().visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """A function is bound to its name; its parameters are unknown."""
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """Calling it gives something to wait for, not what it returns."""
        self._bind(node.name, None)
        self._inside(node, node.args)

    def _function(self, node: ast.FunctionDef) -> None:
        self._bind(node.name, None if node.decorator_list else node)
        self._inside(node, node.args)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """A scope of its own with nothing but parameters."""
        self._inside(node, node.args)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """A class of the file itself is nothing that a check knows."""
        self._bind(node.name, None)
        self._inside(node, None)

    def _inside(self, node: ast.AST, parameters: ast.arguments | None) -> None:
        self.scope = self.scopes[node] = Scope(node, self.scope)
        if parameters is not None:
            for one in ast.walk(parameters):
                if isinstance(one, ast.arg):
                    self._bind(one.arg, None)
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
        """Like an assignment, where a value is given."""
        if node.value is not None:
            self._assign(node.target, node.value)
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        """Like an assignment."""
        self._assign(node.target, node.value)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        """A name that is stored in no way named above (a loop, a `with`, `+=`, `del`) is unknown."""
        if not isinstance(node.ctx, ast.Load) and node not in self._assigned:
            self._bind(node.id, None)

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

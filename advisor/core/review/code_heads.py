"""What of a Python file ends in a head, a classifier or a loss: states that are judged are no vector of a text.

One idea: walk back. From everything that is handed to a head, to each expression it may have come from: through names,
attributes, lists, the functions of the file and their parameters. Where the way forks every branch counts: to say
nothing of a value that is judged matters more than to find one that is not.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

from advisor.core.review.code_names import Names, Place
from advisor.core.review.code_scopes import Function, Scope, last_name

_HEAD = re.compile(
    r"(^|_)(heads?|classif\w*|regress\w*|rewards?|critic|value_(net|fn)|linear\w*|fc\d*|lin\d*|mlp|ffn|probes?|logits?|dense|"
    r"proj\w*|loss\w*|criterion|\w*entropy|predict\w*|gate|router|adapter|connector)(\d*)(_|$)|"
    r"^((score|rate|grade|judge)(_\w+)?|scorer|value|fit|partial_fit|out|to_out)$"
)
"""Names of what judges a state, in snake case."""
_LAYER = re.compile(
    r"torch\.nn\.(modules\.\w+\.)?((Lazy)?Linear|Bilinear|Sequential|LSTM|GRU|Conv1d|\w*Attention|\w+Loss)"
)
_LEARNS = re.compile(
    _LAYER.pattern + r"|torch\.nn\.(Parameter|ModuleList|ModuleDict|Conv\dd|TransformerEncoder(Layer)?)"
)
"""What a class keeps that is trained on top of the states."""
_TRAINS = re.compile(r"(xgboost|lightgbm|catboost)\..*|sklearn\.model_selection\.\w+|torch\.utils\.data\.TensorDataset")
"""What takes examples to be learnt from."""
_UNSUPERVISED = re.compile(r"sklearn\.(neighbors|cluster|decomposition|manifold)\.|(umap|hdbscan|faiss)\.")
"""What is fitted to vectors as such."""
_VERDICT = re.compile(
    r"(^|_)(loss(es)?|logits?|rewards?|steer\w*|directions?|activations?|(prompt|input)s?_emb\w*)(_|$)"
)
"""Names of results that are no vectors of texts."""
_JUDGE = re.compile(
    r"(^|_)(rewards?|critic|value|classif\w*|regress\w*|prob(e|es|ing)|scorer|steer\w*|diffusion|activations?)(_|$)"
)
"""Classes and functions that are about something else than vectors."""
_GROWS = frozenset({"append", "extend", "add", "insert", "update", "put"})


def judged(names: Names) -> set[ast.AST]:
    """Every expression that may end in a head, a classifier or a loss."""
    ways, found = _Ways(names), set[ast.AST]()
    waiting: list[ast.AST] = list(_ends(names))
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += [*ast.iter_child_nodes(node), *ways.into(node)]
    return found


def judges(names: Names, scope: Scope) -> bool:
    """Whether what something stands in is about rewards, classes or the like, or trains layers of its own."""
    for one in scope.around():
        if isinstance(one.node, Function | ast.ClassDef) and _JUDGE.search(snake(one.node.name)):
            return True
        kept = (bound for values in one.attributes.values() for bound in values)
        made = (names.dotted(value.func, at) or "" for value, at in kept if isinstance(value, ast.Call))
        if any(_LEARNS.fullmatch(full) for full in made):
            return True
    return False


def snake(name: str) -> str:
    """`ValueHead` as `value_head`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _ends(names: Names) -> Iterator[ast.expr]:
    """What is handed to a head, what is called a loss or the like, and a mean that states are centred by."""
    for node, scope in names.seen:
        if isinstance(node, ast.Call) and _is_head(names, node.func, scope):
            yield from _given(node)
        elif isinstance(node, ast.Assign) and any(_VERDICT.search(snake(last_name(one))) for one in node.targets):
            yield node.value
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and _keeps_the_axis(node.right):
            yield node.right


def _keeps_the_axis(node: ast.expr) -> bool:
    """Whether a call keeps the axis it pools (`h - h.mean(dim=1, keepdim=True)`): what is left are states, centred."""
    return isinstance(node, ast.Call) and any(one.arg in ("keepdim", "keepdims") for one in node.keywords)


def _is_head(names: Names, function: ast.expr, scope: Scope) -> bool:
    bound = names.bound_at(names.place(function, scope))
    if any(isinstance(one, Function) for one, _ in bound):
        return False  # a function of the file: what it does with its parameters is followed
    if _TRAINS.fullmatch(names.dotted(function, scope) or ""):
        return True
    made = [(function, scope), *bound]
    if any(isinstance(one, ast.Call) and _is_layer(names, one, where) for one, where in made):
        return True
    return bool(_HEAD.search(snake(last_name(function)))) and not _fits_vectors(names, function, scope)


def _is_layer(names: Names, made: ast.Call, scope: Scope) -> bool:
    full = names.dotted(made.func, scope) or ""
    return bool(_LAYER.fullmatch(full) or _HEAD.search(snake(last_name(made.func))))


def _fits_vectors(names: Names, function: ast.expr, scope: Scope) -> bool:
    """Whether `x.fit` fits something to vectors without judging them: an index, clusters."""
    of = function.value if isinstance(function, ast.Attribute) else function
    makers = [(of, scope), *names.bound_at(names.place(of, scope))]
    full = (names.dotted(one.func, where) or "" for one, where in makers if isinstance(one, ast.Call))
    return any(_UNSUPERVISED.match(one) for one in full)


def _given(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(one.value for one in call.keywords)]


class _Ways:
    """From an expression to those that its value may have come from."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._scopes = dict(names.seen)
        self._calls: defaultdict[str, list[ast.Call]] = defaultdict(list)
        self._more: defaultdict[Place, list[ast.AST]] = defaultdict(list)
        self._walked: set[tuple[Place, bool]] = set()
        self._asked: set[Function] = set()
        for node, scope in names.seen:
            self._note(node, scope)

    def into(self, node: ast.AST) -> list[ast.AST]:
        """Where the value of a name, or of a call of a function of the file, comes from."""
        scope = self._scopes.get(node)
        called = node.func if isinstance(node, ast.Call) else node
        place = self._names.place(called, scope) if scope is not None else None
        way = (place, called is not node) if place is not None else None
        if place is None or way is None or way in self._walked:
            return []
        self._walked.add(way)
        found: list[ast.AST] = [*self._more[place], *(self._forward(called, scope) if called is not node else ())]
        for one, _ in self._names.bound_at(place):
            if isinstance(one, ast.expr):
                found.append(one)
            elif isinstance(one, Function):
                found += self._names.scopes[one].returns
        return [*found, *self._handed(place)]

    def _forward(self, called: ast.AST, scope: Scope | None) -> list[ast.AST]:
        """What an object of a class of the file returns when it is called."""
        owners = [scope.owner(called.id)] if isinstance(called, ast.Name) and scope is not None else []
        if scope is not None:
            bound = self._names.bound_at(self._names.place(called, scope))
            owners += [self._names.class_of(one.func, at) for one, at in bound if isinstance(one, ast.Call)]
        methods = (one.bound.get(name, []) for one in owners if one is not None for name in ("forward", "__call__"))
        runs = (one for said in methods for one in said if isinstance(one, Function))
        return [value for one in runs for value in self._names.scopes[one].returns]

    def _handed(self, place: Place) -> list[ast.AST]:
        """What the calls of a function give its parameters, if this is one of them; any of it may be this one's."""
        function = place[0].node
        if not isinstance(function, Function) or None not in place[0].bound.get(place[1], ()):
            return []
        name = function.name
        if name in ("__init__", "forward", "__call__") or function in self._asked:
            return []
        self._asked.add(function)
        return [one for call in self._calls[name] for one in _given(call)]

    def _note(self, node: ast.AST, scope: Scope) -> None:
        match node:
            case ast.Call(func=ast.Attribute(value=kept, attr=attribute)) if attribute in _GROWS:
                self._keep(kept, scope, _given(node))
            case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
                self._keep(target, scope, [value])
            case ast.AugAssign(target=target, value=value):
                self._keep(target, scope, [value])
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._keep(target, scope, [value])
        if isinstance(node, ast.Call):
            self._calls[last_name(node.func)].append(node)

    def _keep(self, target: ast.expr, scope: Scope, values: list[ast.expr]) -> None:
        """Values that come into something in another way than by an assignment to its name alone."""
        if isinstance(target, ast.Tuple | ast.List):
            for one in target.elts:
                self._keep(one, scope, values)
        elif isinstance(target, ast.Subscript):
            self._keep(target.value, scope, values)
        elif (place := self._names.place(target, scope)) is not None:
            self._more[place] += values

"""Calls that load and, while they do, may run what somebody else wrote: trust_remote_code, and pickles."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from advisor.core.review.code_kinds import REMOTE_CODE, UNSAFE_LOAD
from advisor.core.review.code_names import Names
from advisor.core.review.code_place import Place
from advisor.core.review.code_scopes import Scope, last_name

_TRUST = "trust_remote_code"
_SET = "trust_remote_code set to True runs whatever the repository holds"
_UNPICKLES = ("torch.load", "torch.serialization.load")
_OF_DATA = (
    "Take a data set that is kept as plain files (Parquet, CSV, JSON), which need no script, or copy the script into "
    "your repository and review it."
)
_OF_A_METRIC = "Take a metric from a package that you install and pin, or copy the script and review it."


def load_finds(node: ast.Call, scope: Scope, names: Names) -> Iterator[Place]:
    """Every place in a call where a load may run code."""
    for one in node.keywords:
        if one.arg == _TRUST and names.constant(one.value, scope) is True:
            what, fix = _trusted(node, scope, names)
            yield Place(one, REMOTE_CODE, f"trust_remote_code=True runs {what}", fix)
    match node:
        case ast.Call(func=ast.Attribute(attr="setdefault"), args=[ast.Constant(value=key), ast.Constant(value=True)]):
            yield from [Place(node.args[1], REMOTE_CODE, _SET)] if key == _TRUST else ()
    if names.dotted(node.func, scope) in _UNPICKLES and (words := _unpickled(node, scope, names)):
        yield Place(node, UNSAFE_LOAD, words)


def handed_on(node: ast.Dict | ast.Assign) -> Iterator[Place]:
    """`{"trust_remote_code": True}` or `options["trust_remote_code"] = True`, as it is handed on to whatever loads."""
    if isinstance(node, ast.Dict):
        given = [(key, value) for key, value in zip(node.keys, node.values, strict=True)]
    else:
        given = [(one.slice, node.value) for one in node.targets if isinstance(one, ast.Subscript)]
    for key, value in given:
        named = isinstance(key, ast.Constant) and key.value == _TRUST
        if named and isinstance(value, ast.Constant) and value.value is True:
            yield Place(value, REMOTE_CODE, _SET)


def _trusted(call: ast.Call, scope: Scope, names: Names) -> tuple[str, str | None]:
    """What a call runs by trusting, and what to do instead where that is not what it is for a model."""
    full = names.dotted(call.func, scope) or last_name(call.func)
    if full.startswith("datasets.") or "dataset" in last_name(call.func).lower():
        return "the script that the data set's repository holds", _OF_DATA
    if full.startswith("evaluate.") or last_name(call.func) == "load_metric":
        return "the script that the metric's repository holds", _OF_A_METRIC
    of = "the repository" if last_name(call.func) == "dict" else "the model's repository"
    return f"whatever {of} holds", None


def _unpickled(node: ast.Call, scope: Scope, names: Names) -> str | None:
    """What is wrong with a call of torch.load, if anything is known to be."""
    given = {one.arg: one.value for one in node.keywords}
    if None in given or any(isinstance(one, ast.Starred) for one in node.args):
        return None
    if "weights_only" not in given:
        return "torch.load without weights_only=True: before torch 2.6 it runs what the file holds"
    said = names.constant(given["weights_only"], scope)
    return "torch.load with weights_only=False runs what the file holds" if said is False else None

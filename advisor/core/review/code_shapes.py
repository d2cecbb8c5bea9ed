"""What stands in a call or an index as it is: a constant, the axis that is pooled, whether one of an axis is picked."""

from __future__ import annotations

import ast

from advisor.core.review.code_scopes import last_name


def axis_of(call: ast.Call, position: int) -> int | None:
    """The one axis that `x.mean(dim=1)` and its like work over; None where it is not known, or every axis."""
    named = [one.value for one in call.keywords if one.arg in ("dim", "axis")]
    given = named or call.args[position : position + 1]
    node = given[0] if given else None
    if isinstance(node, ast.Tuple | ast.List) and len(node.elts) == 1:
        node = node.elts[0]
    axis = literal(node) if node is not None else None
    return axis if type(axis) is int else None


def is_one(index: ast.expr) -> bool:
    """Whether an index picks one of what an axis has: a number or a name, where a slice keeps the axis."""
    return isinstance(index, ast.Constant | ast.UnaryOp | ast.Name) and not _is_none(index)


def takes_one_each(index: ast.expr) -> bool:
    """Whether an index takes one token of each text, as in `states[torch.arange(n), lengths - 1]`."""
    if not isinstance(index, ast.Tuple) or len(index.elts) != 2:
        return False
    return last_name(index.elts[0]) == "arange" and not isinstance(index.elts[1], ast.Slice)


def literal(node: ast.AST) -> object:
    """The constant that stands there, a minus before a whole number included; Ellipsis where there is none."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = literal(node.operand)
        return -inner if isinstance(inner, int) and type(inner) is int else ...
    return node.value if isinstance(node, ast.Constant) else ...


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (node.value is None or node.value is Ellipsis)

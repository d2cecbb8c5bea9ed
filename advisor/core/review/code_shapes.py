"""What a call or an index says of the axes of a tensor: which of them it pools, which of them it picks one of."""

from __future__ import annotations

import ast


def axis_of(call: ast.Call, position: int) -> int | None:
    """The one axis that `x.mean(dim=1)` and its like work over; None where it is not known, or every axis."""
    named = [one.value for one in call.keywords if one.arg in ("dim", "axis")]
    given = named or call.args[position : position + 1]
    node = given[0] if given else None
    if isinstance(node, ast.Tuple | ast.List) and len(node.elts) == 1:
        node = node.elts[0]
    return _whole_number(node)


def is_one(index: ast.expr) -> bool:
    """Whether an index picks one of what an axis has: a number or a name, where a slice keeps the axis."""
    return isinstance(index, ast.Constant | ast.UnaryOp | ast.Name) and not _is_none(index)


def _whole_number(node: ast.expr | None) -> int | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _whole_number(node.operand)
        return None if inner is None else -inner
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (node.value is None or node.value is Ellipsis)

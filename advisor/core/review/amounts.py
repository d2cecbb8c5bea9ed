"""The figures of budgets in words: counts in full, measured figures in three digits, a budget as somebody wrote it.

One place, so that a budget reads the same in a finding, in the ceiling of a waiver, and in what a change brought in.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from advisor.core.review.design_kinds import BUDGETS
from advisor.core.sizing.wording import rounded_up, three_digits

UNITS: Mapping[str, str] = {
    "parameters": "parameters",
    "weights_gib": "GiB",
    "kv_bytes_per_token": "bytes",
    "flops_per_token": "FLOPs",
    "p95_ms": "ms",
    "throughput_per_s": "requests/s",
    "peak_memory_gib": "GiB",
}
"""What each budget is given in."""
_COUNTS = ("parameters", "bytes", "FLOPs")
_SMALLEST, _LARGEST = 1e-6, 1e15
"""Beyond these nobody reads the digits."""


def written(value: float) -> str:
    """A figure as somebody wrote it, with separators and without an exponent: `400,000,000`, `0.3`."""
    if abs(value) >= _LARGEST or 0 < abs(value) < _SMALLEST:
        return f"{value:.3g}"
    return f"{value:,.9f}".rstrip("0").rstrip(".") if value != int(value) else f"{int(value):,}"


def amount(value: float, unit: str, *, beside: float | None = None) -> str:
    """A figure that was found: a count in full, anything else in three digits, in six where three hide a difference."""
    if unit in _COUNTS:
        return f"{value:,.0f}" if abs(value) < _LARGEST else f"{value:.3g}"
    shown = three_digits(value)
    hidden = beside is not None and beside != value and shown == three_digits(beside)
    return written(float(f"{value:.6g}")) if hidden else shown


def share(value: float) -> str:
    """A share as a percentage: 0.2 is `20 %`."""
    return f"{value * 100:.3g} %"


def of_check(check: str, value: float) -> str:
    """A budget's figure with its unit, by the check that holds it."""
    return f"{written(value)} {UNITS[next(name for name, one in BUDGETS.items() if one == check)]}"


def raised(budget: float, value: float) -> str:
    """To what a budget must be raised so that a value passes, and by how much that is."""
    new = rounded_up(value)
    if budget <= 0:
        return f"to {written(new)}"
    if new >= 2 * budget:
        return f"to {written(new)}, which is {three_digits(new / budget)} times as much"
    more = ceil(round((new / budget - 1) * 100, 6))
    return f"to {written(new)}, which is {more:,} % more"

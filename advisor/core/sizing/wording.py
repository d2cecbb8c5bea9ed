"""Figures inside the sentences of a plan: three significant digits and a unit.

Only sentences are made here; what a screen shows beside them is formatted by the faces.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from math import floor, log10

from advisor.core.hardware import GIB

COUNTABLE = 1e-6


def three_digits(value: float) -> str:
    """`1,230`, `12.3`, `0.00123`: three significant digits, an exponent only for what nobody would count zeros of."""
    if value == 0:
        return "0"
    rounded = float(f"{value:.3g}")  # before counting places: 9.996 is 10.0, not 10.00
    if abs(rounded) < COUNTABLE:
        return f"{rounded:g}"
    places = 2 - floor(log10(abs(rounded)))
    return f"{rounded:,.{max(places, 0)}f}"


def milliseconds(seconds: float) -> str:
    """Seconds, said in milliseconds."""
    return f"{three_digits(seconds * 1000)} ms"


def gib(count: float) -> str:
    """Bytes, said in GiB."""
    return f"{three_digits(count / GIB)} GiB"


def replicas(count: int) -> str:
    """`1 replica`, `12,000 replicas`."""
    return f"{count:,} replica{'' if count == 1 else 's'}"


def rounded_up(value: float) -> float:
    """The value to three significant digits, never below it, so that a limit rounded for a reader still holds."""
    exact = Decimal(value)
    step = Decimal(1).scaleb(exact.adjusted() - 2)
    return float((exact / step).to_integral_value(rounding=ROUND_CEILING) * step)

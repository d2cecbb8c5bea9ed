"""How fast one pass must be for the verdict to be certain: one replica that answers requests one at a time meets.

The one idea: a plan may do better than this, never worse. A server that batches whatever waits lets no request leave
later than one at a time would, as long as no pass takes longer; so where every pass lies below this time, one replica
meets the budget whatever else is measured. Source: Kingman 1964 for the tail of the waiting time: P(W > x) <= exp(-q·x)
with q the root above zero of rate·(exp(q·T) - 1) = q; below, x = q·T.
"""

from __future__ import annotations

from math import expm1, log

MOST_UTILISATION = 0.5
"""A replica busier than this is not called idle, however loose the budget."""
LEAST_UTILISATION = 1e-9
"""Less load than this is reckoned as this: it changes nothing, and the root stays within what a number holds."""
HALVINGS = 60


def settled_below_s(rate: float, budget_s: float, percentile: int) -> float:
    """The longest pass with which `percentile` per cent of Poisson arrivals at `rate` per second meet the budget."""
    low, high = 0.0, min(budget_s, MOST_UTILISATION / rate)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _meets(middle, rate, budget_s, percentile) else (low, middle)
    return low


def _meets(pass_s: float, rate: float, budget_s: float, percentile: int) -> bool:
    """Whether so few wait longer than the budget leaves them: ln(1 - percentile) is the most their share may be."""
    if pass_s <= 0:
        return True
    root = _root(max(rate * pass_s, LEAST_UTILISATION))
    return root * (budget_s - pass_s) / pass_s >= -log(1 - percentile / 100)


def _root(utilisation: float) -> float:
    """The x above zero with utilisation·(exp(x) - 1) = x; below it the left side is smaller, so halving finds it."""
    low, high = 0.0, 1.0
    while utilisation * expm1(high) < high:
        high *= 2
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if utilisation * expm1(middle) < middle else (low, middle)
    return low

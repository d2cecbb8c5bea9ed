"""How long single requests are, where a workload states a typical length and a longest one.

Nobody's traffic is known here, so the spread is assumed and shown as such. The one idea: a lognormal through the two
lengths that were stated, half of the requests above the typical one and one in a hundred as long as the longest. It is
cut into a few levels of equal share, because a queue needs service times by length and each level is one row of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from statistics import NormalDist

import numpy as np

LONGEST_SHARE = 0.01
"""Share of the requests that are as long as the longest one stated (origin: assumed)."""
_SHARES = (0.1,) * 9 + (0.09, LONGEST_SHARE)
"""Shares of the levels, the shortest texts first; the last one is the longest length itself."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Lengths that occur, the shortest first, and the share of requests that has each."""

    tokens: tuple[int, ...]
    shares: tuple[float, ...]

    @property
    def varies(self) -> bool:
        """Whether there is more than one length."""
        return len(self.tokens) > 1


def spread_of(typical: int, longest: int) -> Spread:
    """The lengths of requests whose typical and longest one were stated; a single length where they are the same."""
    if longest <= typical or typical < 1:
        return Spread((typical,), (1.0,))
    normal = NormalDist()
    sigma = log(longest / typical) / normal.inv_cdf(1 - LONGEST_SHARE)
    ends = np.cumsum(_SHARES)[:-1].tolist()
    middles = [(low + high) / 2 for low, high in zip([0.0, *ends], ends, strict=False)]
    lengths = [max(1, min(longest, round(typical * exp(sigma * normal.inv_cdf(middle))))) for middle in middles]
    merged: dict[int, float] = {}
    for tokens, share in zip([*lengths, longest], _SHARES, strict=True):
        merged[tokens] = merged.get(tokens, 0.0) + share
    return Spread(tuple(merged), tuple(merged.values()))

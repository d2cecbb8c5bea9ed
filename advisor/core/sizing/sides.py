"""What each side of a comparison took, and how many times what another took.

The one idea: the sides are measured in rounds, one after the other and then again, so a ratio is taken within a round,
where both sides met the same machine. Its interval is the widest that any round allows: a machine that changed between
rounds widens it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import exp, log
from typing import get_args

from advisor.core.architecture import Architecture
from advisor.core.comparison import Ratio, Seconds
from advisor.core.guide.rulebook import Quantity
from advisor.core.sizing.candidates import Candidate
from advisor.core.sizing.design import Design

QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)

Taken = Mapping[Quantity, Seconds]
"""What one side took in one round."""


def taken(design: Design) -> Taken:
    """What a request takes by the measurements of a design; nothing where it has no figure."""
    limit = design.memory_limit_bytes
    candidates = [
        one
        for part in design.parts(design.workload)
        for one in part.candidates
        if one.peak_memory_bytes is None or one.peak_memory_bytes <= limit
    ]
    if not candidates:
        return {}
    found: dict[Quantity, Seconds] = {}
    for quantity in QUANTITIES:
        sides = [_seconds(one, quantity) for one in candidates]
        found[quantity] = min(sides, key=lambda one: one.mid)
    return found


def _seconds(one: Candidate, quantity: Quantity) -> Seconds:
    if quantity == "latency":
        low, mid, high = (one.servers[bound].lone_s for bound in ("low", "mid", "high"))
    else:
        low, mid, high = (1 / one.servers[bound].saturation_rps for bound in ("low", "mid", "high"))
    return Seconds(low=min(low, mid), mid=mid, high=max(high, mid))


def over_rounds(rounds: Sequence[Taken], quantity: Quantity) -> Seconds | None:
    """What a side took in all rounds that have a figure: the middle one, and as wide as any of them reached."""
    known = [one[quantity] for one in rounds if quantity in one]
    if not known:
        return None
    mid = exp(sum(log(one.mid) for one in known) / len(known))
    return Seconds(low=min(one.low for one in known), mid=mid, high=max(one.high for one in known))


def ratios(sides: Mapping[Architecture, Sequence[Taken]]) -> tuple[Ratio, ...]:
    """Every pair of sides in every quantity that both have, the dearer one first."""
    found = []
    for quantity in QUANTITIES:
        for one, other in combinations(sides, 2):
            ratio = ratio_between(sides, quantity, one, other)
            if ratio is not None and ratio.ratio < 1:
                ratio = ratio_between(sides, quantity, other, one)
            found += [] if ratio is None else [ratio]
    return tuple(found)


def ratio_between(
    sides: Mapping[Architecture, Sequence[Taken]], quantity: Quantity, dearer: Architecture, cheaper: Architecture
) -> Ratio | None:
    """How many times the one's seconds the other's are; None where no round has both."""
    pairs = [
        (one[quantity], other[quantity])
        for one, other in zip(sides.get(dearer, ()), sides.get(cheaper, ()), strict=False)
        if quantity in one and quantity in other
    ]
    if not pairs:
        return None
    within = [one.mid / other.mid for one, other in pairs]
    low, high = min(one.low / other.high for one, other in pairs), max(one.high / other.low for one, other in pairs)
    middle = exp(sum(map(log, within)) / len(within))
    return Ratio(
        quantity=quantity, dearer=dearer, cheaper=cheaper, ratio=middle, ci95=(low, high), rounds=tuple(within)
    )

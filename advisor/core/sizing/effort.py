"""What an effort buys: how narrow an interval, from how many processes, with which percentile, in how much time.

The one idea: what differs from process to process (where memory came to lie, how a kernel was chosen) shows only
between processes. One process can be as sure as it likes of its own median and still be 20 % from the next one's.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import NamedTuple

from advisor.core.sizing.measurement import Effort


class Bought(NamedTuple):
    """`tolerance` is how far the interval may reach from the median, `processes` how many fresh ones measure a cell.

    `samples` are those of all processes together that the effort's percentile needs: 59 prove a p95, 299 a p99.
    `time_factor` multiplies the time that a quick measurement has.
    """

    tolerance: float
    processes: int
    samples: int
    time_factor: float

    @property
    def samples_each(self) -> int:
        """The part of the samples that each process takes."""
        return ceil(self.samples / self.processes)


EFFORTS: Mapping[Effort, Bought] = {
    "quick": Bought(tolerance=0.10, processes=1, samples=6, time_factor=1.0),
    "standard": Bought(tolerance=0.05, processes=3, samples=59, time_factor=4.0),
    "thorough": Bought(tolerance=0.05, processes=5, samples=299, time_factor=12.0),
}

PARAMETERS_AT_QUICK = 500_000_000
"""The largest model that a quick run takes in its stride: larger ones have more time, and are not converted unasked."""

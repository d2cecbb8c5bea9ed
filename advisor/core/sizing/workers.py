"""Several worker processes of one model on one machine: which numbers are tried, and what they are to a queue.

Two workers with one thread each often serve more requests than one with two, for half of each pass is not parallel;
each request takes longer. The one idea: a machine of workers is one replica. They take from one queue, their times are
those that were measured while all of them ran, and memory counts once for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from advisor.core.sizing.measurement import CellPlan, Stage
from advisor.core.sizing.serving import FloatArray, Served, Server

MOST_TRIED = 4
"""Numbers of workers worth trying on one machine, one among them."""
_OF_THE_FILES: tuple[Stage, ...] = ("load", "tokenize")


@dataclass(frozen=True, slots=True)
class Workers:
    """So many of a server that take from one queue, as one server."""

    one: Server
    workers: int

    @property
    def requests(self) -> int:
        return self.one.requests

    @property
    def saturation_rps(self) -> float:
        return self.workers * self.one.saturation_rps

    @property
    def lone_s(self) -> float:
        """While the others work as well: alone on the machine it is no slower."""
        return self.one.lone_s

    @property
    def output_steps(self) -> int:
        return self.one.output_steps

    @property
    def mean_output_steps(self) -> float:
        return self.one.mean_output_steps

    def serve(self, arrivals_s: FloatArray, seed: int, replicas: int = 1, *, lengths_seed: int | None = None) -> Served:
        return self.one.serve(arrivals_s, seed, self.workers * replicas, lengths_seed=lengths_seed)

    def alone(self, requests: int, seed: int) -> Served:
        return self.one.alone(requests, seed)


def numbers_of_workers(cores: int) -> tuple[int, ...]:
    """Numbers that share the cores evenly, one first: a few of them, as far apart as they come."""
    even = [number for number in range(1, cores + 1) if cores % number == 0]
    if len(even) <= MOST_TRIED:
        return tuple(even)
    last = len(even) - 1
    return tuple(even[round(place * last / (MOST_TRIED - 1))] for place in range(MOST_TRIED))


def with_workers(plans: Sequence[CellPlan], cores: int) -> tuple[CellPlan, ...]:
    """The plans, and behind them the same for more workers than one."""
    runs = [plan for plan in plans if plan.stage not in _OF_THE_FILES]
    shared = [plan.model_copy(update={"workers": number}) for number in numbers_of_workers(cores)[1:] for plan in runs]
    return (*plans, *shared)

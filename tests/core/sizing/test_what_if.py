"""What other traffic and other ways to share it would take."""

from __future__ import annotations

from dataclasses import replace

from advisor.core.sizing.arrivals import taking_turns
from advisor.core.sizing.capacity import Demand, capacity, replicas_for, simulate
from advisor.core.sizing.plan import WhatIf
from advisor.core.sizing.serving import Batcher
from advisor.core.sizing.what_if import what_if

ONE_AT_A_TIME = Batcher((0.05,), requests=10_000)
IN_BUDGET = Demand(95, 0.15)


def asked(server: Batcher, demand: Demand, rate: float) -> tuple[int, dict[str, WhatIf]]:
    planned = replicas_for(rate, capacity([server], demand)[0])
    return planned, {one.name: one for one in what_if(server, demand, rate, planned, 0)}


def test_bursts_take_more_replicas_and_sharing_well_takes_fewer() -> None:
    planned, found = asked(ONE_AT_A_TIME, IN_BUDGET, 200.0)
    replicas = {name: one.replicas for name, one in found.items()}
    assert replicas["BURSTS"] is not None
    assert replicas["TAKING_TURNS"] is not None
    assert replicas["ONE_QUEUE"] is not None
    assert replicas["ONE_QUEUE"] <= replicas["TAKING_TURNS"] < planned < replicas["BURSTS"]


def test_latencies_are_of_the_planned_number_of_replicas() -> None:
    _, found = asked(ONE_AT_A_TIME, IN_BUDGET, 200.0)
    p95 = {name: one.latency_ms.p95 or 0.0 for name, one in found.items()}
    assert p95["ONE_QUEUE"] <= p95["TAKING_TURNS"] <= 150 < p95["BURSTS"]


def test_one_replica_shares_with_nobody() -> None:
    planned, found = asked(ONE_AT_A_TIME, IN_BUDGET, 2.0)
    assert planned == 1
    assert set(found) == {"BURSTS"}


def test_without_a_budget_a_burst_must_only_be_survived() -> None:
    planned, found = asked(ONE_AT_A_TIME, Demand(95), 200.0)
    assert planned == 13
    assert found["BURSTS"].replicas == 20
    assert found["TAKING_TURNS"].replicas == planned


def test_a_number_of_replicas_that_was_found_is_the_least() -> None:
    _, found = asked(ONE_AT_A_TIME, IN_BUDGET, 200.0)
    least = found["TAKING_TURNS"].replicas or 0
    tried = [simulate(ONE_AT_A_TIME, 200.0 / n, traffic=taking_turns(n)).meets(IN_BUDGET) for n in (least - 1, least)]
    assert tried == [False, True]


def test_batches_on_one_queue_may_take_more_replicas_than_planned() -> None:
    """The first that is free takes all that waits: its batch is large and slow, and the others work on single ones."""
    batching = replace(ONE_AT_A_TIME, service_s=tuple(0.040 + 0.010 * batch for batch in range(1, 17)))
    planned, found = asked(batching, Demand(95, 0.2), 500.0)
    assert (found["ONE_QUEUE"].replicas or 0) > planned

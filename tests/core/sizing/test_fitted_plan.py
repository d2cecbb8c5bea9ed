"""From cells of a known model through the fit to the plan: times between cells come out as they are."""

from __future__ import annotations

import pytest

from advisor.core.sizing.capacity import Demand, capacity
from advisor.core.sizing.measurement import Cell, CellPlan, Surface
from advisor.core.sizing.plan import Plan
from advisor.core.sizing.planning import plan
from advisor.core.sizing.serving import Batcher
from advisor.predict.fitting import fitted
from tests.core.sizing.known_model import ENCODER, ENTRIES, GIB, ONE_ENCODER, cell, profile, recommendation

WORKLOAD = {
    "task": "text-classification",
    "requests_per_second": 2000,
    "latency_budget_ms": 300,
    "input_tokens": 300,
}


def bent(batch: int, tokens: int) -> float:
    """Attention over long texts: 2 ms, and a square that a straight line between 64 and 512 tokens lies far above."""
    return 2e-3 + 1e-5 * batch * tokens + 2e-7 * batch * tokens**2


def cells(wobble: float = 0.0) -> list[Cell]:
    plans = [
        CellPlan(stage="forward", dtype="float32", batch_size=batch, input_tokens=tokens)
        for batch in (1, 4, 8)
        for tokens in (64, 128, 512)
    ]
    signs = [1, -1, 1, -1, 1, -1, 1, -1, 1]
    return [
        cell(one, bent(one.batch_size, one.input_tokens or 0) * (1 + sign * wobble), width=0.02)
        for one, sign in zip(plans, signs, strict=True)
    ]


def planned(measured: list[Cell], surfaces: tuple[Surface, ...]) -> Plan:
    found = profile(ENCODER, measured).model_copy(update={"surfaces": surfaces})
    return plan(
        recommendation(WORKLOAD, ONE_ENCODER),
        {"model": found},
        ENTRIES,
        memory_limit_bytes=16 * GIB,
        reproduce="advisor advise",
    )


def carried(found: Plan) -> float:
    assert found.capacity_per_replica_rps is not None
    return found.capacity_per_replica_rps.mid


def test_a_length_between_cells_is_planned_with_its_true_time() -> None:
    demand = Demand(95, 0.3)
    truth = max(capacity([Batcher(tuple(bent(b, 300) for b in range(1, most + 1)))], demand)[0] for most in (1, 4, 8))
    straight, fit = planned(cells(), ()), planned(cells(), fitted(cells()))
    assert carried(fit) == pytest.approx(truth, rel=0.02)
    assert carried(straight) < 0.8 * truth
    assert fit.replicas is not None
    assert straight.replicas is not None
    assert fit.replicas.mid < straight.replicas.mid


def test_a_figure_between_cells_is_interpolated_and_carries_its_error() -> None:
    (stage,) = planned(cells(), fitted(cells())).stages
    assert stage.origin == "interpolated"
    assert stage.error_pct == pytest.approx(0.0, abs=0.1)
    (unknown,) = planned(cells(), ()).stages
    assert (unknown.origin, unknown.error_pct) == ("interpolated", None)


def test_what_the_fit_got_wrong_makes_the_interval_of_replicas_wider() -> None:
    smooth, rough = (planned(cells(wobble), fitted(cells(wobble))) for wobble in (0.0, 0.08))
    widths = [(one.replicas.high - one.replicas.low) / one.replicas.mid for one in (smooth, rough) if one.replicas]
    assert len(widths) == 2
    assert widths[1] > 2 * widths[0]
    assert (rough.stages[0].error_pct or 0.0) > 5


def test_a_measured_length_is_planned_as_it_was_measured_whatever_was_fitted() -> None:
    at_a_cell = {**WORKLOAD, "input_tokens": 128}
    plans = []
    for surfaces in ((), fitted(cells(0.08))):
        found = profile(ENCODER, cells(0.08)).model_copy(update={"surfaces": surfaces})
        advice = recommendation(at_a_cell, ONE_ENCODER)
        plans.append(plan(advice, {"model": found}, ENTRIES, memory_limit_bytes=16 * GIB, reproduce=""))
    assert plans[0].stages[0].origin == plans[1].stages[0].origin == "measured"
    assert plans[1].stages[0].error_pct is None
    assert carried(plans[0]) == carried(plans[1])

"""Several workers on one machine: which numbers are tried, what they are to a queue, and what a plan makes of them."""

from __future__ import annotations

import pytest

from advisor.core.lengths import Lengths
from advisor.core.sizing.candidates import part_of
from advisor.core.sizing.capacity import Demand, capacity, simulate
from advisor.core.sizing.grid import best_cells, cells_for
from advisor.core.sizing.measurement import Cell, CellPlan
from advisor.core.sizing.serving import Batcher
from advisor.core.sizing.surface import fits_of
from advisor.core.sizing.workers import Workers, numbers_of_workers, with_workers
from advisor.predict.fitting import fitted
from tests.core.sizing.known_model import DECODER, ENCODER, cell, decoder, encoder, profile

ONE = Batcher((0.050, 0.060), requests=4000)
TEXT = Lengths(128, None, 0, None)
ANSWER = Lengths(100, None, 50, None)


@pytest.mark.parametrize(
    ("cores", "numbers"), [(1, (1,)), (2, (1, 2)), (6, (1, 2, 3, 6)), (16, (1, 2, 8, 16)), (7, (1, 7))]
)
def test_numbers_share_the_cores_evenly_and_are_few(cores: int, numbers: tuple[int, ...]) -> None:
    assert numbers_of_workers(cores) == numbers


def test_what_is_tried_with_workers_comes_last_and_files_are_read_once() -> None:
    plans = [
        CellPlan(stage="forward", dtype="float32", batch_size=1, input_tokens=8),
        CellPlan(stage="load", dtype="float32", batch_size=1),
    ]
    assert with_workers(plans, 1) == tuple(plans)
    assert with_workers(plans, 2) == (*plans, plans[0].model_copy(update={"workers": 2}))


def test_workers_carry_no_less_than_as_many_machines_of_one_that_share_at_random() -> None:
    demand = Demand(95, 0.3)
    alone, _ = capacity([ONE], demand)
    shared, _ = capacity([Workers(ONE, 3)], demand)
    assert 3 * alone <= shared < Workers(ONE, 3).saturation_rps == pytest.approx(3 * ONE.saturation_rps)


def test_an_idle_machine_of_workers_answers_like_one_of_them() -> None:
    at_leisure = simulate(Workers(ONE, 2), 0.01).latency_s
    assert at_leisure.mean() == pytest.approx(ONE.lone_s, rel=0.01)


def shared(one: Cell, slower: float) -> Cell:
    """The cell as it is measured in one of two workers."""
    found = {"workers": 2, "threads": one.threads // 2, "median_s": slower * (one.median_s or 0.0)}
    times = {"samples_s": tuple(slower * sample for sample in one.samples_s or ()), "ci95_s": None}
    throughput = {"throughput_per_s": 2 / slower * (one.throughput_per_s or 0.0)}
    return one.model_copy(update=found | times | throughput)


@pytest.mark.parametrize("decodes", [False, True])
def test_a_plan_may_serve_with_workers_and_counts_their_memory(decodes: bool) -> None:
    model, lengths = (DECODER, ANSWER) if decodes else (ENCODER, TEXT)
    truth = decoder if decodes else encoder
    plans = cells_for(model, lengths, role="model", dtypes=("float32",))
    cells = [cell(plan, truth(plan)) for plan in plans]
    part = part_of("model", profile(model, [*cells, *(shared(one, 1.6) for one in cells)]), model, lengths)
    single, double = ([one for one in part.candidates if one.serving.workers == workers] for workers in (1, 2))
    assert len(single) == len(double) > 0
    for one, two in zip(single, double, strict=True):
        assert two.servers["mid"].saturation_rps == pytest.approx(2 / 1.6 * one.servers["mid"].saturation_rps, rel=0.05)
        assert two.servers["mid"].lone_s == pytest.approx(1.6 * one.servers["mid"].lone_s, rel=0.05)
        assert two.peak_memory_bytes == 2 * (one.peak_memory_bytes or 0)
        assert two.serving.threads == one.serving.threads // 2


def test_times_between_cells_are_read_from_what_as_many_workers_measured() -> None:
    plans = cells_for(ENCODER, TEXT, role="model", dtypes=("float32",))
    cells = [cell(plan, encoder(plan)) for plan in plans]
    fits = fitted([*cells, *(shared(one, 1.6) for one in cells)])
    assert sorted(one.workers for one in fits) == [1, 2]
    for one in (cells[0], shared(cells[0], 1.6)):
        assert [fit.workers for fit in fits_of(fits, one).values()] == [one.workers]


def test_the_best_throughput_may_be_of_workers_and_the_best_latency_is_not() -> None:
    (plan,) = [one for one in cells_for(ENCODER, TEXT, role="model", dtypes=("float32",)) if one.batch_size == 8][:1]
    alone = cell(plan, encoder(plan))
    (best,) = best_cells([alone, shared(alone, 1.6)])
    assert (best.throughput_cell, best.latency_cell) == (1, 0)

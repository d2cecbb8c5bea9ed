"""Dividing the time of a request among cells, on a clock that is set by hand."""

from __future__ import annotations

from typing import Any

import pytest

from advisor.core.model.cost import stage_flops
from advisor.core.sizing.measurement import CellPlan
from advisor.profile.shares import RUNS, Shares
from tests.core.model.tiny_models import entry

BERT, GPT2 = entry("bert"), entry("gpt2")


class Hands:
    """A clock set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def cell(batch: int, dtype: Any = "float32", stage: Any = "forward", **lengths: Any) -> CellPlan:
    return CellPlan(stage=stage, dtype=dtype, batch_size=batch, **({"input_tokens": 16} | lengths))


def shares(clock: Hands, *, per_cell: float = 10.0, total: float = 60.0, model: Any = BERT) -> Shares:
    return Shares(model, seconds_per_cell=per_cell, seconds_total=total, clock=clock)


def test_before_anything_is_known_everyone_has_an_even_share() -> None:
    allowance = shares(Hands()).allowance([cell(2)] * 11)
    assert allowance.share_s == pytest.approx(5.0)


def test_the_last_cell_may_have_all_that_is_left_up_to_the_cap() -> None:
    clock = Hands()
    book = shares(clock)
    clock.now += 55
    assert book.allowance([]).limit_s == pytest.approx(5.0)
    assert shares(Hands()).allowance([]).limit_s == 10.0


def test_cheap_cells_ahead_leave_their_time_to_a_slow_one() -> None:
    book = shares(Hands(), per_cell=60.0, total=60.0)
    book.learn(cell(1), 0.001)
    assert book.allowance([cell(1)] * 5).limit_s > 50


def test_expensive_cells_ahead_are_not_robbed_of_their_even_share() -> None:
    book = shares(Hands(), per_cell=60.0, total=60.0)
    book.learn(cell(1), 30.0)
    assert book.allowance([cell(8)] * 5).limit_s == pytest.approx(10.0)


def test_a_rate_seen_in_one_dtype_serves_until_the_other_has_run() -> None:
    book = shares(Hands(), per_cell=60.0, total=60.0)
    book.learn(cell(1), 0.001)
    assert book.allowance([cell(1, "bfloat16")] * 5).limit_s > 50


@pytest.mark.parametrize("used", [0.0, 10.0, 59.0, 60.0, 100.0])
def test_what_is_granted_never_exceeds_what_is_left(used: float) -> None:
    clock = Hands()
    book = shares(clock)
    book.learn(cell(1), 0.5)
    clock.now += used
    for after in (0, 1, 5):
        allowance = book.allowance([cell(8)] * after)
        assert 0 <= allowance.share_s <= allowance.limit_s <= max(0.0, 60.0 - used)


def test_a_cell_is_not_begun_when_even_four_times_the_best_rate_is_too_slow() -> None:
    book = shares(Hands())
    small, large = cell(1), cell(64, input_tokens=64)
    ratio = stage_flops(BERT, large) / stage_flops(BERT, small)
    book.learn(small, 1.0)
    assert book.hopeless(large, limit_s=RUNS * ratio / 4 * 1.01) is None
    why = book.hopeless(large, limit_s=RUNS * ratio / 4 * 0.99)
    assert why is not None
    assert "not begun" in why


def test_nothing_is_hopeless_before_anything_was_seen() -> None:
    assert shares(Hands()).hopeless(cell(10_000), limit_s=0.1) is None


def test_what_is_no_smaller_than_a_cell_that_was_broken_off_is_not_begun() -> None:
    book = shares(Hands())
    book.learn_slower(cell(4), 3.0)
    assert book.hopeless(cell(4), 10.0) is not None
    assert book.hopeless(cell(8, input_tokens=32), 10.0) is not None
    assert book.hopeless(cell(8, input_tokens=8), 10.0) is None
    assert book.hopeless(cell(1), 10.0) is None
    assert book.hopeless(cell(8, "bfloat16"), 10.0) is None
    assert book.hopeless(cell(8), RUNS * 3.0 + 1) is None


def test_a_decode_step_is_judged_by_what_it_moves() -> None:
    book = shares(Hands(), model=GPT2)
    step: dict[str, Any] = {"stage": "decode", "input_tokens": None, "context_tokens": 32}
    book.learn(cell(1, **step), 1.0)
    assert book.hopeless(cell(16, **step), limit_s=10.0) is None  # sixteen times the arithmetic, hardly more traffic

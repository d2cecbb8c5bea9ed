"""Whole first visits in a worker with a tiny model on the processor."""

from __future__ import annotations

import os

import pytest

from advisor.core.sizing.measurement import Cell, CellPlan
from advisor.profile import worker
from advisor.profile.accelerator import accelerator
from advisor.profile.companions import Companions
from advisor.profile.orders import Job, Order, Outcome
from advisor.profile.standing import stand
from tests.core.model.tiny_models import entry
from tests.measuring import plans


def measured(model_type: str, *asked: CellPlan) -> list[Cell]:
    job = Job(
        model=entry(model_type),
        dtype="float32",
        device="cpu",
        threads=1,
        seed=0,
        file_backed_bytes=None,
        parent_pid=os.getppid(),
    )
    device = accelerator("cpu", identity="", file_backed_bytes=None)
    standing = stand(job, device)
    found = []
    for plan in asked:
        order = Order(index=0, plan=plan, share_s=60.0, limit_s=60.0)
        reply = worker._measure(job, standing, device, order, Companions(job, close=()))
        assert isinstance(reply, Outcome)
        assert reply.cell.median_s is not None, reply.cell.note
        found.append(reply.cell)
    return found


@pytest.mark.parametrize(("model_type", "stage"), [("bert", "forward"), ("gpt2", "prefill"), ("t5", "encode")])
def test_a_model_that_reads_one_text_is_run_after_a_pause_too(model_type: str, stage: str) -> None:
    one, two = measured(model_type, *plans(stage))
    assert one.after_pause_ratio is not None
    assert one.after_pause_ratio >= 1.0
    assert two.after_pause_ratio is None


def test_neither_a_step_nor_a_cut_model_is_run_after_a_pause() -> None:
    step, *_ = plans("decode", context_tokens=8)
    cut = plans("prefill")[0].model_copy(update={"layers": 1})
    assert [cell.after_pause_ratio for cell in measured("gpt2", step, cut)] == [None, None]

"""A whole cell in a worker whose card is none: the model runs on the processor, and the card's words are made up."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from advisor.core.sizing.measurement import Cell, CellPlan
from advisor.profile import worker
from advisor.profile.accelerator import Cuda
from advisor.profile.companions import Companions
from advisor.profile.orders import Job, Order, Outcome
from advisor.profile.runtimes.torch_eager import Task
from advisor.profile.standing import Standing, stand
from advisor.store.nvml import Driver
from tests.core.model.tiny_models import entry
from tests.measuring import plans
from tests.profile.fake_card import IDENTITY, MIB, FakeCuda, FakeNvml


def job() -> Job:
    return Job(
        model=entry("bert"),
        dtype="float32",
        device="cpu",
        threads=1,
        seed=0,
        file_backed_bytes=None,
        identity=IDENTITY,
        parent_pid=os.getppid(),
    )


def measured(cuda: FakeCuda, nvml: FakeNvml, monkeypatch: pytest.MonkeyPatch) -> Cell:
    """One cell, each of whose runs puts two milliseconds on the card and must be waited for."""
    device = Cuda(0, cuda=cuda, driver=Driver(nvml), identity=IDENTITY)
    standing = stand(job(), device)
    real = Standing.work

    def work(self: Standing, plan: CellPlan) -> Task:
        task = real(self, plan)

        def run() -> object:
            cuda.work(2.0)
            return task.run()

        def check() -> None:
            assert cuda.synchronised, "a block would begin while work is queued"
            task.check()

        return Task(run=run, reset=task.reset, check=check)  # type: ignore[arg-type]

    monkeypatch.setattr(Standing, "work", work)
    nvml.used_bytes = (nvml.used_bytes or 0) + 650 * MIB
    order = Order(index=0, plan=plans(batches=(1,))[0], share_s=5.0, limit_s=30.0)
    reply = worker._measure(job(), standing, device, order, Companions(job(), close=()))
    assert isinstance(reply, Outcome)
    return reply.cell


def test_a_cell_tells_the_cards_time_its_memory_and_who_else_was_there(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = measured(FakeCuda(), FakeNvml(), monkeypatch)
    assert cell.median_s is not None, cell.note
    assert cell.device_time_s == pytest.approx(0.002)
    assert cell.launch_overhead_s == pytest.approx(max(0.0, cell.median_s - 0.002))
    assert (cell.peak_allocated_bytes, cell.peak_reserved_bytes) == (300 * MIB, 400 * MIB)
    assert cell.peak_memory_bytes == 650 * MIB
    assert "foreign-process" not in cell.flags


def test_a_card_that_others_use_flags_the_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = measured(FakeCuda(), FakeNvml(processes=[SimpleNamespace(pid=1, usedGpuMemory=MIB)]), monkeypatch)
    assert "foreign-process" in cell.flags


def test_memory_of_the_card_that_runs_out_is_a_cell_and_ends_the_worker() -> None:
    import torch

    flag, note = worker._what_went_wrong(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"))
    assert flag == "out-of-memory"
    assert "device" in note

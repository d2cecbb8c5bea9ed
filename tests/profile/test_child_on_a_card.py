"""The real child on a real graphics card, wherever these tests find one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from advisor.core.sizing.measurement import Cell
from advisor.run import Child
from tests.core.model.tiny_models import entry
from tests.measuring import hear, plans, request

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA card that torch can use is here"),
]
CELLS = [
    *plans("prefill"),
    *plans("decode", context_tokens=16),
    *plans("prefill", dtype="float16"),
    *plans("decode", dtype="float16", context_tokens=16),
]


async def test_every_stage_is_measured_on_the_card_with_its_time_and_memory(tmp_path: Path) -> None:
    async with await Child.start(lock_path=tmp_path / "lock") as child:
        machine = (await child.ready()).machine
        detail = machine.detail("cuda:0")
        assert detail is not None
        assert 0 < (detail.memory_limit_bytes or 0) <= (detail.memory_bytes or 0)
        heard = await hear(child, request(*CELLS, model=entry("gpt2"), device="cuda:0"))
    for cell in heard.cells.values():
        _is_of_a_card(cell)


def _is_of_a_card(cell: Cell) -> None:
    assert cell.median_s is not None, cell.note
    assert cell.device == "cuda:0"
    assert cell.device_time_s is not None
    assert cell.device_time_s > 0
    assert cell.launch_overhead_s is not None
    assert 0 < (cell.peak_allocated_bytes or 0) <= (cell.peak_reserved_bytes or 0) <= (cell.peak_memory_bytes or 0)


async def test_a_card_too_small_is_a_cell_and_the_rest_goes_on(tmp_path: Path) -> None:
    huge = plans("prefill", batches=(50_000_000,))
    async with await Child.start(lock_path=tmp_path / "lock") as child:
        asked = request(*huge, *plans("prefill"), model=entry("gpt2"), device="cuda:0", memory_limit_bytes=2**60)
        heard = await hear(child, asked)
    assert {"out-of-memory", "does-not-fit"} & set(heard.flags(0))
    assert heard.cells[1].median_s is not None

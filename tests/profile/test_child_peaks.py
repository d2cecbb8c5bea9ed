"""A real child measures the peaks of the processor before its first cell, and states the cell's share of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.core.protocol import Event, Measured, Peaked
from advisor.run import Child
from tests.measuring import hear, plans, request

pytestmark = pytest.mark.real


async def test_peaks_come_before_the_first_cell_which_is_held_against_them(tmp_path: Path) -> None:
    events: list[Event] = []
    async with await Child.start(lock_path=tmp_path / "lock") as child:
        heard = await hear(child, request(*plans(batches=(2,)), wants_peaks=True), events.append)
    told = [type(event) for event in events if isinstance(event, Peaked | Measured)]
    assert told == [Peaked, Measured]
    (peaks,) = (event.peaks for event in events if isinstance(event, Peaked))
    assert (peaks.flops_per_s.float32 or 0) > 0
    assert peaks.flops_per_s.bfloat16 is None
    cell = heard.cells[0]
    assert cell.median_s is not None
    assert 0 < (cell.mfu or 0) < 1
    assert cell.roofline_s is not None
    assert cell.roofline_s < cell.median_s
    assert ("fits-in-cache" in cell.flags) == (peaks.last_level_cache_bytes is not None)

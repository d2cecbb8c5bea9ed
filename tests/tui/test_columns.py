"""Tables give up columns, never digits."""

from __future__ import annotations

import pytest

from advisor.core.sizing.measurement import CellPlan
from advisor.report.outline import cells_table
from advisor.tui.blocks import narrowed
from advisor.tui.columns import Column, table
from tests.fake_child import fake_cell

CELLS = [
    fake_cell(CellPlan(stage="decode", dtype=dtype, batch_size=batch, input_tokens=1024, context_tokens=4096))
    for dtype in ("float32", "bfloat16")
    for batch in (1, 16)
]


def test_the_least_important_column_goes_first() -> None:
    columns = [Column("name", side="left"), Column("note", rank=2), Column("time", rank=1)]
    rows = [["a", "first", "1.25 ms"]]
    headings = [table(columns, rows, width)[0].plain.split() for width in (30, 16, 8)]
    assert headings == [["name", "note", "time"], ["name", "time"], ["name"]]


@pytest.mark.parametrize("width", range(20, 130, 3))
def test_no_figure_is_ever_cut(width: int) -> None:
    block = cells_table(CELLS)
    figures = {word for row in block.rows for cell in row for word in cell.split()}
    lines = narrowed(block, width)
    assert all(line.cell_length <= width for line in lines)
    shown = [word for line in lines[1:] for word in line.plain.split()]
    assert set(shown) <= figures | set(block.columns) | {"95", "%"}
    assert [word for word in shown if word.endswith("tok/s")] == ["tok/s"] * len(CELLS)


def test_a_column_in_which_nothing_stands_is_left_out() -> None:
    cells = [fake_cell(CellPlan(stage="forward", dtype="float32", batch_size=1, input_tokens=8))]
    assert "depth" not in narrowed(cells_table(cells), 120)[0].plain
    assert "depth" in narrowed(cells_table(CELLS), 120)[0].plain


def test_figures_stand_beside_their_roofline_where_peaks_are_known_and_give_it_up_first() -> None:
    known = [cell.model_copy(update={"roofline_s": 1e-3, "mfu": 0.5}) for cell in CELLS]
    wide, narrow = narrowed(cells_table(known), 160)[0].plain, narrowed(cells_table(known), 80)[0].plain
    assert "roofline" in wide
    assert "mfu" in wide
    assert "roofline" not in narrow
    assert "median" in narrow
    assert "roofline" not in cells_table(CELLS).columns


def test_data_in_a_cell_is_never_control_output() -> None:
    lines = table([Column("name")], [["a\x1b[31mb‮c"]], 60)
    assert lines[1].plain == "a<U+001B>[31mb<U+202E>c"

"""A measurement's progress as a value, and the chart made of it."""

from __future__ import annotations

from advisor.core.protocol import Failed, Finished, Measured, Ready, Started, Waiting
from advisor.core.sizing.measurement import CellPlan, unmeasured
from advisor.tui.chart import SIGNS, legend, lines_of
from advisor.tui.progress import Progress
from tests.fake_child import FAKE_MACHINE, fake_cell

PLAN = CellPlan(stage="forward", dtype="bfloat16", batch_size=8, input_tokens=128)
STEP = CellPlan(stage="decode", dtype="float32", batch_size=1, context_tokens=64)


def test_each_event_says_what_happens_now() -> None:
    progress = Progress(models=(("model", "bert-base"),))
    told = []
    for event in (
        Ready(machine=FAKE_MACHINE, pid=1, forks=True),
        Waiting(holder_pid=77),
        Started(id=1, index=0, plan=PLAN),
        Started(id=1, index=0, plan=PLAN, process=2, processes=3),
        Finished(id=1, parameters=None, wall_s=1.0),
        Finished(id=1, parameters=None, cancelled=True, wall_s=1.0),
        Failed(id=1, says="No such device.", fix="Leave --device out."),
    ):
        progress = progress.after("model", event)
        told.append(progress.says)
    assert "ready" in told[0]
    assert "process 77" in told[1]
    assert told[2] == "Measuring bert-base: forward in bfloat16, batch 8 × 128 tokens."
    assert told[3] == "Measuring bert-base: forward in bfloat16, batch 8 × 128 tokens, process 2 of 3."
    assert told[4] == "Planning."
    assert "Cancelled" in told[5]
    assert told[6] == "No such device. Leave --device out."


def test_cells_are_kept_in_the_order_they_came_with_their_part() -> None:
    progress = Progress()
    for role, plan in (("generator", STEP), ("retriever", PLAN)):
        progress = progress.after(role, Measured(id=1, index=0, cell=fake_cell(plan)))  # type: ignore[arg-type]
    assert [(role, cell.stage) for role, cell in progress.cells] == [("generator", "decode"), ("retriever", "forward")]


def test_the_chart_shows_one_stage_the_one_measured_last() -> None:
    cells = [("generator", fake_cell(STEP)), ("retriever", fake_cell(PLAN))]
    title, lines = lines_of(cells)  # type: ignore[arg-type]
    assert title.startswith("forward: sequences per second")
    assert [line.name for line in lines] == ["bfloat16 128 tokens"]


def test_a_line_runs_by_batch_size_whatever_the_order_of_measuring() -> None:
    cells = [("model", fake_cell(PLAN.model_copy(update={"batch_size": batch}))) for batch in (8, 1, 4)]
    _, lines = lines_of(cells)  # type: ignore[arg-type]
    assert [batch for batch, _ in lines[0].points] == [1, 4, 8]


def test_what_could_not_be_measured_is_in_no_chart() -> None:
    cell = unmeasured(PLAN, device="cpu", threads=2, flags=("killed",), note="Killed.")
    assert lines_of([("model", cell)]) == ("", [])


def test_every_line_has_a_sign_of_its_own_in_the_legend() -> None:
    plans = [
        PLAN.model_copy(update={"dtype": dtype, "input_tokens": s})
        for dtype in ("float32", "bfloat16")
        for s in (32, 64)
    ]
    _, lines = lines_of([("model", fake_cell(plan)) for plan in plans])
    words = legend(lines).plain
    assert all(sign in words for sign in SIGNS[:4])
    assert all(line.name in words for line in lines)


def test_only_cells_with_a_figure_count_as_measured() -> None:
    progress = Progress()
    failed = unmeasured(PLAN, device="cpu", threads=2, flags=("cancelled",), note="Cancelled.")
    for index, cell in enumerate((fake_cell(PLAN), failed)):
        progress = progress.after("model", Measured(id=1, index=index, cell=cell))
    assert progress.measured == 1

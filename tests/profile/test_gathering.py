"""What a cell has gathered in several processes, apart from its samples."""

from __future__ import annotations

import pytest

from advisor.core.sizing.sampling import Terms
from advisor.profile.gathering import Gathered
from advisor.profile.orders import Outcome
from tests.fake_child import fake_cell
from tests.measuring import plans


@pytest.mark.parametrize(
    ("ratios", "told"), [((1.02, 1.3, 1.1), 1.1), ((1.02, None, 1.1), 1.06), ((None, None, None), None)]
)
def test_how_much_longer_a_run_takes_after_a_pause_is_the_median_over_the_processes_that_know(
    ratios: tuple[float | None, ...], told: float | None
) -> None:
    cells = [fake_cell(plans()[0]).model_copy(update={"after_pause_ratio": ratio}) for ratio in ratios]
    gathered = Gathered(cells[0], Terms("standard"))
    for cell in cells:
        gathered.begin(Outcome(index=0, cell=cell, first_run_s=0.01), spent_s=1.0)
        gathered.end_process()
    assert gathered.cell(cores=2).after_pause_ratio == pytest.approx(told)

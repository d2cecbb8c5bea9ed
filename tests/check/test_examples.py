"""What the page and `explain` print as an example of a check is what that check finds."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from advisor.core.review.design_kinds import BUDGETS, DESIGN_KINDS, MEASURED, PROBE, TIMED
from tests.check.declaring import WAIVER, component, reviewed, written

OPEN = {PROBE, MEASURED, *(BUDGETS[name] for name in TIMED)}
"""Of these an example alone shows no more than that nothing could be looked at, or held against a figure."""
TASKS = {"encoder-only": "retrieval", "decoder-only": "chat"}


@pytest.mark.parametrize("check", DESIGN_KINDS)
def test_the_example_of_a_check_is_found_by_it(tmp_path: Path, check: str) -> None:
    text = re.sub(r"\s+where .*", "", DESIGN_KINDS[check].example or "")
    said = yaml.safe_load(text.replace(", …", ""))
    (tmp_path / "models" / "ours").mkdir(parents=True)
    (tmp_path / "models" / "ours" / "config.json").write_text(json.dumps({"model_type": "llama"}))
    choice = said.pop("choice", {"architecture": "encoder-only", "model": "e5-base"})
    waivers = [WAIVER | one for one in said.pop("waivers", ())]
    workload = said.pop("workload", {"task": TASKS.get(choice["architecture"]), "requests_per_second": 2})
    made = reviewed(written(tmp_path, component("search", workload, **choice) | said, waivers=waivers))
    assert {one.outcome for one in made.results if one.check == check} == {"not-checked" if check in OPEN else "fail"}

"""Waivers: what they hide, for how long, how far, and which are none."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from advisor.core.errors import AdvisorError
from tests.check.declaring import LABELS, RETRIEVAL, WAIVER, component, failing, only, reviewed, written

SEARCH = component("search", RETRIEVAL, "decoder-only")


def waived(folder: Path, today: date = date(2026, 11, 22), **change: Any) -> Any:
    return reviewed(written(folder, SEARCH, waivers=[WAIVER | change]), today=today)


def mistakes(folder: Path, **change: Any) -> list[str]:
    with pytest.raises(AdvisorError) as caught:
        waived(folder, **change)
    assert all(one.line is not None for one in caught.value.problems)
    return [one.message for one in caught.value.problems]


def test_an_active_waiver_hides_its_finding_and_says_who_answers_for_it(tmp_path: Path) -> None:
    made = waived(tmp_path)
    found = only(made, "EMB-101")
    assert (found.outcome, made.exit_code) == ("waived", 0)
    assert found.waiver is not None
    assert (found.waiver.state, found.waiver.owner) == ("active", "search-team")


@pytest.mark.parametrize(
    ("today", "state", "outcome", "code"),
    [
        (date(2027, 1, 18), "active", "waived", 0),
        (date(2027, 1, 19), "expiring", "waived", 0),
        (date(2027, 2, 1), "expiring", "waived", 0),  # its last day is still its own
        (date(2027, 2, 2), "expired", "fail", 1),
    ],
)
def test_a_waiver_ends_with_its_last_day(tmp_path: Path, today: date, state: str, outcome: str, code: int) -> None:
    made = waived(tmp_path, today)
    found = only(made, "EMB-101")
    assert (made.waivers[0].state, found.outcome, made.exit_code) == (state, outcome, code)
    assert ("expired on 2027-02-01" in found.message) == (state == "expired")


def test_what_an_expired_waiver_adds_is_a_sentence_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "load.py").write_text("import torch\nweights = torch.load(path)\n")
    load = {**WAIVER, "check": "CODE-105", "component": "search"}
    search = component("search", RETRIEVAL, "encoder-only", code=["*.py"])
    found = only(reviewed(written(tmp_path, search, waivers=[load]), today=date(2027, 2, 2)), "CODE-105")
    assert "what the file holds. The waiver of " in found.message


def test_a_waiver_that_waives_nothing_is_a_finding(tmp_path: Path) -> None:
    right = component("search", RETRIEVAL, "encoder-only")
    file = written(tmp_path, right, waivers=[WAIVER])
    assert failing(reviewed(file)) == {"WVR-001": "warning"}
    assert (reviewed(file).exit_code, reviewed(file, fail_level="warning").exit_code) == (0, 1)


def test_a_waiver_whose_check_could_not_be_made_is_left_alone(tmp_path: Path) -> None:
    away = component("search", RETRIEVAL, "encoder-only", model="models/away")
    made = reviewed(written(tmp_path, away, waivers=[WAIVER | {"check": "ARC-002"}]))
    assert (made.waivers[0].state, failing(made)) == ("active", {})


def test_a_waiver_is_good_for_its_component_alone(tmp_path: Path) -> None:
    other = component("other", RETRIEVAL, "decoder-only")
    made = reviewed(written(tmp_path, SEARCH, other, waivers=[WAIVER]))
    assert {one.component for one in made.results if one.outcome == "fail"} == {"other"}


@pytest.mark.parametrize(
    "reason",
    [
        "",
        "TODO",
        "tbd",
        "n/a",
        "-",
        "...",
        "wip: later",
        "temporary, to be removed",
        "to be filled in",
        "xxx",
        "ok",
        "待办",
    ],
)
def test_a_placeholder_is_no_reason(tmp_path: Path, reason: str) -> None:
    (words,) = mistakes(tmp_path, reason=reason)
    assert "reason" in words


@pytest.mark.parametrize(
    "reason", ["Temporary until the encoder from ADR 12 ships in March.", "移行は三月の予定です", "รอรุ่นใหม่ในเดือนมีนาคม"]
)
def test_a_sentence_is_one_whatever_its_first_word(tmp_path: Path, reason: str) -> None:
    assert waived(tmp_path, reason=reason).summary.waived == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"check": "EMB-999"}, "unknown check"),
        ({"check": "WVR-001"}, "speaks of waivers themselves and cannot be waived"),
        ({"check": "CLS-001"}, "is a rule that advises, and no check"),
        ({"component": "serach"}, 'did you mean "search"?'),
        ({"owner": " - "}, "a placeholder, not an owner"),
        ({"expires": "2026-10-01"}, "before created"),
        ({"expires": "2027-11-02"}, "365 days"),
        ({"created": "2026-11-24"}, "today is 2026-11-22"),
        ({"created": "2026-02-30"}, "no such day"),
        ({"expires": "soon"}, "year-month-day"),
        ({"expires": 20270201}, "year-month-day"),
        ({"ceiling": 5}, "no budget"),
        ({"check": "BUD-101"}, "needs a ceiling"),
        ({"owner": ""}, "owner"),
        ({"owner": "TODO"}, "not an owner"),
    ],
)
def test_what_is_wrong_with_a_waiver_is_said_at_its_place(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    assert any(words in one for one in mistakes(tmp_path, **change))


@pytest.mark.parametrize("missing", ["owner", "expires", "created", "reason"])
def test_nothing_of_a_waiver_may_be_left_out(tmp_path: Path, missing: str) -> None:
    waiver = {key: value for key, value in WAIVER.items() if key != missing}
    with pytest.raises(AdvisorError, match=f'"{missing}" is missing'):
        reviewed(written(tmp_path, SEARCH, waivers=[waiver]))


def test_the_horizon_is_the_teams_to_set(tmp_path: Path) -> None:
    late = WAIVER | {"expires": "2027-11-02"}
    assert reviewed(written(tmp_path, SEARCH, waivers=[late], waiver_horizon_days=400)).summary.waived == 1


@pytest.mark.parametrize(("ceiling", "outcome"), [(110e6, "waived"), (109e6, "fail")])
def test_a_budget_is_waived_up_to_its_ceiling(tmp_path: Path, ceiling: float, outcome: str) -> None:
    labels = component("tickets", LABELS, "encoder-only", model="bert-base", budgets={"parameters": 100e6})
    waiver = WAIVER | {"check": "BUD-101", "component": "tickets", "ceiling": ceiling}
    found = only(reviewed(written(tmp_path, labels, waivers=[waiver])), "BUD-101")
    assert found.outcome == outcome
    assert ("beyond the ceiling" in found.message) == (outcome == "fail")


@pytest.mark.parametrize(
    ("budget", "found"), [(100e6, {"BUD-101": "error", "WVR-001": "warning"}), (120e6, {"WVR-001": "warning"})]
)
def test_a_budget_raised_to_the_ceiling_of_its_waiver_leaves_the_waiver_unused(
    tmp_path: Path, budget: float, found: dict[str, str]
) -> None:
    labels = component("tickets", LABELS, "encoder-only", model="bert-base", budgets={"parameters": budget})
    waiver = WAIVER | {"check": "BUD-101", "component": "tickets", "ceiling": 100e6}
    made = reviewed(written(tmp_path, labels, waivers=[waiver]))
    assert failing(made) == found
    assert made.waivers[0].state == "unused"
    words = f"its ceiling, 100,000,000 parameters, is not above the budget, {budget:,.0f} parameters"
    assert words in only(made, "WVR-001").message

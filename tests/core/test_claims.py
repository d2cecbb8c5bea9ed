"""Claims of the guide against ratios that are known."""

from __future__ import annotations

import pytest

from advisor.core.architecture import Architecture
from advisor.core.claims import judged
from advisor.core.comparison import ClaimResult, Seconds, capable, comparable_tasks
from advisor.core.guide.rulebook import Claim, ClaimedRatio, Rulebook
from advisor.core.sizing.sides import Taken
from advisor.core.task import TASKS
from advisor.store.paths import shipped
from advisor.store.rulebook import load_rulebook

SEVEN_BILLION = 7_000_000_000
BOOK = load_rulebook(shipped("rules"))


def took(low: float, mid: float, high: float) -> tuple[Taken, ...]:
    return ({"latency": Seconds(low=low, mid=mid, high=high)},)


def outcome(
    *decoder: float,
    at_least: float = 10.0,
    made_for: int | None = None,
    parameters: int = 10**8,
    about: str | None = None,
) -> ClaimResult:
    """A claim that a decoder takes `at_least` times an encoder's second, where it took low, mid and high `decoder`."""
    ratio = ClaimedRatio("latency", "decoder-only", "encoder-only", at_least, made_for)
    claim = Claim("C", ("text-classification",), "Says.", ("G20",), None if about else ratio, about)
    sides: dict[Architecture, tuple[Taken, ...]] = {"encoder-only": took(1, 1, 1)}
    if decoder:
        sides["decoder-only"] = took(*decoder)
    book: Rulebook = BOOK._replace(claims=(claim,))
    (found,) = judged("text-classification", sides, {"decoder-only": parameters}, book)
    return found


@pytest.mark.parametrize(
    ("decoder", "expected"),
    [((10, 12, 14), "confirmed"), ((9, 12, 14), "undecided"), ((5, 9, 9.9), "refuted"), ((5, 9, 10), "undecided")],
)
def test_only_an_interval_wholly_on_one_side_settles_a_claim(decoder: tuple[float, ...], expected: str) -> None:
    found = outcome(*decoder)
    assert found.outcome == expected
    assert found.ratio == pytest.approx(decoder[1])
    assert found.ci95 == (decoder[0], decoder[2])


def test_a_model_smaller_than_the_claim_is_made_for_can_confirm_it_and_not_refute_it() -> None:
    assert outcome(11, 12, 13, made_for=SEVEN_BILLION).outcome == "confirmed"
    below = outcome(5, 6, 7, made_for=SEVEN_BILLION)
    assert below.outcome == "undecided"
    assert "7,000,000,000" in below.note
    assert "100,000,000" in below.note
    assert outcome(5, 6, 7, made_for=SEVEN_BILLION, parameters=SEVEN_BILLION).outcome == "refuted"


def test_what_is_not_measured_is_undecided_and_named() -> None:
    found = outcome(11, 12, 13, about="quality")
    assert (found.outcome, found.ratio, found.ci95) == ("undecided", None, None)
    assert "quality, which is not measured" in found.note


def test_a_side_without_a_figure_leaves_a_claim_undecided() -> None:
    found = outcome()
    assert (found.outcome, found.ratio) == ("undecided", None)


def test_every_shipped_claim_is_about_tasks_that_both_sides_can_do() -> None:
    assert BOOK.claims
    for claim in BOOK.claims:
        for task in claim.tasks:
            assert task in comparable_tasks(), claim.id
            if claim.ratio is not None:
                assert {claim.ratio.dearer, claim.ratio.cheaper} <= set(capable(task)), claim.id


def test_every_task_can_be_done_by_something() -> None:
    assert all(capable(task) for task in TASKS)
    assert "encoder-only" not in {one for task in ("chat", "translation") for one in capable(task)}  # type: ignore[arg-type]

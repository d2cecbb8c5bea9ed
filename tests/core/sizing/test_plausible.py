"""Figures that no measurement can have given."""

from __future__ import annotations

from typing import Any

import pytest

from advisor.core.hardware import DeviceDetail
from advisor.core.sizing.measurement import Profile, ProfiledModel, Surface
from advisor.core.sizing.plausible import doubts
from tests.fake_child import FAKE_MACHINE, fake_cell
from tests.measuring import plans

CELL = fake_cell(plans(batches=(4,))[0])


def profile(machine: dict[str, Any] | None = None, **cell: Any) -> Profile:
    return Profile(
        machine=FAKE_MACHINE.model_copy(update=machine or {}),
        model=ProfiledModel(id="bert-base", architecture="encoder-only", parameters=1, weights="random"),
        cells=(CELL, CELL.model_copy(update=cell)),
        best=(),
        wall_s=1.0,
    )


def test_what_was_measured_raises_no_doubt() -> None:
    assert list(doubts(profile())) == []
    assert list(doubts(profile(median_s=None, ci95_s=None, samples_s=None, peak_memory_bytes=None))) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("batch_size", 0),
        ("batch_size", 10**18),
        ("threads", 0),
        ("samples", -1),
        ("input_tokens", 0),
        ("input_tokens", 10**9),
        ("context_tokens", -1),
        ("peak_memory_bytes", -1),
        ("median_s", 0.0),
        ("median_s", -1.0),
        ("median_s", 1e300),
        ("ci95_s", (1.0, 2.0)),
        ("ci95_s", (0.0, 2.0)),
        ("samples_s", (0.0, 1.0)),
        ("process_samples", ()),
        ("process_samples", (30,)),
        ("process_samples", (0, 31)),
    ],
)
def test_a_figure_that_cannot_be_is_named_with_its_place(key: str, value: Any) -> None:
    places = [place for place, _ in doubts(profile(**{key: value}))]
    assert ("cells", 1, key) in places
    assert all(place[:2] == ("cells", 1) for place in places)


def test_a_median_outside_of_its_interval_and_samples_is_nobodys() -> None:
    assert [place[2] for place, _ in doubts(profile(median_s=1.0))] == ["ci95_s", "median_s"]


def test_a_machine_without_cores_or_memory_is_none() -> None:
    card = DeviceDetail(device="cuda:0", name="Fake H1", memory_bytes=None, memory_limit_bytes=0)
    found = profile({"cores_usable": 0, "memory_limit_bytes": -5, "device_details": (card,)})
    assert [place[1] for place, _ in doubts(found)] == ["cores_usable", "memory_limit_bytes", "device_details"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("coefficients", {"c1": -1e-9}),
        ("coefficients", {"c1": 1e9}),
        ("coefficients", {"β": 1e-3}),
        ("holdout_error_pct", -1.0),
        ("holdout_worst_pct", -0.1),
    ],
)
def test_a_surface_that_no_fit_gives_is_named_with_its_place(key: str, value: Any) -> None:
    fit: dict[str, Any] = {"coefficients": {"c0": 1e-3, "c1": 1e-6}, "holdout_error_pct": 3.0, "holdout_worst_pct": 9.0}
    known = {"stage": "forward", "runtime": "torch", "dtype": "float32", "formula": "c0 + c1·b·s"}
    good, bad = Surface(**known, **fit), Surface(**known, **fit | {key: value})
    found = list(doubts(profile().model_copy(update={"surfaces": (good, bad)})))
    assert [place for place, _ in found] == [("surfaces", 1, key)]

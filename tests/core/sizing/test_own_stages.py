"""The stages of a model with files: which cells they are, and what tokenising adds to a plan."""

from __future__ import annotations

import pytest

from advisor.core.lengths import Lengths
from advisor.core.model.source import ModelSource
from advisor.core.sizing.candidates import part_of
from advisor.core.sizing.measurement import Cell, CellPlan, Profile, ProfiledModel
from advisor.core.sizing.own_stages import with_own_stages
from tests.fake_child import FAKE_MACHINE, fake_cell

SHAPES = [(1, 32), (4, 32), (8, 32), (1, 64)]
FORWARD = [
    CellPlan(stage="forward", dtype=dtype, batch_size=batch, input_tokens=tokens)
    for dtype in ("float32", "bfloat16")
    for batch, tokens in SHAPES
]
WRITING = [
    CellPlan(stage="prefill", dtype="float32", batch_size=2, input_tokens=32),
    CellPlan(stage="decode", dtype="float32", batch_size=2, context_tokens=32),
]


def source(*, weights: bool = True, tokenizer: bool = True) -> ModelSource:
    return ModelSource(
        folder="/nowhere",
        name="x",
        config={},
        weights=("model.safetensors",) if weights else (),
        tokenizer_sha256="0" if tokenizer else None,
    )


def test_each_dtype_starts_once_before_anything_and_tokenising_comes_last() -> None:
    cells = with_own_stages(FORWARD, source())
    assert [(one.stage, one.dtype) for one in cells[:2]] == [("load", "float32"), ("load", "bfloat16")]
    assert list(cells[2:-3]) == FORWARD
    assert {(one.stage, one.dtype) for one in cells[-3:]} == {("tokenize", "float32")}
    assert [(one.batch_size, one.input_tokens) for one in cells[-3:]] == [(1, 32), (8, 32), (1, 64)]


def test_batches_that_a_caller_fixed_are_all_tokenised() -> None:
    cells = with_own_stages(FORWARD, source(), batch_sizes=(1, 4, 8))
    assert sum(one.stage == "tokenize" for one in cells) == len(SHAPES)


def test_what_a_folder_lacks_is_no_stage() -> None:
    assert with_own_stages(FORWARD, source(weights=False, tokenizer=False)) == tuple(FORWARD)
    assert with_own_stages([WRITING[1]], source()) == (WRITING[1],)


def test_a_model_that_writes_starts_by_reading() -> None:
    first, *_, last = with_own_stages(WRITING, source())
    assert (first.stage, first.batch_size, first.input_tokens, first.context_tokens) == ("load", 1, 32, None)
    assert (last.stage, last.batch_size, last.input_tokens) == ("tokenize", 2, 32)


def profile(cells: list[Cell], architecture: str) -> Profile:
    model = ProfiledModel(id="x", architecture=architecture, parameters=1, weights="real")  # type: ignore[arg-type]
    return Profile(machine=FAKE_MACHINE, model=model, cells=tuple(cells), best=(), wall_s=0.0)


def lone_seconds(cells: list[Cell], architecture: str, output_tokens: int) -> float:
    part = part_of("model", profile(cells, architecture), None, Lengths(32, None, output_tokens, None))
    return part.candidates[0].servers["mid"].lone_s


def tokenising(batch: int, seconds: float) -> Cell:
    plan = CellPlan(stage="tokenize", dtype="float32", batch_size=batch, input_tokens=32)
    samples = (seconds,) * 6
    figures = {"median_s": seconds, "ci95_s": (seconds, seconds), "samples_s": samples, "samples": 6, "threads": 1}
    return fake_cell(plan).model_copy(update=figures)


@pytest.mark.parametrize(
    ("plans", "architecture", "output_tokens"), [(FORWARD, "encoder-only", 0), (WRITING, "decoder-only", 4)]
)
def test_tokenising_is_in_what_a_request_takes(plans: list[CellPlan], architecture: str, output_tokens: int) -> None:
    cells = [fake_cell(plan) for plan in plans]
    without = lone_seconds(cells, architecture, output_tokens)
    with_it = lone_seconds([*cells, tokenising(1, 0.5)], architecture, output_tokens)
    assert with_it == pytest.approx(without + 0.5)


def test_every_dtype_tokenises_and_a_larger_batch_takes_as_much_longer_as_it_has_texts() -> None:
    cells = [fake_cell(plan) for plan in FORWARD]
    lengths = Lengths(32, None, 0, None)
    plain = part_of("model", profile(cells, "encoder-only"), None, lengths).candidates
    counted = part_of(
        "model", profile([*cells, tokenising(1, 0.01), tokenising(4, 0.04)], "encoder-only"), None, lengths
    )
    assert len(plain) == len(counted.candidates) == 6
    for before, after in zip(plain, counted.candidates, strict=True):
        batch = before.serving.max_batch_size
        pairs = zip(before.servers["mid"].service_s, after.servers["mid"].service_s, strict=True)  # type: ignore[attr-defined]
        assert [late - early for early, late in pairs] == pytest.approx([0.01 * n for n in range(1, batch + 1)])
        assert after.tokenizing_s == pytest.approx(0.01)
        assert before.tokenizing_s is None

"""Choosing the cuts of a model that does not fit: arithmetic, with the sums where there are none."""

from __future__ import annotations

import pytest

from advisor.core.hardware import GIB, PeakFlops, Peaks
from advisor.core.model.cost import weight_bytes
from advisor.core.model.cut import cut, depth
from advisor.core.model.memory import peak_memory
from advisor.core.sizing.cuts import (
    CACHES,
    MEMORY_SHARE,
    NoCuts,
    Room,
    cut_where_needed,
    cuts_for,
    dtypes_to_cut,
    mistake_in,
)
from advisor.core.sizing.measurement import CellPlan
from advisor.store.catalog import load_catalog
from advisor.store.paths import shipped

CATALOG = load_catalog(shipped("models")).entries
MIB = 2**20
ROOM = Room(22 * GIB, 22 * GIB, 32 * MIB, 100.0)


def prefill(dtype: str = "bfloat16", batch: int = 1, tokens: int = 128, **more: object) -> CellPlan:
    return CellPlan.model_validate(
        {"stage": "prefill", "dtype": dtype, "batch_size": batch, "input_tokens": tokens} | more
    )


def chosen(
    id_: str, dtype: str = "bfloat16", gib: float = 22, cache: int | None = 32 * MIB
) -> tuple[int, ...] | NoCuts:
    plan = prefill(dtype) if "decode" in id_ or not id_.startswith("bert") else prefill(dtype, stage="forward")
    return cuts_for(CATALOG[id_], plan, Room(int(gib * GIB), int(gib * GIB), cache, 100.0))


def test_gpt_3_is_told_from_one_two_and_three_layers_on_24_gib() -> None:
    assert chosen("gpt3-175b") == (1, 2, 3)


def test_gpt_3_in_float32_leaves_no_room_for_three_cuts_and_shows_the_sums() -> None:
    found = chosen("gpt3-175b", "float32")
    assert isinstance(found, NoCuts)
    assert "of 3 of 96 layers, has weights of 22.6 GiB and takes 23.3 GiB to run" in found.says
    assert "60% of the 22 GiB that may be used is 13.2 GiB, and 22 GiB are free now" in found.says


def test_what_others_use_now_is_no_room_to_run_in() -> None:
    model, plan = CATALOG["gpt3-175b"], prefill()
    busy = ROOM._replace(available_bytes=18 * GIB)
    assert cuts_for(model, plan, busy) == (1, 2, 3)
    assert isinstance(cuts_for(model, plan, ROOM._replace(available_bytes=12 * GIB)), NoCuts)


@pytest.mark.parametrize(
    ("id_", "dtype"), [("llama-2-7b", "float32"), ("llama-2-70b", "bfloat16"), ("gpt3-175b", "bfloat16")]
)
def test_the_largest_cut_keeps_its_share_of_the_memory_and_one_more_would_not(id_: str, dtype: str) -> None:
    found = chosen(id_, dtype)
    assert not isinstance(found, NoCuts)
    sizes = [weight_bytes(cut(CATALOG[id_], count), dtype) for count in (found[2], found[2] + 1)]  # type: ignore[arg-type]
    assert sizes[0] <= MEMORY_SHARE * 22 * GIB < sizes[1]
    assert found[0] < found[1] < found[2]


def test_the_smallest_cut_has_more_layers_than_the_cache_holds() -> None:
    found = chosen("bert-large", "float32", cache=64 * MIB)
    assert not isinstance(found, NoCuts)
    model = CATALOG["bert-large"]
    layer = weight_bytes(cut(model, 2), "float32") - weight_bytes(cut(model, 1), "float32")
    assert (found[0] - 1) * layer < CACHES * 64 * MIB <= found[0] * layer
    assert found[2] < depth(model)


def test_a_small_model_has_too_few_layers_beyond_the_cache_and_says_so() -> None:
    found = chosen("gpt2")
    assert isinstance(found, NoCuts)
    assert found.says == f"gpt2 has too few layers beyond {CACHES} times the last cache to tell them from three cuts."


def test_where_the_cache_is_not_known_one_layer_is_the_smallest() -> None:
    found = chosen("bert-large", "float32", cache=None)
    assert not isinstance(found, NoCuts)
    assert found[0] == 1


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ((4, 8), "three different numbers"),
        ((4, 8, 8), "three different numbers"),
        ((4, 8, 12), "bert-base has 12 layers, and a cut has fewer"),
        ((2, 4, 8), None),
    ],
)
def test_cuts_that_are_asked_for_must_be_cuts(layers: tuple[int, ...], words: str | None) -> None:
    wrong = mistake_in(CATALOG["bert-base"], layers)
    assert (wrong is None) if words is None else words in (wrong or "")


def test_cuts_of_a_model_whose_layers_differ_are_whole_rounds() -> None:
    assert "come round every 3" in (mistake_in(CATALOG["modernbert-base"], (3, 6, 10)) or "")
    assert mistake_in(CATALOG["modernbert-base"], (3, 6, 9)) is None


def test_a_model_that_fits_is_measured_whole() -> None:
    plans = [prefill(), prefill(batch=8)]
    assert cut_where_needed(CATALOG["gpt2"], plans, ROOM).plans == tuple(plans)


def test_a_model_without_room_is_measured_in_cuts_the_largest_first() -> None:
    plans = [prefill(), prefill(batch=4)]
    cutting = cut_where_needed(CATALOG["gpt3-175b"], plans, ROOM)
    assert [plan.layers for plan in cutting.plans] == [3, 3, 1, 1, 2, 2]
    assert [plan.batch_size for plan in cutting.plans] == [1, 4] * 3
    assert cutting.notes == ()


def test_a_dtype_without_cuts_is_left_to_be_refused_and_says_why() -> None:
    plans = [prefill("float32"), prefill()]
    cutting = cut_where_needed(CATALOG["gpt3-175b"], plans, ROOM)
    assert [(plan.dtype, plan.layers) for plan in cutting.plans] == [
        ("float32", None),
        *[("bfloat16", count) for count in (3, 1, 2)],
    ]
    assert len(cutting.notes) == 1
    assert "float32" in cutting.notes[0]
    assert dtypes_to_cut(CATALOG["gpt3-175b"], ("float32", "bfloat16"), 128, ROOM) == ("bfloat16",)


def test_a_model_too_slow_by_the_machines_own_peaks_is_measured_in_cuts() -> None:
    peaks = Peaks(device="cpu", threads=2, torch="0", flops_per_s=PeakFlops(bfloat16=1e12), bytes_per_s=2e10)
    plans = [prefill(tokens=2048)]
    slow = cut_where_needed(CATALOG["llama-2-7b"], plans, ROOM._replace(peaks=peaks))
    assert {plan.layers for plan in slow.plans} != {None}
    faster = peaks.model_copy(update={"flops_per_s": PeakFlops(bfloat16=1e15)})
    assert cut_where_needed(CATALOG["llama-2-7b"], plans, ROOM._replace(peaks=faster)).plans == tuple(plans)
    assert cut_where_needed(CATALOG["llama-2-7b"], plans, ROOM).plans == tuple(plans)


def test_cuts_asked_for_come_with_the_whole_model_where_that_fits() -> None:
    plans = [prefill()]
    both = cut_where_needed(CATALOG["gpt2"], plans, ROOM, asked=(8, 2, 4))
    assert [plan.layers for plan in both.plans] == [8, 2, 4, None]
    alone = cut_where_needed(CATALOG["gpt3-175b"], plans, ROOM, asked=(1, 2, 3))
    assert [plan.layers for plan in alone.plans] == [3, 1, 2]
    with pytest.raises(ValueError, match="12 layers"):
        cut_where_needed(CATALOG["gpt2"], plans, ROOM, asked=(4, 8, 12))


def test_a_tokenizer_runs_beside_the_smallest_cut_and_nothing_loads_files_it_cannot_hold() -> None:
    own = [prefill(stage="load"), prefill(), prefill(stage="tokenize")]
    cutting = cut_where_needed(CATALOG["gpt3-175b"], own, ROOM)
    assert [(plan.stage, plan.layers) for plan in cutting.plans] == [
        *[("prefill", count) for count in (3, 1, 2)],
        ("tokenize", 1),
    ]


def test_every_chosen_cut_has_room_to_run() -> None:
    found = chosen("llama-2-70b")
    assert not isinstance(found, NoCuts)
    assert peak_memory(cut(CATALOG["llama-2-70b"], found[2]), prefill()).total <= 22 * GIB

"""How much time a model's cells get: more for what takes longer, within bounds."""

from __future__ import annotations

from advisor.core.sizing.effort import EFFORTS
from advisor.core.sizing.measurement import CellPlan
from advisor.measuring import SECONDS_MOST, SECONDS_QUICK, seconds_total
from advisor.store.catalog import load_catalog
from advisor.store.paths import shipped

ENTRIES = load_catalog(shipped("models"))


def seconds(model: str, stage: str, tokens: int) -> float:
    plan = CellPlan.model_validate({"stage": stage, "dtype": "bfloat16", "batch_size": 1, "input_tokens": tokens})
    return seconds_total(ENTRIES.get(model), [plan])


def test_short_texts_on_a_small_model_get_the_quick_time() -> None:
    assert seconds("bert-base", "forward", 128) == SECONDS_QUICK


def test_a_prompt_of_thousands_of_tokens_gets_more_and_a_longer_one_more_still() -> None:
    assert SECONDS_QUICK < seconds("smollm2-360m", "prefill", 2048) < seconds("smollm2-360m", "prefill", 3000)


def test_nothing_gets_more_than_the_most() -> None:
    assert seconds("llama-2-7b", "prefill", 4096) == SECONDS_MOST


def test_more_effort_has_more_time() -> None:
    plan = CellPlan(stage="forward", dtype="bfloat16", batch_size=1, input_tokens=128)
    times = [seconds_total(ENTRIES.get("bert-base"), [plan], effort) for effort in EFFORTS]
    assert times == [SECONDS_QUICK, 4 * SECONDS_QUICK, 12 * SECONDS_QUICK]

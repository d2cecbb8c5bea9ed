"""Decode steps of a replay with real models: of so many answers, at their depth, whatever was stepped before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from advisor.core.model.cost import anatomy
from advisor.core.protocol import Replay
from advisor.core.sizing.measurement import Runtime
from advisor.core.sizing.replaying import ReplayPlan
from advisor.core.sizing.runtimes import IN_GROUPS
from advisor.profile.accelerator import accelerator
from advisor.profile.build import DTYPES, build
from advisor.profile.orders import Built
from advisor.profile.replay_groups import GroupWorks
from advisor.profile.replay_tasks import ModelWorks, _steps
from advisor.profile.runtimes.torch_eager import Eager, Loaded
from advisor.profile.standing import Standing
from advisor.run.replay import replay
from tests.core.model.tiny_models import entry


def plan(stages: Any, *, contexts: int, requests: int = 6) -> ReplayPlan:
    return ReplayPlan(
        stages=stages,
        runtime="torch",
        dtype="float32",
        threads=1,
        max_batch_size=4,
        arrivals_s=tuple(0.01 * number for number in range(requests)),
        input_tokens=(9,) * requests,
        first_context=(contexts,) * requests,
        steps=(5,) * requests,
        seconds=1.0,
        seconds_limit=60.0,
    )


@pytest.mark.parametrize(
    ("model_type", "change"),
    [("gpt2", {}), ("llama", {}), ("mistral", {}), ("mistral", {"sliding_window": 5}), ("qwen3", {}), ("gemma2", {})],
)
def test_each_step_sees_as_many_answers_and_tokens_as_it_is_told(model_type: str, change: dict[str, Any]) -> None:
    tiny = entry(model_type, **change)
    loaded = Loaded(build(tiny, "float32"), anatomy(tiny), DTYPES["float32"], "cpu", seed=0)
    step = _steps(loaded, plan(("prefill", "decode"), contexts=9))
    seen: list[tuple[int, int]] = []

    def look(_module: object, _args: object, given: dict[str, Any]) -> None:
        seen.append((len(given["input_ids"]), given["past_key_values"].get_seq_length()))

    loaded.model.register_forward_pre_hook(look, with_kwargs=True)
    told = [(4, 9), (1, 12), (3, 10), (4, 14), (2, 3), (4, 9)]
    with torch.inference_mode():
        for answers, depth in told:
            step(answers, depth)
    assert seen == told


def test_a_step_is_filled_up_to_the_rows_that_the_plan_says() -> None:
    tiny = entry("gpt2")
    loaded = Loaded(build(tiny, "float32"), anatomy(tiny), DTYPES["float32"], "cpu", seed=0)
    standing = Standing(
        Eager(loaded), Built(parameters=1), entry=tiny, layers=None, seconds=0.0, peak_bytes=None, source=None
    )
    filled = plan(("prefill", "decode"), contexts=9).model_copy(update={"padded_steps": ((3, 4),)})
    works, seen = ModelWorks(filled, standing, accelerator("cpu")), list[int]()

    def look(_module: object, _args: object, given: dict[str, Any]) -> None:
        seen.append(len(given["input_ids"]))

    loaded.model.register_forward_pre_hook(look, with_kwargs=True)
    with torch.inference_mode():
        for answers in (1, 2, 3, 4):
            works.step(answers, 9.0)
    assert seen == [1, 2, 4, 4]


@pytest.mark.parametrize("model_type", ["t5", "bart"])
def test_steps_with_a_source_see_both_caches_at_their_length(model_type: str) -> None:
    tiny = entry(model_type)
    loaded = Loaded(build(tiny, "float32"), anatomy(tiny), DTYPES["float32"], "cpu", seed=0)
    step = _steps(loaded, plan(("encode", "decode"), contexts=0))
    seen: list[tuple[int, int, int]] = []

    def look(_module: object, _args: object, given: dict[str, Any]) -> None:
        both = given["past_key_values"]
        source = both.cross_attention_cache.get_seq_length()
        seen.append((len(given["decoder_input_ids"]), both.get_seq_length(), source))

    loaded.model.register_forward_pre_hook(look, with_kwargs=True)
    with torch.inference_mode():
        for answers, depth in [(1, 0), (3, 2), (2, 5), (4, 1)]:
            step(answers, depth)
    assert seen == [(1, 1, 9), (3, 2, 9), (2, 5, 9), (4, 1, 9)]


def test_a_group_is_begun_with_its_own_lengths_and_filled_up_to_the_rows_that_the_plan_says() -> None:
    groups: list[tuple[list[int], list[int]]] = []
    written: list[int] = []

    class Library:
        def group(self, inputs: Sequence[int], steps: Sequence[int]) -> Callable[[], object]:
            groups.append((list(inputs), list(steps)))
            return lambda: written.append(len(groups))

    known = {"input_tokens": (9, 5, 7, 4, 8, 3), "steps": (5, 2, 0, 0, 3, 6), "padded_steps": ((2, 3),)}
    works = GroupWorks(plan(("prefill", "decode"), contexts=9).model_copy(update=known), cast(Any, None), Library())
    for requests in (range(2), range(2, 3), range(3, 6)):
        works.read(requests)
        works.step(len(requests), 9.0)
    assert groups == [([9, 5, 9], [5, 2, 5]), ([7], [0]), ([4, 8, 3], [0, 3, 6])]
    assert written == [1, 3]


@pytest.mark.parametrize(
    "runtime",
    [
        "torch",
        pytest.param(
            "ctranslate2",
            marks=pytest.mark.skipif(find_spec("ctranslate2") is None, reason="ctranslate2 is not installed"),
        ),
    ],
)
async def test_a_real_process_serves_a_schedule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: Runtime
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    served = plan(("encode", "decode"), contexts=0)
    served = served.model_copy(update={"runtime": runtime, "in_groups": runtime in IN_GROUPS})
    asked = Replay(id=3, model=entry("t5"), plan=served)
    result = await replay(asked, lock_path=tmp_path / "lock")
    assert len(result.done_s) == 6
    assert result.first_token_s is not None
    for done, first, arrival in zip(result.done_s, result.first_token_s, asked.plan.arrivals_s, strict=True):
        assert done is not None
        assert first is not None
        assert arrival < first < done

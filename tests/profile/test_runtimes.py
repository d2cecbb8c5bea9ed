"""Tiny models in the runtimes themselves: what each computes, against float32; skipped where one is not installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch

from advisor.core.sizing.measurement import CellPlan, Deviation
from advisor.core.sizing.runtimes import stages_run
from advisor.profile import converting
from advisor.profile import standing as standing_module
from advisor.profile.accelerator import Cpu
from advisor.profile.build import NotBuilt
from advisor.profile.companions import Companions
from advisor.profile.orders import Job, Order, Outcome
from advisor.profile.runtimes import openvino_graph
from advisor.profile.runtimes.ctranslate2_engine import ENCODE_NOTE, STEPS, Engine, _Steps
from advisor.profile.runtimes.torch_eager import WrongState
from advisor.profile.standing import Standing, stand
from advisor.profile.worker import _measure
from tests.core.model.tiny_models import entry

KIN_OF_BART = ("bart", "mbart", "pegasus", "m2m_100")
WIDE = {
    "gpt2": {"n_embd": 64, "n_inner": 128},
    "gptj": {"n_embd": 64, "n_inner": 128},
    "opt": {"hidden_size": 64, "ffn_dim": 128, "vocab_size": 96},  # it wants OPT's words by the eight
    **{one: {"d_model": 64, "encoder_ffn_dim": 96, "decoder_ffn_dim": 96} for one in KIN_OF_BART},
}
"""CTranslate2's eight-bit products want rows of a length that the tiniest models do not have."""
CAPABILITIES = "OPTIMIZATION_CAPABILITIES"
SCORES = {"transformers_class": "BertForSequenceClassification", "num_labels": 1}


def needs(package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(find_spec(package) is None, reason=f"{package} is not installed")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("advisor.store.converted.cache_dir", lambda: tmp_path)
    return tmp_path


def job(model_type: str, runtime: Any, dtype: Any, **change: Any) -> Job:
    model = entry(model_type, **(WIDE.get(model_type, {}) | change))
    place: dict[str, Any] = {"device": "cpu", "threads": 1, "seed": 0, "file_backed_bytes": None, "parent_pid": 1}
    place |= {"least_cosine": 0.99}
    return Job(model=model, runtime=runtime, dtype=dtype, **place)


def standing(*asked: Any, **change: Any) -> Standing:
    return stand(job(*asked, **change), Cpu(None))


def ran(standing: Standing, stage: Any, runs: int = 3, **lengths: Any) -> torch.Tensor:
    """The last result of so many runs of a stage, its state checked before and after each."""
    plan = CellPlan(stage=stage, dtype="float32", batch_size=3, **lengths)
    with torch.inference_mode():
        work = standing.served.task(plan)
        for _ in range(runs):
            work.check()
            result = work.run()
            work.reset()
        work.check()
    return result


@needs("openvino")
@pytest.mark.parametrize(
    ("model_type", "dtype"),
    [
        *(("bert", dtype) for dtype in ("float32", "bfloat16", "int8")),
        *((one, "int8") for one in ("distilbert", "mpnet", "albert", "modernbert", "t5", "marian")),
    ],
)
def test_openvino_computes_what_the_module_computes(model_type: str, dtype: str) -> None:
    if dtype == "bfloat16" and "BF16" not in openvino_graph.library().Core().get_property("CPU", CAPABILITIES):
        with pytest.raises(NotBuilt, match="computes in f32"):
            standing(model_type, "openvino", dtype)
        return
    found = standing(model_type, "openvino", dtype)
    assert found.refused is None
    assert found.deviation is not None
    assert found.deviation.relative_error < {"float32": 1e-5, "bfloat16": 0.03, "int8": 0.1}[dtype]
    assert found.served.computes_in is not None
    assert found.conversion_s is not None
    stage = stages_run("openvino", entry(model_type))[0]
    assert tuple(ran(found, stage, input_tokens=9).shape) == (3, 9, 24)


@needs("openvino")
def test_openvino_embeds_in_unit_vectors_and_gives_a_score_for_each_pair() -> None:
    vectors = ran(standing("bert", "openvino", "float32"), "embed", input_tokens=9)
    assert vectors.norm(dim=1).tolist() == pytest.approx([1.0] * 3)
    assert tuple(ran(standing("bert", "openvino", "float32", **SCORES), "rerank", input_tokens=9).shape) == (3, 1)


@needs("openvino")
def test_openvino_encodes_with_the_keys_and_values_of_every_decoder_layer() -> None:
    """Whoever leaves them out has an encoder that is too fast by what they cost."""
    found: Any = standing("t5", "openvino", "float32").served
    assert len(found.compiled.outputs) == 1 + 2 * 2


@needs("openvino")
def test_a_wider_precision_reads_the_graph_that_is_there(cache: Path) -> None:
    standing("bert", "openvino", "float32")
    made = [one.stat().st_ino for one in (cache / "converted").iterdir()]
    standing("bert", "openvino", "float32")
    assert [one.stat().st_ino for one in (cache / "converted").iterdir()] == made
    standing("bert", "openvino", "int8")
    assert len(list((cache / "converted").iterdir())) == 2


@needs("ctranslate2")
@pytest.mark.parametrize(
    ("model_type", "dtype"),
    [
        *((one, "float32") for one in ("gpt2", "llama", "mistral", "qwen2", "qwen3", "t5", "mt5", *KIN_OF_BART)),
        *((one, "float32") for one in ("gptj", "gpt_neox", "opt", "gemma")),
        *((one, "int8") for one in ("gpt2", "llama", "t5")),
    ],
)
def test_ctranslate2_computes_what_the_module_computes(model_type: str, dtype: str) -> None:
    change = {} if model_type in ("t5", "mt5", *WIDE) else {"hidden_size": 64, "intermediate_size": 128}
    found = standing(model_type, "ctranslate2", dtype, **change)
    assert found.refused is None
    assert found.deviation is not None
    assert found.deviation.relative_error < {"float32": 1e-4, "int8": 0.1}[dtype]
    assert found.served.computes_in in ("float32", "int8_float32")


@needs("ctranslate2")
def test_a_generation_is_held_between_steps_and_begins_anew_when_it_is_spent() -> None:
    ran(standing("gpt2", "ctranslate2", "float32"), "decode", runs=2 * STEPS + 3, context_tokens=9)


@needs("ctranslate2")
def test_another_task_ends_the_generation_that_is_held() -> None:
    """The library computes in one queue: a generation left waiting would stop everything after it."""
    found = standing("t5", "ctranslate2", "float32")
    ran(found, "decode", context_tokens=4, input_tokens=9)
    assert tuple(ran(found, "encode", input_tokens=9).shape) == (3,)
    ran(found, "decode", context_tokens=1, input_tokens=9)


@needs("ctranslate2")
@pytest.mark.parametrize("model_type", ["gpt2", "t5"])
def test_a_group_of_answers_is_written_to_the_end_of_each(model_type: str) -> None:
    engine = standing(model_type, "ctranslate2", "float32").served
    assert isinstance(engine, Engine)
    for steps in ([3, 0, 5], [2, 2, 2], [0], [4, 1]):
        step = engine.group([9, 4, 6][: len(steps)], steps)
        for _ in range(max(steps)):
            step()


@needs("ctranslate2")
def test_the_last_position_of_a_table_can_be_written() -> None:
    ran(standing("gpt2", "ctranslate2", "float32"), "decode", runs=4, context_tokens=63)


@needs("ctranslate2")
def test_what_a_run_holds_beyond_its_stage_is_said() -> None:
    served = standing("t5", "ctranslate2", "float32").served
    read = CellPlan(stage="encode", dtype="float32", batch_size=1, input_tokens=5)
    assert served.task(read).note == ENCODE_NOTE
    step = read.model_copy(update={"stage": "decode", "context_tokens": 2})
    assert "takes no request into a batch" in (served.task(step).note or "")


@needs("torchao")
def test_torch_in_eight_bits_is_close_to_float32() -> None:
    found = standing("bert", "torch", "int8")
    assert found.refused is None
    assert found.deviation is not None
    assert 0 < found.deviation.relative_error < 0.05


@pytest.mark.parametrize("model_type", ["bert", "gpt2", "t5"])
def test_sixteen_bits_are_compared_with_the_same_weights_in_float32(model_type: str) -> None:
    found = standing(model_type, "torch", "bfloat16")
    assert found.refused is None
    assert found.deviation is not None
    assert 0 < found.deviation.relative_error < 0.05
    assert standing(model_type, "torch", "float32").deviation is None


@needs("openvino")
def test_a_runtime_whose_output_is_another_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converting, "outputs", lambda loaded, texts: {"states": torch.randn(2, 16, 24).numpy()})
    found = standing("bert", "openvino", "float32")
    assert "strays from float32" in (found.refused or "")


def test_no_cell_of_a_refused_configuration_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing_module, "deviation", lambda *_, **__: Deviation(cosine=0.5, relative_error=0.9))
    asked = job("bert", "torch", "bfloat16")
    found = stand(asked, Cpu(None))
    plan = CellPlan(stage="forward", dtype="bfloat16", batch_size=1, input_tokens=5)
    order = Order(index=0, plan=plan, share_s=5.0, limit_s=5.0)
    outcome = _measure(asked, found, Cpu(None), order, Companions(asked, close=()))
    assert isinstance(outcome, Outcome)
    cell = found.told(outcome.cell)
    assert cell.flags == ("deviates",)
    assert cell.median_s is None
    assert cell.deviation is not None
    assert not outcome.spoiled
    assert "cosine 0.5" in (cell.note or "")


def test_a_generation_that_ends_by_itself_or_fails_is_told_to_whoever_steps() -> None:
    class Token:
        batch_id = 0

    def two_tokens(after: Any) -> None:
        after(Token())
        after(Token())

    held = _Steps(two_tokens, [9])
    held.step()
    with pytest.raises(WrongState):
        held.step()

    def fails(after: Any) -> None:
        raise RuntimeError("no memory")

    with pytest.raises(RuntimeError, match="no memory"):
        _Steps(fails, [9])

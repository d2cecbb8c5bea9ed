"""Which runtime may serve which model, and what is measured where the caller leaves it open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from advisor.core.errors import AdvisorError
from advisor.core.model.cost import kv_cache_bytes, stage_bytes_moved, weight_bytes
from advisor.core.sizing.closeness import too_far
from advisor.core.sizing.grid import default_cells
from advisor.core.sizing.measurement import Cell, CellPlan, Deviation
from advisor.core.sizing.own_stages import with_own_stages
from advisor.core.sizing.reuse import conditions
from advisor.core.sizing.runtimes import (
    DTYPES_OF,
    Configuration,
    Offer,
    failed_conversions,
    of_this,
    offer,
    seconds_to_convert,
    stages_run,
    why_not,
    without_stage,
)
from tests.core.model.tiny_models import entry
from tests.core.sizing.test_reuse import SOURCE
from tests.fake_child import FAKE_MACHINE, fake_cell
from tests.measuring import request

ALL = {"torch": "2", "openvino": "1", "ctranslate2": "1", "torchao": "1"}


@dataclass
class Asked:
    runtimes: Any = None
    dtypes: Any = None
    effort: Any = "quick"


def offered(model_type: str = "bert", versions: dict[str, str] = ALL, **asked: Any) -> Offer:
    return offer(entry(model_type), Asked(**asked), ("float32", "bfloat16"), "cpu", versions)


@pytest.mark.parametrize(
    ("model_type", "runtime", "dtype", "words"),
    [
        ("gpt2", "openvino", "float32", "this is a decoder"),
        ("bert", "ctranslate2", "float32", "only reads"),
        ("bert", "openvino", "float16", "does not compute in float16"),
        ("bert", "ctranslate2", "bfloat16", "it computes in float32, int8"),
        ("marian", "ctranslate2", "float32", "cannot be compared"),
        ("gpt2", "torch", "int8", "of another class"),
    ],
)
def test_what_cannot_be_served_is_told_with_its_reason(model_type: str, runtime: Any, dtype: Any, words: str) -> None:
    assert words in (why_not(entry(model_type), runtime, dtype, device="cpu", versions=ALL) or "")


@pytest.mark.parametrize(
    ("model_type", "runtime", "dtype"),
    [
        ("bert", "openvino", "int8"),
        ("t5", "openvino", "bfloat16"),
        ("t5", "ctranslate2", "int8"),
        ("m2m_100", "ctranslate2", "int8"),
        ("marian", "openvino", "int8"),
        ("llama", "ctranslate2", "float32"),
        ("gpt_neox", "ctranslate2", "int8"),
        ("bert", "torch", "int8"),
        ("gpt2", "torch", "float16"),
    ],
)
def test_nothing_speaks_against_what_can_be_served(model_type: str, runtime: Any, dtype: Any) -> None:
    assert why_not(entry(model_type), runtime, dtype, device="cpu", versions=ALL) is None


@pytest.mark.parametrize(
    ("runtime", "dtype", "package"),
    [("openvino", "float32", "openvino"), ("ctranslate2", "int8", "ctranslate2"), ("torch", "int8", "torchao")],
)
def test_what_is_not_installed_is_told_with_what_to_install(runtime: Any, dtype: Any, package: str) -> None:
    model = entry("t5")
    reason = why_not(model, runtime, dtype, device="cpu", versions={"torch": "2"}) or ""
    assert reason.startswith(f"{package} is not installed")
    assert "pip install" in reason


def test_conversions_are_measured_on_the_processor_alone() -> None:
    assert "not on cuda:0" in (why_not(entry("bert"), "openvino", "float32", device="cuda:0", versions=ALL) or "")
    assert why_not(entry("bert"), "torch", "bfloat16", device="cuda:0", versions=ALL) is None


def test_the_encoder_half_of_an_encoder_decoder_is_all_that_openvino_runs() -> None:
    assert stages_run("openvino", entry("t5")) == ("encode",)
    assert "decode" in (without_stage("openvino", entry("t5"), "decode") or "")
    cells = default_cells(entry("t5"), dtypes=(), others=[Configuration("openvino", "int8")])
    assert {(cell.stage, cell.runtime, cell.dtype) for cell in cells} == {("encode", "openvino", "int8")}


def test_left_open_everything_installed_is_tried_at_quick_in_one_dtype_each() -> None:
    quick, standard = offered(), offered(effort="standard")
    assert quick.dtypes == standard.dtypes == ("float32", "bfloat16")
    assert quick.others == (Configuration("openvino", "int8"),)
    assert standard.others == tuple(Configuration("openvino", dtype) for dtype in DTYPES_OF["openvino"])
    assert {one.runtime for one in quick.refused} == {one.runtime for one in standard.refused} == {"ctranslate2"}
    assert offered(versions={"torch": "2"}).others == offered(effort="standard", versions={"torch": "2"}).others == ()


def test_at_quick_a_named_dtype_is_tried_with_every_runtime_that_has_it() -> None:
    assert offered(dtypes=("float32",)).others == (Configuration("openvino", "float32"),)


def test_at_quick_a_large_model_is_converted_only_where_that_is_asked_for() -> None:
    large = entry("bert").model_copy(update={"parameters": 600_000_000})

    def tried(**asked: Any) -> Offer:
        return offer(large, Asked(**asked), ("float32",), "cpu", ALL)

    assert tried().others == ()
    assert [one.reason for one in tried().refused if one.runtime == "openvino"] == [
        f"converting {large.id} takes longer than the effort quick has; --effort standard tries it."
    ]
    assert tried(runtimes=("openvino",), dtypes=("int8",)).others == (Configuration("openvino", "int8"),)
    assert len(tried(effort="standard").others) == 3
    only_this = offer(large, Asked(dtypes=("int8",)), (), "cpu", {"torch": "2", "openvino": "1"})
    assert only_this.others == (Configuration("openvino", "int8"),)


def test_at_quick_half_of_a_model_is_not_converted() -> None:
    quick = offered("t5")
    assert quick.others == (Configuration("ctranslate2", "int8"),)
    assert [one.runtime for one in quick.refused] == ["openvino"]
    assert "runs encode of" in quick.refused[0].reason


def test_compiling_is_tried_on_a_card_and_on_a_processor_at_most_effort_alone() -> None:
    def compiles(effort: str, device: str) -> bool:
        found = offer(entry("bert"), Asked(effort=effort), ("float32",), device, {"torch": "2"})
        return Configuration("torch.compile", "float32") in found.others

    on_a_processor = [compiles(effort, "cpu") for effort in ("quick", "standard", "thorough")]
    on_a_card = [compiles(effort, "cuda:0") for effort in ("quick", "standard", "thorough")]
    assert on_a_processor == [False, False, True]
    assert on_a_card == [False, True, True]
    assert offered(runtimes=("torch.compile",), dtypes=("float32",)).others
    assert "whole passes" in (why_not(entry("gpt2"), "torch.compile", "float32", device="cpu", versions=ALL) or "")
    assert stages_run("torch.compile", entry("t5")) == ("encode",)


def test_whatever_computes_in_eight_bits_is_tried_where_only_the_dtype_is_named() -> None:
    found = offered("t5", dtypes=("int8",), effort="standard")
    assert found.dtypes == ("int8",)
    assert found.others == (Configuration("openvino", "int8"), Configuration("ctranslate2", "int8"))


def test_what_was_asked_for_and_cannot_be_had_is_listed_and_the_rest_is_measured() -> None:
    found = offered(runtimes=("torch", "ctranslate2"), dtypes=("float32", "bfloat16"))
    assert found.dtypes == ("float32", "bfloat16")
    assert [(one.runtime, one.dtype) for one in found.refused] == [
        ("ctranslate2", "float32"),
        ("ctranslate2", "bfloat16"),
    ]
    assert all(one.reason.endswith(".") for one in found.refused)


def test_where_nothing_can_be_had_the_reasons_are_told() -> None:
    with pytest.raises(AdvisorError, match="ctranslate2 int8: ctranslate2 is measured for models that write") as caught:
        offered(runtimes=("ctranslate2",), dtypes=("int8",))
    assert caught.value.exit_code == 4


def test_every_conversion_has_time_of_its_own_and_a_large_model_more() -> None:
    plans = [CellPlan(stage="forward", runtime="openvino", dtype=one, batch_size=1) for one in ("int8", "float32")]
    small, large = (entry("bert").model_copy(update={"parameters": size}) for size in (1, 300_000_000))
    assert seconds_to_convert(small, plans) == 2 * seconds_to_convert(small, plans[:1])
    assert seconds_to_convert(large, plans) == 2 * seconds_to_convert(small, plans)
    assert seconds_to_convert(small, [CellPlan(stage="forward", dtype="int8", batch_size=1)]) == 0


def test_a_configuration_whose_cells_were_all_refused_is_not_available() -> None:
    plan = CellPlan(stage="forward", runtime="openvino", dtype="int8", batch_size=1, input_tokens=8)
    good, bad = fake_cell(plan), fake_cell(plan).model_copy(update={"flags": ("deviates",), "note": "It strays."})
    of_torch = bad.model_copy(update={"runtime": "torch", "dtype": "float32"})
    assert [one.reason for one in failed_conversions([bad, bad, of_torch])] == ["It strays."]
    assert failed_conversions([good, bad]) == ()


def test_an_output_at_the_limit_counts_and_one_below_it_does_not() -> None:
    def at(cosine: float) -> Deviation:
        return Deviation(cosine=cosine, relative_error=0.1)

    assert too_far("int8", at(0.99), 0.99) is None
    assert too_far("int8", None, 0.99) is None
    assert too_far("int8", at(0.5), None) is None
    assert "int8 must reach 0.99" in (too_far("int8", at(0.99 - 1e-6), 0.99) or "")


def test_weights_of_eight_bits_take_a_byte_and_what_lies_between_them_stays_as_it_was() -> None:
    model = entry("gpt2")
    assert 4 * weight_bytes(model, "int8") == weight_bytes(model, "float32")
    caches = [kv_cache_bytes(model, dtype=one, batch_size=2, context_tokens=9) for one in ("int8", "float32")]
    assert caches[0] == caches[1] > 0
    steps = [
        stage_bytes_moved(model, CellPlan(stage="decode", dtype=one, batch_size=2, context_tokens=9))
        for one in ("int8", "bfloat16", "float32")
    ]
    assert steps[0] < steps[2]
    assert steps[1] * 2 == steps[2]


def test_a_figure_of_torch_stays_good_when_another_runtime_is_installed() -> None:
    plan = CellPlan(stage="forward", dtype="float32", batch_size=1, input_tokens=8)
    converted = plan.model_copy(update={"runtime": "openvino"})

    def facts(which: CellPlan, **versions: str) -> dict[str, Any]:
        machine = FAKE_MACHINE.model_copy(update={"versions": FAKE_MACHINE.versions | versions})
        return conditions(request(which), machine, which, measured_by="1")

    assert facts(plan) == facts(plan, openvino="1") == facts(plan, torchao="1")
    assert facts(converted, openvino="1") != facts(converted, openvino="2")
    assert facts(converted, openvino="1") == facts(converted, openvino="1", ctranslate2="1")
    assert of_this({"torch": "2", "torchao": "1"}, "torch", "int8") == {"torch": "2", "torchao": "1"}


def test_every_configuration_of_a_folder_with_weights_starts_once() -> None:
    plans = [
        CellPlan(stage="forward", runtime=runtime, dtype="float32", batch_size=batch, input_tokens=8)
        for runtime in ("torch", "openvino")
        for batch in (1, 4)
    ]
    starts = [cell.runtime for cell in with_own_stages(plans, SOURCE) if cell.stage == "load"]
    assert starts == ["torch", "openvino"]


def test_a_cell_remembers_its_deviation_and_what_it_computes_in() -> None:
    plan = CellPlan(stage="forward", runtime="openvino", dtype="int8", batch_size=1, input_tokens=8)
    said = {"deviation": Deviation(cosine=0.999, relative_error=0.03), "computes_in": "int8", "conversion_s": 9.0}
    cell = fake_cell(plan).model_copy(update=said)
    assert Cell.model_validate_json(cell.model_dump_json()) == cell

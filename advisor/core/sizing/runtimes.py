"""What each runtime can serve: which models, stages, dtypes and devices, and why not where it cannot.

Values only: nothing is imported or tried here, and a conversion may still fail. The one idea: a combination that cannot
be served is told with its reason before any time is spent on it, by the same function for whoever plans a measurement
and for the child that makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol, get_args

from advisor.core.errors import EXIT_UNDECIDED, AdvisorError
from advisor.core.hardware import Dtype
from advisor.core.model.cost import anatomy, stages_of
from advisor.core.model.entry import ModelEntry
from advisor.core.sizing.effort import PARAMETERS_AT_QUICK
from advisor.core.sizing.measurement import Cell, CellPlan, Effort, NotAvailable, Runtime, Stage

RUNTIMES: tuple[Runtime, ...] = get_args(Runtime)
DTYPES_OF: Mapping[Runtime, tuple[Dtype, ...]] = {
    "torch": ("float32", "bfloat16", "float16", "int8"),
    "torch.compile": ("float32", "bfloat16", "float16"),
    "openvino": ("float32", "bfloat16", "int8"),
    "ctranslate2": ("float32", "int8"),
}
"""What a runtime computes in; on a processor each of them is worth trying but torch's float16 and int8."""
FIX = "pip install 'archadvisor[runtimes]'"
EIGHT_BITS = "torchao"
_WHOLE_PASSES: tuple[Stage, ...] = ("forward", "embed", "rerank", "encode")
_TRANSLATED = (
    *("gpt2", "gptj", "gpt_neox", "opt", "llama", "mistral", "qwen2", "qwen3", "gemma"),
    *("t5", "mt5", "bart", "mbart", "pegasus", "m2m_100"),
)
"""The model types whose weights CTranslate2 takes from the transformers of today."""
_BEGUN_APART = ("marian",)
"""Those it takes too, and whose answers it begins with no token where torch begins with one: no output is alike."""
_NO_LINEAR = ("gpt2",)
"""Model types whose layers keep their matrices in a class that torchao does not quantise."""
SECONDS_PER_CONVERSION, SECONDS_PER_CONVERSION_MOST = 20.0, 300.0
PARAMETERS_AT_THAT = 150_000_000
"""Time to convert a model of up to so many parameters for one configuration; more for a larger one."""
DTYPES_AT_QUICK: tuple[Dtype, ...] = ("int8",)
"""What other runtimes are tried in at the effort quick: on processors the one that is fastest most often."""
CONVERTED: tuple[Runtime, ...] = ("openvino", "ctranslate2")
IN_GROUPS: tuple[Runtime, ...] = ("ctranslate2",)
"""Runtimes that take no request into a batch of answers which they have begun."""
COMPILED: Runtime = "torch.compile"
"""Takes the module as it is, and half a minute and more before the first run."""
SECONDS_PER_COMPILING = 120.0


class Configuration(NamedTuple):
    """One way to serve a model: what runs it, in which dtype."""

    runtime: Runtime
    dtype: Dtype


def is_converted(runtime: Runtime, dtype: Dtype) -> bool:
    """Whether the model is built in float32 first and then turned into what is run."""
    return runtime in CONVERTED or dtype == "int8"


def stages_run(runtime: Runtime, entry: ModelEntry) -> tuple[Stage, ...]:
    """The stages of a model that a runtime runs."""
    stages = stages_of(entry)
    if runtime in ("openvino", COMPILED):
        return tuple(stage for stage in stages if stage in _WHOLE_PASSES)
    return stages


def why_not(
    entry: ModelEntry, runtime: Runtime, dtype: Dtype, *, device: str, versions: Mapping[str, str]
) -> str | None:
    """Why this cannot be served, as the clause of a sentence, or None where nothing speaks against it.

    `versions` are those of the machine: what is not among them is not installed.
    """
    if dtype not in DTYPES_OF[runtime]:
        return f"{runtime} does not compute in {dtype} here; it computes in {', '.join(DTYPES_OF[runtime])}"
    package = EIGHT_BITS if (runtime, dtype) == ("torch", "int8") else runtime
    if package not in ("torch", COMPILED) and package not in versions:
        return f"{package} is not installed ({FIX})"
    if is_converted(runtime, dtype) and device != "cpu":
        return f"{runtime} {dtype} is measured on the processor only, not on {device}"
    return _MODEL[runtime](entry, dtype)


def configurations(
    entry: ModelEntry,
    asked: Sequence[Runtime],
    dtypes: Mapping[Runtime, Sequence[Dtype]],
    *,
    device: str,
    versions: Mapping[str, str],
) -> tuple[tuple[Configuration, ...], tuple[NotAvailable, ...]]:
    """The combinations of these that can be served, and those that cannot, with the reason."""
    served: list[Configuration] = []
    refused: list[NotAvailable] = []
    for runtime in asked:
        for dtype in dtypes[runtime]:
            reason = why_not(entry, runtime, dtype, device=device, versions=versions)
            if reason is None:
                served.append(Configuration(runtime, dtype))
            else:
                refused.append(NotAvailable(runtime=runtime, dtype=dtype, reason=f"{reason}."))
    return tuple(served), tuple(refused)


class Offer(NamedTuple):
    """What is measured: torch in these dtypes, `others` in theirs. `refused` was asked for and cannot be had."""

    dtypes: tuple[Dtype, ...]
    others: tuple[Configuration, ...]
    refused: tuple[NotAvailable, ...]


class Wanted(Protocol):
    """What a caller fixed about the configurations to measure; None is left open."""

    @property
    def runtimes(self) -> tuple[Runtime, ...] | None: ...
    @property
    def dtypes(self) -> tuple[Dtype, ...] | None: ...
    @property
    def effort(self) -> Effort: ...


def offer(
    entry: ModelEntry, wanted: Wanted, torch_dtypes: Sequence[Dtype], device: str, versions: Mapping[str, str]
) -> Offer:
    """What to measure; `torch_dtypes` are those worth trying with torch.

    Left open, it is everything that is installed. The quick effort has time for one conversion by each other runtime
    and for none of a large model: what is not tried is among the refused, with the reason. Raises AdvisorError where
    nothing that was asked for can serve the model here.
    """
    asked = wanted.runtimes or _runtimes_left_out(wanted.effort, device, versions)
    dtypes = {one: wanted.dtypes or _dtypes_left_out(one, torch_dtypes, wanted.effort) for one in asked}
    served, refused = configurations(entry, asked, dtypes, device=device, versions=versions)
    if wanted.effort == "quick" and wanted.runtimes is None:
        served, refused = _without_long_conversions(entry, served, refused)
    if not served:
        says = " ".join(f"{one.runtime} {one.dtype}: {one.reason}" for one in refused)
        raise AdvisorError(f"nothing that was asked for can serve {entry.id} here: {says}", exit_code=EXIT_UNDECIDED)
    of_torch = tuple(dtype for runtime, dtype in served if runtime == "torch")
    return Offer(of_torch, tuple(one for one in served if one.runtime != "torch"), refused)


def seconds_to_convert(entry: ModelEntry, cells: Iterable[CellPlan]) -> float:
    """Seconds beside those of the cells for every configuration that the model is converted or compiled for."""
    cells = tuple(cells)
    converted = {(plan.runtime, plan.dtype) for plan in cells if plan.runtime in CONVERTED}
    compiled = {plan.dtype for plan in cells if plan.runtime == COMPILED}
    each = SECONDS_PER_CONVERSION * max(1.0, entry.parameters / PARAMETERS_AT_THAT)
    return len(converted) * min(each, SECONDS_PER_CONVERSION_MOST) + len(compiled) * SECONDS_PER_COMPILING


def _without_long_conversions(
    entry: ModelEntry, served: Sequence[Configuration], refused: Sequence[NotAvailable]
) -> tuple[tuple[Configuration, ...], tuple[NotAvailable, ...]]:
    """What a quick run tries of these: all of them where nothing would be left."""
    why = {one: _why_not_at_quick(entry, one.runtime) for one in served if one.runtime in CONVERTED}
    left = [
        NotAvailable(runtime=one.runtime, dtype=one.dtype, reason=f"{reason}; --effort standard tries it.")
        for one, reason in why.items()
        if reason is not None
    ]
    kept = tuple(one for one in served if why.get(one) is None)
    return (kept, (*refused, *left)) if kept else (tuple(served), tuple(refused))


def _why_not_at_quick(entry: ModelEntry, runtime: Runtime) -> str | None:
    """Why a conversion does not pay in a quick run, or None where it may."""
    if entry.parameters > PARAMETERS_AT_QUICK:
        return f"converting {entry.id} takes longer than the effort quick has"
    runs = stages_run(runtime, entry)
    if runs != stages_of(entry):
        return f"{runtime} runs {' and '.join(runs)} of {entry.id} alone, and the effort quick has no time for a part"
    return None


def _runtimes_left_out(effort: Effort, device: str, versions: Mapping[str, str]) -> tuple[Runtime, ...]:
    """What is installed. Compiling pays on a graphics card; on a processor only the most effort has time for it."""
    compiles = effort == "thorough" or (device.startswith("cuda") and effort != "quick")
    here = {"torch", *versions} | ({COMPILED} if compiles else set())
    return tuple(runtime for runtime in RUNTIMES if runtime in here)


def _dtypes_left_out(runtime: Runtime, torch_dtypes: Sequence[Dtype], effort: Effort) -> Sequence[Dtype]:
    if runtime in ("torch", COMPILED):
        return torch_dtypes
    return DTYPES_AT_QUICK if effort == "quick" else DTYPES_OF[runtime]


def failed_conversions(cells: Iterable[Cell]) -> tuple[NotAvailable, ...]:
    """Configurations that turned out not to serve the model: no cell of theirs was run, for the reason noted."""
    by_configuration: dict[Configuration, list[Cell]] = {}
    for cell in cells:
        by_configuration.setdefault(Configuration(cell.runtime, cell.dtype), []).append(cell)
    return tuple(
        NotAvailable(runtime=one.runtime, dtype=one.dtype, reason=run[0].note or "")
        for one, run in by_configuration.items()
        if (is_converted(*one) or one.runtime == COMPILED)
        and all({"unsupported", "deviates"} & set(cell.flags) for cell in run)
    )


def packages_of(runtime: Runtime, dtype: Dtype) -> frozenset[str]:
    """The packages whose version changes what this configuration measures, beyond those that all of them need."""
    if runtime == COMPILED:
        return frozenset()
    if runtime == "torch":
        return frozenset({EIGHT_BITS}) if dtype == "int8" else frozenset()
    return frozenset({runtime})


ALL_PACKAGES: frozenset[str] = frozenset({"openvino", "ctranslate2", EIGHT_BITS})


def of_this(versions: Mapping[str, str], runtime: Runtime, dtype: Dtype) -> dict[str, str]:
    """The versions without those of runtimes that a configuration does not use."""
    others = ALL_PACKAGES - packages_of(runtime, dtype)
    return {name: version for name, version in versions.items() if name not in others}


def _by_torch(entry: ModelEntry, dtype: Dtype) -> str | None:
    if dtype == "int8" and entry.model_type in _NO_LINEAR:
        return f"torchao quantises linear layers, and those of {entry.model_type} are of another class"
    return None


def _by_compiler(entry: ModelEntry, dtype: Dtype) -> str | None:
    if anatomy(entry).encoder is None:
        return "torch.compile is measured for whole passes of encoders: the cache of a decoder changes with every step"
    return None


def _by_openvino(entry: ModelEntry, dtype: Dtype) -> str | None:
    if anatomy(entry).encoder is None:
        return "openvino is measured for encoders and the encoders of encoder-decoders, and this is a decoder"
    return None


def _by_ctranslate2(entry: ModelEntry, dtype: Dtype) -> str | None:
    if "decode" not in stages_of(entry):
        return "ctranslate2 is measured for models that write, and this one only reads"
    if entry.model_type in _BEGUN_APART:
        return f"ctranslate2 begins answers of a {entry.model_type} otherwise than torch, so the two cannot be compared"
    if entry.model_type not in _TRANSLATED:
        return f"ctranslate2 does not read {entry.model_type}; it reads {', '.join(_TRANSLATED)}"
    return None


_MODEL: Mapping[Runtime, Callable[[ModelEntry, Dtype], str | None]] = {
    "torch": _by_torch,
    "torch.compile": _by_compiler,
    "openvino": _by_openvino,
    "ctranslate2": _by_ctranslate2,
}


def without_stage(runtime: Runtime, entry: ModelEntry, stage: Stage) -> str | None:
    """Why a runtime does not run a stage that the model has, or None where it does."""
    runs: Iterable[Stage] = stages_run(runtime, entry)
    if stage in runs or stage not in stages_of(entry):
        return None
    return f"{runtime} does not run the stage {stage} of {entry.id}; it runs {' and '.join(runs) or 'none'}."

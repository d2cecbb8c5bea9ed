"""Whether the best configuration found is as fast as bare libraries at their defaults, and what finding it costs.

The rows need the extra `runtimes`; a library that is not installed is left out and named. `best` is what a search at
the effort `standard` ends with, at the shape of the row, several workers on the machine among what it tries; a bare
loop is one of two fresh processes, before it and after it, whichever was slower left out.

    python -m bench.serving LAYERS     the same of models cut to so many layers: to see that it works, no figures
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from advisor.core.hardware import Dtype
from advisor.core.model.cut import cut
from advisor.core.model.entry import ModelEntry
from advisor.core.protocol import Event, Measure, Measured
from advisor.core.sizing.halving import Arm, arm_of
from advisor.core.sizing.latency import usable
from advisor.core.sizing.measurement import Cell, CellPlan, Effort, Runtime, Stage
from advisor.core.sizing.runtimes import Configuration, configurations, without_stage
from advisor.core.sizing.workers import with_workers
from advisor.run import Child, searching
from advisor.store.catalog import load_catalog
from advisor.store.limits import shipped_limits
from advisor.store.machine import cores_usable, memory_limit_bytes
from advisor.store.paths import shipped
from advisor.store.versions import installed_runtimes
from bench.page import Row

ROOT = Path(__file__).resolve().parent.parent
BATCHES = (1, 8)
TOKENS, STEPS = 128, 32
"""What is read, and what an answer that is written has: those of `bare_serving`."""
LEAST, GOAL = 0.95, 1.0
FOUND_WITHIN, COST = 0.05, 0.30
SECONDS = 900.0
DTYPES: Mapping[Runtime, tuple[Dtype, ...]] = {
    "torch": ("float32", "bfloat16"),
    "openvino": ("float32", "bfloat16", "int8"),
    "ctranslate2": ("float32", "int8"),
}


@dataclass(frozen=True)
class Case:
    """A model and the libraries that run it bare. A request runs each of `stages` so many times."""

    model: str
    bare: tuple[Runtime, ...]
    stages: Mapping[Stage, int]
    what: str
    batches: tuple[int, ...] = BATCHES
    tokens: tuple[int, ...] = (TOKENS,)


CASES = (
    Case("bert-base", ("torch", "openvino"), {"forward": 1}, f"a pass over {TOKENS} tokens"),
    Case("gpt2", ("torch", "ctranslate2"), {"decode": 1}, "a decode step"),
    Case("t5-base", ("torch", "ctranslate2"), {"encode": 1, "decode": STEPS}, f"an answer of {STEPS} tokens"),
)
SEARCHED = Case("minilm-l6", (), {"forward": 1}, "a pass", (1, 4, 8), (TOKENS, TOKENS // 2))
"""Small, so that every way can be measured to the end; its cells are those that `advise` would ask for."""


def serving(layers: int | None = None) -> Iterator[Row]:
    """Each model alone and in a batch against the fastest bare loop."""
    installed = installed_runtimes()
    for runtime in ("openvino", "ctranslate2"):
        if runtime not in installed:
            yield Row(f"{runtime} against itself bare", "not installed", "the extra runtimes", False)
    ratios: list[float] = []
    for case in CASES:
        bare = [one for one in case.bare if one == "torch" or one in installed]
        before = {one: _bare(one, case.model, layers) for one in bare}
        cells, _ = asyncio.run(_measured(case, layers, searched=True))
        after = {one: _bare(one, case.model, layers) for one in bare}
        for batch in case.batches:
            loops = {one: min(before[one][batch], after[one][batch]) for one in bare}
            fastest = min(loops, key=lambda one: loops[one])
            arm, best_s = _best(case, cells, batch)
            ratios.append(loops[fastest] / best_s)
            seen = f"{ratios[-1]:.2f}× ({_words(arm)}; bare: {fastest})"
            yield Row(f"{case.model}, batch {batch}, {case.what}: best", seen, f"{LEAST}×", ratios[-1] >= LEAST)
    yield Row("median of these", f"{median(ratios):.2f}×", f"{GOAL:g}×", median(ratios) >= GOAL)


def search(layers: int | None = None) -> Iterator[Row]:
    """A search beside measuring every way to the end, in time and in what it finds."""
    every, whole_s = asyncio.run(_measured(SEARCHED, layers, searched=False))
    whole_s -= sum({cell.conversion_s for cell in every if cell.conversion_s is not None})
    some, cost_s = asyncio.run(_measured(SEARCHED, layers, searched=True))  # everything is converted by now
    for batch in BATCHES:
        arm, _ = _best(SEARCHED, some, batch)
        _, best_s = _best(SEARCHED, every, batch)
        behind = _request_s(SEARCHED, every, arm, batch) / best_s - 1
        what = f"{SEARCHED.model}, batch {batch}: what was chosen, behind the fastest"
        yield Row(what, f"{behind:.1%} ({_words(arm)})", f"{FOUND_WITHIN:.0%}", behind <= FOUND_WITHIN)
    seen = f"{cost_s / whole_s:.0%} ({cost_s:.0f} s of {whole_s:.0f} s)"
    yield Row(f"{SEARCHED.model}: time, of measuring every way", seen, f"{COST:.0%}", cost_s <= COST * whole_s)


def _bare(runtime: Runtime, model: str, layers: int | None) -> dict[int, float]:
    """Seconds of a run by batch size in a fresh process."""
    words = [runtime, model, ",".join(map(str, BATCHES)), *([] if layers is None else [str(layers)])]
    done = subprocess.run(
        [sys.executable, "-m", "bench.bare_serving", *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {int(batch): seconds for batch, seconds in json.loads(done.stdout).items()}


async def _measured(case: Case, layers: int | None, *, searched: bool) -> tuple[list[Cell], float]:
    """The cells of every way to serve, searched or all measured to the end, and the seconds that took."""
    entry = cut(load_catalog(shipped("models")).get(case.model), layers)
    request = Measure(
        id=1,
        model=entry,
        cells=_plans(case, entry),
        effort="standard",
        seconds_per_cell=SECONDS / 10,
        seconds_total=SECONDS,
        memory_limit_bytes=memory_limit_bytes(),
        least_cosine=shipped_limits().by_dtype(),
    )
    async with await Child.start() as child:
        await child.ready()
        began = time.perf_counter()
        events: AsyncIterator[Event] = child.measure(request)
        if searched:
            events = searching.measure(child, request, None, _time)
        cells = [event.cell async for event in events if isinstance(event, Measured)]
        return cells, time.perf_counter() - began


def _plans(case: Case, entry: ModelEntry) -> tuple[CellPlan, ...]:
    """Every shape in every way to serve that this machine has, the planned length first."""
    ways, _ = configurations(entry, tuple(DTYPES), DTYPES, device="cpu", versions=installed_runtimes())
    plans = [
        _plan(entry, way, stage, batch, tokens)
        for tokens in case.tokens
        for batch in case.batches
        for way in ways
        for stage in case.stages
        if without_stage(way.runtime, entry, stage) is None
    ]
    return with_workers(plans, cores_usable())


def _plan(entry: ModelEntry, way: Configuration, stage: Stage, batch: int, tokens: int) -> CellPlan:
    """One shape. A step of a decoder has the prompt before it, one of an encoder-decoder a source beside it."""
    plan = CellPlan(stage=stage, runtime=way.runtime, dtype=way.dtype, batch_size=batch, input_tokens=tokens)
    if stage != "decode":
        return plan
    if entry.architecture == "decoder-only":
        return plan.model_copy(update={"input_tokens": None, "context_tokens": tokens + STEPS // 2})
    return plan.model_copy(update={"context_tokens": STEPS // 2})


def _time(cells: Sequence[CellPlan], effort: Effort) -> searching.Seconds:
    return searching.Seconds(SECONDS, SECONDS / 10)


def _best(case: Case, cells: Sequence[Cell], batch: int) -> tuple[Arm, float]:
    """The way that serves a request fastest, and the seconds it takes of the machine: alone, or as one of many."""
    times = {arm: _request_s(case, cells, arm, batch) for arm in dict.fromkeys(map(arm_of, cells))}
    arm = min(times, key=lambda one: times[one])
    return arm, times[arm]


def _request_s(case: Case, cells: Sequence[Cell], arm: Arm, batch: int) -> float:
    """Seconds for a batch in all its stages; workers share a larger one, and none of them shortens one request."""
    seconds = 0.0
    for stage, runs in case.stages.items():
        times = [
            cell.median_s or 0.0
            for cell in cells
            if usable(cell)
            and (arm_of(cell), cell.stage, cell.batch_size) == (arm, stage, batch)
            and (cell.input_tokens or TOKENS) == TOKENS
        ]
        if not times:
            return float("inf")
        seconds += runs * times[0] / (1 if batch == 1 else arm.workers)
    return seconds


def _words(arm: Arm) -> str:
    workers = f" in {arm.workers} workers" if arm.workers > 1 else ""
    return f"{arm.runtime} {arm.dtype}{workers}"


if __name__ == "__main__":
    for section in (serving, search):
        for row in section(int(sys.argv[1])):
            print(f"{'✓' if row.holds else '✗'} {row.what:<68} {row.seen:<28} {row.cap}", flush=True)

"""A child without torch: speaks the protocol and "measures" known functions, or misbehaves as told.

    forward, prefill, encode, embed:  T(b, s)   = 2 ms + 20 µs·b·s + 10 ns·b·s²
    decode:                           T(b, ctx) = 5 ms + 1 ms·b    + 2 µs·b·ctx

bfloat16 takes half of that, int8 a quarter, and a runtime other than torch nine tenths of what torch takes. Each of k
workers takes 0.8·k times as long. Cut to L layers it takes 1 ms and L twelfths of that. Every sample is within 2 % of
it, the same at each run; half of the samples are above it.

With `--inspect` it answers inspections instead. Start it with `fake_command(...)`. It misbehaves in the cell counted by
`--after` (0 = the first):
`--then crash | kill | hang | garbage | silent | exit-137`.
"""

from __future__ import annotations

import argparse
import os
import queue
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from advisor.core.attention import Look, Push
from advisor.core.hardware import Machine
from advisor.core.inspection import Cosine
from advisor.core.protocol import (
    REQUESTS,
    Answer,
    Cancel,
    Event,
    Failed,
    Finished,
    Inspect,
    Inspected,
    Measure,
    Measured,
    NotInspected,
    NotReplayed,
    Ready,
    Replay,
    Replayed,
    Started,
)
from advisor.core.sizing.effort import EFFORTS
from advisor.core.sizing.measurement import Cell, CellPlan, Effort, Stage, throughput_unit, unmeasured
from advisor.core.sizing.replaying import ReplayPlan, ReplayResult
from advisor.core.sizing.sampling import Terms, pooled
from advisor.core.sizing.statistics import summarise
from advisor.profile.replay import replayed

SAMPLES = 31
FAKE_MACHINE = Machine(
    cpu="Fake CPU",
    cores_usable=2,
    memory_limit_bytes=16 * 2**30,
    last_level_cache_bytes=32 * 2**20,
    versions={"torch": "0.0"},
    fingerprint="fake00000000",
)


def fake_command(**options: object) -> list[str]:
    """The command that starts this child: `fake_command(after=2, then="kill", cell_seconds=0.1)`."""
    words = [sys.executable, str(Path(__file__).resolve())]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    return words


def true_seconds(plan: CellPlan) -> float:
    """The known time of one run."""
    b = plan.batch_size
    if plan.stage == "decode":
        seconds = 5e-3 + 1e-3 * b + 2e-6 * b * (plan.context_tokens or 0)
    else:
        s = plan.input_tokens or 1
        seconds = 2e-3 + 20e-6 * b * s + 10e-9 * b * s * s
    seconds = seconds / {"bfloat16": 2, "int8": 4}.get(plan.dtype, 1) * (1 if plan.runtime == "torch" else 0.9)
    seconds *= 1 if plan.workers == 1 else 0.8 * plan.workers
    return seconds if plan.layers is None else 1e-3 + seconds * plan.layers / 12


def fake_cell(plan: CellPlan, *, device: str = "cpu", samples: int = SAMPLES, effort: Effort = "quick") -> Cell:
    """The cell this child measures for a plan. One process is as fast as the other."""
    truth = true_seconds(plan)
    offsets = [((7 * i) % samples - samples // 2) / (samples // 2) * 0.02 for i in range(samples)]
    taken = tuple(truth * (1 + offset) for offset in offsets)
    summary = summarise(taken)
    cell = Cell(
        **plan.model_dump(),
        device=device,
        threads=2 // plan.workers,
        samples=samples,
        median_s=summary.median_s,
        ci95_s=summary.ci95_s,
        p95_s=summary.p95_s,
        throughput_per_s=plan.workers * plan.batch_size / summary.median_s,
        throughput_unit=throughput_unit(plan.stage),
        peak_memory_bytes=(400 if plan.dtype == "float32" else 200) * 2**20 + plan.batch_size * 2**20,
        flops=1000,
        bytes_moved=1000,
        outliers=summary.outliers,
        samples_s=taken,
    )
    return pooled(cell, [taken] * EFFORTS[effort].processes, Terms(effort))


def say(event: Event | Answer) -> None:
    sys.stdout.write(event.model_dump_json() + "\n")
    sys.stdout.flush()


def misbehave(how: str) -> None:
    """Do the one thing that was ordered; `garbage` alone comes back."""
    if how == "garbage":
        sys.stdout.write('no event\n{"event": "cell"}\n\x1b[31m[red]\u0000\n' + "x" * 100_000 + "\n")
        sys.stdout.flush()
    elif how == "crash":
        sys.stderr.write("RuntimeError: the fake fell over\n")
        sys.stderr.flush()
        os._exit(1)
    elif how == "exit-137":
        os._exit(137)
    elif how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "silent":
        sys.stdout.close()
        os.close(1)
        threading.Event().wait()
    elif how == "hang":
        os.kill(os.getpid(), signal.SIGSTOP)


def serve(request: Measure, inbox: queue.Queue[str], options: argparse.Namespace) -> None:
    begun = time.monotonic()
    cancelled = False
    for index, plan in enumerate(request.cells):
        if not cancelled:
            say(Started(id=request.id, index=index, plan=plan))
            cancelled = wait_or_cancel(options.cell_seconds, inbox)
        if cancelled:
            cell = unmeasured(plan, device=request.device, threads=2, flags=("cancelled",), note="Cancelled.")
        else:
            if options.then and index == options.after:
                misbehave(options.then)
            cell = fake_cell(plan, device=request.device, effort=request.effort)
        say(Measured(id=request.id, index=index, cell=cell))
    wall_s = time.monotonic() - begun
    weights = "real" if request.source is not None and request.source.weights else "random"
    say(
        Finished(
            id=request.id, parameters=request.model.parameters, weights=weights, cancelled=cancelled, wall_s=wall_s
        )
    )


def inspect(options: argparse.Namespace) -> None:
    """Answer inspections: each model is what its entry says, or what `--seen` says of the stack that writes."""
    for line in sys.stdin:
        request = Inspect.model_validate_json(line)
        if options.then:
            misbehave(options.then)
        if options.fail:
            say(NotInspected(id=request.id, says=options.fail, fix="pip install 'archadvisor[profile]'"))
            continue
        weights = "real" if request.source.weights else "random"
        cosine = None
        if weights == "real" and options.cosine is not None:
            interval = (options.cosine - 0.01, options.cosine + 0.01)
            cosine = Cosine(mean_cosine=options.cosine, ci95=interval, sentences=40, pooling="mean", width=24)
        looks = fake_looks(request.model.architecture, options.seen)
        seen = Inspected(
            id=request.id, parameters=7, weights=weights, tokens=4, window=None, looks=looks, cosine=cosine
        )
        say(seen)


MASKS = {
    "bidirectional": lambda i, j: True,
    "causal": lambda i, j: j <= i,
    "prefix": lambda i, j: j <= i or j < 2,
    "nameless": lambda i, j: (i + j) % 2 == 0,
}


def fake_looks(architecture: str, writer: str = "", tokens: int = 4) -> tuple[Look, ...]:
    """Two layers of everything an architecture has; `writer` is the mask of the stack that writes, or the only one."""

    def layers(stack: Any, kind: Any, mask: str) -> list[Look]:
        signs = ["".join("01"[MASKS[mask](i, j)] for i in range(tokens)) for j in range(tokens)]
        pushes = tuple(Push(position=j, outputs=outputs) for j, outputs in enumerate(signs))
        return [Look(stack=stack, layer=layer, kind=kind, pushes=pushes) for layer in (0, 1)]

    if architecture == "encoder-only":
        return tuple(layers("encoder", "self", writer or "bidirectional"))
    decoder = layers("decoder", "self", writer or "causal")
    if architecture == "decoder-only":
        return tuple(decoder)
    return (*layers("encoder", "self", "bidirectional"), *decoder, *layers("decoder", "cross", "bidirectional"))


class FakeWorks:
    """A replica whose passes and steps take the known times, on a clock that only they move."""

    def __init__(self, plan: ReplayPlan, slower: float) -> None:
        self.plan, self.slower, self.seconds = plan, slower, 0.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def read(self, requests: range) -> None:
        tokens = max(self.plan.input_tokens[requests.start : requests.stop])
        self.work(self.plan.stages[0], len(requests), input_tokens=tokens)

    def step(self, answers: int, context: float) -> None:
        self.work("decode", answers, context_tokens=round(context))

    def work(self, stage: Stage, batch: int, **tokens: int) -> None:
        self.seconds += self.slower * true_seconds(
            CellPlan(stage=stage, dtype=self.plan.dtype, batch_size=batch, **tokens)
        )


def replay(options: argparse.Namespace) -> None:
    """Serve the schedule of one request at the known times, or misbehave."""
    request = Replay.model_validate_json(sys.stdin.readline())
    if options.fail:
        say(NotReplayed(id=request.id, says=options.fail))
        return
    if options.then:
        misbehave(options.then)
    works = FakeWorks(request.plan, options.slower)
    served = replayed(request.plan, works, works)
    first = tuple(served.first_token_s) if any(request.plan.steps) else None
    say(Replayed(id=request.id, result=ReplayResult(done_s=tuple(served.done_s), first_token_s=first)))


def wait_or_cancel(seconds: float, inbox: queue.Queue[str]) -> bool:
    try:
        line = inbox.get(timeout=seconds) if seconds > 0 else inbox.get_nowait()
    except queue.Empty:
        return False
    if not line:
        os._exit(0)
    return isinstance(REQUESTS.validate_json(line), Cancel)


def read_stdin(inbox: queue.Queue[str]) -> None:
    for line in sys.stdin:
        inbox.put(line)
    inbox.put("")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ready-seconds", type=float, default=0.0)
    parser.add_argument("--installed", default="", help="runtimes with commas between")
    parser.add_argument("--cell-seconds", type=float, default=0.0)
    parser.add_argument("--after", type=int, default=0)
    parser.add_argument("--then", default="")
    parser.add_argument("--fail", default="")
    parser.add_argument("--inspect", action="store_true")
    parser.add_argument("--replay", action="store_true")
    parser.add_argument("--slower", type=float, default=1.0)
    parser.add_argument("--replay-then", default="")
    parser.add_argument("--seen", default="")
    parser.add_argument("--cosine", type=float, default=None)
    options = parser.parse_args()
    time.sleep(options.ready_seconds)
    if options.inspect:
        inspect(options)
        return
    if options.replay:
        options.then = options.then or options.replay_then
        replay(options)
        return
    if options.fail:
        say(Failed(says=options.fail, fix="pip install 'archadvisor[profile]'"))
        return
    versions = FAKE_MACHINE.versions | {name: "1.0" for name in options.installed.split(",") if name}
    say(Ready(machine=FAKE_MACHINE.model_copy(update={"versions": versions}), pid=os.getpid(), forks=False))
    inbox: queue.Queue[str] = queue.Queue()
    threading.Thread(target=read_stdin, args=(inbox,), daemon=True).start()
    while line := inbox.get():
        request = REQUESTS.validate_json(line)
        if isinstance(request, Measure):
            serve(request, inbox, options)


if __name__ == "__main__":
    main()

"""What planning costs, and whether a plan that is served does what it says.

The simulation is timed on servers of known times, the replica interval on one that also draws the lengths of its texts:
three bounds, each a bisection. A plan is verified with real models, which takes minutes and a machine left alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from bench.page import Row

ADVISOR = str(Path(sys.executable).parent / "advisor")
ARRIVALS = 60_000
ROUNDS = 5
GPT2 = ("task=text-generation", "requests_per_second=1.5", "input_tokens=64", "output_tokens=32")
WRITES = (*(word for one in GPT2 for word in ("--set", one)), "--model", "gpt2")
SERVED = {
    "bert-base": ("--set", "task=text-classification", "--set", "requests_per_second=20", "--model", "bert-base"),
    "gpt2, step by step": (*WRITES, "--runtime", "torch"),
    **({"gpt2, in groups": (*WRITES, "--runtime", "ctranslate2")} if find_spec("ctranslate2") else {}),
}
"""Enough requests come for a 95th percentile. What takes nobody into a batch it has begun serves groups."""


def capacity() -> Iterator[Row]:
    """60,000 arrivals of each kind of server, and the whole interval of replicas."""
    from advisor.core.sizing.capacity import Demand, capacity, simulate
    from advisor.core.sizing.decoding import Decoder, Mix, StepTimes
    from advisor.core.sizing.serving import Batcher, Passes

    batcher = Batcher(tuple(0.040 + 0.010 * batch for batch in range(1, 17)))
    rows = tuple(tuple(0.02 + batch * (0.002 + 1e-6 * depth) for depth in (64, 704)) for batch in range(1, 9))
    read_s = tuple(0.1 + 0.05 * batch for batch in range(8))
    typical = Decoder(read_s, StepTimes((64, 704), rows), 8, 64, 128, reading_yields_token=True)
    longer_s = tuple(2 * seconds for seconds in read_s)
    mix = Mix(Passes((read_s, longer_s), (0.8, 0.2)), (64, 192), (32, 128, 512), (0.3, 0.6, 0.1))
    mixed = Decoder(read_s, StepTimes((64, 704), rows), 8, 64, 128, reading_yields_token=True, mix=mix)
    for name, server in (("passes in batches", batcher), ("answers in slots", typical), ("of several lengths", mixed)):
        rate = 0.7 * server.saturation_rps
        seconds = _median_seconds(lambda server=server, rate=rate: simulate(server, rate, requests=ARRIVALS))  # type: ignore[misc]
        yield Row(f"{ARRIVALS:,} arrivals, {name}", f"{seconds:.2f} s", "1 s", seconds <= 1)

    def interval() -> None:
        for slower in (0.95, 1.0, 1.05):
            stretched = tuple(tuple(seconds * slower for seconds in row) for row in rows)
            slots = [
                Decoder(
                    read_s[:count],
                    StepTimes((64, 704), stretched),
                    count,
                    64,
                    128,
                    reading_yields_token=True,
                    mix=Mix(
                        Passes((read_s[:count], longer_s[:count]), (0.8, 0.2)), mix.contexts, mix.steps, mix.shares
                    ),
                )
                for count in (1, 4, 8)
            ]
            capacity(slots, Demand(95, 20.0, 2.0))

    seconds = _median_seconds(interval)
    yield Row("interval of replicas, three bounds of three configurations", f"{seconds:.2f} s", "10 s", seconds <= 10)


def verify() -> Iterator[Row]:
    """p95 observed against p95 predicted, of a minute's requests at a utilisation of at most 0.7."""
    for model, words in SERVED.items():
        command = [ADVISOR, "advise", *words, "--verify", "--fresh", "--json"]
        report = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)
        (found,) = report["verification"]
        what = f"{model}: observed over predicted p95, {100 * (found['utilisation'] or 0):.0f} % used"
        ratio = found["ratio"]
        disturbed = f" ({', '.join(found['flags'])})" if found["flags"] else ""
        seen = found["note"] or (f"{ratio:.3f}×{disturbed}" if ratio else "too few requests")
        yield Row(what, seen, "within 20 %", bool(found["agrees"]))


def _median_seconds(work: Callable[[], object]) -> float:
    samples = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        samples.append(time.perf_counter() - began)
    return median(samples)

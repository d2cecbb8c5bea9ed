"""`make bench`: every speed we promise, measured here and now against bare code, printed as a table.

    python -m bench [start|check|rules|loops|weights|capacity|verify|surfaces|cuts|serving|search|advise …]

Figures are medians; times are compared as ratios within one run, because machines are shared and noisy. What was seen
is written into docs/benchmarks.md. Exit code 1 where a cap is missed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from statistics import median

from bench.capacity import capacity, verify
from bench.page import PAGE, Row, replaced
from bench.prediction import cuts, surfaces
from bench.serving import search, serving

ROOT = Path(__file__).resolve().parent.parent
ADVISOR = str(Path(sys.executable).parent / "advisor")
TICKETS = str(ROOT / "examples" / "ticket-routing.yaml")
BASELINE = "from pydantic import BaseModel; import yaml, argparse"
ROUNDS = 5


def start() -> Iterator[Row]:
    """Cold start of a decision against bare imports, in pairs."""
    ratios, ours = [], []
    for _ in range(2 * ROUNDS + 1):
        bare = _wall([sys.executable, "-c", BASELINE])
        ours.append(_wall([ADVISOR, "recommend", TICKETS, "--json"]))
        ratios.append(ours[-1] / bare)
    seen = f"{median(ratios):.2f}× ({median(ours) * 1e3:.0f} ms)"
    yield Row("advisor recommend, cold, against bare imports", seen, "2×", median(ratios) <= 2)


def check() -> Iterator[Row]:
    """A cold review of a repository of twenty components, each with a model in a folder and code of its own."""
    with tempfile.TemporaryDirectory() as folder:
        _repository(Path(folder), components=20)
        seen = [_wall([ADVISOR, "check", folder, "--exit-zero", "--json"]) for _ in range(ROUNDS)]
    yield Row("advisor check, cold, 20 components", f"{median(seen):.2f} s", "3 s", median(seen) <= 3)


def _repository(folder: Path, *, components: int) -> None:
    """An architecture file, and for each component a model's config and a Python file."""
    source = ROOT / "tests" / "fixtures" / "repositories" / "classifier-service" / "right" / "service" / "routing.py"
    config = {"model_type": "bert", "architectures": ["BertModel"], "vocab_size": 30522, "hidden_size": 768}
    config |= {"num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072, "hidden_act": "gelu"}
    config |= {"max_position_embeddings": 512, "type_vocab_size": 2}
    lines = ["schema: 1", "components:"]
    for number in range(components):
        place = folder / f"part{number}"
        (place / "model").mkdir(parents=True)
        (place / "model" / "config.json").write_text(json.dumps(config), encoding="utf-8")
        (place / "serve.py").write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
        lines += [
            f"  - name: part{number}",
            "    workload: {task: text-classification, requests_per_second: 200, input_tokens: 128}",
            f"    choice: {{architecture: encoder-only, model: part{number}/model}}",
            "    budgets: {parameters: 200e6, weights_gib: 1, kv_bytes_per_token: 0, flops_per_token: 1e9}",
            f"    code: [part{number}/*.py]",
        ]
    (folder / "architecture.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def rules() -> Iterator[Row]:
    """One decision with its trace and flips; the proof of the shipped rules."""
    from advisor.core.architecture import ARCHITECTURES
    from advisor.core.guide.decide import decide
    from advisor.core.guide.flip import flip, why_not
    from advisor.core.guide.proof import prove
    from advisor.core.workload import fill_defaults
    from advisor.store.answers import read_answers
    from advisor.store.paths import shipped
    from advisor.store.rule_folder import complete
    from advisor.store.rulebook import load_rulebook

    book = load_rulebook(shipped("rules"))
    workload, _ = fill_defaults(read_answers(TICKETS))
    facts = workload.model_dump()

    def one_decision() -> None:
        advised = decide(book.decision, facts).rule.then
        for other in ARCHITECTURES:
            if other != advised:
                flip(book.decision, facts, other, fixed="task")
                why_not(book.decision, facts, other, fixed="task")

    def whole_proof() -> None:
        for table in book.tables:
            outcomes = ARCHITECTURES if table is book.decision else ()
            prove(table, complete=complete, outcomes=outcomes, impossible=book.impossible)

    once = _median_seconds(one_decision, 500)
    yield Row("one decision with trace and flips", f"{once * 1e3:.3f} ms", "1 ms", once <= 1e-3)
    proof = _median_seconds(whole_proof, 20)
    yield Row("proof of the shipped rules", f"{proof * 1e3:.1f} ms", "50 ms", proof <= 50e-3)
    whole = _median_seconds(lambda: load_rulebook(shipped("rules"), cached=False), 10)
    yield Row("the same with reading them from disk", f"{whole * 1e3:.1f} ms", "–", True)


def loops() -> Iterator[Row]:
    """Our cells against bare loops run before and after, and their peak memory against bare processes.

    One process differs from the next by up to half in the time of a bf16 decode step and by a tenth in that of a bf16
    pass, and keeps its speed for as long as it lives: so it is the medians over processes that are compared, more of
    them where one says less.
    """
    cases = [(ROUNDS, "bert-base", "float32", 8, 128), (3 * ROUNDS, "bert-base", "bfloat16", 8, 128)]
    cases += [(ROUNDS, "gpt2", "float32", 1, 128), (3 * ROUNDS, "gpt2", "bfloat16", 1, 128)]
    for rounds, *case in cases:
        bare: list[dict[str, float]] = []
        ours: list[dict[str, float]] = []
        for _ in range(rounds):
            bare.append(_bare(*case))
            ours.append(_cell(*case))
            bare.append(_bare(*case))
        model, dtype, batch, tokens = case
        stage = "decode at depth" if model == "gpt2" else "forward at"
        name = f"{model} {dtype}, batch {batch}, {stage} {tokens}"
        times = ([one["median_s"] for one in ours], [one["seconds"] for one in bare])
        peaks = ([one["peak_memory_bytes"] for one in ours], [one["peak_bytes"] for one in bare])
        yield _ratio(f"{name}: time against a bare loop", *times, 0.05)
        yield _ratio(f"{name}: peak memory against a bare process", *peaks, 0.03)


def weights() -> Iterator[Row]:
    """Seconds to build and fill a model, per 100M parameters."""
    for model in ("bert-base", "gpt2", "t5-base"):
        script = (
            "import sys, time; from advisor.profile.build import build; from advisor.store.catalog import load_catalog;"
            "from advisor.store.paths import shipped; entry = load_catalog(shipped('models')).get(sys.argv[1]);"
            "import transformers; getattr(transformers, entry.transformers_class);"  # as the warm child has done
            "began = time.perf_counter(); build(entry, 'float32');"
            "print((time.perf_counter() - began) / (entry.parameters / 1e8))"
        )
        seen = [float(_output([sys.executable, "-c", script, model])) for _ in range(ROUNDS)]
        yield Row(f"{model}: build and fill, per 100M parameters", f"{median(seen):.2f} s", "1 s", median(seen) < 1)


def advise() -> Iterator[Row]:
    """The whole answer from cold, as an installation without other runtimes gives it."""
    seconds, cells = [], []
    for _ in range(3):
        began = time.perf_counter()
        command = [ADVISOR, "advise", TICKETS, "--runtime", "torch", "--fresh", "--json"]
        done = subprocess.run(command, capture_output=True, text=True)
        seconds.append(time.perf_counter() - began)
        report = json.loads(done.stdout)
        cells.append(sum(cell["median_s"] is not None for cell in report["profiles"][0]["cells"]))
    yield Row(
        "advisor advise examples/ticket-routing.yaml, cold", f"{median(seconds):.1f} s", "60 s", max(seconds) <= 60
    )
    yield Row("cells measured for it", f"{min(cells)}", "12 or more", min(cells) >= 12)


def _ratio(what: str, ours: list[float], bare: list[float], tolerance: float) -> Row:
    """The medians over processes against each other, and how far the bare processes are from their own median."""
    middle = median(ours) / median(bare)
    seen = f"{middle:.3f}× ({len(ours)} and {len(bare)} processes)"
    spread = f"{min(bare) / median(bare):.2f}–{max(bare) / median(bare):.2f}"
    return Row(what, seen, f"within {tolerance:.0%} (bare: {spread} of its median)", abs(middle - 1) <= tolerance)


def _bare(model: str, dtype: str, batch: int, tokens: int) -> dict[str, float]:
    command = [sys.executable, str(ROOT / "bench" / "bare.py"), model, dtype, str(batch), str(tokens)]
    return json.loads(_output(command))


def _cell(model: str, dtype: str, batch: int, tokens: int) -> dict[str, float]:
    command = [ADVISOR, "profile", model, "--fresh", "--json", "--runtime", "torch", "--dtype", dtype]
    command += ["--batch", str(batch), "--input-tokens", str(tokens)]
    profile = json.loads(_output(command))
    stage = "decode" if model == "gpt2" else "forward"
    timed = next(cell for cell in profile["cells"] if cell["stage"] == stage)
    # the bare process fills its cache by reading a prompt, so the prompt's peak is part of its own
    return timed | {"peak_memory_bytes": max(cell["peak_memory_bytes"] for cell in profile["cells"])}


def _wall(command: list[str]) -> float:
    began = time.perf_counter()
    _output(command)
    return time.perf_counter() - began


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def _median_seconds(work: Callable[[], object], rounds: int) -> float:
    samples = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        samples.append(time.perf_counter() - began)
    return median(samples)


SECTIONS = {
    "start": start,
    "check": check,
    "rules": rules,
    "loops": loops,
    "weights": weights,
    "advise": advise,
    "capacity": capacity,
    "verify": verify,
    "surfaces": surfaces,
    "cuts": cuts,
    "serving": serving,
    "search": search,
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; sections: {', '.join(SECTIONS)}", file=sys.stderr)
        return 2
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_DATA_HOME"] = folder  # what a bench measures is no past run of the person who starts it
        for name in names or SECTIONS:
            rows = []
            for row in SECTIONS[name]():
                print(f"{'✓' if row.holds else '✗'} {row.what:<68} {row.seen:<28} {row.cap}", flush=True)
                missed += not row.holds
                rows.append(row)
            page = replaced(PAGE.read_text("utf-8"), name, rows, machine=_machine(), day=date.today().isoformat())
            PAGE.write_text(page, "utf-8")
    return 1 if missed else 0


def _machine() -> str:
    """The machine in words, as `advisor doctor` has it."""
    from advisor.store.machine import cores_usable, cpu_name

    return f"{cores_usable()} cores of {cpu_name()}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

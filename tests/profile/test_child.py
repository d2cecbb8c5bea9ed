"""The real child with tiny models: what it measures, and what becomes of workers that are killed, hang or starve."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from advisor.core.model.cost import anatomy, stage_bytes_moved, stage_flops
from advisor.core.model.cut import cut
from advisor.core.model.families import FAMILIES
from advisor.core.model.parameters import parameter_count
from advisor.core.protocol import Event, Measured, Started
from advisor.run import Child
from advisor.store.lock import MachineLock
from tests.core.model.tiny_models import TINY, entry
from tests.measuring import ROOT, Heard, alive, children_of, environment, hear, plans, request, wait_until

pytestmark = pytest.mark.real
module_loop = pytest.mark.asyncio(loop_scope="module")

LARGE_BERT = {"hidden_size": 512, "num_hidden_layers": 8, "intermediate_size": 2048, "max_position_embeddings": 512}


def large() -> Any:
    """A model whose cells take long enough to be interrupted."""
    return entry("bert", **LARGE_BERT).model_copy(update={"context_tokens": 512})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def child(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Child]:
    lock = tmp_path_factory.mktemp("machine") / "lock"
    async with await Child.start(lock_path=lock) as started:
        yield started


def worker_of(child: Child) -> int:
    """The process id of the worker at work."""
    assert child.pid is not None
    wait_until(lambda: bool(children_of(child.pid or 0)), "a worker")
    return children_of(child.pid)[0]


def good(heard: Heard, index: int) -> bool:
    return heard.cells[index].median_s is not None


@module_loop
async def test_the_warm_child_is_one_thread_and_forks(child: Child) -> None:
    ready = await child.ready()
    assert ready.forks
    assert ready.machine.devices[0] == "cpu"
    assert {"torch", "transformers"} <= set(ready.machine.versions)
    await hear(child, request(*plans()))
    assert len(os.listdir(f"/proc/{ready.pid}/task")) == 1, "an operator ran in the child, or a library made threads"


CASES: list[tuple[str, list[Any]]] = [
    ("bert", plans("forward") + plans("embed")),
    ("gpt2", plans("prefill") + plans("decode", context_tokens=0) + plans("decode", context_tokens=63)),
    ("llama", plans("prefill") + plans("decode", context_tokens=16)),
    ("t5", plans("encode") + plans("decode", input_tokens=8, context_tokens=5)),
]
LIKE: dict[str, list[Any]] = {
    "encoder-only": plans("forward"),
    "decoder-only": plans("prefill") + plans("decode", context_tokens=16),
    "encoder-decoder": plans("encode") + plans("decode", input_tokens=8, context_tokens=5),
}
MORE_CASES = [(kind, LIKE[entry(kind).architecture]) for kind in TINY if kind not in dict(CASES)]


@module_loop
@pytest.mark.parametrize(
    ("model_type", "asked", "dtype"),
    [(*case, dtype) for case in CASES for dtype in ("float32", "bfloat16")]
    + [(*case, "bfloat16") for case in MORE_CASES],
)
async def test_every_stage_of_every_family_is_measured(
    child: Child, model_type: str, asked: list[Any], dtype: str
) -> None:
    model = entry(model_type)
    cells = [plan.model_copy(update={"dtype": dtype}) for plan in asked]
    heard = await hear(child, request(*cells, model=model))
    for index, plan in enumerate(cells):
        cell = heard.cells[index]
        assert cell.median_s is not None, cell.note
        assert cell.ci95_s is not None
        assert cell.ci95_s[0] <= cell.median_s <= cell.ci95_s[1]
        assert cell.samples == len(cell.samples_s or ()) >= 6
        assert (cell.p95_s is not None) == (cell.samples >= 59)
        assert cell.throughput_per_s == pytest.approx(plan.batch_size / cell.median_s)
        assert cell.throughput_unit == ("tokens" if plan.stage == "decode" else "sequences")
        assert cell.flops == stage_flops(model, plan)
        assert cell.bytes_moved == stage_bytes_moved(model, plan)
        assert cell.peak_memory_bytes is not None
        assert 100 * 2**20 < cell.peak_memory_bytes < 4 * 2**30
        assert (cell.origin, cell.device, cell.dtype) == ("measured", "cpu", dtype)
    assert heard.finished is not None
    assert heard.finished.parameters is not None


@module_loop
@pytest.mark.parametrize("model_type", ["gpt2", "t5"])
async def test_a_model_is_built_with_as_many_layers_as_it_is_cut_to(child: Child, model_type: str) -> None:
    deeper = {"n_layer": 6} if model_type == "gpt2" else {"num_layers": 6}
    model, stage = entry(model_type, **deeper), "prefill" if model_type == "gpt2" else "encode"
    cells = [plan for layers in (4, 1, None) for plan in plans(stage, batches=(1,), layers=layers)]
    heard = await hear(child, request(*cells, model=model))
    for index, plan in enumerate(cells):
        assert heard.cells[index].median_s is not None, heard.note(index)
        assert heard.cells[index].layers == plan.layers
        assert heard.cells[index].flops == stage_flops(cut(model, plan.layers), plan)
        whole = plan.layers is None
        assert (heard.cells[index].peak_memory_bytes is not None) == whole, "a cut stands in the larger model's memory"
    assert heard.finished is not None
    assert heard.finished.parameters == parameter_count(anatomy(model)), "counted in the whole model alone"
    alone = await hear(child, request(*cells[:2], model=model))
    assert alone.finished is not None
    assert alone.finished.parameters is None
    assert [alone.cells[index].peak_memory_bytes is not None for index in range(2)] == [True, False]


@module_loop
@pytest.mark.skipif(find_spec("openvino") is None, reason="openvino is not installed")
@pytest.mark.skipif(find_spec("ctranslate2") is None, reason="ctranslate2 is not installed")
async def test_a_forked_worker_serves_with_another_runtime_and_says_what_it_is_worth(child: Child) -> None:
    forward = plans(runtime="openvino", dtype="int8", batches=(1,))
    heard = await hear(child, request(*plans(batches=(1,)), *forward, *plans(runtime="ctranslate2", batches=(1,))))
    assert good(heard, 0)
    assert good(heard, 1)
    assert heard.cells[1].deviation is not None
    assert heard.cells[1].conversion_s is not None
    assert heard.flags(2) == ("unsupported",)
    assert "only reads" in heard.note(2)
    decode = plans("decode", runtime="ctranslate2", batches=(2,), context_tokens=8)
    heard = await hear(child, request(*decode, model=entry("gpt2"), number=2))
    assert good(heard, 0)
    assert heard.cells[0].computes_in == "float32"


@module_loop
async def test_threads_are_the_machines_unless_told_and_recorded(child: Child) -> None:
    cores = (await child.ready()).machine.cores_usable
    assert (await hear(child, request(*plans(batches=(1,)), threads=None))).cells[0].threads == cores
    assert (await hear(child, request(*plans(batches=(1,)), threads=1))).cells[0].threads == 1


@module_loop
async def test_a_worker_killed_becomes_a_cell_and_the_rest_goes_on(child: Child) -> None:
    def kill_in_the_second(event: Event) -> None:
        if isinstance(event, Started) and event.index == 1:
            os.kill(worker_of(child), signal.SIGKILL)

    heard = await hear(child, request(*plans(batches=(1, 2, 3))), kill_in_the_second)
    assert "killed" in heard.flags(1)
    assert heard.note(1)
    assert good(heard, 0)
    assert good(heard, 2)


@module_loop
async def test_a_worker_that_crashes_becomes_a_cell_with_the_signal_named(child: Child) -> None:
    def crash_the_first(event: Event) -> None:
        if isinstance(event, Started) and event.index == 0:
            os.kill(worker_of(child), signal.SIGSEGV)

    heard = await hear(child, request(*plans()), crash_the_first)
    assert heard.flags(0) == ("crashed",)
    assert "Segmentation" in heard.note(0)
    assert good(heard, 1)


@module_loop
async def test_a_worker_that_hangs_is_ended_and_the_rest_goes_on(child: Child) -> None:
    def freeze_in_the_second(event: Event) -> None:
        if isinstance(event, Started) and event.index == 1:
            os.kill(worker_of(child), signal.SIGSTOP)

    asked = request(*plans(batches=(1, 2, 3)), seconds_per_cell=6.0)
    heard = await hear(child, asked, freeze_in_the_second)
    assert heard.flags(1) == ("hung",), heard.note(1)
    assert good(heard, 2)


@module_loop
async def test_a_cell_too_slow_for_its_time_says_so_and_the_rest_goes_on(child: Child) -> None:
    slow = plans(batches=(512,), input_tokens=512)
    quick = plans(batches=(1,), input_tokens=8)
    heard = await hear(child, request(*slow, *quick, model=large(), seconds_per_cell=6.0))
    assert heard.flags(0) == ("too-slow",)
    assert "s" in heard.note(0)
    assert good(heard, 1), heard.note(1)


@module_loop
async def test_cells_beyond_the_total_time_are_undecided(child: Child) -> None:
    heard = await hear(child, request(*plans(batches=tuple(range(1, 9))), seconds_total=0.01))
    assert {heard.flags(index) for index in range(8)} <= {("undecided",), ("too-slow",)}
    assert "undecided" in heard.flags(7)


@module_loop
async def test_what_cannot_be_is_refused_without_a_worker(child: Child) -> None:
    asked = plans(batches=(1,), input_tokens=65) + plans("prefill", batches=(1,)) + plans(batches=(1,))
    heard = await hear(child, request(*asked))
    assert heard.flags(0) == heard.flags(1) == ("unsupported",)
    assert heard.started == [2]
    assert good(heard, 2)


@module_loop
async def test_what_does_not_fit_is_refused_with_the_sums(child: Child) -> None:
    heard = await hear(child, request(*plans(), memory_limit_bytes=100 * 2**20))
    assert heard.flags(0) == ("does-not-fit",)
    assert "weights" in heard.note(0)
    assert heard.started == []


@module_loop
async def test_a_model_that_cannot_be_built_is_said_once_for_every_cell(child: Child) -> None:
    broken = entry("bert").model_copy(update={"transformers_class": "NoSuchModel"})
    heard = await hear(child, request(*plans(), model=broken))
    assert heard.flags(0) == heard.flags(1) == ("unsupported",)
    assert "NoSuchModel" in heard.note(1)


@module_loop
async def test_a_device_that_is_not_there_is_one_sentence(child: Child) -> None:
    heard = await hear(child, request(*plans(), device="mps"))
    assert heard.failed is not None
    assert "no device mps" in heard.failed.says


@module_loop
async def test_cancelling_kills_the_worker_and_keeps_what_was_measured(child: Child) -> None:
    workers: list[int] = []

    async def cancel_in_the_second(event: Event) -> None:
        if isinstance(event, Started) and event.index == 1:
            workers.append(worker_of(child))
            await child.cancel()

    heard = await hear(child, request(*plans(batches=(1, 2, 3))), cancel_in_the_second)
    assert good(heard, 0)
    assert heard.flags(2) == ("cancelled",)
    assert heard.finished is not None
    assert heard.finished.cancelled
    assert not alive(workers[0])


@module_loop
async def test_the_same_child_measures_on_after_all_that(child: Child) -> None:
    before = child.pid
    assert good(await hear(child, request(*plans())), 0)
    assert child.pid == before


@module_loop
async def test_no_worker_outlives_its_request(child: Child) -> None:
    await hear(child, request(*plans()))
    assert children_of(child.pid or 0) == []


@module_loop
async def test_a_budget_certain_to_be_missed_ends_sampling(child: Child) -> None:
    asked = request(*plans(batches=(1,))).model_copy(update={"latency_budget_s": 1e-9})
    heard = await hear(child, asked)
    assert heard.cells[0].samples >= 6
    assert "undecided" not in heard.flags(0)


@module_loop
async def test_more_effort_has_a_fresh_process_for_each_median(child: Child) -> None:
    heard = await hear(child, request(*plans(batches=(1,)), effort="standard"))
    cell = heard.cells[0]
    assert (cell.processes, cell.ci_method) == (3, "student-t"), cell.note
    assert cell.process_samples is not None
    assert sum(cell.process_samples) == cell.samples == len(cell.samples_s or ())
    assert len(cell.process_medians_s or ()) == 3
    assert heard.started == [0, 0, 0]
    assert "undecided" not in cell.flags


@module_loop
async def test_end_of_input_ends_the_child_while_a_worker_times(tmp_path: Path) -> None:
    child = await Child.start(lock_path=tmp_path / "lock")
    pid = (await child.ready()).pid
    workers: list[int] = []
    events = child.measure(request(*plans(batches=(8,), input_tokens=256), model=large()))
    async for event in events:
        if isinstance(event, Started):
            workers.append(worker_of(child))
            break
    await child.close()
    wait_until(lambda: not alive(pid) and not alive(workers[0]), "the end of child and worker")
    await events.aclose()


@module_loop
async def test_a_child_killed_takes_its_worker_along_and_the_cells_are_told(tmp_path: Path) -> None:
    async with await Child.start(lock_path=tmp_path / "lock") as child:
        workers: list[int] = []

        def kill_the_child(event: Event) -> None:
            if isinstance(event, Started):
                workers.append(worker_of(child))
                os.kill(child.pid or 0, signal.SIGKILL)

        heard = await hear(child, request(*plans()), kill_the_child)
        assert heard.flags(0) == heard.flags(1) == ("killed",)
        wait_until(lambda: not alive(workers[0]), "the end of the worker")


def test_a_parent_killed_leaves_no_process_and_no_lock(tmp_path: Path) -> None:
    code = """
        import asyncio, sys
        from pathlib import Path
        from advisor.core.protocol import Started
        from advisor.run import Child
        from tests.measuring import plans, request
        from tests.profile.test_child import large, worker_of
        async def main():
            child = await Child.start(lock_path=Path(sys.argv[1]))
            async for event in child.measure(request(*plans(batches=(8,), input_tokens=256), model=large())):
                if isinstance(event, Started):
                    print(child.pid, worker_of(child), flush=True)
        asyncio.run(main())
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment(), cwd=ROOT) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        parent.kill()
        parent.wait()
    assert len(pids) == 2
    wait_until(lambda: not any(map(alive, pids)), "the end of child and worker")
    assert MachineLock(tmp_path / "lock").acquire()


def test_a_parent_killed_while_the_child_imports_leaves_no_process(tmp_path: Path) -> None:
    code = """
        import asyncio, sys
        from pathlib import Path
        from advisor.run import Child
        async def main():
            child = await Child.start(lock_path=Path(sys.argv[1]))
            print(child.pid, flush=True)
            await asyncio.sleep(60)
        asyncio.run(main())
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment(), cwd=ROOT) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
    wait_until(lambda: not alive(pid), "the end of the child")


def preloaded(code: str) -> list[str]:
    """A child that runs some lines of a test before its own."""
    return [sys.executable, "-P", "-c", textwrap.dedent(code) + "\nfrom advisor.profile.__main__ import main\nmain()"]


@module_loop
async def test_a_child_with_a_second_thread_starts_fresh_workers_instead_of_forking(tmp_path: Path) -> None:
    threaded = preloaded("import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()")
    async with await Child.start(command=threaded, lock_path=tmp_path / "lock") as fresh:
        assert not (await fresh.ready()).forks
        heard = await hear(fresh, request(*plans()))
    assert good(heard, 0), heard.note(0)
    assert good(heard, 1), heard.note(1)


BARE = """
import os, sys
from pathlib import Path
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
import torch
from transformers import BertConfig, BertModel
torch.set_num_threads(1)
torch.set_default_dtype(getattr(torch, sys.argv[1]))
model = BertModel(BertConfig(num_hidden_layers=4)).eval()
ids = torch.randint(1, 30000, (8, 128))
with torch.inference_mode():
    for _ in range(3):
        model(input_ids=ids)
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(int(peak.split()[1]) * 1024)
"""
"""What the process prints is its own mark: ru_maxrss would begin at the size of the test run that started it."""


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
async def test_peak_memory_is_what_a_bare_script_in_a_process_of_its_own_takes(tmp_path: Path, dtype: Any) -> None:
    told = subprocess.run([sys.executable, "-c", BARE, dtype], capture_output=True, text=True, check=True)
    config = {"vocab_size": 30522, "hidden_size": 768, "num_hidden_layers": 4, "num_attention_heads": 12}
    config |= {"intermediate_size": 3072, "max_position_embeddings": 512}
    model = entry("bert", **config).model_copy(update={"context_tokens": 512})
    small, same = (plans(batches=(batch,), input_tokens=tokens, dtype=dtype) for batch, tokens in ((1, 8), (8, 128)))
    async with await Child.start(lock_path=tmp_path / "lock") as child:
        heard = await hear(child, request(*same, *small, model=model))
    large_peak, small_peak = heard.cells[0].peak_memory_bytes, heard.cells[1].peak_memory_bytes
    assert large_peak is not None
    assert small_peak is not None
    assert large_peak / int(told.stdout) == pytest.approx(1, abs=0.05)
    assert small_peak < large_peak, "what a larger cell left behind counts for a smaller one"


@module_loop
async def test_a_library_that_prints_harms_nothing(tmp_path: Path) -> None:
    noisy = preloaded("""
        import os, sys
        class Noisy:
            def find_spec(self, name, path=None, target=None):
                if name.endswith("modeling_bert"):
                    print("hello from a library")
                    os.system("echo hello from its program")
        sys.meta_path.insert(0, Noisy())
    """)
    async with await Child.start(command=noisy, lock_path=tmp_path / "lock") as child:
        heard = await hear(child, request(*plans()))
        assert good(heard, 0)
        assert good(heard, 1)
        assert not any("on stdout" in words for words in child.words)


@module_loop
async def test_the_whole_job_opens_no_socket(tmp_path: Path) -> None:
    blocked = preloaded("""
        import os, socket, sys
        def refuse(event, arguments):
            if event in ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo"):
                os.write(2, b"A SOCKET WAS USED\\n")
                os._exit(3)
        sys.addaudithook(refuse)
    """)
    async with await Child.start(command=blocked, lock_path=tmp_path / "lock") as child:
        for model_type, asked in CASES:
            heard = await hear(child, request(*asked, model=entry(model_type)))
            assert all(good(heard, index) for index in range(len(asked))), (heard.note(0), child.words)


@module_loop
async def test_memory_that_cannot_be_had_is_a_cell_with_a_sentence_and_the_rest_goes_on(tmp_path: Path) -> None:
    """The address space is limited below what the estimate sees: the refusal comes from the system, in the middle."""
    limited = preloaded("""
        import resource
        import torch, transformers
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 400 * 2**20,) * 2)
    """)
    small, huge = plans(batches=(1,), input_tokens=8), plans(batches=(64,), input_tokens=512)
    model = entry("bert", **(LARGE_BERT | {"num_hidden_layers": 1})).model_copy(update={"context_tokens": 512})
    async with await Child.start(command=limited, lock_path=tmp_path / "lock") as child:
        heard = await hear(child, request(*small, *huge, *small, model=model))
    assert good(heard, 0), heard.note(0)
    assert heard.flags(1) == ("out-of-memory",), heard.note(1)
    assert "ran out" in heard.note(1)
    assert good(heard, 2), heard.note(2)


@module_loop
@pytest.mark.parametrize("missing", ["torch", "transformers"])
async def test_without_torch_the_child_names_the_mend(tmp_path: Path, missing: str) -> None:
    without = preloaded(f"import sys\nsys.modules[{missing!r}] = None")
    async with await Child.start(command=without, lock_path=tmp_path / "lock") as child:
        heard = await hear(child, request(*plans()))
    assert heard.failed is not None
    assert missing in heard.failed.says
    assert heard.failed.fix == "pip install 'archadvisor[profile]'"


@module_loop
async def test_a_strangers_modules_in_the_working_folder_are_not_imported(tmp_path: Path) -> None:
    for name in ("yaml", "torch", "pydantic"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a stranger was imported')")
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        async with await Child.start(lock_path=tmp_path / "lock") as child:
            assert good(await hear(child, request(*plans(batches=(1,)))), 0)
    finally:
        os.chdir(before)


@module_loop
async def test_two_children_measure_one_after_the_other(tmp_path: Path) -> None:
    order: list[str] = []

    async def by(name: str) -> None:
        async with await Child.start(lock_path=tmp_path / "lock") as child:
            await hear(child, request(*plans()), lambda e: order.append(name) if isinstance(e, Measured) else None)

    await asyncio.gather(by("one"), by("two"))
    assert order in (["one"] * 2 + ["two"] * 2, ["two"] * 2 + ["one"] * 2)


def test_every_family_has_a_tiny_model_that_is_measured() -> None:
    assert {model_type for model_type, _ in (*CASES, *MORE_CASES)} == set(FAMILIES)

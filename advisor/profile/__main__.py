"""`python -P -m advisor.profile`: the warm child. With `--worker` or `--devices` what it cannot do by forking, with
`--inspect` the child that looks at models and times nothing, with `--replay` the one that serves a plan's requests.

Only the order of things is settled here: descriptors and environment first, torch after them, requests last. The one
idea: the descriptor called stdout carries events and nothing else, so the real one is moved out of every library's
reach before the first of them is imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import BinaryIO

from advisor.core.protocol import Answer, Event, Failed, Inspect, NotInspected, NotReplayed, Ready, Replay
from advisor.profile.complaints import first_line
from advisor.profile.inbox import EndOfInput, Inbox
from advisor.profile.orders import Job
from advisor.profile.settling import die_with_parent, settle
from advisor.store.machine import cores_usable

FIX = "pip install 'archadvisor[profile]'"
TRANSFORMERS_MAJOR = 5


def main() -> int:
    """Serve until the end of stdin. Returns the exit code."""
    if sys.argv[1:] == ["--worker"]:
        return _fresh_worker()
    if sys.argv[1:] == ["--devices"]:
        return _devices_alone()
    die_with_parent()  # while torch is imported nobody reads stdin, whose end would tell that it died
    if sys.argv[1:] == ["--inspect"]:
        return _inspect()
    if sys.argv[1:] == ["--replay"]:
        return _replay()
    requests, events = _protect_descriptors()
    say = _speaker(events)
    _prepare_environment()
    failed = _import_problem()
    if failed is not None:
        say(failed)
        return 0
    return _serve(requests, events, say)


def _serve(requests: int, events: int, say: Callable[[Event], None]) -> int:
    import transformers

    from advisor.profile import machine, memory, probe
    from advisor.profile.processes import WorkerProcess, may_fork, start_forked, start_fresh
    from advisor.profile.session import Session
    from advisor.profile.worker import serve

    found = probe.found()

    def serve_alone(job: Job, orders: BinaryIO, replies: BinaryIO) -> None:
        settle(job.parent_pid)
        serve(job, orders, replies)

    def start(job: Job) -> WorkerProcess:
        getattr(transformers, job.model.transformers_class, None)  # imported once here, not by every worker
        if not (may_fork() and found.may_be_forked_for(job.device)):
            return start_fresh(job)
        return start_forked(
            job.model_copy(update={"file_backed_bytes": memory.file_backed_bytes()}),
            serve_alone,
            close=(requests, events),
        )

    described = machine.describe(found)
    inbox = Inbox(requests)
    say(Ready(machine=described, pid=os.getpid(), forks=may_fork()))
    try:
        while True:
            request = inbox.next_measure()
            Session(
                request,
                inbox=inbox,
                say=say,
                start=start,
                devices=described.devices,
                details=found.details,
                identities=found.identities,
                pid=os.getpid(),
            ).run()
    except (EndOfInput, BrokenPipeError, KeyboardInterrupt):
        return 0


def _inspect() -> int:
    """Answer one request after the other, in this process: there is nothing to time and nothing to keep warm."""
    requests, events = _protect_descriptors()
    say = _speaker(events)
    _prepare_environment()
    failed = _import_problem()
    if failed is None:
        settle(os.getppid())  # like a worker, it is the one the kernel kills when memory runs out
    with os.fdopen(requests, "rb") as lines:
        for line in lines:
            request = Inspect.model_validate_json(line)
            if failed is not None:
                say(NotInspected(id=request.id, says=failed.says, fix=failed.fix))
                continue
            from advisor.profile.inspection import answer

            say(answer(request))
    return 0


def _replay() -> int:
    """Serve one schedule, in this process, and end."""
    requests, events = _protect_descriptors()
    say = _speaker(events)
    _prepare_environment()
    with os.fdopen(requests, "rb") as lines:
        request = Replay.model_validate_json(lines.readline())
    failed = _import_problem()
    if failed is not None:
        say(NotReplayed(id=request.id, says=failed.says, fix=failed.fix))
        return 0
    from advisor.profile.replay_answer import answer

    settle(os.getppid())
    say(answer(request))
    return 0


def _fresh_worker() -> int:
    orders, replies = _protect_descriptors()
    with os.fdopen(orders, "rb") as down, os.fdopen(replies, "wb") as up:
        job = Job.model_validate_json(down.readline())
        _prepare_environment()
        from advisor.profile.worker import serve

        settle(job.parent_pid)
        serve(job, down, up)
    return 0


def _devices_alone() -> int:
    """Say which cards torch can use and end: to ask starts CUDA, which no process may do that forks."""
    requests, answer = _protect_descriptors()
    os.close(requests)
    _prepare_environment()
    from advisor.profile.probe import print_cards

    print_cards(answer)
    return 0


def _protect_descriptors() -> tuple[int, int]:
    """Move stdin and stdout away; what reads or prints by habit gets nothing, or stderr."""
    requests, events = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, events


def _speaker(events: int) -> Callable[[Event | Answer], None]:
    def say(event: Event | Answer) -> None:
        line = memoryview(event.model_dump_json().encode() + b"\n")
        while line:
            line = line[os.write(events, line) :]

    return say


def _prepare_environment() -> None:
    """What must stand before torch is imported: its thread pools read these once. Nothing may use the network."""
    cores = str(cores_usable())
    os.environ.update(
        OMP_NUM_THREADS=cores,
        MKL_NUM_THREADS=cores,
        OPENBLAS_NUM_THREADS="1",  # numpy's own pool would start threads, and then nothing may be forked
        HF_HUB_OFFLINE="1",
        TRANSFORMERS_OFFLINE="1",
        HF_HUB_DISABLE_TELEMETRY="1",
        DO_NOT_TRACK="1",
        TOKENIZERS_PARALLELISM="false",
        TORCHINDUCTOR_COMPILE_THREADS="1",  # its compiler would start processes of its own, and keep them
        TRANSFORMERS_VERBOSITY="error",
        PYTORCH_NVML_BASED_CUDA_CHECK="1",  # asking for a GPU must not start its driver in a process that forks
    )
    # transformers imports it wherever it is installed, which takes seconds; the one worker that needs it brings it back
    sys.modules.setdefault("torchao", None)  # type: ignore[arg-type]  # what import takes for "not there"


def _import_problem() -> Failed | None:
    """Import torch and transformers, or say in one sentence why that is impossible."""
    try:
        import torch  # noqa: F401
        import transformers
        from transformers import AutoConfig, DynamicCache, PreTrainedModel  # noqa: F401
    except ModuleNotFoundError as error:
        return Failed(says=f"Measuring needs {error.name}, which is not installed here.", fix=FIX)
    except (ImportError, OSError) as error:
        return Failed(says=f"torch or transformers cannot be imported: {first_line(error)}", fix=FIX)
    if int(transformers.__version__.split(".")[0]) != TRANSFORMERS_MAJOR:
        says = f"Measuring needs transformers {TRANSFORMERS_MAJOR}; {transformers.__version__} is installed here."
        return Failed(says=says, fix=FIX)
    return None


if __name__ == "__main__":
    sys.exit(main())

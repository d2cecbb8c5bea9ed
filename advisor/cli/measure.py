"""`advisor profile` and `advisor advise`: measure in a child, print, and keep what was measured when interrupted."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from advisor.advise import Knowledge, load_knowledge, measure_and_plan, profile_model, recommendation
from advisor.cli.options import chosen_folder, given_profiles, measuring, output_path
from advisor.cli.printing import deliver, save, to_json
from advisor.cli.progress import Progress
from advisor.core.comparison import Comparison
from advisor.core.errors import EXIT_DONE, EXIT_FINDING, EXIT_INTERRUPTED, EXIT_UNDECIDED, AdvisorError, Problem
from advisor.core.report import Report, without_samples
from advisor.core.sizing.measurement import Profile
from advisor.core.values import Document
from advisor.core.workload import Answers
from advisor.measuring import OnEvent
from advisor.report.blocks import Block
from advisor.report.outline import profile_blocks, report_blocks
from advisor.run import Child
from advisor.store.answers import read_answers
from advisor.store.catalog import load_catalog
from advisor.store.named_model import named_model
from advisor.store.paths import shipped
from advisor.store.recorder import Recorder
from advisor.store.rescue import rescue

D = TypeVar("D", Profile, Report, Comparison)

PLAN_SECONDS = 30.0
"""How long an interrupted run may take to plan from what it has; the plan itself takes a few seconds."""
VERDICT_CODES = {"meets": EXIT_DONE, "misses": EXIT_FINDING, "undecided": EXIT_UNDECIDED}


def profile(options: argparse.Namespace) -> int:
    """Measure one model: of the catalogue, of a folder, or of a hub."""
    output, fixed = output_path(options), measuring(options)
    catalog = load_catalog(chosen_folder(options, "models") or shipped("models"))
    progress = Progress(options)
    entry, source, _ = named_model(options.model, catalog, say=progress.say, quiet=not progress.speaks)
    recorder = Recorder("profile", entry.id, fresh=options.fresh, warn=progress.warn)

    async def job(child: Child, on_event: OnEvent) -> Profile:
        return await profile_model(entry, child, fixed, on_event, recorder, source)

    with progress.warnings_last():
        with recorder:
            measured, interrupted = asyncio.run(with_child(job, progress))
        document = measured if options.samples else without_samples(measured)
        if interrupted:
            raise broken_off(document, profile_blocks(document), output, recorder.run, _any_figure([document]))
        deliver(document, profile_blocks(document), options, output)
    return EXIT_DONE if _any_figure([document]) else EXIT_UNDECIDED


def advise(options: argparse.Namespace) -> int:
    """Recommend, measure, plan."""
    output, fixed = output_path(options), measuring(options)
    answers = read_answers(options.answers, options.settings)
    knowledge = load_knowledge(chosen_folder(options, "rules"), chosen_folder(options, "models"))
    if files := given_profiles(options):
        return _from_profiles(options, answers, knowledge, files, output)
    progress = Progress(options)
    if fixed.model is not None:
        named = named_model(fixed.model, knowledge.catalog, say=progress.say, quiet=not progress.speaks)
        knowledge = knowledge.with_model(named.entry, named.source)
        fixed = replace(fixed, model=named.entry.id, model_words=named.words)
    advice = recommendation(answers, knowledge, fixed)

    subject = advice.workload.task
    recorder = Recorder("advise", subject, recommendation=advice, fresh=options.fresh, warn=progress.warn)

    async def job(child: Child, on_event: OnEvent) -> Report:
        report = await measure_and_plan(advice, knowledge, child, fixed, on_event, recorder)
        return await _verified(report, knowledge, progress, recorder) if options.verify else report

    with progress.warnings_last():
        with recorder:
            report, interrupted = asyncio.run(with_child(job, progress))
        document = report if options.samples else without_samples(report)
        if interrupted:
            blocks = report_blocks(document)
            raise broken_off(document, blocks, output, recorder.run, _any_figure(document.profiles))
        deliver(document, report_blocks(document), options, output)
    return EXIT_UNDECIDED if document.plan is None else VERDICT_CODES[document.plan.verdict]


async def _verified(report: Report, knowledge: Knowledge, progress: Progress, recorder: Recorder) -> Report:
    """The report with its plan checked; as it is where that was interrupted, for the plan is finished."""
    from advisor.verifying import verified

    progress.verifying = True
    try:
        found = await verified(report, knowledge, say=progress.say)
    except asyncio.CancelledError:
        return report
    recorder.amend(found)
    return found


def _from_profiles(
    options: argparse.Namespace, answers: Answers, knowledge: Knowledge, files: Sequence[str], output: Path | None
) -> int:
    """Plan from what was measured elsewhere."""
    from advisor.elsewhere import plan_from_files

    report = plan_from_files(answers, knowledge, files)
    document = report if options.samples else without_samples(report)
    deliver(document, report_blocks(document), options, output)
    return EXIT_UNDECIDED if document.plan is None else VERDICT_CODES[document.plan.verdict]


async def with_child(job: Callable[[Child, OnEvent], Awaitable[D]], progress: Progress) -> tuple[D, bool]:
    """The job's result, and whether it was interrupted on the way. Raises KeyboardInterrupt where there is none."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    progress.say("starting the measuring process (importing torch takes some seconds)")
    async with await Child.start() as child:
        task = asyncio.ensure_future(job(child, progress))
        stopped = asyncio.ensure_future(stop.wait())
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not task.done():
            progress.say("interrupted: keeping what was measured")
            await _wind_up(task, child, progress)
        return await task, stop.is_set()


async def _wind_up(task: asyncio.Future[D], child: Child, progress: Progress) -> None:
    """Let an interrupted job end with what it has; one that has measured nothing yet is dropped."""
    if progress.verifying:
        task.cancel()
        await asyncio.wait({task}, timeout=PLAN_SECONDS)
    elif progress.measuring:
        await child.cancel()
        await asyncio.wait({task}, timeout=PLAN_SECONDS)
    if not task.done():
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        raise KeyboardInterrupt


def broken_off(
    document: Document, blocks: Sequence[Block], output: Path | None, run: int | None, worth_keeping: bool
) -> AdvisorError:
    """Say where what was measured is: in the file asked for, in the store as `run`, else in a file of its own."""
    if not worth_keeping:
        return AdvisorError("interrupted before anything was measured", exit_code=EXIT_INTERRUPTED)
    words = "interrupted; what was measured so far is saved"
    fix = "the same command again measures the rest, and what was disturbed" if run is not None else None
    if output is not None:
        save(document, blocks, output)
        return AdvisorError([Problem(str(output), None, None, words, fix)], exit_code=EXIT_INTERRUPTED)
    if run is not None:
        shown = f"{words}: advisor history show {run}"
        return AdvisorError([Problem(None, None, None, shown, fix)], exit_code=EXIT_INTERRUPTED)
    path = rescue(to_json(document))
    return AdvisorError([Problem(str(path), None, None, words)], exit_code=EXIT_INTERRUPTED)


def _any_figure(profiles: Sequence[Profile]) -> bool:
    return any(cell.median_s is not None for one in profiles for cell in one.cells)

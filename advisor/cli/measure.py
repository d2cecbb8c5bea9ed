"""`advisor profile` and `advisor advise`: measure in a child, print, and keep what was measured when interrupted."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from advisor.advise import OnEvent, load_knowledge, measure_and_plan, profile_model, recommendation
from advisor.cli.options import chosen_folder, measuring, output_path
from advisor.cli.printing import deliver, save
from advisor.cli.progress import Progress
from advisor.core.errors import EXIT_DONE, EXIT_FINDING, EXIT_INTERRUPTED, EXIT_UNDECIDED, AdvisorError, Problem
from advisor.core.report import Report
from advisor.core.sizing.measurement import Profile
from advisor.core.values import Document
from advisor.report.blocks import Block
from advisor.report.outline import profile_blocks, report_blocks
from advisor.run import Child
from advisor.store.answers import read_answers
from advisor.store.catalog import load_catalog
from advisor.store.paths import shipped
from advisor.store.rescue import rescue_file

D = TypeVar("D", Profile, Report)

PLAN_SECONDS = 30.0
"""How long an interrupted run may take to plan from what it has; the plan itself takes a few seconds."""
VERDICT_CODES = {"meets": EXIT_DONE, "misses": EXIT_FINDING, "undecided": EXIT_UNDECIDED}


def profile(options: argparse.Namespace) -> int:
    """Measure one catalogue model."""
    output, fixed = output_path(options), measuring(options)
    entry = load_catalog(chosen_folder(options, "models") or shipped("models")).get(_catalogue_id(options.model))

    async def job(child: Child, on_event: OnEvent) -> Profile:
        return await profile_model(entry, child, fixed, on_event)

    measured, interrupted = asyncio.run(_with_child(job, Progress(options)))
    document = measured if options.samples else _without_samples(measured)
    if interrupted:
        raise _interrupted(document, profile_blocks(document), output, _any_figure([document]))
    deliver(document, profile_blocks(document), options, output)
    return EXIT_DONE if _any_figure([document]) else EXIT_UNDECIDED


def advise(options: argparse.Namespace) -> int:
    """Recommend, measure, plan."""
    output, fixed = output_path(options), measuring(options)
    answers = read_answers(options.answers, options.settings)
    knowledge = load_knowledge(chosen_folder(options, "rules"), chosen_folder(options, "models"))
    if fixed.model is not None:
        _catalogue_id(fixed.model)
    advice = recommendation(answers, knowledge, fixed)

    async def job(child: Child, on_event: OnEvent) -> Report:
        return await measure_and_plan(advice, knowledge, child, fixed, on_event)

    report, interrupted = asyncio.run(_with_child(job, Progress(options)))
    profiles = report.profiles if options.samples else tuple(_without_samples(one) for one in report.profiles)
    document = report.model_copy(update={"profiles": profiles})
    if interrupted:
        raise _interrupted(document, report_blocks(document), output, _any_figure(profiles))
    deliver(document, report_blocks(document), options, output)
    return EXIT_UNDECIDED if document.plan is None else VERDICT_CODES[document.plan.verdict]


async def _with_child(job: Callable[[Child, OnEvent], Awaitable[D]], progress: Progress) -> tuple[D, bool]:
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
    if progress.measuring:
        await child.cancel()
        await asyncio.wait({task}, timeout=PLAN_SECONDS)
    if not task.done():
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        raise KeyboardInterrupt


def _interrupted(document: Document, blocks: Sequence[Block], output: Path | None, worth_keeping: bool) -> AdvisorError:
    """Save what was measured, and say where."""
    if not worth_keeping:
        return AdvisorError("interrupted before anything was measured", exit_code=EXIT_INTERRUPTED)
    path = output or rescue_file()
    save(document, blocks, path)
    words = "interrupted; what was measured so far is saved"
    return AdvisorError([Problem(str(path), None, None, words)], exit_code=EXIT_INTERRUPTED)


def _catalogue_id(name: str) -> str:
    if "/" in name or os.path.isdir(name):
        words = f'"{name}" is a folder or a hub id; only models of the catalogue can be measured'
        raise AdvisorError(words, fix="name a catalogue id, see: advisor models")
    return name


def _without_samples(measured: Profile) -> Profile:
    cells = tuple(cell.model_copy(update={"samples_s": None}) for cell in measured.cells)
    return measured.model_copy(update={"cells": cells})


def _any_figure(profiles: Sequence[Profile]) -> bool:
    return any(cell.median_s is not None for one in profiles for cell in one.cells)

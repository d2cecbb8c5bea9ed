"""`advisor compare`: the same task on every architecture that can do it, measured in one interleaved run."""

from __future__ import annotations

import argparse
import asyncio

from advisor.advise import load_knowledge
from advisor.cli.measure import broken_off, with_child
from advisor.cli.options import chosen_folder, measuring, output_path
from advisor.cli.printing import deliver
from advisor.cli.progress import Progress
from advisor.comparing import compare as compared
from advisor.core.comparison import Comparison
from advisor.core.errors import EXIT_DONE, EXIT_UNDECIDED
from advisor.core.report import without_samples
from advisor.measuring import OnEvent
from advisor.report.comparison import comparison_blocks
from advisor.run import Child
from advisor.store.answers import read_answers


def compare(options: argparse.Namespace) -> int:
    """Measure every side, print what each takes, and what becomes of the guide's claims."""
    output, fixed = output_path(options), measuring(options)
    answers = read_answers(options.answers, options.settings)
    knowledge = load_knowledge(chosen_folder(options, "rules"), chosen_folder(options, "models"))
    progress = Progress(options)

    async def job(child: Child, on_event: OnEvent) -> Comparison:
        return await compared(answers, knowledge, child, fixed, on_event, progress.say)

    with progress.warnings_last():
        measured, interrupted = asyncio.run(with_child(job, progress))
        document = measured if options.samples else _without_samples(measured)
        if interrupted:
            raise broken_off(document, comparison_blocks(document), output, None, bool(document.ratios))
        deliver(document, comparison_blocks(document), options, output)
    return EXIT_DONE if document.ratios else EXIT_UNDECIDED


def _without_samples(comparison: Comparison) -> Comparison:
    entries = [one.model_copy(update={"report": without_samples(one.report)}) for one in comparison.entries]
    return comparison.model_copy(update={"entries": tuple(entries)})

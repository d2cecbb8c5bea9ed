"""`advisor recommend`: rules only, no torch."""

from __future__ import annotations

import argparse

from advisor.advise import load_knowledge, recommendation
from advisor.cli.options import chosen_folder, output_path
from advisor.cli.printing import deliver
from advisor.core.errors import EXIT_DONE
from advisor.report.advice import recommendation_blocks
from advisor.store.answers import read_answers


def recommend(options: argparse.Namespace) -> int:
    """Read the answers, decide, print."""
    output = output_path(options)
    answers = read_answers(options.answers, options.settings)
    knowledge = load_knowledge(chosen_folder(options, "rules"), chosen_folder(options, "models"))
    advice = recommendation(answers, knowledge)
    deliver(advice, recommendation_blocks(advice), options, output)
    return EXIT_DONE

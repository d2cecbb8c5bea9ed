"""`advisor explain [ID]`: one thing the project knows, or the list of all; offline, from rules and catalogue."""

from __future__ import annotations

import argparse

from advisor.advise import load_knowledge
from advisor.cli.options import chosen_folder, output_path
from advisor.cli.printing import deliver
from advisor.core.errors import EXIT_DONE
from advisor.core.explain.grounds import Grounds
from advisor.core.explain.index import explain as explained
from advisor.core.explain.index import explanations
from advisor.report.explanations import explanation_blocks, explanations_blocks


def explain(options: argparse.Namespace) -> int:
    """Explain one id, or list them."""
    output = output_path(options)
    knowledge = load_knowledge(chosen_folder(options, "rules"), chosen_folder(options, "models"))
    grounds = Grounds(knowledge.rulebook, knowledge.catalog)
    if options.id is None:
        every = explanations(grounds)
        deliver(every, explanations_blocks(every), options, output)
    else:
        one = explained(grounds, options.id)
        deliver(one, explanation_blocks(one), options, output)
    return EXIT_DONE

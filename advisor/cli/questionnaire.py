"""`advisor tui`: hands over to the terminal app, the one face another starts."""

from __future__ import annotations

import argparse
import os

from advisor.cli.options import chosen_folder
from advisor.cli.streams import at_a_terminal, drawn_on_stdout
from advisor.core.errors import AdvisorError
from advisor.store.answers import read_answers


def tui(options: argparse.Namespace) -> int:
    """Open the questionnaire, pre-filled where answers are given."""
    fix = "use: advisor ask, which needs none, or: advisor advise ANSWERS (or --set task=…)"
    if os.environ.get("TERM") == "dumb":
        raise AdvisorError("the questionnaire needs a terminal that can place words, not TERM=dumb", fix=fix)
    if not at_a_terminal():
        raise AdvisorError("the questionnaire needs a terminal on stdin and stdout", fix=fix)
    given = options.answers is not None or bool(options.settings)
    answers = read_answers(options.answers, options.settings, task_is_asked=True) if given else None
    rules, models = chosen_folder(options, "rules"), chosen_folder(options, "models")
    from advisor.tui.app import run_app

    with drawn_on_stdout():
        return run_app(answers, rules, models, fresh=options.fresh)

"""`advisor ask`: the questionnaire line by line, and at its end what `recommend` would say to the same answers."""

from __future__ import annotations

import argparse
import sys

from advisor.advise import Knowledge, load_knowledge, recommendation, reproduce_command
from advisor.cli.dialogue import Dialogue
from advisor.cli.lines import say
from advisor.cli.options import chosen_folder, output_path
from advisor.cli.printing import deliver
from advisor.core.errors import EXIT_DONE, EXIT_INTERRUPTED, AdvisorError
from advisor.core.guide.reach import matters
from advisor.core.guide.vocabulary import said_facts
from advisor.core.workload import Answers
from advisor.measuring import Measuring
from advisor.report.advice import recommendation_blocks
from advisor.store.answers import read_answers


def ask(options: argparse.Namespace) -> int:
    """Ask, decide, print."""
    output = output_path(options)
    given = _given(options)
    knowledge = load_knowledge(chosen_folder(options, "rules"), chosen_folder(options, "models"))
    try:
        answers = _asked(given, knowledge, brief=getattr(options, "quiet", False))
    except KeyboardInterrupt:
        raise AdvisorError("interrupted, and no answer was kept", exit_code=EXIT_INTERRUPTED) from None
    advice = recommendation(answers, knowledge)
    say()
    deliver(advice, recommendation_blocks(advice), options, output)
    say()
    say(f"To measure this on your machine: {reproduce_command(advice, knowledge, Measuring())}")
    return EXIT_DONE


def _given(options: argparse.Namespace) -> Answers | None:
    if options.answers == "-":
        words = "the lines of stdin are the answers here, so stdin cannot be the answers file too"
        raise AdvisorError(words, fix="name a file, or leave the - out")
    if options.answers is None and not options.settings:
        return None
    return read_answers(options.answers, options.settings, task_is_asked=True)


def _asked(given: Answers | None, knowledge: Knowledge, *, brief: bool) -> Answers:
    reconfigure = getattr(sys.stdin, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")  # bytes that are no text become an answer that is refused

    def still_matters(answer: str, answers: Answers) -> bool:
        return matters(knowledge.rulebook, answer, said_facts(answers))

    def more(answer: str) -> tuple[str, ...]:
        asking = [rule.id for _, rule in knowledge.rulebook.rules() if any(one.axis == answer for one in rule.when)]
        rules = f"Rules that ask it: {', '.join(asking)}." if asking else "No rule asks it; the plan does."
        return (rules, f"More in another window: advisor explain {answer}")

    return Dialogue(given, matters=still_matters, more=more, brief=brief).answers()

"""The words of the project explained: architectures, tasks, answers, findings of a plan, flags of a cell."""

from __future__ import annotations

from collections import defaultdict

from advisor.core.architecture import ARCHITECTURE_WORDS, ARCHITECTURES, Architecture
from advisor.core.explain.document import Explanation
from advisor.core.explain.grounds import Grounds, command, named
from advisor.core.guide.axis import Value
from advisor.core.guide.reach import deciding, reachable
from advisor.core.questions import Question, default_words
from advisor.core.review.kind import CheckKind
from advisor.core.sizing.finding_kinds import FindingKind
from advisor.core.sizing.flag_words import FLAG_WORDS
from advisor.core.sizing.measurement import Flag
from advisor.core.task import TASK_WORDS, TASKS, Task, generates
from advisor.core.workload import Answers, fill_defaults

LEVELS_OF_MISTAKES = "G71"
"""The fact that only says how bad a mistake is: what else cites it is no neighbour."""


def explain_architecture(grounds: Grounds, architecture: Architecture) -> Explanation:
    """What an architecture is, which rules lead to it, and which models of the catalogue have it."""
    rules = [rule for rule in grounds.book.decision.rules if rule.then == architecture]
    defining = [fact.id for fact in grounds.book.facts.values() if architecture in fact.section.lower()]
    cited = (source for rule in rules for source in rule.source)
    models = [entry.id for entry in grounds.catalog.entries.values() if entry.architecture == architecture]
    return Explanation(
        id=architecture,
        subject="architecture",
        title=ARCHITECTURE_WORDS[architecture],
        says=f"Models of the catalogue: {', '.join(models)}." if models else "It is made of models of the other kinds.",
        source=grounds.cited(dict.fromkeys((*defining, *cited))),
        related=named(rules),
    )


def explain_task(grounds: Grounds, task: Task) -> Explanation:
    """What a task is, what can be advised for it, and which rules decide."""
    workload, _ = fill_defaults(Answers(task=task))
    facts: dict[str, Value] = {"task": task}
    table = grounds.book.decision
    decide = deciding(table, facts)
    rules = [rule for rule in table.rules if rule in decide or rule.then == task]
    outcomes = [str(outcome) for outcome in reachable(table, facts)]
    output = f"about {workload.output_tokens:,} tokens are written" if generates(task) else "no text is written"
    also = f" As an architecture: {ARCHITECTURE_WORDS[task]}." if task in ARCHITECTURES else ""
    return Explanation(
        id=task,
        subject="task",
        title=TASK_WORDS[task],
        says=f"Unless you say otherwise, {workload.input_tokens:,} tokens are read and {output}.{also}",
        then=f"depending on the other answers: {' or '.join(outcomes)}" if len(outcomes) > 1 else outcomes[0],
        source=grounds.cited(dict.fromkeys(source for rule in rules for source in rule.source)),
        commands=(command(facts),),
        related=named(rules),
    )


def explain_answer(grounds: Grounds, asked: Question) -> Explanation:
    """A question of the questionnaire: what may be answered, what is taken without an answer, who asks."""
    asking = named(rule for _, rule in grounds.rules() if any(one.axis == asked.answer for one in rule.when))
    return Explanation(
        id=asked.answer,
        subject="answer",
        title=asked.asks,
        says=f"{asked.explains} Allowed: {asked.allowed}. {_default(asked)}",
        because=None if asking else "No rule asks it; the plan of a measured model does.",
        related=asking,
    )


def _default(asked: Question) -> str:
    """What is taken without an answer; by task where it depends on that."""
    if asked.answer == "task":
        return "It has no default."
    tasks: dict[str, list[str]] = defaultdict(list)
    for task in TASKS:
        tasks[default_words(asked, Answers(task=task))].append(task)
    usual, *others = sorted(tasks, key=lambda default: -len(tasks[default]))
    exceptions = "".join(f"; {default} for {', '.join(tasks[default])}" for default in others)
    return f"Default: {usual}{exceptions}."


def explain_finding(grounds: Grounds, kind: FindingKind) -> Explanation:
    """A kind of finding that a plan can have."""
    return Explanation(
        id=kind.id,
        subject="finding",
        title=kind.title,
        says=kind.says,
        because=kind.because,
        remedy=kind.remedy,
        source=grounds.cited((kind.source,)),
        related=grounds.citing((kind.source,)),
    )


def explain_check(grounds: Grounds, kind: CheckKind) -> Explanation:
    """A check that `advisor check` makes and that is no rule."""
    return Explanation(
        id=kind.id,
        subject="check",
        title=kind.title,
        says=kind.says,
        then=kind.level,
        because=kind.because,
        unless=kind.unless,
        remedy=kind.remedy,
        source=grounds.cited(kind.source),
        fires=() if kind.example is None else (_in_one_line(kind.example),),
        related=grounds.citing(set(kind.source) - {LEVELS_OF_MISTAKES}),
    )


def _in_one_line(example: str) -> str:
    """A few lines of YAML or Python as one: what an indented block belongs to stands before it anyway."""
    return "; ".join(line.strip() for line in example.splitlines()).replace(":; ", ": ")


def explain_flag(flag: Flag) -> Explanation:
    """A flag that a measured cell can have."""
    words = FLAG_WORDS[flag]
    return Explanation(id=flag, subject="flag", title=words.title, says=words.says, remedy=words.remedy)

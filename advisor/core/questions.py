"""The questions a person is asked, one per answer: the words, and when an answer still matters to the plan.

Ranges, kinds and defaults are not here: they are read from `Answers`, so that a question can never allow what the check
refuses. Whether an answer matters to the *advice* is the rules' business; this module only knows what the plan needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from advisor.core.task import generates
from advisor.core.values import kinds_in
from advisor.core.workload import Answers, Workload, fill_defaults

Kind = Literal["choice", "flag", "number"]


@dataclass(frozen=True, slots=True)
class Question:
    """One question: the answer's name, a short label, one sentence of explanation, and what an unset answer means.

    `unset` is only said where the default is null.
    """

    answer: str
    asks: str
    explains: str
    unset: str = ""

    @property
    def kind(self) -> Kind:
        """How it is answered."""
        if self.choices:
            return "choice"
        return "flag" if bool in _kinds(self.answer) else "number"

    @property
    def choices(self) -> tuple[str | int, ...]:
        """The values to choose from, in the order of the contract; empty where any number is allowed."""
        field = Answers.model_fields[self.answer].annotation
        return tuple(value for kind in kinds_in(field) if get_origin(kind) is Literal for value in get_args(kind))

    @property
    def allowed(self) -> str:
        """What may be answered, in words: `yes or no`, the choices, or the kind of number with its range."""
        if self.kind == "flag":
            return "yes or no"
        if self.kind == "choice":
            *others, last = map(str, self.choices)
            return f"{', '.join(others)} or {last}"
        return _range_words(self.answer)


QUESTIONS: tuple[Question, ...] = (
    Question("task", "Task", "What comes out for what goes in. Everything else has a default."),
    Question(
        "requests_per_second", "Requests per second", "At the busiest moment. A day's total can be given at the end."
    ),
    Question(
        "latency_budget_ms",
        "Latency budget, ms",
        "How long a whole answer may take, waiting included.",
        "no budget",
    ),
    Question(
        "first_token_budget_ms",
        "First-token budget, ms",
        "How long until the first token shows, where answers are streamed.",
        "no budget",
    ),
    Question("latency_percentile", "Percentile", "The share of requests that must be inside the budget, in per cent."),
    Question("input_tokens", "Input tokens", "Length of a typical request; an English word is about 1.3 tokens."),
    Question(
        "input_tokens_max",
        "Longest input",
        "The longest request there will be; rules out models that cannot read it.",
        "as typical",
    ),
    Question("output_tokens", "Output tokens", "Length of a typical answer; writing them takes most of the time."),
    Question("output_tokens_max", "Longest output", "The longest answer there will be.", "as typical"),
    Question("labelled_examples", "Labelled examples", "Texts with known answers to train on; 0 if none.", "unknown"),
    Question("priority", "Priority", "What weighs most: the bill, neither, or the last point of accuracy."),
    Question("structured_source_target", "Strict source-target", "Each output mirrors one input, as in translation."),
    Question("one_model_many_tasks", "Many tasks, one model", "One deployment has to serve several different tasks."),
    Question("languages", "Languages", "One language, or several in the same service."),
    Question("corpus_documents", "Documents to search", "How many documents the answers are looked up in; 0 if none."),
    Question("long_structured_input", "Long structured input", "Inputs are long records, tables or forms."),
    Question("contrastive_decoder", "Contrastive decoder", "A decoder already tuned to make embeddings is at hand."),
    Question("hosting", "Hosting", "Your own machines, somebody's API, or undecided; an API cannot be measured here."),
    Question("memory_limit_gib", "Memory limit, GiB", "What one replica may take.", "this machine's"),
    Question(
        "replica_cost_per_hour",
        "Replica cost per hour",
        "In any currency; gives the cost of a million requests.",
        "not priced",
    ),
    Question(
        "requests_per_day", "Requests per day", "Instead of a peak rate: a day's total, spread unevenly.", "not used"
    ),
    Question("peak_factor", "Peak factor", "How many times the day's average the busiest moment is.", "3"),
)

_RATES = frozenset({"requests_per_second", "requests_per_day", "peak_factor"})
_BY_ANSWER = {question.answer: question for question in QUESTIONS}


def question(answer: str) -> Question:
    """The question for an answer."""
    return _BY_ANSWER[answer]


def default_words(asked: Question, answers: Answers) -> str:
    """The default this question would take beside the other answers, in words. The task has none."""
    if asked.answer == "task":
        return "none"
    if asked.answer == "requests_per_second" and answers.requests_per_day is not None:
        return "not used"
    said = {key: getattr(answers, key) for key in answers.model_fields_set if key != asked.answer}
    workload, _ = fill_defaults(Answers.model_validate(said))
    return words(getattr(workload, asked.answer), unset=asked.unset)


def words(value: object, *, unset: str = "unset") -> str:
    """An answer's value the way a person would type it."""
    if value is None:
        return unset
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value)


def still_asked(answers: Answers, matters: Callable[[str], bool]) -> tuple[Question, ...]:
    """The questions worth asking beside these answers: those said, those the advice hangs on, those the plan needs.

    `matters` tells whether an answer could still change the advice or one of its remarks. An answer already given stays
    askable, so that it can be taken back.
    """
    workload, _ = fill_defaults(answers)
    needed = set(_needed_by_plan(workload, answers.model_fields_set)) | answers.model_fields_set
    return tuple(asked for asked in QUESTIONS if asked.answer in needed or _matters(asked.answer, matters))


def _matters(answer: str, matters: Callable[[str], bool]) -> bool:
    if answer in _RATES:
        return False  # three ways to say one thing: the plan knows which of them is left to ask
    return matters(answer)


def _needed_by_plan(workload: Workload, said: set[str]) -> Iterator[str]:
    """The answers the plan makes use of, whatever the rules think of them."""
    per_day = workload.requests_per_day is not None
    yield from ("task", "languages", "hosting")
    if per_day:
        yield "peak_factor"
    else:
        yield "requests_per_second"
    if per_day or "requests_per_second" not in said:
        yield "requests_per_day"
    if workload.hosting == "api":
        return
    yield from ("latency_budget_ms", "input_tokens", "input_tokens_max", "memory_limit_gib", "replica_cost_per_hour")
    if generates(workload.task):
        yield from ("first_token_budget_ms", "output_tokens", "output_tokens_max")
    if workload.latency_budget_ms is not None or workload.first_token_budget_ms is not None:
        yield "latency_percentile"


def _range_words(answer: str) -> str:
    """`a whole number, at least 1 and at most 10,000,000`, as the check has it."""
    schema = Answers.model_json_schema()["properties"][answer]
    number = next(one for one in schema.get("anyOf", [schema]) if one["type"] in ("integer", "number"))
    bounds = {"exclusiveMinimum": "above", "minimum": "at least", "maximum": "at most"}
    said = [f"{words} {number[bound]:,.15g}" for bound, words in bounds.items() if bound in number]
    return f"{'a whole number' if number['type'] == 'integer' else 'a number'}, {' and '.join(said)}"


def _kinds(answer: str) -> frozenset[Any]:
    return frozenset(kinds_in(Answers.model_fields[answer].annotation))

"""The answers: what a team says about its task, checked, with every gap filled by a stated default.

`Answers` is what came in (only what was said), `Workload` what everything else works on. The difference is listed by
`defaulted`, so that nothing the team did not say looks as if it had. Source of the defaults: G60, G64, G69.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field

from advisor.core.task import CORPUS_TASKS, OPTIONAL_CORPUS_TASKS, Task, generates
from advisor.core.values import Value

Priority = Literal["cost", "balanced", "accuracy"]
Languages = Literal["one", "many"]
Hosting = Literal["self", "api", "either"]
Percentile = Literal[50, 90, 95, 99]

PRIORITIES: tuple[Priority, ...] = get_args(Priority)
PERCENTILES: tuple[Percentile, ...] = get_args(Percentile)

DEFAULT_PEAK_FACTOR = 3.0
SECONDS_PER_DAY = 86_400
MAX_REQUESTS_PER_SECOND = 1e9
SMALLEST, LARGEST = 1e-300, 1e300
"""The rates, budgets, limits and prices that can be computed with; nobody means one beyond."""
FEW_SHOT_PROMPT_TOKENS = 512
"""Examples shown to a model that writes before each text it is to label (origin: assumed)."""
LABEL_TOKENS_MIN = 4
"""Least tokens such an architecture writes to name a label (origin: assumed)."""
RAG_QUERY_TOKENS = 32
"""Length of a RAG query, the retriever's input (origin: assumed)."""
RERANK_PAIR_TOKENS = 256
"""Length of a query-passage pair, the re-ranker's input (origin: assumed)."""
RERANK_PAIRS = 50
"""Pairs a re-ranker scores for one request: the passages that were found (origin: assumed)."""

DEFAULT_INPUT_TOKENS: Mapping[str, int] = {
    "question-answering": 384,
    "summarization": 1024,
    "abstractive-question-answering": 1024,
    "retrieval-augmented-generation": 2048,
}
DEFAULT_OUTPUT_TOKENS: Mapping[str, int] = {
    "translation": 128,
    "summarization": 128,
    "table-to-text": 128,
    "abstractive-question-answering": 64,
    "code-generation": 64,
    "chat": 256,
    "text-generation": 256,
    "reasoning": 256,
    "retrieval-augmented-generation": 256,
}
DEFAULT_CORPUS_DOCUMENTS = 100_000
STRUCTURED_TASKS = frozenset({"translation", "table-to-text"})


def _number(value: object) -> object:
    """A float from an int or a float; anything else (true, "3") is left for pydantic's strict check to refuse."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _whole(value: object) -> object:
    """An int from a float that is whole (`400e6`); the rest is left for pydantic's strict check to refuse."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _computable(value: float) -> float:
    """Nobody means a number so small or so large, and what is computed from it would be zero or infinite."""
    if not SMALLEST <= value <= LARGEST:
        raise ValueError(f"{value:g} is not between {SMALLEST:g} and {LARGEST:g}, where figures can be computed")
    return value


def _payable(value: float) -> float:
    if value > LARGEST:
        raise ValueError(f"{value:g} is more than {LARGEST:g}, up to which figures can be computed")
    return value


_Computable = AfterValidator(_computable)
Rate = Annotated[float, Field(strict=True, gt=0, le=MAX_REQUESTS_PER_SECOND), BeforeValidator(_number), _Computable]
Positive = Annotated[float, Field(strict=True, gt=0), BeforeValidator(_number), _Computable]
Price = Annotated[float, Field(strict=True, ge=0), BeforeValidator(_number), AfterValidator(_payable)]
Tokens = Annotated[int, Field(strict=True, ge=0, le=10_000_000), BeforeValidator(_whole)]
InputTokens = Annotated[int, Field(strict=True, ge=1, le=10_000_000), BeforeValidator(_whole)]
Count = Annotated[int, Field(strict=True, ge=0, le=10**12), BeforeValidator(_whole)]
Flag = Annotated[bool, Field(strict=True)]


class Answers(Value):
    """What was said, nothing filled in. Only `task` must be there; a key left out is simply unset."""

    task: Task
    requests_per_second: Rate = 1.0
    requests_per_day: Positive | None = None
    peak_factor: Positive | None = None
    latency_budget_ms: Positive | None = None
    first_token_budget_ms: Positive | None = None
    latency_percentile: Annotated[Percentile, BeforeValidator(_whole)] = 95
    input_tokens: InputTokens = 128
    input_tokens_max: InputTokens | None = None
    output_tokens: Tokens = 0
    output_tokens_max: Tokens | None = None
    labelled_examples: Count | None = None
    priority: Priority = "balanced"
    structured_source_target: Flag = False
    one_model_many_tasks: Flag = False
    languages: Languages = "one"
    corpus_documents: Count = 0
    long_structured_input: Flag = False
    contrastive_decoder: Flag = False
    hosting: Hosting = "either"
    memory_limit_gib: Positive | None = None
    replica_cost_per_hour: Price | None = None


class Workload(Answers):
    """Every answer, defaults filled in. Built by `fill_defaults` from checked answers.

    `requests_per_second` is the peak rate also where the team gave a rate per day.
    """


ANSWER_ORDER: tuple[str, ...] = tuple(Answers.model_fields)
"""The order of the contract, which also settles ties between equally small changes."""


def cross_problems(answers: Answers) -> list[tuple[str, str, str]]:
    """Mistakes no single answer shows: (answer, what is wrong, what to do), in the order of the answers."""
    said = answers.model_fields_set
    rates = {
        key for key in ("requests_per_second", "requests_per_day") if key in said and getattr(answers, key) is not None
    }
    problems: list[tuple[str, str, str]] = []
    if len(rates) == 2:
        problems.append(
            ("requests_per_day", "requests_per_second and requests_per_day are both given", "keep one of them")
        )
    if answers.peak_factor is not None and answers.requests_per_day is None:
        problems.append(
            ("peak_factor", "peak_factor needs requests_per_day", "give requests_per_day, or leave peak_factor out")
        )
    peak = _peak_rate(answers)
    if peak > MAX_REQUESTS_PER_SECOND:
        words = f"requests_per_day with its peak factor makes {peak:.3g} requests per second, more than 1e9"
        problems.append(("requests_per_day", words, "give a rate that a service can have"))
    filled = _filled(answers)
    for side in ("input_tokens", "output_tokens"):
        top = filled[f"{side}_max"]
        if top is not None and top < filled[side]:
            how = "" if side in said else " (the default)"
            words = f"{side}_max {top} is below {side} {filled[side]}{how}"
            problems.append((f"{side}_max", words, f"give {side}_max of at least {side}, or a smaller {side}"))
    if generates(answers.task) and "output_tokens" in said and answers.output_tokens == 0:
        words = f"output_tokens is 0, but {answers.task} writes text"
        problems.append(("output_tokens", words, "say how many tokens an answer has, or leave it out for the default"))
    if answers.task in CORPUS_TASKS and "corpus_documents" in said and answers.corpus_documents == 0:
        words = f"corpus_documents is 0, but {answers.task} searches documents"
        problems.append(
            ("corpus_documents", words, "say how many documents there are, or leave it out for the default")
        )
    return problems


def fill_defaults(answers: Answers) -> tuple[Workload, list[str]]:
    """The workload and the names of the answers that were defaulted, in the order of the contract."""
    filled = _filled(answers)
    by_day = answers.requests_per_day is not None
    other_way = {"requests_per_second"} if by_day else {"requests_per_day", "peak_factor"}
    defaulted = [key for key in ANSWER_ORDER if key not in answers.model_fields_set | other_way]
    if by_day and answers.peak_factor is None and "peak_factor" not in defaulted:
        defaulted.append("peak_factor")
    return Workload.model_validate(filled), defaulted


def _peak_rate(answers: Answers) -> float:
    if answers.requests_per_day is None:
        return answers.requests_per_second
    rate = answers.requests_per_day * (answers.peak_factor or DEFAULT_PEAK_FACTOR) / SECONDS_PER_DAY
    return max(rate, SMALLEST)


def _filled(answers: Answers) -> dict[str, Any]:
    """Every answer by name, with the defaults that depend on the task and on the corpus."""
    task = answers.task
    filled = {key: getattr(answers, key) for key in ANSWER_ORDER}
    by_task: dict[str, Any] = {
        "structured_source_target": task in STRUCTURED_TASKS,
        "corpus_documents": DEFAULT_CORPUS_DOCUMENTS if task in CORPUS_TASKS else 0,
        "output_tokens": DEFAULT_OUTPUT_TOKENS.get(task, 0),
    }
    filled |= {key: value for key, value in by_task.items() if key not in answers.model_fields_set}
    if "input_tokens" not in answers.model_fields_set:
        # A corpus turns these tasks into RAG (G69), whose generator also reads the passages found.
        reads_passages = task in OPTIONAL_CORPUS_TASKS and filled["corpus_documents"] > 0
        filled["input_tokens"] = DEFAULT_INPUT_TOKENS.get(
            "retrieval-augmented-generation" if reads_passages else task, 128
        )
    if answers.requests_per_day is not None:
        filled["requests_per_second"] = min(_peak_rate(answers), MAX_REQUESTS_PER_SECOND)
        filled["peak_factor"] = answers.peak_factor or DEFAULT_PEAK_FACTOR
    return filled

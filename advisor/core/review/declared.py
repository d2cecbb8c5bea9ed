"""The architecture file as values: what a team says it needs, what it chose, what it may cost, and what it waived.

Shapes and nothing else. Reading a file with its places is `store.architecture_file`'s work, judging it stands beside
here. Only what was said is there: the answers of a workload get their defaults when they are judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, ConfigDict, Field

from advisor.core.architecture import Architecture
from advisor.core.hardware import Dtype
from advisor.core.review.document import Location
from advisor.core.values import Value
from advisor.core.workload import Answers, Flag

Steps = tuple[str | int, ...]
"""The way to a place in the file: keys, and numbers in lists."""

PARTS = ("retriever", "reranker", "generator")
"""The parts of a pipeline that a model can stand for, in the order in which a request passes them."""
MAX_COMPONENTS = 1000
MOST_NAME = 120
"""Characters of a name."""
MAX_HORIZON_DAYS = 3650
FINGERPRINT = "[0-9a-z]{12}"


def _number(value: object) -> object:
    """A float from an int; the rest is left for the strict check to refuse."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1e300 else value


def _day(value: object) -> object:
    """A day from its one spelling."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError("there is no such day") from None
    if isinstance(value, date):
        return value
    raise ValueError("write the day as year-month-day, like 2026-11-30")


def _version(value: object) -> object:
    """The number; true equals it, and is none."""
    if isinstance(value, bool):
        raise ValueError("it is the number 1")
    return value


def _fingerprint(value: object) -> object:
    """A machine's fingerprint, in the one form it has; what is no text is left for the strict check to refuse."""
    if isinstance(value, str) and not re.fullmatch(FINGERPRINT, value):
        raise ValueError(
            f'"{value[:60]}" is no fingerprint, which is 12 digits and small letters (see: advisor doctor)'
        )
    return value


def _as_list(value: object) -> object:
    """One entry stands for a list of one."""
    return [value] if isinstance(value, str) else value


def _as_part(value: object) -> object:
    """A model alone stands for a part that is this model."""
    return {"model": value} if isinstance(value, str) else value


Words = Annotated[str, Field(strict=True, min_length=1, max_length=1000)]
Listed = Annotated[tuple[Words, ...], BeforeValidator(_as_list, json_schema_input_type=tuple[Words, ...] | Words)]
Name = Annotated[str, Field(strict=True, min_length=1, max_length=MOST_NAME)]
Amount = Annotated[float, Field(strict=True, ge=0, le=1e30), BeforeValidator(_number)]
Limit = Annotated[float, Field(strict=True, gt=0, le=1e30), BeforeValidator(_number)]
Day = Annotated[date, BeforeValidator(_day)]
Fingerprint = Annotated[str, Field(strict=True, pattern=f"^{FINGERPRINT}$"), BeforeValidator(_fingerprint)]


class DeclaredPart(Value):
    """One part of a pipeline: a model, or at least its architecture."""

    architecture: Literal["encoder-only", "decoder-only", "encoder-decoder"] | None = None
    model: Words | None = None
    contrastive: Flag = False
    dtype: Dtype | None = None


Part = Annotated[DeclaredPart, BeforeValidator(_as_part, json_schema_input_type=DeclaredPart | Words)]


class DeclaredParts(Value):
    """The parts of a pipeline that hold a model; an index is none."""

    retriever: Part | None = None
    reranker: Part | None = None
    generator: Part | None = None


class DeclaredChoice(Value):
    """What the team decided. `dtype` is what the weights are served in, where the model itself does not say."""

    architecture: Architecture
    model: Words | None = None
    contrastive: Flag = False
    dtype: Dtype | None = None
    parts: DeclaredParts | None = None


class Budgets(Value):
    """What a component may cost; a throughput is a floor, the rest are ceilings."""

    parameters: Amount | None = None
    weights_gib: Amount | None = None
    kv_bytes_per_token: Amount | None = None
    flops_per_token: Amount | None = None
    p95_ms: Limit | None = None
    throughput_per_s: Limit | None = None
    peak_memory_gib: Limit | None = None


class DeclaredComponent(Value):
    """One component of the team's system.

    `testbed` is the fingerprint of the machine that timed budgets hold on, `measured` names profiles made there, `code`
    the Python files that use the model.
    """

    name: Name
    workload: Answers
    choice: DeclaredChoice
    budgets: Budgets = Field(default_factory=Budgets)
    testbed: Fingerprint | None = None
    measured: Listed = ()
    code: Listed = ()


class DeclaredWaiver(Value):
    """A finding that somebody answers for until a day. `ceiling` is a budget's: the value up to which it holds."""

    check: Name
    component: Name
    reason: Annotated[str, Field(strict=True, max_length=2000)]
    owner: Name
    created: Day
    expires: Day
    ceiling: Amount | None = None


class ArchitectureFile(Value):
    """A whole architecture file (contract: `architecture.yaml`)."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    schema_: Annotated[Literal[1], BeforeValidator(_version)] = Field(alias="schema")
    components: Annotated[tuple[DeclaredComponent, ...], Field(max_length=MAX_COMPONENTS)]
    waivers: Annotated[tuple[DeclaredWaiver, ...], Field(max_length=MAX_COMPONENTS)] = ()
    waiver_horizon_days: Annotated[int, Field(strict=True, ge=1, le=MAX_HORIZON_DAYS)] = 365


class Declared(NamedTuple):
    """An architecture file as it was read: its name, what it says, and where it says it."""

    file: str
    content: ArchitectureFile
    locate: Callable[[Steps], Location]


def pointer(steps: Steps) -> str:
    """The JSON pointer (RFC 6901) to a place."""
    return "".join(f"/{_escaped(step)}" for step in steps)


def _escaped(step: Any) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")

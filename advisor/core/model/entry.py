"""An entry of the catalogue: what a model is on paper, before anything is built.

`config` holds the transformers config values the closed forms need; the child builds the same module from them. What
those values mean stands in `families`, which entry stands for a choice is decided in `representative`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from advisor.core.architecture import Architecture, Role
from advisor.core.task import Task
from advisor.core.values import Value
from advisor.core.workload import Flag, InputTokens, Languages


def _whole(value: object) -> object:
    """An int from a float that is whole (`117e6`); the rest is left for the strict check to refuse."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


MAX_PARAMETERS = 10**13
"""Five times the largest model anybody has published: beyond it a size is a slip of the pen."""

Parameters = Annotated[int, BeforeValidator(_whole), Field(strict=True, ge=1, le=MAX_PARAMETERS)]
Words = Annotated[str, Field(strict=True, min_length=1, max_length=1000)]


class ModelEntry(Value):
    """One model.

    `parameters` counts the built module, tied weights once; `source_parameters` is the guide's own figure, where it
    gives one that is not that count. `context_tokens` is a hard limit where the model cannot use positions beyond it
    (`context_is_hard`), else the length trained on. `context_covers` says whether the limit is on the input alone or
    on input and output together. `context_note` is for people whose texts are longer than `context_note_beyond` tokens
    (`context_tokens` where left out); `context_source` names the guide's facts on that length. `language_names` lists
    the languages trained on, `transformers_class` is the class the child builds, `config` its config values. `hub_id`
    is None where no weights were ever published, and `unknown` then says why; such a model is built and measured all
    the same, for its sizes are known. `notes` say where the built module and what was published part ways.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$", max_length=80)
    title: Words
    architecture: Architecture
    roles: tuple[Role, ...] = Field(min_length=1)
    tasks: tuple[Task, ...] = Field(min_length=1)
    languages: Languages
    language_names: tuple[Words, ...] = ()
    model_type: Words
    transformers_class: Words
    config: dict[str, Any]
    context_tokens: InputTokens
    context_is_hard: Flag
    context_covers: Literal["input", "input+output"]
    context_note: Words | None = None
    context_note_beyond: InputTokens | None = None
    context_source: tuple[Words, ...] = Field(default=("ours",), min_length=1)
    parameters: Parameters
    source_parameters: Parameters | None = None
    license: Words
    hub_id: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=200
    )
    unknown: dict[str, Words] = Field(default_factory=dict)
    notes: tuple[Words, ...] = ()
    source: Words

    @property
    def positions(self) -> int | None:
        """How many tokens it has positions for; None where they have no end."""
        return self.context_tokens if self.context_is_hard else None

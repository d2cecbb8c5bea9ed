"""An entry of the catalogue: what a model is on paper, before anything is built.

`config` holds the transformers config values the closed forms need; the child builds the same module from them. What
those values mean stands in `families`, which entry stands for a choice is decided in `representative`.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from advisor.core.architecture import Architecture, Role
from advisor.core.task import Task
from advisor.core.values import Value
from advisor.core.workload import Languages


class ModelEntry(Value):
    """One model.

    `parameters` counts the built module, tied weights once; `source_parameters` is the guide's own figure, where it
    gives one that is not that count. `context_tokens` is a hard limit where the model cannot use positions beyond it
    (`context_is_hard`), else the length trained on. `context_covers` says whether the limit is on the input alone or
    on input and output together. `context_note` is for people whose texts are longer than `context_note_beyond` tokens
    (`context_tokens` where left out); `context_source` names the guide's facts on that length. `language_names` lists
    the languages trained on, `transformers_class` is the class the child builds, `config` its config values.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$", max_length=80)
    title: str
    architecture: Architecture
    roles: tuple[Role, ...] = Field(min_length=1)
    tasks: tuple[Task, ...] = Field(min_length=1)
    languages: Languages
    language_names: tuple[str, ...] = ()
    model_type: str
    transformers_class: str
    config: dict[str, Any]
    context_tokens: int = Field(ge=1)
    context_is_hard: bool
    context_covers: Literal["input", "input+output"]
    context_note: str | None = None
    context_note_beyond: int | None = Field(default=None, ge=1)
    context_source: tuple[str, ...] = ("ours",)
    parameters: int = Field(ge=1)
    source_parameters: int | None = Field(default=None, ge=1)
    license: str
    hub_id: str
    source: str

"""A model that only its owner runs: what is published of it, and for the rest why it is not known.

There are no weights to build and no sizes to count from, so nothing here is ever measured and no part of a design is
ever given to it. The one idea: a figure is either known or has a sentence that says why it is not.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from advisor.core.architecture import Architecture, Role
from advisor.core.model.entry import Parameters, Words
from advisor.core.task import Task
from advisor.core.values import Value
from advisor.core.workload import InputTokens, Languages

Size = Literal[
    "num_layers",
    "hidden_size",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "intermediate_size",
    "vocab_size",
    "vector_size",
]
"""The sizes that papers and manuals state, in the field's words."""


class HostedModel(Value):
    """One model behind its owner's interface.

    `provider` runs it. `parameters` is what was published, not counted. `sizes` holds the other sizes published.
    `unknown` gives, for each figure that is None (see `MAY_BE_UNKNOWN`), the reason. `notes` say what is reported but
    not confirmed, and where the guide and what was published part ways.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$", max_length=80)
    title: Words
    provider: Words
    architecture: Architecture | None = None
    roles: tuple[Role, ...] = Field(min_length=1)
    tasks: tuple[Task, ...] = Field(min_length=1)
    languages: Languages
    language_names: tuple[Words, ...] = ()
    context_tokens: InputTokens | None = None
    context_covers: Literal["input", "input+output"] | None = None
    context_note: Words | None = None
    parameters: Parameters | None = None
    source_parameters: Parameters | None = None
    sizes: dict[Size, Parameters] = Field(default_factory=dict)
    unknown: dict[str, Words] = Field(default_factory=dict)
    notes: tuple[Words, ...] = ()
    license: Words
    source: Words


MAY_BE_UNKNOWN = ("architecture", "parameters", "context_tokens")
"""The figures of a hosted model that nobody may have published."""

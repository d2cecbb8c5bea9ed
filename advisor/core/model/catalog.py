"""The catalogue as a value: the models there are, and the table that says which of them stands for what.

What the table prefers is data; whether the preferred model reads, speaks and fits is worked out in `representative`.
Reading a folder of models is `store.catalog`'s work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from advisor.core.architecture import ROLES
from advisor.core.errors import AdvisorError, allowed_words
from advisor.core.guide.axis import AxisSpec
from advisor.core.guide.recommendation import Source
from advisor.core.guide.rule import Table
from advisor.core.model.entry import ModelEntry
from advisor.core.model.hosted import HostedModel
from advisor.core.task import TASKS
from advisor.core.workload import PRIORITIES

OURS = "ours"
"""The source of what stands in no document: arithmetic on a model's published figures, or our own judgement."""

COMPONENT_AXES: tuple[AxisSpec, ...] = (
    AxisSpec("role", tuple(role for role in ROLES if role != "index")),  # an index is no model
    AxisSpec("architecture", ("encoder-only", "decoder-only", "encoder-decoder")),
    AxisSpec("task", TASKS),
    AxisSpec("priority", PRIORITIES),
)
"""What the table of preferences may ask about the component that a model stands for."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """The models of a folder, by id in the order of the files, and which of them stands for what.

    `entries` can be built and measured, `hosted` cannot: only `entries` ever stand for anything. `sections` holds the
    section of the guide that each cited fact comes from.
    """

    entries: Mapping[str, ModelEntry]
    preferences: Table
    sections: Mapping[str, str]
    hosted: Mapping[str, HostedModel] = field(default_factory=dict)

    def get(self, model_id: str) -> ModelEntry:
        """The entry with this id. Raises AdvisorError with the nearest id, or why a hosted model has no entry."""
        if model_id in self.entries:
            return self.entries[model_id]
        if model_id in self.hosted:
            owner = self.hosted[model_id].provider
            words = f"{model_id} runs only at {owner}: without its weights there is nothing here to build or measure"
            raise AdvisorError(words, fix="name a model with a config, see: advisor models")
        raise AdvisorError(f'unknown model "{model_id}" — {allowed_words(model_id, self.entries)}')

    def find(self, model_id: str) -> ModelEntry | HostedModel:
        """The model with this id, hosted or not. Raises AdvisorError with the nearest id."""
        if model_id in self.hosted:
            return self.hosted[model_id]
        if model_id in self.entries:
            return self.entries[model_id]
        raise AdvisorError(f'unknown model "{model_id}" — {allowed_words(model_id, (*self.entries, *self.hosted))}')

    def source(self, ids: Sequence[str]) -> tuple[Source, ...]:
        """Cited facts with the sections they stand in."""
        return tuple(Source(id=one, section=OURS if one == OURS else self.sections[one]) for one in ids)

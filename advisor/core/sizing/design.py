"""What is planned: the advised parts, what was measured of them, and the demand of a workload.

A part that cannot be planned is here too, with the reason. The same design is asked again with changed answers, which
is how the nearest plan that passes and the first thing to change are found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from advisor.core.architecture import Architecture, Role
from advisor.core.guide.recommendation import Component, Recommendation
from advisor.core.lengths import component_lengths
from advisor.core.model.context import length_refusal
from advisor.core.model.cost import anatomy
from advisor.core.model.entry import ModelEntry
from advisor.core.sizing.candidates import Part, part_of
from advisor.core.sizing.capacity import Demand
from advisor.core.sizing.measurement import Profile, Stage
from advisor.core.workload import Workload

_STAGES_OF_ROLE: Mapping[Role, tuple[Stage, ...]] = {
    "retriever": ("embed",),
    "index": ("search",),
    "reranker": ("rerank",),
}
_STAGES_OF_ARCHITECTURE: Mapping[Architecture | None, tuple[Stage, ...]] = {
    "encoder-only": ("forward",),
    "decoder-only": ("prefill", "decode"),
    "encoder-decoder": ("encode", "decode"),
}
_INDEX_VALUE_BYTES = 4


@dataclass(frozen=True, slots=True)
class Index:
    """A vector index as arithmetic: exact, in memory, a float32 vector per document. Its searches are not measured."""

    documents: int
    dimensions: int

    @property
    def size_bytes(self) -> int:
        return self.documents * self.dimensions * _INDEX_VALUE_BYTES

    def machines(self, memory_limit_bytes: int) -> int:
        """The fewest machines whose memory holds it."""
        return max(1, ceil(Fraction(self.size_bytes, max(memory_limit_bytes, 1))))


@dataclass(frozen=True, slots=True)
class Design:
    """The advised parts with their measurements. `memory_limit_bytes` is what one replica may take."""

    recommendation: Recommendation
    profiles: Mapping[Role, Profile]
    entries: Mapping[str, ModelEntry]
    memory_limit_bytes: int
    seed: int

    @property
    def workload(self) -> Workload:
        return self.recommendation.workload

    def parts(self, workload: Workload) -> tuple[Part, ...]:
        """Every advised part under these answers, in the order in which a request passes them."""
        return tuple(self._part(component, workload) for component in self.recommendation.components)

    def index(self, workload: Workload) -> Index | None:
        """The index, where the design has one and the retriever's vectors are known."""
        components = {component.role: component for component in self.recommendation.components}
        retriever = components.get("retriever")
        entry = self.entries.get(retriever.model) if retriever and retriever.model else None
        if "index" not in components or entry is None:
            return None
        return Index(workload.corpus_documents, anatomy(entry).hidden_size)

    def _part(self, component: Component, workload: Workload) -> Part:
        role, architecture = component.role, component.architecture
        lengths = component_lengths(workload, architecture=architecture, role=role)
        profile, model = self.profiles.get(role), self.entries.get(component.model or "")
        longest = lengths.longest_input_tokens, lengths.longest_output_tokens
        too_long = None if model is None else length_refusal(model, *longest)
        if profile is not None and too_long is None:
            return part_of(role, profile, self.entries.get(profile.model.id), lengths, self.memory_limit_bytes)
        stages = _STAGES_OF_ROLE.get(role) or _STAGES_OF_ARCHITECTURE.get(architecture, ("forward",))
        missing = too_long.rstrip(".") if too_long else _why_no_profile(component)
        writes = len(stages) > 1
        return Part(
            role, component.model, stages, lengths, missing=missing, writes=writes, too_long=too_long is not None
        )


def _why_no_profile(component: Component) -> str:
    if component.role == "index":
        return "searching an index is not measured yet"
    if component.model is None:
        # The first two reasons say why the part exists and what would stand for it; the rest why that cannot.
        reasons = [because.says.rstrip(".") for because in component.because]
        return ". ".join(reasons[2:] or reasons[-1:]) or "no model of the catalogue stands for it"
    return f"{component.model} was not measured"


def demand_of(workload: Workload, *, writes: bool) -> Demand:
    """The budgets in seconds. The one for the first token holds only where answers are written."""
    latency_ms, first_ms = workload.latency_budget_ms, workload.first_token_budget_ms
    return Demand(
        percentile=workload.latency_percentile,
        latency_budget_s=None if latency_ms is None else latency_ms / 1000,
        first_token_budget_s=None if first_ms is None or not writes else first_ms / 1000,
    )

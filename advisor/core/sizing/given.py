"""Profiles that were made elsewhere, and the parts they stand for.

The one idea: a profile is taken for the part it fits, never made to fit. One that fits no part is a mistake with a
place; a part that has none, or lacks a length, is left open, and the command that would close the gap is named.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from math import inf
from typing import NamedTuple

from advisor.core.architecture import Role
from advisor.core.guide.recommendation import Because, Component, Recommendation, Source
from advisor.core.hardware import GIB
from advisor.core.model.entry import ModelEntry
from advisor.core.sizing.candidates import Part
from advisor.core.sizing.design import Design
from advisor.core.sizing.measurement import Profile

Path = tuple[str | int, ...]


class Misfit(NamedTuple):
    """Why a profile (by its number) stands for no part: the place inside it, what is wrong, what to do."""

    profile: int
    path: Path
    says: str
    fix: str


def assigned(
    advice: Recommendation, profiles: Sequence[Profile], entries: Mapping[str, ModelEntry]
) -> tuple[dict[Role, int], list[Misfit]]:
    """Which profile (by its index) stands for which part, and those that stand for none."""
    open_parts = [part for part in advice.components if part.role != "index"]
    taken: dict[Role, int] = {}
    misfits: list[Misfit] = []
    for index, profile in enumerate(profiles):
        wrong = _wrong_in_itself(index, profile, entries)
        fitting = [part for part in open_parts if _fits(part, profile)]
        free = [part for part in fitting if part.role not in taken]
        if wrong is not None:
            misfits.append(wrong)
        elif not fitting:
            misfits.append(_no_such_part(index, profile, advice))
        elif not free:
            says = f"{profile.model.id} would stand for the {fitting[0].role}, which another profile stands for already"
            misfits.append(Misfit(index, ("model", "id"), says, "give one profile for each part"))
        else:
            named = [part for part in free if part.model == profile.model.id]
            taken[(named or free)[0].role] = index
    return taken, misfits


def with_given_models(advice: Recommendation, models: Mapping[Role, str]) -> Recommendation:
    """The advice with the models that were measured standing for their parts."""
    components = tuple(
        part.model_copy(update={"model": models[part.role], "because": (_given(models[part.role]),)})
        if part.role in models and models[part.role] != part.model
        else part
        for part in advice.components
    )
    return advice.model_copy(update={"components": components})


def memory_limit_of(profiles: Sequence[Profile], allowed_gib: float | None) -> int:
    """What a replica may take: the least of the machines that were measured, and what the team allows."""
    limits = [profile.machine.memory_limit_on(device_of(profile)) for profile in profiles]
    return int(min(*limits, inf if allowed_gib is None else allowed_gib * GIB))


def device_of(profile: Profile) -> str:
    """The device its model was measured on; a tokenizer runs on the processor whatever the model runs on."""
    return next((cell.device for cell in profile.cells if cell.stage != "tokenize"), profile.cells[0].device)


def to_measure(design: Design, folders: Sequence[str] = ()) -> tuple[str, ...]:
    """For each part that lacks something, the command that measures it; run on the machine to be planned.

    `folders` are the words of a command line that name the folder of models, where that is not the shipped one.
    """
    lacking = [part for part in design.parts(design.workload) if part.model is not None and _lacks(part)]
    return tuple(dict.fromkeys(_command(part, design.profiles.get(part.role), folders) for part in lacking))


def _lacks(part: Part) -> bool:
    """Whether it has no figure at all, or one that is only a floor, and could have one."""
    return not part.too_long and (part.missing is not None or any(one.floors for one in part.candidates))


def _command(part: Part, profile: Profile | None, folders: Sequence[str]) -> str:
    lengths = part.lengths
    inputs = sorted({lengths.input_tokens, lengths.longest_input_tokens})
    words = ["advisor", "profile", _named(part, profile), "--input-tokens", ",".join(map(str, inputs))]
    if lengths.output_tokens:
        words += ["--output-tokens", str(lengths.longest_output_tokens)]
    if lengths.texts > 1:
        words += ["--batch", str(lengths.texts)]
    if profile is not None:
        words += ["--dtype", ",".join(dict.fromkeys(cell.dtype for cell in profile.cells))]
        if {cell.runtime for cell in profile.cells} != {"torch"}:
            words += ["--runtime", ",".join(dict.fromkeys(cell.runtime for cell in profile.cells))]
        words += ["--device", device_of(profile)]
    return shlex.join([*words, *folders, "--samples", "--output", f"{part.role}.json"])


def _named(part: Part, profile: Profile | None) -> str:
    """The model as a command names it again: by its id, or where it is none of the catalogue by hub or folder."""
    model = None if profile is None else profile.model
    if model is None or model.name is None:
        return part.model or ""
    if model.hub_id is None:
        return f"./{model.name}"
    return model.hub_id if model.revision is None else f"{model.hub_id}@{model.revision}"


def _fits(part: Component, profile: Profile) -> bool:
    """A re-ranker scores pairs, which no other part does; for the rest the architecture decides."""
    scores_pairs = any(cell.stage == "rerank" for cell in profile.cells)
    if part.role == "reranker" and not scores_pairs:
        return False
    return part.architecture == profile.model.architecture and (part.role == "reranker" or not _only_pairs(profile))


def _only_pairs(profile: Profile) -> bool:
    return all(cell.stage in ("rerank", "load", "tokenize") for cell in profile.cells)


def _wrong_in_itself(index: int, profile: Profile, entries: Mapping[str, ModelEntry]) -> Misfit | None:
    model, entry = profile.model, entries.get(profile.model.id)
    if entry is not None and entry.architecture != model.architecture:
        says = f"the catalogue's {model.id} is {entry.architecture}, this profile calls it {model.architecture}"
        return Misfit(index, ("model", "architecture"), says, "give the catalogue it was measured with: --models DIR")
    return None


def _no_such_part(index: int, profile: Profile, advice: Recommendation) -> Misfit:
    model = profile.model
    wanted = " and ".join(f"{part.architecture} ({part.role})" for part in advice.components if part.role != "index")
    says = f"{model.id} is {model.architecture}, but the advice for {advice.workload.task} needs {wanted}"
    return Misfit(index, ("model", "architecture"), says, "measure a model of that kind, see: advisor models")


def _given(model: str) -> Because:
    return Because(says=f"You gave a profile of {model}.", source=(Source(id="answers", section="yours"),))

"""The guide's claims on a task, held against what was measured on this machine.

A claim is data (`rules/guide.yaml`): a ratio between two architectures, or something that no measurement shows. The one
idea: only an interval that lies wholly on one side of what is claimed settles it; and a model smaller than those a
claim is made for can confirm it, since a larger one takes longer still, but never refute it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from advisor.core.architecture import Architecture
from advisor.core.comparison import ClaimResult, Outcome, Ratio
from advisor.core.guide.rulebook import Claim, ClaimedRatio, Rulebook
from advisor.core.sizing.sides import Taken, ratio_between
from advisor.core.task import Task


def judged(
    task: Task,
    sides: Mapping[Architecture, Sequence[Taken]],
    parameters: Mapping[Architecture, int],
    rulebook: Rulebook,
) -> tuple[ClaimResult, ...]:
    """The guide's claims on a task, each held against what was measured. `parameters` are those of the models."""
    return tuple(_judged(claim, sides, parameters, rulebook) for claim in rulebook.claims if task in claim.tasks)


def _judged(
    claim: Claim,
    sides: Mapping[Architecture, Sequence[Taken]],
    parameters: Mapping[Architecture, int],
    rulebook: Rulebook,
) -> ClaimResult:
    said = claim.ratio
    found = None if said is None else ratio_between(sides, said.quantity, said.dearer, said.cheaper)
    if said is None:
        outcome, note = _undecided(f"It speaks of {claim.about}, which is not measured.")
    elif found is None:
        outcome, note = _undecided("One of the two has no figure here.")
    else:
        outcome, note = _outcome(said, found, parameters.get(said.dearer))
    return ClaimResult(
        id=claim.id,
        says=claim.says,
        source=rulebook.sources(claim.source),
        outcome=outcome,
        quantity=said.quantity if said else None,
        dearer=said.dearer if said else None,
        cheaper=said.cheaper if said else None,
        at_least=said.at_least if said else None,
        ratio=found.ratio if found else None,
        ci95=found.ci95 if found else None,
        note=note,
    )


def _outcome(said: ClaimedRatio, found: Ratio, parameters: int | None) -> tuple[Outcome, str]:
    """What the interval says of the claim. A model smaller than those it is made for can confirm it, not refute it."""
    low, high = found.ci95
    smaller = said.made_for_parameters is not None and (parameters or 0) < said.made_for_parameters
    made_for = f"the claim is made for {said.made_for_parameters:,} parameters and more" if smaller else ""
    measured_on = f"the {said.dearer} measured here has {parameters:,}" if parameters else "a smaller one was measured"
    if low >= said.at_least:
        size = f"Already here: {made_for}, {measured_on}."
        return "confirmed", size if smaller else "The whole interval says so."
    if high >= said.at_least:
        return _undecided("The interval reaches to both sides of it; more rounds on an idle machine would settle it.")
    if smaller:
        return _undecided(f"Not here, but {made_for}, and {measured_on}.")
    return "refuted", "The whole interval lies below it."


def _undecided(note: str) -> tuple[Outcome, str]:
    return "undecided", note

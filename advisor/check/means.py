"""What a review may do beside reading: measure where this machine is the testbed, look at a model that has weights.

Both start a process with torch in it, and only where they can show something; without them a review still judges all
that is written. For an earlier state neither is done; what a look shows now is held to be true of the same files then.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from advisor.core.errors import AdvisorError
from advisor.core.review.found import Found, Unseen
from advisor.store.architecture_file import ReadFile
from advisor.store.declared_model import has_weights

if TYPE_CHECKING:  # a review that starts no process pays for none of it
    from advisor.advise import Knowledge
    from advisor.core.guide.recommendation import Recommendation
    from advisor.core.inspection import Inspection
    from advisor.core.review.case import Case
    from advisor.core.sizing.measurement import Effort, Profile

CLOSER = "look closer with: advisor inspect FOLDER"

Say = Callable[[str], object]
Measure = Callable[["Recommendation", "Case", ReadFile, "Knowledge", "Effort"], "list[Profile]"]
Inspect = Callable[[str, ReadFile], "Inspection | None"]


class Means(NamedTuple):
    """`measure` makes profiles, `inspect` looks at a model that a file names.

    Each is None where it is not done at all; looking gives None where what builds models is not installed, and raises
    AdvisorError where this model cannot be looked at.
    """

    measure: Measure | None = None
    inspect: Inspect | None = None
    say: Say = lambda words: None


class Inspector:
    """Looks at folders, each once, whatever comes of it."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._found: dict[Path, Inspection | AdvisorError | None] = {}

    def __call__(self, name: str, read: ReadFile) -> Inspection | None:
        """What is seen of a model that the file names. Raises AdvisorError where it cannot be looked at."""
        folder = read.repository.folder / name
        if not has_weights(folder, read.repository):
            raise AdvisorError(f"{name} holds no weights (safetensors)", fix=f"{CLOSER}, where its weights lie")
        folder = folder.resolve()
        if folder not in self._found:
            self._found[folder] = _looked(folder, self._say)
        found = self._found[folder]
        if isinstance(found, AdvisorError):
            raise found
        return found

    @property
    def seen(self) -> dict[Path, Inspection]:
        """What was seen so far, by folder."""
        return {at: one for at, one in self._found.items() if one is not None and not isinstance(one, AdvisorError)}


def _looked(folder: Path, say: Say) -> Inspection | AdvisorError | None:
    from advisor.inspecting import can_inspect, inspect_folder

    try:
        return inspect_folder(folder, say=say) if can_inspect() else None
    except AdvisorError as error:
        return error


def probed(found: Found, name: str, read: ReadFile, means: Means) -> Found:
    """What is known of a model, with what its attention was seen to do where it is a folder with weights."""
    if means.inspect is None or found.architecture is None or not found.in_folder:
        return found
    try:
        seen = means.inspect(name, read)
    except AdvisorError as error:
        return found._replace(unseen=Unseen(error.problems[0].message.rstrip("."), error.problems[0].fix or CLOSER))
    if seen is None:
        why = "what builds models is not installed (torch, transformers, scikit-learn)"
        return found._replace(unseen=Unseen(why, 'pip install "archadvisor[profile]"'))
    return _with_evidence(found, seen)


def _with_evidence(found: Found, seen: Inspection) -> Found:
    """What the config says, corrected by what was seen."""
    from advisor.core.inspection import sees_ahead

    if seen.agrees is None:
        return found._replace(unseen=Unseen("a layer of it has no pattern that is known", CLOSER, open_=True))
    if seen.probe.architecture is None and not sees_ahead(seen.claim, seen.probe):
        return found._replace(belied="by a probe its layers make no architecture that is known", entry=None)
    kind = seen.probe.architecture or "no known architecture"
    evidence = f"{found.evidence}; by a probe its attention is that of {kind}"
    if seen.agrees or sees_ahead(seen.claim, seen.probe):  # that it sees ahead is a mistake with a name of its own
        return found._replace(evidence=evidence, mask_found=seen.mask_found or found.mask_found)
    return found._replace(architecture=seen.probe.architecture, evidence=evidence, entry=None)

"""What a review may do beside reading: measure where this machine is the testbed, look at a model that has weights.

Both start a process with torch in it, and only where they can show something; without them a review still judges all
that is written. For an earlier state neither is done.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from advisor.core.errors import AdvisorError
from advisor.core.review.found import Found
from advisor.store.architecture_file import ReadFile
from advisor.store.declared_model import has_weights

if TYPE_CHECKING:  # a review that starts no process pays for none of it
    from advisor.advise import Knowledge
    from advisor.core.guide.recommendation import Recommendation
    from advisor.core.inspection import Inspection
    from advisor.core.review.case import Case
    from advisor.core.sizing.measurement import Effort, Profile

Say = Callable[[str], object]
Measure = Callable[["Recommendation", "Case", ReadFile, "Knowledge", "Effort"], "list[Profile]"]
Inspect = Callable[[Path], "Inspection | None"]


class Means(NamedTuple):
    """`measure` makes profiles, `inspect` looks at a folder (None where that cannot be done here)."""

    measure: Measure | None = None
    inspect: Inspect | None = None
    say: Say = lambda words: None


def inspector(say: Say) -> Inspect:
    """Looks at folders, each once."""
    seen: dict[Path, Inspection | None] = {}

    def look(folder: Path) -> Inspection | None:
        from advisor.inspecting import can_inspect, inspect_folder

        folder = folder.resolve()
        if folder not in seen:
            seen[folder] = inspect_folder(folder, say=say) if can_inspect() else None
        return seen[folder]

    return look


def probed(found: Found, name: str, read: ReadFile, means: Means) -> Found:
    """What is known of a model, with what its attention was seen to do where it is a folder with weights."""
    folder = read.repository.folder / name
    if means.inspect is None or found.entry is None or not has_weights(folder, read.repository):
        return found
    try:
        seen = means.inspect(folder)
    except AdvisorError as error:
        return found._replace(evidence=f"{found.evidence}; its attention was not probed: {error.problems[0].message}")
    if seen is None:
        return found._replace(evidence=f"{found.evidence}; its attention was not probed: torch is not installed")
    from advisor.core.inspection import sees_ahead

    if seen.agrees is None:
        return found._replace(evidence=f"{found.evidence}; a layer of its attention could not be named")
    evidence = f"{found.evidence}; by a probe its attention is that of {seen.probe.architecture or 'no known one'}"
    if seen.agrees or sees_ahead(seen.claim, seen.probe):  # that it sees ahead is a mistake with a name of its own
        return found._replace(evidence=evidence, mask_found=seen.mask_found or found.mask_found)
    if seen.probe.architecture is None:
        return found._replace(architecture=None, why_not="its layers are those of no known architecture", entry=None)
    return found._replace(architecture=seen.probe.architecture, evidence=evidence, entry=None)

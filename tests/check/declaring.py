"""Architecture files for tests: written into a folder, and reviewed there without a process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from advisor.advise import Knowledge, load_knowledge
from advisor.check.story import Asked, review
from advisor.core.review.document import CheckDocument, Result

TODAY = date(2026, 11, 22)
RETRIEVAL = {"task": "retrieval", "requests_per_second": 40, "input_tokens": 64}
LABELS = {"task": "text-classification", "requests_per_second": 200, "input_tokens": 128}
WAIVER = {
    "check": "EMB-101",
    "component": "search",
    "reason": "The encoder replacement ships in March; recall is watched.",
    "owner": "search-team",
    "created": "2026-11-01",
    "expires": "2027-02-01",
}

Declare = Callable[..., CheckDocument]


@lru_cache(maxsize=1)
def knowledge() -> Knowledge:
    """The shipped rules and models, read once."""
    return load_knowledge()


def component(name: str, workload: Mapping[str, Any], architecture: str, **more: Any) -> dict[str, Any]:
    """A component; what is not a key of its own belongs to its choice."""
    own = {key: more.pop(key) for key in ("budgets", "testbed", "measured", "code") if key in more}
    return {"name": name, "workload": dict(workload), "choice": {"architecture": architecture, **more}, **own}


def written(folder: Path, *components: Mapping[str, Any], waivers: Any = (), **more: Any) -> Path:
    """An architecture file in the folder."""
    content = {"schema": 1, "components": list(components), "waivers": list(waivers), **more}
    path = folder / "architecture.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def reviewed(path: Path, **asked: Any) -> CheckDocument:
    """The review of a file."""
    return review(Asked(paths=(str(path),), **({"today": TODAY} | asked)), knowledge()).document


def only(document: CheckDocument, check: str, component: str | None = None) -> Result:
    """The one result of a check."""
    (found,) = [one for one in document.results if one.check == check and component in (None, one.component)]
    return found


def failing(document: CheckDocument) -> dict[str, str]:
    """The checks that failed, each with its level."""
    return {one.check: one.level for one in document.results if one.outcome == "fail"}

"""A first architecture file from answers and the advice they lead to, as YAML with comments.

Only what was said stands in its workload: a default that nobody chose is not written down as if somebody had.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from advisor.core.characters import visible
from advisor.core.guide.recommendation import Component, Recommendation
from advisor.core.workload import ANSWER_ORDER, Answers

PARTS = ("retriever", "reranker", "generator")
OWN = "put your own here, ids of the catalogue or folders with config.json"
STAND_IN = "a stand-in: put your own here, an id of the catalogue or a folder with config.json"
_PLAIN = re.compile(r"(?!(?:true|false|null|yes|no|on|off|y|n)$)[a-z][a-z0-9-]*", re.IGNORECASE)


def architecture_yaml(name: str, said: Answers, advice: Recommendation, *, schema: str) -> str:
    """The file's text. `schema` is where an editor finds the JSON Schema, as seen from the file."""
    lines = [
        f"# yaml-language-server: $schema={schema}",
        "# What each component is for and which architecture was chosen for it. `advisor check` reviews this file.",
        "schema: 1",
        "components:",
        f"  - name: {_text(name)}",
        "    workload:",
        *(f"      {key}: {_value(getattr(said, key))}" for key in ANSWER_ORDER if key in said.model_fields_set),
        "    choice:",
        *(f"      {line}" for line in _choice(advice)),
        "    # budgets: {parameters: 400e6, weights_gib: 1.5}   what it may cost; advisor explain BUD-101 and its kin",
        "    # code: [src/**/*.py]   Python files that use the model; they are read, never imported",
        "waivers: []",
    ]
    return "".join(f"{line}\n" for line in lines)


def _choice(advice: Recommendation) -> Iterator[str]:
    """The advised architecture with the models that stand for it, and why, in a comment."""
    rules = ", ".join(reason.rule for reason in advice.reasons)
    yield f"architecture: {advice.architecture}   # advised ({advice.strength}; {rules})"
    with_model = [one for one in advice.components if one.role in (*PARTS, "model") and one.model is not None]
    if advice.architecture == "retrieval-augmented-generation":
        if with_model:
            yield f"parts:   # the models are stand-ins: {OWN}"
        yield from (f"  {one.role}: {{architecture: {one.architecture}, model: {_named(one)}}}" for one in with_model)
    elif with_model:
        yield f"model: {_named(with_model[0])}   # {STAND_IN}"
    else:
        yield "# model: yours, an id of the catalogue or a folder with config.json"


def _named(component: Component) -> str:
    return _text(component.model or "")


def _value(value: object) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(text: str) -> str:
    """A text as YAML reads it back, in quotes where it could be taken for something else."""
    return text if _PLAIN.fullmatch(text) else json.dumps(visible(text), ensure_ascii=False)

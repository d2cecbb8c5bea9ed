"""A models folder read from scratch: every mistake of every file in one run, each at its line and column.

`catalog` is the door to it and remembers what was read. One family per file (`models:`, or `hosted:` for what only its
owner runs), `representatives.yaml` for what stands for what, `sources.yaml` for the facts cited. Beyond the shape of
each file it checks what only the closed forms know: that a config can be built, that the parameters stated are those of
the module, that a context fits the positions there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from advisor.core.architecture import Architecture, Role
from advisor.core.errors import AdvisorError, Problem, allowed_words
from advisor.core.guide.axis import Value
from advisor.core.guide.rule import Facts
from advisor.core.model.catalog import COMPONENT_AXES, OURS, Catalog
from advisor.core.model.entry import MAX_PARAMETERS, ModelEntry
from advisor.core.model.families import FAMILIES, Family, anatomy_of, config_mistakes, positions_of
from advisor.core.model.hosted import MAY_BE_UNKNOWN, HostedModel
from advisor.core.model.parameters import parameter_count
from advisor.core.task import Task, generates
from advisor.core.workload import Priority
from advisor.store.rule_table import TableKind, load_table, source_problems
from advisor.store.schema import validate
from advisor.store.yaml import Parsed, Steps, parse

M = TypeVar("M", ModelEntry, HostedModel)

PREFERENCES, SOURCES = "representatives.yaml", "sources.yaml"
OVER = "component"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Family(_Strict):
    models: list[Any] = []
    hosted: list[Any] = []


class _Sources(_Strict):
    sources: dict[str, Annotated[str, Field(strict=True, min_length=1)]]


class _Component(_Strict):
    """An example of the table of preferences: a component, whose task it must name."""

    role: Role = "model"
    architecture: Architecture = "encoder-only"
    task: Task
    priority: Priority = "balanced"


def read_catalog(folder: Path, files: Mapping[str, bytes]) -> Catalog:
    """The catalogue that `files` (by name, from `folder`) hold. Raises AdvisorError with every problem of all files."""
    reading = _Reading(folder, files)
    catalog = reading.catalog()
    if reading.problems or catalog is None:
        order = sorted(reading.problems, key=lambda one: (one.file or "", one.line or 0, one.column or 0, one.message))
        raise AdvisorError(order)
    return catalog


class _Reading:
    """One folder being read: the files that could be parsed, and every problem found on the way."""

    def __init__(self, folder: Path, files: Mapping[str, bytes]) -> None:
        self.folder = folder
        self.problems: list[Problem] = []
        self.files: dict[str, Parsed] = {}
        for name, holds in ((PREFERENCES, "says which model stands for what"), (SOURCES, "lists the facts cited")):
            if name not in files:
                words = f"{name} is missing: it {holds}"
                self.problems.append(Problem(str(folder), None, None, words, f"copy the shipped {name} and edit it"))
        for name, data in files.items():
            try:
                self.files[name] = parse(data, file=str(folder / name))
            except AdvisorError as error:
                self.problems += error.problems

    def catalog(self) -> Catalog | None:
        """The catalogue, or None where a part is missing; the problems say which."""
        sections = self._sections()
        entries, hosted = self._models(sections)
        preferences = self.files.get(PREFERENCES)
        if preferences is None:
            return None
        table, problems = load_table(
            preferences, _preferences_kind(entries), thresholds={}, sources=(OURS, *(sections or ()))
        )
        # a model that could not be read, or facts that could not, would be reported again by every row that names them
        self.problems += problems if sections is not None and not self.problems else []
        return Catalog(entries, table, sections, hosted) if table is not None and sections is not None else None

    def _sections(self) -> dict[str, str] | None:
        parsed = self.files.get(SOURCES)
        if parsed is None:
            return None
        sources, problems = validate(parsed, _Sources)
        self.problems += problems
        return sources.sources if sources is not None else None

    def _models(self, sections: Mapping[str, str] | None) -> tuple[dict[str, ModelEntry], dict[str, HostedModel]]:
        """The models of all files by id, those that can be built and those that cannot."""
        entries: dict[str, ModelEntry] = {}
        hosted: dict[str, HostedModel] = {}
        places: dict[str, str] = {}
        for name in sorted(set(self.files) - {PREFERENCES, SOURCES}):
            parsed = self.files[name]
            for at, model in self._family(parsed):
                self.problems += self._problems_of(parsed, at, model, sections)
                if model.id in places:
                    words = f"the id {model.id} stands twice, first in {places[model.id]}"
                    self.problems.append(parsed.problem((*at, "id"), words, "give each model its own id"))
                places.setdefault(model.id, f"{name}:{parsed.place((*at, 'id')).line}")
                if isinstance(model, ModelEntry):
                    entries.setdefault(model.id, model)
                else:
                    hosted.setdefault(model.id, model)
        if not entries and not self.problems:
            words = "no file here holds a model"
            self.problems.append(Problem(str(self.folder), None, None, words, "add a family, a list under `models:`"))
        return entries, hosted

    def _problems_of(
        self, parsed: Parsed, at: Steps, model: ModelEntry | HostedModel, sections: Mapping[str, str] | None
    ) -> list[Problem]:
        if isinstance(model, HostedModel):
            return list(_hosted_problems(parsed, at, model))
        problems = list(_entry_problems(parsed, at, model))
        if sections is not None:
            known = (OURS, *sections)
            problems += source_problems(parsed, (*at, "context_source"), model.context_source, known)
        return problems

    def _family(self, parsed: Parsed) -> Iterator[tuple[Steps, ModelEntry | HostedModel]]:
        """The models of one file that have the right shape, with their places."""
        family, problems = validate(parsed, _Family)
        self.problems += problems
        if family is None:
            return
        if not family.models and not family.hosted:
            words = "this file holds no model"
            self.problems.append(parsed.problem((), words, "add one under `models:`, or remove the file"))
        yield from self._listed(parsed, "models", len(family.models), ModelEntry)
        yield from self._listed(parsed, "hosted", len(family.hosted), HostedModel)

    def _listed(self, parsed: Parsed, key: str, count: int, kind: type[M]) -> Iterator[tuple[Steps, M]]:
        for number in range(count):
            model, problems = validate(parsed, kind, at=(key, number))
            self.problems += problems
            if model is not None:
                yield (key, number), model


def _preferences_kind(entries: Mapping[str, ModelEntry]) -> TableKind:
    return TableKind(
        axes={OVER: COMPONENT_AXES},
        policy="unique",
        outcomes=tuple(entries),
        check_example=lambda parsed, at, over: validate(parsed, _Component, at=at)[1],
        complete=_complete,
        many=True,
    )


def _complete(example: Facts) -> dict[str, Value]:
    """A component with what it leaves out filled in, its task too: the proof may know no more than a role."""
    return _Component.model_validate({"task": "text-classification"} | example).model_dump()


def _entry_problems(parsed: Parsed, at: Steps, entry: ModelEntry) -> Iterator[Problem]:
    """What is wrong with an entry of the right shape, named by its id because a file holds several."""

    def problem(key: Steps, message: str, fix: str | None = None, *, on_key: bool = False) -> Problem:
        return parsed.problem((*at, *key), f"{entry.id}: {message}", fix, key=on_key)

    family = FAMILIES.get(entry.model_type)
    if family is None:
        words = f'unknown model_type "{entry.model_type}" — {allowed_words(entry.model_type, FAMILIES)}'
        yield problem(("model_type",), words, "a new model type needs its closed forms first")
        return
    shape = (*_family_mistakes(entry, family), *_list_mistakes(entry), *_part_mistakes(entry))
    for key, message, fix in (*shape, *_unknown_mistakes(entry, ("hub_id",))):
        yield problem(key, message, fix)
    mistakes = config_mistakes(entry.model_type, entry.config)
    known = {one.name for one in family.keys}
    for key, message, fix in mistakes:
        yield problem(key, message, fix, on_key=key[-1] not in known)
    if mistakes:  # nothing can be counted yet
        return
    for key, message, fix in (*_parameter_mistakes(entry, family), *_context_mistakes(entry, family)):
        yield problem(key, message, fix, on_key=key == ("config",))


def _hosted_problems(parsed: Parsed, at: Steps, model: HostedModel) -> Iterator[Problem]:
    """What is wrong with a hosted model of the right shape."""
    mistakes = [*_list_mistakes(model), *_part_mistakes(model), *_unknown_mistakes(model, MAY_BE_UNKNOWN)]
    for key, message, fix in mistakes:
        yield parsed.problem((*at, *key), f"{model.id}: {message}", fix)


_Mistakes = Iterator[tuple[Steps, str, str | None]]


def _family_mistakes(entry: ModelEntry, family: Family) -> _Mistakes:
    for key, built in (("architecture", (family.architecture,)), ("transformers_class", tuple(family.classes))):
        stated = getattr(entry, key)
        if stated not in built:
            yield (key,), f"{key} {stated} is not what {entry.model_type} is built as", f"write {' or '.join(built)}"


def _unknown_mistakes(model: ModelEntry | HostedModel, may_be: tuple[str, ...]) -> _Mistakes:
    """What is not known has a reason, and nothing else has one."""
    for key in may_be:
        if getattr(model, key) is None and key not in model.unknown:
            yield (), f"{key} is missing", f"add {key}, or say under unknown why nobody knows it"
    for key in model.unknown:
        if key not in may_be:
            yield ("unknown", key), f"{key} cannot be unknown — allowed: {', '.join(may_be)}", None
        elif getattr(model, key) is not None:
            yield ("unknown", key), f"{key} is stated, so it is not unknown", "remove one of them"


def _list_mistakes(entry: ModelEntry | HostedModel) -> _Mistakes:
    for key in ("roles", "tasks"):
        values: tuple[str, ...] = getattr(entry, key)
        for number, value in enumerate(values):
            if value in values[:number]:
                yield (key, number), f"{value} is named twice in {key}", "keep one of them"


def _part_mistakes(entry: ModelEntry | HostedModel) -> _Mistakes:
    """Roles that no model plays and tasks that the architecture cannot do."""
    for number, role in enumerate(entry.roles):
        if role == "index":
            yield ("roles", number), "an index is no model", "remove it"
        elif role == "generator" and entry.architecture == "encoder-only":
            yield ("roles", number), "an encoder writes no text, so it is no generator", "remove it"
    for number, task in enumerate(entry.tasks):
        if entry.architecture == "encoder-only" and generates(task):
            yield ("tasks", number), f"an encoder writes no text, so it cannot do {task}", "remove it"


def _parameter_mistakes(entry: ModelEntry, family: Family) -> _Mistakes:
    if entry.transformers_class not in family.classes:  # said already
        return
    counted = parameter_count(anatomy_of(entry.model_type, entry.config, entry.transformers_class))
    if counted > MAX_PARAMETERS:
        words = f"these sizes make {_spaced(counted)} parameters, more than any model has"
        yield ("config",), words, "check the sizes of the config"
    elif counted != entry.parameters:
        words = f"{_spaced(entry.parameters)} parameters expected, closed form gives {_spaced(counted)}"
        yield ("parameters",), words, _likely_cause(entry, family)


def _likely_cause(entry: ModelEntry, family: Family) -> str:
    """The flag that explains the difference, where turning one gives the figure stated."""
    for key in family.keys:
        if key.kind == "flag":
            turned = entry.config | {key.name: not entry.config.get(key.name, key.default)}
            if parameter_count(anatomy_of(entry.model_type, turned, entry.transformers_class)) == entry.parameters:
                return f"check {key.name}"
    return "check the sizes of the config, or state the closed form's figure"


def _context_mistakes(entry: ModelEntry, family: Family) -> _Mistakes:
    positions = positions_of(entry.model_type, entry.config)
    if positions is None:
        return
    if entry.context_tokens > positions:
        rows = entry.config[family.positions_key or ""]
        lost = "" if rows == positions else f", of which {positions} can be used"
        words = f"context_tokens {entry.context_tokens} is more than {family.positions_key} {rows}{lost}"
        yield ("context_tokens",), words, f"write {positions} or less"
    if not entry.context_is_hard:
        words = f"context_is_hard is false, but {entry.model_type} has no positions beyond {positions}"
        yield ("context_is_hard",), words, "write true"


def _spaced(number: int) -> str:
    return f"{number:,}".replace(",", " ")

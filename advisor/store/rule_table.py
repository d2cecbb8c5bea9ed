"""One rule table from YAML to a value: every mistake at its line and column, nothing proved yet.

The reader is generic: a `TableKind` says which axes, outcomes and keys a table may have, so that the guide's tables and
the catalogue's preferences are read, compiled and proved by the same code. Conditions become values whose thresholds
are numbers; what they mean together is `core.guide`'s work.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from advisor.core.architecture import ARCHITECTURES, STRENGTHS
from advisor.core.errors import Problem, allowed_words, did_you_mean
from advisor.core.guide.axis import AxisSpec
from advisor.core.guide.proof import Complete, Flaw, prove
from advisor.core.guide.rule import Facts, Impossible, Outcome, Policy, Rule, Table, make_table
from advisor.store.rule_condition import Names, read_when
from advisor.store.schema import validate
from advisor.store.yaml import Parsed, Steps

_Words = Annotated[str, Field(strict=True, min_length=1)]
_Ids = Annotated[list[_Words], Field(min_length=1)]


@dataclass(frozen=True)
class TableKind:
    """What a table may say.

    `axes` holds, for every word `over` may be, the axes that may be declared, in the order that settles ties.
    `outcomes` are the words `then` may be; with `many`, it is a list of them, best first. With `all_reached`, each
    outcome must be some workload's. `check_example` finds what is wrong with an example at a path; `complete` fills a
    sound one.
    """

    axes: Mapping[str, Sequence[AxisSpec]]
    policy: Policy
    outcomes: Sequence[str]
    check_example: Callable[[Parsed, Steps, str], list[Problem]]
    complete: Complete
    many: bool = False
    all_reached: bool = False
    with_strength: bool = False
    with_architecture: bool = False


@dataclass(frozen=True)
class ReadTable:
    """A table as read: `whole` unless some rule could not be; `used` are the thresholds its rules name."""

    parsed: Parsed
    kind: TableKind
    name: str
    over: str
    axes: tuple[str, ...]
    rules: tuple[Rule, ...]
    whole: bool
    used: frozenset[str]


class _Examples(BaseModel):
    model_config = ConfigDict(extra="forbid")

    fires: Annotated[list[dict[str, Any]], Field(min_length=1)]
    silent: list[dict[str, Any]] = []


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(strict=True, pattern=r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$")]
    title: _Words
    when: dict[str, Any]
    then: Any
    because: _Words
    source: _Ids
    unless: _Words | None = None
    examples: _Examples
    strength: str | None = None
    architecture: str | None = None


class _Header(BaseModel):
    model_config = ConfigDict(extra="forbid")

    table: _Words
    over: _Words
    axes: _Ids
    policy: _Words
    rules: Annotated[list[Any], Field(min_length=1)]


def load_table(
    parsed: Parsed,
    kind: TableKind,
    *,
    thresholds: Mapping[str, float] | None,
    sources: Collection[str] | None,
    impossible: Sequence[Impossible] = (),
) -> tuple[Table | None, list[Problem]]:
    """Read, compile and prove a table that stands alone in its own space; None where anything is wrong."""
    read, problems = read_table(parsed, kind, thresholds=thresholds, sources=sources)
    if read is None:
        return None, problems
    mentioned = {condition.axis for entry in impossible for condition in entry.when}
    specs = [spec for spec in kind.axes[read.over] if spec.name in {*read.axes, *mentioned}]
    table = compile_table(read, specs=specs, impossible=impossible)
    problems += proof_problems(read, table, impossible)
    return (None if problems else table), problems


def compile_table(read: ReadTable, *, specs: Sequence[AxisSpec], impossible: Sequence[Impossible] = ()) -> Table:
    """The table as boxes over `specs`."""
    return make_table(
        name=read.name,
        over=read.over,
        policy=read.kind.policy,
        axes=read.axes,
        rules=read.rules,
        specs=specs,
        impossible=impossible,
        file=read.parsed.file,
    )


def proof_problems(read: ReadTable, table: Table, impossible: Sequence[Impossible] = ()) -> list[Problem]:
    """What the proof finds, each at its place in the file."""
    outcomes: Sequence[Outcome] = read.kind.outcomes if read.kind.all_reached else ()
    flaws = prove(table, complete=read.kind.complete, outcomes=outcomes, impossible=impossible, whole=read.whole)
    return [_flaw_problem(read.parsed, flaw) for flaw in flaws]


def _flaw_problem(parsed: Parsed, flaw: Flaw) -> Problem:
    return parsed.problem(flaw.path, flaw.message, flaw.fix, key=isinstance(flaw.path[-1], str))


def read_table(
    parsed: Parsed, kind: TableKind, *, thresholds: Mapping[str, float] | None, sources: Collection[str] | None
) -> tuple[ReadTable | None, list[Problem]]:
    """The rules of a file. None where its header is wrong; rules that are wrong are left out, and `whole` says so."""
    header, problems = validate(parsed, _Header)
    if header is None:
        return None, problems
    axes, found = _header_axes(parsed, kind, header)
    problems += found
    if axes is None:
        return None, problems
    names = Names(thresholds, sources)
    parsed = _with_thresholds(
        parsed, {spec.name for spec in kind.axes[header.over] if spec.is_number}, thresholds or {}
    )
    rules: list[Rule] = []
    whole = not problems
    for position in range(len(header.rules)):
        rule, found = _rule(parsed, kind, ("rules", position), axes, header.over, names)
        problems += found
        whole = whole and rule is not None
        rules += [] if rule is None else [rule]
    read = ReadTable(parsed, kind, header.table, header.over, tuple(axes), tuple(rules), whole, frozenset(names.used))
    return read, problems


def _header_axes(parsed: Parsed, kind: TableKind, header: _Header) -> tuple[dict[str, AxisSpec] | None, list[Problem]]:
    """The axes declared, by name; None where it is not known what the table is over."""
    problems: list[Problem] = []
    if header.policy != kind.policy:
        words = f'the policy of the table {header.table} is "{kind.policy}", not "{header.policy}"'
        problems.append(parsed.problem(("policy",), words, f"write policy: {kind.policy}"))
    if header.over not in kind.axes:
        words = f'unknown over "{header.over}" — {allowed_words(header.over, kind.axes)}'
        return None, [*problems, parsed.problem(("over",), words)]
    specs = {spec.name: spec for spec in kind.axes[header.over]}
    for position, name in enumerate(header.axes):
        if name not in specs:
            words = f'unknown axis "{name}" — {allowed_words(name, specs)}'
            problems.append(parsed.problem(("axes", position), words))
        elif name in header.axes[:position]:
            problems.append(parsed.problem(("axes", position), f"{name} is declared twice", "keep one of them"))
    return {name: specs[name] for name in header.axes if name in specs}, problems


def _rule(
    parsed: Parsed, kind: TableKind, at: Steps, axes: Mapping[str, AxisSpec], over: str, names: Names
) -> tuple[Rule | None, list[Problem]]:
    row, problems = validate(parsed, _Row, at=at)
    if row is None:
        return None, problems
    then, found = _outcome(parsed, kind, (*at, "then"), row.then)
    problems += found
    problems += _kind_keys(parsed, kind, at, row)
    problems += source_problems(parsed, (*at, "source"), row.source, names.sources)
    when, found = read_when(parsed, (*at, "when"), axes, {spec.name: spec for spec in kind.axes[over]}, names)
    problems += found
    if names.thresholds is not None:  # an example may name one
        for side, examples in (("fires", row.examples.fires), ("silent", row.examples.silent)):
            for number in range(len(examples)):
                problems += kind.check_example(parsed, (*at, "examples", side, number), over)
    if problems or then is None or when is None:
        return None, problems
    fires, silent = tuple(map(_facts, row.examples.fires)), tuple(map(_facts, row.examples.silent))
    return Rule(
        id=row.id,
        title=row.title,
        when=when,
        then=then,
        because=" ".join(row.because.split()),
        source=tuple(row.source),
        strength=next((one for one in STRENGTHS if one == row.strength), None),
        architecture=next((one for one in ARCHITECTURES if one == row.architecture), None),
        unless=row.unless and " ".join(row.unless.split()),
        fires=fires,
        silent=silent,
        position=int(at[-1]),
    ), []


def _with_thresholds(parsed: Parsed, numbers: Collection[str], thresholds: Mapping[str, float]) -> Parsed:
    """The same file with the thresholds that examples name in place of a number put in: where one is moved, they
    move.
    """

    def resolved(example: object) -> object:
        if not isinstance(example, dict):
            return example
        return {
            name: thresholds.get(value, value) if name in numbers and isinstance(value, str) else value
            for name, value in example.items()
        }

    def row(rule: object) -> object:
        if not isinstance(rule, dict) or not isinstance(sides := rule.get("examples"), dict):
            return rule
        examples = {
            side: list(map(resolved, listed)) if isinstance(listed, list) else listed for side, listed in sides.items()
        }
        return {**rule, "examples": examples}

    return replace(parsed, value={**parsed.value, "rules": list(map(row, parsed.value["rules"]))})


def _facts(example: dict[str, Any]) -> Facts:
    return dict(example)


def _outcome(parsed: Parsed, kind: TableKind, at: Steps, then: object) -> tuple[Outcome | None, list[Problem]]:
    if not kind.many:
        if isinstance(then, str) and then in kind.outcomes:
            return then, []
        words = f'unknown outcome "{then}" — {allowed_words(then, kind.outcomes)}'
        return None, [parsed.problem(at, words)]
    if not isinstance(then, list) or not then:
        return None, [parsed.problem(at, "then must be a list, best first", f"write one or more of {kind.outcomes}")]
    wrong = [
        parsed.problem((*at, number), f'unknown outcome "{word}" — {allowed_words(word, kind.outcomes)}')
        for number, word in enumerate(then)
        if word not in kind.outcomes
    ]
    wrong += [
        parsed.problem((*at, number), f"{word} is named twice", "keep one of them")
        for number, word in enumerate(then)
        if word in then[:number]
    ]
    return (None, wrong) if wrong else (tuple(then), [])


def _kind_keys(parsed: Parsed, kind: TableKind, at: Steps, row: _Row) -> list[Problem]:
    """Keys that this kind of table needs or does not have."""
    problems: list[Problem] = []
    if not kind.with_strength and row.strength is not None:
        problems.append(parsed.problem((*at, "strength"), "only a decision has a strength", "remove it", key=True))
    elif kind.with_strength and row.strength not in STRENGTHS:
        words = '"strength" is missing' if row.strength is None else f'unknown strength "{row.strength}"'
        problems.append(parsed.problem((*at, "strength"), f"{words} — {allowed_words(row.strength, STRENGTHS)}"))
    if row.architecture is not None and not kind.with_architecture:
        words = "only a component has an architecture here"
        problems.append(parsed.problem((*at, "architecture"), words, "remove it", key=True))
    elif row.architecture is not None and row.architecture not in ARCHITECTURES:
        words = f'unknown architecture "{row.architecture}" — {allowed_words(row.architecture, ARCHITECTURES)}'
        problems.append(parsed.problem((*at, "architecture"), words))
    return problems


def source_problems(parsed: Parsed, at: Steps, given: Sequence[str], known: Collection[str] | None) -> list[Problem]:
    """Sources that the guide does not have; none where nobody knows what it has."""
    if known is None:
        return []
    return [
        parsed.problem((*at, number), f'unknown source "{one}"{_near_source(one, known)}', "cite a fact that is listed")
        for number, one in enumerate(given)
        if one not in known
    ]


def _near_source(word: str, known: Collection[str]) -> str:
    """The nearest source; there are too many to list."""
    near = {one.lower(): one for one in known}
    found = did_you_mean(word, near)
    return f' — did you mean "{near[found]}"?' if found else ""

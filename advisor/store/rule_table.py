"""One rule table from YAML to a value: every mistake at its line and column, nothing proved yet.

The reader is generic: a `TableKind` says which axes, outcomes and keys a table may have, so that the guide's tables and
the catalogue's preferences are read, compiled and proved by the same code. Conditions become values whose thresholds are
numbers; what they mean together is `core.guide`'s work.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from advisor.core.architecture import ARCHITECTURES, STRENGTHS
from advisor.core.errors import Problem, allowed_words
from advisor.core.guide.axis import AxisSpec, Condition, Span, Value, complement, trim
from advisor.core.guide.proof import Complete, Flaw, prove
from advisor.core.guide.rule import Facts, Impossible, Outcome, Policy, Rule, Table, make_table
from advisor.core.guide.words import span_words, value_words
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


@dataclass
class _Names:
    """The names a table may refer to, and which thresholds it did."""

    thresholds: Mapping[str, float]
    sources: Collection[str]
    used: set[str] = field(default_factory=set)


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
    thresholds: Mapping[str, float],
    sources: Collection[str],
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
    parsed: Parsed, kind: TableKind, *, thresholds: Mapping[str, float], sources: Collection[str]
) -> tuple[ReadTable | None, list[Problem]]:
    """The rules of a file. None where its header is wrong; rules that are wrong are left out, and `whole` says so."""
    header, problems = validate(parsed, _Header)
    if header is None:
        return None, problems
    axes, found = _header_axes(parsed, kind, header)
    problems += found
    if axes is None:
        return None, problems
    names = _Names(thresholds, sources)
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
    parsed: Parsed, kind: TableKind, at: Steps, axes: Mapping[str, AxisSpec], over: str, names: _Names
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
    for side, examples in (("fires", row.examples.fires), ("silent", row.examples.silent)):
        for number in range(len(examples)):
            problems += kind.check_example(parsed, (*at, "examples", side, number), over)
    if problems or then is None:
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


def source_problems(parsed: Parsed, at: Steps, given: Sequence[str], known: Collection[str]) -> list[Problem]:
    """Sources that the guide does not have."""
    return [
        parsed.problem((*at, number), f'unknown source "{one}" — {_near_source(one, known)}')
        for number, one in enumerate(given)
        if one not in known
    ]


def _near_source(word: str, known: Collection[str]) -> str:
    """Too many to list: the nearest, or where they stand."""
    listed = allowed_words(word, known)
    return listed.partition(" — ")[2] or "the facts of guide.yaml, or ours"


def read_when(
    parsed: Parsed, at: Steps, axes: Mapping[str, AxisSpec], known: Mapping[str, AxisSpec], names: _Names
) -> tuple[tuple[Condition, ...], list[Problem]]:
    """A `when` as conditions, in its own order. `axes` may be named here, `known` may be named somewhere."""
    raw = parsed.value
    for step in at:
        raw = raw[step]
    conditions: list[Condition] = []
    problems: list[Problem] = []
    for name, value in raw.items():
        path = (*at, name)
        if name in axes:
            condition = _Reader(parsed, axes[name], names, problems).condition(path, value)
            conditions += [] if condition is None else [condition]
        elif name in known:
            problems.append(
                parsed.problem(path, f"{name} is not declared in axes", f"add {name} to axes, or remove it", key=True)
            )
        else:
            words = f'unknown answer "{name}" — {allowed_words(name, axes)}'
            problems.append(parsed.problem(path, words, key=True))
    return tuple(conditions), problems


@dataclass(frozen=True)
class _Reader:
    """Reads what a rule asks of one axis; what is wrong goes into `problems`."""

    parsed: Parsed
    spec: AxisSpec
    names: _Names
    problems: list[Problem]

    def condition(self, path: Steps, raw: object) -> Condition | None:
        """A list of values, `{not: …}`, or `{min, max}`."""
        if isinstance(raw, dict) and set(raw) == {"not"}:
            inner = self._allowed((*path, "not"), raw["not"])
            if inner is None:
                return None
            outside = complement(self.spec, inner)
            if outside.values or outside.spans:
                return outside
            return self._refuse(path, f"this leaves nothing of {self.spec.name}", "allow at least one value")
        return self._allowed(path, raw)

    def _allowed(self, path: Steps, raw: object) -> Condition | None:
        if isinstance(raw, dict):
            span = self._span(path, raw)
            return span and Condition(self.spec.name, (), (span,))
        if not isinstance(raw, list):
            how = "{min: …, max: …}" if self.spec.is_number else f"[{value_words(_plain(raw))}]"
            return self._refuse(path, f"{self.spec.name} needs a list of allowed values", f"write {how}")
        if not raw:
            return self._refuse(path, f"an empty list allows no {self.spec.name}", "leave it out to allow any")
        found = [self._entry((*path, number), entry, raw[:number]) for number, entry in enumerate(raw)]
        if None in found:
            return None
        values = tuple(value for one in found if one is not None for value in one[0])
        spans = tuple(span for one in found if one is not None for span in one[1])
        order = self.spec.listed
        return Condition(self.spec.name, tuple(sorted(values, key=order.index)) if order else values, spans)

    def _entry(
        self, path: Steps, entry: object, earlier: list[object]
    ) -> tuple[tuple[Value, ...], tuple[Span, ...]] | None:
        if any(entry == one and type(entry) is type(one) for one in earlier):
            return self._refuse(path, f"{value_words(_plain(entry))} is named twice", "keep one of them")
        if isinstance(entry, dict) and self.spec.is_number:
            span = self._span(path, entry)
            return span and ((), (span,))
        if not self.spec.is_number:
            return self._named(path, entry)
        if entry is None:
            if self.spec.nullable:
                return (None,), ()
            return self._refuse(path, f"{self.spec.name} is never null", "remove it")
        if isinstance(entry, int) and not isinstance(entry, bool) and self.spec.whole:
            span = trim(self.spec, (entry, entry + 1))
            return ((), (span,)) if span else self._refuse(path, f"{self.spec.name} is never {entry}", "remove it")
        return self._refuse(path, f"{self.spec.name} is a number", "write {min: …, max: …}")

    def _named(self, path: Steps, entry: object) -> tuple[tuple[Value, ...], tuple[Span, ...]] | None:
        for value in self.spec.listed:
            if entry == value and type(entry) is type(value):
                return (value,), ()
        allowed = [value_words(value) for value in self.spec.listed]
        shown = f'"{entry}"' if isinstance(entry, str) else value_words(_plain(entry))
        return self._refuse(path, f"unknown {self.spec.name} {shown} — {allowed_words(entry, allowed)}", None)

    def _span(self, path: Steps, raw: dict[str, object]) -> Span | None:
        name = self.spec.name
        if not self.spec.is_number:
            return self._refuse(path, f"{name} is no number", f"write a list: [{value_words(self.spec.listed[0])}]")
        if unknown := [key for key in raw if key not in ("min", "max")]:
            words = f'unknown key "{unknown[0]}" — {allowed_words(unknown[0], ("min", "max", "not"))}'
            return self._refuse((*path, unknown[0]), words, None, key=True)
        if not raw:
            return self._refuse(path, "an interval needs min, max or both", "write {min: …}")
        bounds = {key: self._bound((*path, key), value) for key, value in raw.items()}
        if None in bounds.values():
            return None
        given = (bounds.get("min"), bounds.get("max"))
        span = trim(self.spec, given)
        if span is None:
            return self._refuse(path, f"no {name} is {span_words(given)}", "min is included, max is not")
        return span

    def _bound(self, path: Steps, raw: object) -> float | None:
        value = raw
        if isinstance(raw, str):
            if raw not in self.names.thresholds:
                words = f'unknown threshold "{raw}" — {allowed_words(raw, self.names.thresholds)}'
                return self._refuse(path, words, "name one of thresholds.yaml, or write a number")
            self.names.used.add(raw)
            value = self.names.thresholds[raw]
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self._refuse(path, "a bound is a number or the name of a threshold", "leave it out for no bound")
        if abs(value) > 1e300:
            return self._refuse(path, "this bound is beyond any number that could be meant", "leave it out")
        if self.spec.whole and not float(value).is_integer():
            words = f"{self.spec.name} is a whole number, so {value_words(value)} is no bound of it"
            return self._refuse(path, words, "write a whole number")
        return int(value) if float(value).is_integer() else float(value)

    def _refuse(self, path: Steps, message: str, fix: str | None, *, key: bool = False) -> None:
        self.problems.append(self.parsed.problem(path, message, fix, key=key))


def _plain(raw: object) -> Value:
    return raw if isinstance(raw, str | int | float | bool) or raw is None else "…"

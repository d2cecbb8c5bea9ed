"""What a rule asks of each answer, from YAML to conditions whose thresholds are numbers.

Three forms exist: a list of allowed values, `{not: …}`, and the half-open `{min, max}`; a list may mix null and
intervals where an answer can be null. Whatever allows nothing, or names something that does not exist, is refused at
its place.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from advisor.core.errors import Problem, allowed_words
from advisor.core.guide.axis import AxisSpec, Condition, Span, Value, complement, trim
from advisor.core.guide.words import span_words, value_words
from advisor.store.yaml import Parsed, Steps

_BOUND_MOST = 1e300

_Parts = tuple[tuple[Value, ...], tuple[Span, ...]]


@dataclass
class Names:
    """The names that rules may refer to, and in `used` the thresholds that some rule did.

    None where the file that holds them could not be read: then no name is called unknown on its account.
    """

    thresholds: Mapping[str, float] | None
    sources: Collection[str] | None
    used: set[str] = field(default_factory=set)


def read_when(
    parsed: Parsed, at: Steps, axes: Mapping[str, AxisSpec], known: Mapping[str, AxisSpec], names: Names
) -> tuple[tuple[Condition, ...] | None, list[Problem]]:
    """A `when` as conditions, in its own order; None where some condition could not be read.

    `axes` may be named here; `known` are those a table could declare.
    """
    raw = parsed.value
    for step in at:
        raw = raw[step]
    conditions: list[Condition] = []
    problems: list[Problem] = []
    for name, value in raw.items():
        path = (*at, name)
        if name in axes:
            try:
                conditions.append(_Reader(parsed, axes[name], names).condition(path, value))
            except _RefusedError as refused:
                problems += refused.problems
        elif name in known:
            words = f"{name} is not declared in axes"
            problems.append(parsed.problem(path, words, f"add {name} to axes, or remove it", key=True))
        else:
            words = f'unknown answer "{name}" — {allowed_words(name, known)}'
            problems.append(parsed.problem(path, words, key=True))
    return (tuple(conditions) if len(conditions) == len(raw) else None), problems


class _RefusedError(Exception):
    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems


@dataclass(frozen=True)
class _Reader:
    """Reads what a rule asks of one axis."""

    parsed: Parsed
    spec: AxisSpec
    names: Names

    def condition(self, path: Steps, raw: object) -> Condition:
        """A list of values, `{not: …}`, or `{min, max}`."""
        if not isinstance(raw, dict) or "not" not in raw:
            return self._allowed(path, raw)
        if len(raw) > 1:
            raise self._refused(path, "not stands alone", "write {not: [...]} or {min: …, max: …}")
        outside = complement(self.spec, self._allowed((*path, "not"), raw["not"]))
        if not outside.values and not outside.spans:
            raise self._refused(path, f"this leaves nothing of {self.spec.name}", "allow at least one value")
        return outside

    def _allowed(self, path: Steps, raw: object) -> Condition:
        if isinstance(raw, dict):
            return Condition(self.spec.name, (), (self._span(path, raw),))
        if not isinstance(raw, list):
            how = "{min: …, max: …}" if self.spec.is_number else f"[{_shown(raw)}]"
            raise self._refused(path, f"{self.spec.name} needs a list of allowed values", f"write {how}")
        if not raw:
            raise self._refused(path, f"an empty list allows no {self.spec.name}", "leave it out to allow any")
        values: list[Value] = []
        spans: list[Span] = []
        wrong: list[Problem] = []
        for number, entry in enumerate(raw):
            try:
                named, stretches = self._entry((*path, number), entry, raw[:number])
                values += named
                spans += stretches
            except _RefusedError as refused:
                wrong += refused.problems
        if wrong:
            raise _RefusedError(*wrong)
        order = self.spec.listed
        return Condition(self.spec.name, tuple(sorted(values, key=order.index)), tuple(spans))

    def _entry(self, path: Steps, entry: object, earlier: list[object]) -> _Parts:
        if any(entry == one and type(entry) is type(one) for one in earlier):
            raise self._refused(path, f"{_shown(entry)} is named twice", "keep one of them")
        if not self.spec.is_number:
            return (self._named(path, entry),), ()
        if isinstance(entry, dict):
            return (), (self._span(path, entry),)
        if entry is None and self.spec.nullable:
            return (None,), ()
        if entry is None:
            raise self._refused(path, f"{self.spec.name} is never null", "remove it")
        if not self.spec.whole or isinstance(entry, bool) or not isinstance(entry, int):
            raise self._refused(path, f"{self.spec.name} is a number", "write {min: …, max: …}")
        if abs(entry) > _BOUND_MOST or (span := trim(self.spec, (entry, entry + 1))) is None:
            raise self._refused(path, f"{self.spec.name} is never {_shown(entry)}", "remove it")
        return (), (span,)

    def _named(self, path: Steps, entry: object) -> Value:
        for value in self.spec.listed:
            if entry == value and type(entry) is type(value):
                return value
        allowed = [value_words(value) for value in self.spec.listed]
        shown = f'"{entry}"' if isinstance(entry, str) else _shown(entry)
        raise self._refused(path, f"unknown {self.spec.name} {shown} — {allowed_words(entry, allowed)}", None)

    def _span(self, path: Steps, raw: dict[str, object]) -> Span:
        name = self.spec.name
        if not self.spec.is_number:
            raise self._refused(path, f"{name} is no number", f"write a list: [{value_words(self.spec.values[0])}]")
        unknown = [key for key in raw if key not in ("min", "max")]
        if unknown:
            words = f'unknown key "{unknown[0]}" — {allowed_words(unknown[0], ("min", "max", "not"))}'
            raise _RefusedError(self.parsed.problem((*path, unknown[0]), words, key=True))
        if not raw:
            raise self._refused(path, "an interval needs min, max or both", "write {min: …}")
        low = self._bound((*path, "min"), raw["min"]) if "min" in raw else None
        high = self._bound((*path, "max"), raw["max"]) if "max" in raw else None
        span = trim(self.spec, (low, high))
        if span is None:
            named = " and ".join(bound for bound in raw.values() if isinstance(bound, str))
            fix = f"change {named} in thresholds.yaml" if named else "min is included, max is not"
            raise self._refused(path, f"no {name} is {span_words((low, high))}", fix)
        return span

    def _bound(self, path: Steps, raw: object) -> float:
        value: object = raw
        if isinstance(raw, str):
            if self.names.thresholds is None:
                raise _RefusedError
            if raw not in self.names.thresholds:
                words = f'unknown threshold "{raw}" — {allowed_words(raw, self.names.thresholds)}'
                raise self._refused(path, words, "name one of thresholds.yaml, or write a number")
            self.names.used.add(raw)
            value = self.names.thresholds[raw]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._refused(path, "a bound is a number or the name of a threshold", "leave it out for no bound")
        if abs(value) > _BOUND_MOST:
            raise self._refused(path, "this bound is beyond any number that could be meant", "leave it out")
        whole = float(value).is_integer()
        if self.spec.whole and not whole:
            words = f"{self.spec.name} is a whole number, so {value_words(value)} is no bound of it"
            raise self._refused(path, words, "write a whole number")
        return int(value) if whole else float(value)

    def _refused(self, path: Steps, message: str, fix: str | None) -> _RefusedError:
        return _RefusedError(self.parsed.problem(path, message, fix))


def _shown(raw: object) -> str:
    """A value as it may be shown in a sentence, however long or nested it is."""
    if isinstance(raw, list | dict):
        return "…"
    text = value_words(raw if isinstance(raw, str | int | float | bool) else None)
    return text if len(text) <= 40 else f"{text[:40]}…"

"""Random rule tables, and the same questions answered by trying out every cell.

Nothing here uses bitmasks or boxes: a condition is asked of concrete values, and every combination of them is tried.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise, product

from advisor.core.guide.axis import AxisSpec, Condition, Span, Value
from advisor.core.guide.rule import Impossible, Rule, Table, make_table

OUTCOMES = ("north", "east", "south")
BOUNDS = (1, 2, 5, 10, 40)


@dataclass(frozen=True)
class Cell:
    """One cell of an axis: its number, the values that stand for it, and its stretch where it is one of numbers."""

    number: int
    values: tuple[Value, ...]
    span: Span | None


def allows(condition: Condition, value: Value) -> bool:
    """Whether a condition allows a value, asked of the value itself."""
    if any(value is one or (value == one and type(value) is type(one)) for one in condition.values):
        return True
    if value is None or isinstance(value, bool | str):
        return False
    return any((low is None or value >= low) and (high is None or value < high) for low, high in condition.spans)


def matches(when: tuple[Condition, ...], facts: Mapping[str, Value]) -> bool:
    return all(allows(condition, facts[condition.axis]) for condition in when)


def fired(table: Table, facts: Mapping[str, Value]) -> list[Rule]:
    return [rule for rule in table.rules if matches(rule.when, facts)]


def can_be(impossible: tuple[Impossible, ...], facts: Mapping[str, Value]) -> bool:
    return not any(matches(entry.when, facts) for entry in impossible)


def axis_cells(table: Table, impossible: tuple[Impossible, ...]) -> list[list[Cell]]:
    """The cells of every axis, found from the bounds that rules and impossible combinations name."""
    return [_cells(axis.spec, table, impossible) for axis in table.space.axes]


def _cells(spec: AxisSpec, table: Table, impossible: tuple[Impossible, ...]) -> list[Cell]:
    null: list[tuple[tuple[Value, ...], Span | None]] = [((None,), None)] if spec.nullable else []
    if spec.values:
        found = null + [((value,), None) for value in spec.values]
    else:
        whens = [rule.when for rule in table.rules] + [entry.when for entry in impossible]
        bounds = sorted({bound for when in whens for one in when if one.axis == spec.name for bound in one.bounds()})
        edges = [None, *bounds, None]
        found = null + [(_values_in(low, high), (low, high)) for low, high in pairwise(edges)]
    return [Cell(number, values, span) for number, (values, span) in enumerate(found)]


def _values_in(low: float | None, high: float | None) -> tuple[Value, ...]:
    start = 0.25 if low is None else low
    stop = start * 2 + 3 if high is None else high
    return (start, (start + stop) / 2, math.nextafter(stop, start))


def points(table: Table, impossible: tuple[Impossible, ...]) -> Iterator[tuple[tuple[Cell, ...], dict[str, Value]]]:
    """Every possible combination of cells, with facts that stand for it."""
    names = [axis.name for axis in table.space.axes]
    for combination in product(*axis_cells(table, impossible)):
        facts = {name: cell.values[0] for name, cell in zip(names, combination, strict=True)}
        if can_be(impossible, facts):
            yield combination, facts


def random_specs(chance: random.Random) -> list[AxisSpec]:
    """Two to four axes; the first is enumerated and plays the part of the task."""
    specs = [AxisSpec("kind", ("a", "b", "c")[: chance.randint(2, 3)])]
    for number in range(chance.randint(1, 3)):
        make = chance.choice(
            [
                lambda name: AxisSpec(name, (False, True)),
                lambda name: AxisSpec(name, ("low", "mid", "high"), nullable=chance.random() < 0.3),
                lambda name: AxisSpec(name, lowest=0, nullable=chance.random() < 0.5),
            ]
        )
        specs.append(make(f"axis{number}"))
    return specs


def random_condition(chance: random.Random, spec: AxisSpec) -> Condition:
    """Some of an axis, never nothing."""
    if spec.values:
        listed = spec.listed
        chosen = set(chance.sample(range(len(listed)), chance.randint(1, len(listed))))
        return Condition(spec.name, tuple(value for at, value in enumerate(listed) if at in chosen))
    values: tuple[Value, ...] = (None,) if spec.nullable and chance.random() < 0.4 else ()
    low, high = sorted(chance.sample(BOUNDS, 2))
    span: Span = chance.choice([(low, high), (low, None), (None, high)])
    return Condition(spec.name, values, (span,))


def random_impossible(chance: random.Random, specs: list[AxisSpec]) -> tuple[Impossible, ...]:
    entries = []
    for _ in range(chance.choice([0, 0, 1, 2])):
        chosen = chance.sample(specs, min(2, len(specs)))
        entries.append(Impossible(tuple(random_condition(chance, spec) for spec in chosen), "because it is"))
    return tuple(entries)


def _rule(number: int, when: tuple[Condition, ...], then: str) -> Rule:
    strengths = ("strong", "default", "weak")
    return Rule(
        id=f"R-{number}",
        title="A rule",
        when=when,
        then=then,
        because="So it is.",
        source=("G1",),
        strength=strengths[number % 3],
        position=number,
    )


def any_table(chance: random.Random) -> tuple[Table, tuple[Impossible, ...]]:
    """Rules that may overlap and may leave gaps."""
    specs = random_specs(chance)
    rules = []
    for number in range(chance.randint(1, 5)):
        chosen = chance.sample(specs, chance.randint(1, len(specs)))
        when = tuple(random_condition(chance, spec) for spec in chosen)
        rules.append(_rule(number, when, chance.choice(OUTCOMES)))
    impossible = random_impossible(chance, specs)
    return _table(specs, rules, impossible), impossible


def unique_table(chance: random.Random) -> tuple[Table, tuple[Impossible, ...]]:
    """Rules that decide everything exactly once: the space, split again and again."""
    specs = random_specs(chance)
    boxes: list[dict[str, Condition]] = [{}]
    for _ in range(chance.randint(1, 6)):
        box = boxes.pop(chance.randrange(len(boxes)))
        boxes += _split(chance, box, chance.choice(specs)) or [box]
    rules = [_rule(number, tuple(box.values()), chance.choice(OUTCOMES)) for number, box in enumerate(boxes)]
    impossible = random_impossible(chance, specs)
    return _table(specs, rules, impossible), impossible


def _split(chance: random.Random, box: dict[str, Condition], spec: AxisSpec) -> list[dict[str, Condition]]:
    """A box as two, cut along one axis; none where it cannot be cut there."""
    held = box.get(spec.name) or Condition(spec.name, spec.listed if spec.values else _null(spec), _everything(spec))
    parts: list[Condition]
    if len(held.values) + len(held.spans) > 1 and (spec.values or chance.random() < 0.3):
        pieces = [Condition(spec.name, (value,)) for value in held.values]
        pieces += [Condition(spec.name, (), (span,)) for span in held.spans]
        chance.shuffle(pieces)
        at = chance.randint(1, len(pieces) - 1)
        parts = [_join(spec, pieces[:at]), _join(spec, pieces[at:])]
    elif held.spans:
        number = chance.randrange(len(held.spans))
        low, high = held.spans[number]
        inside = [one for one in BOUNDS if (low is None or one > low) and (high is None or one < high)]
        if not inside:
            return []
        cut = chance.choice(inside)
        others = (*held.spans[:number], *held.spans[number + 1 :])
        parts = [Condition(spec.name, held.values, (*others, (low, cut))), Condition(spec.name, (), ((cut, high),))]
    else:
        return []
    return [{**box, spec.name: part} for part in parts]


def _null(spec: AxisSpec) -> tuple[Value, ...]:
    return (None,) if spec.nullable else ()


def _everything(spec: AxisSpec) -> tuple[Span, ...]:
    return () if spec.values else ((None, None),)


def _join(spec: AxisSpec, pieces: list[Condition]) -> Condition:
    values = [value for piece in pieces for value in piece.values]
    order = spec.listed if spec.values else (None,)
    return Condition(
        spec.name,
        tuple(value for value in order if any(value is one or value == one for one in values)),
        tuple(span for piece in pieces for span in piece.spans),
    )


def _table(specs: list[AxisSpec], rules: list[Rule], impossible: tuple[Impossible, ...]) -> Table:
    return make_table(
        name="random",
        over="anything",
        policy="unique",
        axes=[spec.name for spec in specs],
        rules=rules,
        specs=specs,
        impossible=impossible,
    )

"""What an edit of the rules changes: the regions whose advice differs between two rulebooks.

The two may name different thresholds; both are compiled over one space that is cut by the bounds of both, and compared
region by region. Rewording a reason changes no advice and is not listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from advisor.core.guide.axis import Condition
from advisor.core.guide.boxes import Box, Space, cover, intersect, make_space, merge, subtract_all
from advisor.core.guide.rule import Rule, Table, make_table
from advisor.core.guide.rulebook import Rulebook
from advisor.core.guide.vocabulary import AXES, Over
from advisor.core.guide.words import box_words, then_words

NOTHING = "nothing"
CANNOT_BE = "cannot be"

_Regions = dict[str, list[Box]]


@dataclass(frozen=True, slots=True)
class Difference:
    """One region in words, with what is said there before and after."""

    table: str
    when: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Region:
    """The same as a box, over the space of all designs (or, for the decision, of all workloads)."""

    table: str
    box: Box
    before: str
    after: str


def difference(old: Rulebook, new: Rulebook) -> tuple[Difference, ...]:
    """Every region whose decision, strength, component or remark differs; empty where the advice is the same."""
    spaces = shared_spaces(old, new)
    changes: dict[tuple[str, str, str], list[Box]] = {}
    for region in regions(old, new, spaces):
        changes.setdefault((region.table, region.before, region.after), []).append(region.box)
    found: list[Difference] = []
    for (table, before, after), boxes in changes.items():
        space = _space(spaces, boxes[0])
        never = _impossible_in_both(old, new, space)
        found += [Difference(table, box_words(space, box), before, after) for box in cover(boxes, never, space.full)]
    return tuple(found)


def _impossible_in_both(old: Rulebook, new: Rulebook, space: Space) -> list[Box]:
    one, other = ([space.box(entry.when) for entry in book.impossible] for book in (old, new))
    return [both for a in one for b in other if (both := intersect(a, b))]


def shared_spaces(old: Rulebook, new: Rulebook) -> dict[Over, Space]:
    """Spaces cut by the bounds of both rulebooks, so that a box of either is exact in them."""
    conditions = [*_conditions(old), *_conditions(new)]
    return {over: make_space(specs, conditions) for over, specs in AXES.items()}


def regions(old: Rulebook, new: Rulebook, spaces: dict[Over, Space]) -> Iterator[Region]:
    """The regions that differ, as boxes: those of one table and one change are disjoint."""
    workload, design = spaces["workload"], spaces["design"]
    yield from _compare(old.decision.name, _decisions(old, workload), _decisions(new, workload))
    pairs = [("components", [old.components], [new.components]), ("remarks", [*old.remarks], [*new.remarks])]
    for name, olds, news in pairs:
        before, after = _said(old, olds, workload, design), _said(new, news, workload, design)
        for text in sorted(before.keys() | after.keys()):
            one, other = before.get(text, []), after.get(text, [])
            yield from (Region(name, box, text, NOTHING) for box in merge(subtract_all(one, other)))
            yield from (Region(name, box, NOTHING, text) for box in merge(subtract_all(other, one)))


def _space(spaces: dict[Over, Space], box: Box) -> Space:
    return next(space for space in spaces.values() if len(space.axes) == len(box))


def _compare(name: str, before: _Regions, after: _Regions) -> Iterator[Region]:
    for was, boxes in before.items():
        for now, others in after.items():
            if was != now:
                shared = [both for box in boxes for other in others if (both := intersect(box, other))]
                yield from (Region(name, box, was, now) for box in merge(shared))


def _decisions(book: Rulebook, space: Space) -> _Regions:
    """The decision's regions by what is decided there; what cannot be is a region of its own."""
    table = _over(book.decision, book, space)
    regions: _Regions = {}
    for rule, pieces in zip(table.rules, table.regions, strict=True):
        regions.setdefault(f"{then_words(rule.then)} ({rule.strength})", []).extend(pieces)
    if nowhere := subtract_all([space.full], table.possible):
        regions[CANNOT_BE] = nowhere
    return regions


def _said(book: Rulebook, tables: Iterable[Table], workload: Space, design: Space) -> _Regions:
    """Where each thing is said, over the design space; pieces of one statement are disjoint."""
    said: _Regions = {}
    for table in tables:
        compiled = _over(table, book, workload if table.over == "workload" else design)
        for rule, pieces in zip(compiled.rules, compiled.regions, strict=True):
            known = said.setdefault(_statement(rule), [])
            wide = [(*piece, *design.full[len(piece) :]) for piece in pieces]
            known += subtract_all(wide, known)
    return said


def _statement(rule: Rule) -> str:
    if rule.then in ("error", "warning", "note"):
        return f"{rule.then} {rule.id}"
    return then_words(rule.then) if rule.architecture is None else f"{then_words(rule.then)} ({rule.architecture})"


def _over(table: Table, book: Rulebook, space: Space) -> Table:
    """The same table over a finer space."""
    return make_table(
        name=table.name,
        over=table.over,
        policy=table.policy,
        axes=table.axes,
        rules=table.rules,
        specs=(),
        impossible=book.impossible,
        space=space,
    )


def _conditions(book: Rulebook) -> Iterable[Condition]:
    yield from (condition for _, rule in book.rules() for condition in rule.when)
    yield from (condition for entry in book.impossible for condition in entry.when)

"""What an edit of the rules changes: the regions whose advice differs between two rulebooks.

The two may name different thresholds; both are compiled over one space that is cut by the bounds of both, and compared
region by region. Rewording a reason changes no advice and is not listed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from advisor.core.guide.axis import Condition
from advisor.core.guide.boxes import Box, Space, intersect, make_space, merge, subtract_all
from advisor.core.guide.rule import Rule, Table, make_table
from advisor.core.guide.rulebook import Rulebook
from advisor.core.guide.vocabulary import AXES, DESIGN_AXES, Over
from advisor.core.guide.words import box_words

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


def difference(old: Rulebook, new: Rulebook) -> tuple[Difference, ...]:
    """Every region whose decision, strength, component or remark differs; empty where the advice is the same."""
    conditions = [*_conditions(old), *_conditions(new)]
    design = make_space(DESIGN_AXES, conditions)
    workload = make_space(AXES["workload"], conditions)
    spaces: dict[Over, Space] = {"workload": workload, "design": design}
    before, after = _decisions(old, workload), _decisions(new, workload)
    found = list(_compare(old.decision.name, workload, before, after))
    pairs = [("components", [old.components], [new.components]), ("remarks", [*old.remarks], [*new.remarks])]
    for name, olds, news in pairs:
        said_before, said_after = _said(old, olds, spaces), _said(new, news, spaces)
        for text in sorted(said_before.keys() | said_after.keys()):
            one, other = said_before.get(text, []), said_after.get(text, [])
            gone, come = subtract_all(one, other), subtract_all(other, one)
            found += [Difference(name, box_words(design, box), text, NOTHING) for box in merge(gone)]
            found += [Difference(name, box_words(design, box), NOTHING, text) for box in merge(come)]
    return tuple(found)


def _compare(name: str, space: Space, before: _Regions, after: _Regions) -> Iterable[Difference]:
    for was, boxes in before.items():
        for now, others in after.items():
            if was != now:
                shared = [both for box in boxes for other in others if (both := intersect(box, other))]
                yield from (Difference(name, box_words(space, box), was, now) for box in merge(shared))


def _decisions(book: Rulebook, space: Space) -> _Regions:
    """The decision's regions by what is decided there; what cannot be is a region of its own."""
    table = _over(book.decision, book, space)
    regions: _Regions = {}
    for rule, pieces in zip(table.rules, table.regions, strict=True):
        regions.setdefault(f"{_then(rule)} ({rule.strength})", []).extend(pieces)
    if nowhere := subtract_all([space.full], table.possible):
        regions[CANNOT_BE] = nowhere
    return regions


def _said(book: Rulebook, tables: Iterable[Table], spaces: dict[Over, Space]) -> _Regions:
    """Where each thing is said, over the design space; pieces of one statement are disjoint."""
    design = spaces["design"]
    said: _Regions = {}
    for table in tables:
        compiled = _over(table, book, spaces["workload" if table.over == "workload" else "design"])
        for rule, pieces in zip(compiled.rules, compiled.regions, strict=True):
            known = said.setdefault(_statement(rule), [])
            wide = [(*piece, *design.full[len(piece) :]) for piece in pieces]
            known += subtract_all(wide, known)
    return said


def _statement(rule: Rule) -> str:
    if rule.then in ("error", "warning", "note"):
        return f"{rule.then} {rule.id}"
    return _then(rule) if rule.architecture is None else f"{_then(rule)} ({rule.architecture})"


def _then(rule: Rule) -> str:
    return rule.then if isinstance(rule.then, str) else ", ".join(rule.then)


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

"""What an edit of the rules changes, in words, and against trying out workloads."""

from __future__ import annotations

import random

import pytest

from advisor.core.guide.axis import Condition, Value
from advisor.core.guide.boxes import intersect
from advisor.core.guide.diff import Difference, difference, regions, shared_spaces
from advisor.core.guide.rule import Rule
from advisor.core.guide.rulebook import LEVELS, Content, Rulebook, compile_rulebook, content_of
from advisor.core.guide.vocabulary import DESIGN_AXES
from advisor.store.paths import shipped
from advisor.store.rulebook import load_rulebook
from tests.core.guide.brute import allows, can_be, matches

BOOK = load_rulebook(shipped("rules"), cached=False)


def edited(**changes: Rule | None) -> Rulebook:
    """The shipped rules with some replaced (by id, `_` for `-`), or left out."""
    content = content_of(BOOK)
    ids = {name.replace("_", "-"): rule for name, rule in changes.items()}
    tables = tuple(
        table._replace(rules=tuple(kept for rule in table.rules if (kept := ids.get(rule.id, rule)) is not None))
        for table in content.tables
    )
    return compile_rulebook(content._replace(tables=tables), "edited")


def rule(rule_id: str) -> Rule:
    return BOOK.rule(rule_id)[1]


def moved(content: Content, axis: str, old: float, new: float) -> Content:
    """The content with one bound of one axis moved everywhere, as when a threshold is edited."""

    def when(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
        return tuple(
            one._replace(spans=tuple(tuple(new if bound == old else bound for bound in span) for span in one.spans))
            if one.axis == axis
            else one
            for one in conditions
        )

    tables = tuple(
        table._replace(rules=tuple(one._replace(when=when(one.when)) for one in table.rules))
        for table in content.tables
    )
    return content._replace(tables=tables)


def test_the_same_rules_advise_the_same():
    assert difference(BOOK, BOOK) == ()
    assert difference(BOOK, load_rulebook(shipped("rules"), cached=False)) == ()


def test_a_reworded_reason_changes_no_advice():
    assert difference(BOOK, edited(MSK_001=rule("MSK-001")._replace(because="Otherwise said.", title="Other"))) == ()


def test_a_changed_outcome_is_one_region_in_words():
    new = edited(MSK_001=rule("MSK-001")._replace(then="decoder-only", strength="weak"))
    decision = [one for one in difference(BOOK, new) if one.table == "family"]
    assert decision == [Difference("family", "task is fill-mask", "encoder-only (strong)", "decoder-only (weak)")]


def test_a_moved_threshold_changes_what_lies_between():
    new = compile_rulebook(moved(content_of(BOOK), "requests_per_second", 10, 50), "moved")
    found = difference(BOOK, new)
    assert (
        Difference(
            "family",
            "task is token-classification or text-regression and requests_per_second >= 10 and < 50"
            " and one_model_many_tasks is false",
            "encoder-only (strong)",
            "encoder-only (default)",
        )
        in found
    )
    assert all("requests_per_second >= 10 and < 50" in one.when for one in found)


def test_a_dropped_remark_is_said_no_longer():
    found = difference(BOOK, edited(HST_101=None))
    assert found == (Difference("remarks", "hosting is api", "note HST-101", "nothing"),)


def test_a_remark_of_another_level_is_a_difference():
    found = difference(BOOK, edited(HST_101=rule("HST-101")._replace(then="warning")))
    assert {(one.before, one.after) for one in found} == {("note HST-101", "nothing"), ("nothing", "warning HST-101")}


def test_a_component_left_out_is_a_difference():
    found = difference(BOOK, edited(CMP_012=None))
    assert {(one.table, one.before, one.after) for one in found} == {
        ("components", "reranker (encoder-only)", "nothing")
    }


def test_what_may_no_longer_be_is_a_difference():
    content = content_of(BOOK)
    new = compile_rulebook(content._replace(impossible=content.impossible[1:]), "fewer")
    whens = [one for one in difference(BOOK, new) if one.table == "family"]
    assert {one.before for one in whens} == {"cannot be"}
    assert whens[0].when == "task is retrieval and corpus_documents < 1"


def random_edit(chance: random.Random) -> Rulebook:
    """The shipped rules after a few careless edits."""
    content = content_of(BOOK)
    for _ in range(chance.randint(1, 3)):
        kind = chance.choice(["bound", "drop", "outcome", "strength", "impossible"])
        number = chance.randrange(len(content.tables))
        table = content.tables[number]
        at = chance.randrange(len(table.rules))
        rules = list(table.rules)
        if kind == "bound":
            content = moved(content, "requests_per_second", 10, chance.choice([3, 60]))
            continue
        if kind == "impossible":
            content = content._replace(impossible=content.impossible[: chance.randint(0, 2)])
            continue
        if kind == "drop" and number > 0:
            rules.pop(at)
        elif kind == "outcome":
            choices = ("encoder-only", "decoder-only") if number == 0 else ("model", "index") if number == 1 else LEVELS
            rules[at] = rules[at]._replace(then=chance.choice(choices))
        elif number == 0:
            rules[at] = rules[at]._replace(strength=chance.choice(["strong", "weak"]))
        tables = (*content.tables[:number], table._replace(rules=tuple(rules)), *content.tables[number + 1 :])
        content = content._replace(tables=tables)
    return compile_rulebook(content, "random")


def random_facts(chance: random.Random) -> dict[str, Value]:
    """A design: numbers near the bounds that the rules name, everything else anything."""
    numbers = {
        "requests_per_second": (1, 3, 9, 10, 30, 60, 100),
        "corpus_documents": (0, 1, 10**6),
        "labelled_examples": (None, 0, 1),
        "input_tokens": (1, 513),
        "input_tokens_max": (None, 1, 513),
        "output_tokens": (0, 1),
        "parameters": (None, 1, 10**10),
        "context_tokens": (None, 1, 513),
    }
    return {
        spec.name: chance.choice(
            numbers.get(spec.name, spec.listed) or (None,)
            if spec.nullable
            else numbers.get(spec.name, spec.listed) or (1,)
        )
        for spec in DESIGN_AXES
    }


def said(book: Rulebook, facts: dict[str, Value]) -> dict[str, set[str]]:
    """What a rulebook says of a design, found without boxes."""
    possible = can_be(book.impossible, facts)
    words: dict[str, set[str]] = {"family": set(), "components": set(), "remarks": set()}
    if not possible:
        words["family"].add("cannot be")
        return words
    for table, one in book.rules():
        if matches(one.when, facts):
            kind = table.name if table.name in ("family", "components") else "remarks"
            plain = f"{one.then} ({one.strength})" if kind == "family" else f"{one.then} ({one.architecture})"
            remark = f"{one.then} {one.id}" if one.then in LEVELS else plain
            words[kind].add(remark.replace(" (None)", ""))
    return words


@pytest.mark.parametrize("seed", range(60))
def test_differences_equal_brute_force_on_random_edits(seed):
    chance = random.Random(seed)
    new = random_edit(chance)
    spaces = shared_spaces(BOOK, new)
    found = list(regions(BOOK, new, spaces))
    for _ in range(60):
        facts = random_facts(chance)
        before, after = said(BOOK, facts), said(new, facts)
        for table in ("family", "components", "remarks"):
            space = spaces["workload" if table == "family" else "design"]
            point = space.point(facts)
            here = [one for one in found if one.table == table and intersect(one.box, point)]
            gone = {one.before for one in here} - {"nothing"}
            come = {one.after for one in here} - {"nothing"}
            assert gone == before[table] - after[table]
            assert come == after[table] - before[table]


def test_a_condition_is_asked_of_values():
    assert allows(Condition("a", (None,), ((1, 5),)), None)
    assert not allows(Condition("a", (None,), ((1, 5),)), 5)

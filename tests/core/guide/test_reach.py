"""What can still happen while answers are missing, against trying everything."""

import random
from itertools import product
from pathlib import Path

import pytest

from advisor.core.architecture import ARCHITECTURES
from advisor.core.guide.decide import decide
from advisor.core.guide.reach import matters, reachable
from advisor.core.guide.recommend import component_rules, remarks_on
from advisor.core.guide.rulebook import Rulebook
from advisor.core.guide.vocabulary import design_facts
from advisor.core.task import TASKS
from advisor.core.workload import ANSWER_ORDER, Workload
from advisor.store.paths import shipped
from advisor.store.rulebook import load_rulebook
from tests.core.guide import brute


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load_rulebook(Path(shipped("rules")), cached=False)


@pytest.mark.parametrize("seed", range(500))
def test_reachable_outcomes_equal_brute_force_on_random_tables(seed):
    chance = random.Random(seed)
    table, impossible = brute.unique_table(chance)
    everything = list(brute.points(table, impossible))
    for _, facts in chance.sample(everything, min(3, len(everything))):
        known = {name: value for name, value in facts.items() if chance.random() < 0.5}
        space = table.space
        there = [
            one
            for _, one in everything
            if all(intersects(space, name, one[name], value) for name, value in known.items())
        ]
        expected = {brute.fired(table, one)[0].then for one in there}
        assert set(reachable(table, known)) == expected


def intersects(space, name, one, other) -> bool:
    axis = space.axes[space.at[name]]
    return axis.cell_of(one) == axis.cell_of(other)


def test_nothing_is_within_reach_of_answers_that_cannot_be(rulebook):
    assert reachable(rulebook.decision, {"task": "retrieval", "corpus_documents": 0}) == ()


def test_without_answers_everything_is_within_reach(rulebook):
    assert set(reachable(rulebook.decision, {})) == set(ARCHITECTURES)


VALUES = {
    "requests_per_second": (1.0, 50.0),
    "input_tokens": (100, 600),
    "input_tokens_max": (None, 700, 500),
    "labelled_examples": (None, 0, 10),
    "priority": ("cost", "balanced", "accuracy"),
    "structured_source_target": (False, True),
    "one_model_many_tasks": (False, True),
    "corpus_documents": (0, 5000, 2_000_000),
    "long_structured_input": (False, True),
    "contrastive_decoder": (False, True),
    "hosting": ("api", "either"),
}
"""A value of every cell that the shipped rules tell apart."""


def advice(rulebook: Rulebook, workload: Workload) -> tuple:
    """All that the rules say of a workload, whatever model is chosen later."""
    facts = design_facts(workload, architecture="encoder-only")
    rule = decide(rulebook.decision, facts).rule
    said = {}
    for architecture in ARCHITECTURES:
        for known in ({}, *MODELS) if architecture == rule.then else ({},):
            design = design_facts(workload, architecture=architecture, **known)
            remarks = frozenset(one.rule for one in remarks_on(design, rulebook))
            said[architecture, str(known)] = remarks
    parts = component_rules(design_facts(workload, architecture=str(rule.then)), rulebook)
    return rule.then, rule.strength, tuple(part.id for part in parts), frozenset(said.items())


MODELS = (
    {"parameters": 10**8, "context_tokens": 512, "context_is_hard": True},
    {"parameters": 10**8, "context_tokens": 512, "context_is_hard": False},
    {"parameters": 10**10, "context_tokens": 4096, "context_is_hard": True},
)


def test_the_values_tried_cover_every_cell_of_the_shipped_rules(rulebook):
    for axis in rulebook.decision.space.axes:
        tried = {axis.cell_of(value) for value in VALUES.get(axis.name, ())}
        if axis.name in VALUES and axis.name not in ("hosting", "input_tokens_max"):
            assert tried == set(range(axis.size)), axis.name


@pytest.mark.parametrize("task", TASKS)
def test_an_answer_matters_exactly_where_changing_it_alone_can_change_the_advice(rulebook, task):
    chance = random.Random(task)
    others = [name for name in VALUES if chance.random() < 0.55 and name != "hosting"]
    known = {name: chance.choice(VALUES[name]) for name in VALUES if name not in others and name != "corpus_documents"}
    known |= {"task": task, "hosting": "either"}
    free = [name for name in VALUES if name not in known]
    said = {}
    for values in product(*(VALUES[name] for name in free)):
        chosen = dict(zip(free, values, strict=True))
        if task in ("retrieval", "retrieval-augmented-generation") and chosen.get("corpus_documents") == 0:
            continue
        defaults = {"output_tokens": 64, "input_tokens": 128}
        said[values] = advice(rulebook, Workload.model_validate(defaults | known | chosen))
    for at, name in enumerate(free):
        seen = {}
        changed = False
        for values, result in said.items():
            rest = (*values[:at], *values[at + 1 :])
            changed = changed or seen.setdefault(rest, result) != result
        assert matters(rulebook, name, known) == changed, name


def test_a_rate_per_day_matters_where_a_rate_per_second_does(rulebook):
    assert matters(rulebook, "requests_per_day", {"task": "summarization"})
    assert matters(rulebook, "peak_factor", {"task": "summarization"})
    assert not matters(rulebook, "requests_per_day", {"task": "fill-mask"})


def test_answers_that_no_rule_asks_about_do_not_matter(rulebook):
    for name in ("latency_budget_ms", "languages", "replica_cost_per_hour", "output_tokens"):
        assert name in ANSWER_ORDER
        assert not matters(rulebook, name, {})

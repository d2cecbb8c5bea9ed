"""Boxes and values as a person reads them."""

import pytest

from advisor.core.guide.axis import AxisSpec, Condition, cut_axis
from advisor.core.guide.boxes import make_space
from advisor.core.guide.words import box_words, figure_words, needed_words, rule_words, value_words, workload_words

TASK = AxisSpec("task", ("chat", "sort", "rank", "read", "find"))
RATE = AxisSpec("rate", lowest=0)
LABELS = AxisSpec("labels", nullable=True, whole=True, lowest=0)
FLAG = AxisSpec("many", (False, True))
SPECS = {spec.name: spec for spec in (TASK, RATE, LABELS, FLAG)}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (10.0, "10"),
        (0.5, "0.5"),
        (6.5e9, "6500000000"),
        ("cost", "cost"),
    ],
)
def test_values_are_spelled_as_in_a_rules_file(value, words):
    assert value_words(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (5e6 * 3 / 86_400, "173.611"),
        (9.99999999, "9.99999999"),
        (200.0, "200"),
        (0.5, "0.5"),
        (None, "null"),
        ("a", "a"),
    ],
)
def test_a_figure_in_a_sentence_has_six_digits_unless_it_would_become_another(value, words):
    assert figure_words(value) == words


def test_what_is_needed_is_said_shortly():
    task, rate, labels = (
        cut_axis(TASK, []),
        cut_axis(RATE, [Condition("rate", (), ((1, 10),))]),
        cut_axis(LABELS, [Condition("labels", (), ((None, 8),))]),
    )
    assert needed_words(task, 0b00110) == "sort or rank"
    assert needed_words(task, 0b11110) == "not chat"
    assert needed_words(rate, 0b001) == "< 1"
    assert needed_words(rate, 0b010) == ">= 1 and < 10"
    assert needed_words(rate, 0b101) == "< 1 or >= 10"
    assert needed_words(labels, 0b101) == "null or >= 8"
    assert needed_words(labels, 0b110) == "any number"


def test_a_box_names_only_what_it_asks_for():
    space = make_space(SPECS.values(), [Condition("rate", (), ((None, 10),))])
    box = space.box([Condition("task", ("chat",)), Condition("rate", (), ((None, 10),))])
    assert box_words(space, box) == "task is chat and rate < 10"
    assert box_words(space, space.full) == "anything at all"


def test_a_rule_is_worded_without_the_cuts_of_others():
    when = (Condition("rate", (), ((5, None),)), Condition("many", (True,)))
    assert rule_words(SPECS, when) == "rate >= 5 and many is true"
    assert rule_words(SPECS, ()) == "always"


def test_a_workload_takes_usual_values_where_they_lie_inside_and_near_ones_elsewhere():
    space = make_space(SPECS.values(), [Condition("rate", (), ((1, 10),)), Condition("labels", (), ((None, 8),))])
    box = space.box(
        [Condition("task", ("chat", "sort")), Condition("rate", (), ((1, 10),)), Condition("labels", (None,))]
    )
    assert (
        workload_words(space, box, {"task": "sort", "rate": 3}) == "task sort, rate 3 (any >= 1 and < 10), labels null"
    )
    assert workload_words(space, box, {}) == "task chat, rate 1 (any >= 1 and < 10), labels null"
    low = space.box([Condition("rate", (), ((None, 1),)), Condition("labels", (), ((None, 8),))])
    assert workload_words(space, low, {}) == "rate 0.5 (any < 1), labels 7 (any < 8)"
    assert workload_words(space, space.full, {}) == "any workload"


def test_the_run_in_words_does_not_leap_over_what_is_outside():
    space = make_space([RATE], [Condition("rate", (), ((1, 10),))])
    box = space.box([Condition("rate", (), ((None, 1), (10, None)))])
    assert workload_words(space, box, {"rate": 20}) == "rate 20 (any >= 10)"
